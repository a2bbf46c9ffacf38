"""The tables of docs/ that are made of rows alone: between `<!-- rows: NAME -->` and `<!-- end of rows -->`.

python tools/results_tables.py
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

from prismae.evaluation.baselines import BASELINES
from prismae.runs.verdict import BASELINE_NAMES
from prismae.studies import Plan
from prismae.studies.summary import is_score, paired, published
from prismae.studies.tables import number

ROOT = Path(__file__).parents[1]
PAGES = (
    "methods/ed_gcae.md",
    "results/ed_gcae_critic_rate.md",
    "results/evae.md",
    "results/hgmvae_mnist.md",
    "results/methods_modern.md",
)
MIG, USUAL_MIG = "yeats2023:mig", "locatello2019:mig"
KINDS = (
    "shared critic, dynamic noise",
    "shared critic, σ 0.2",
    "independent critics, dynamic noise",
    "independent critics, σ 0.2",
)
RATES, UPDATES = (0.0002, 0.001), (1, 5)
T_SNE = ("silhouette", "calinski-harabasz", "davies-bouldin")
WITHOUT = " without Fisher"
MODERN = ("mig", "dci-d", "dci-c", "dci-i", "infomec-m", "infomec-e", "infomec-c")


def filled(text: str, results: Path = ROOT / "results") -> str:
    """A page with its tables made anew."""

    def table(found: re.Match[str]) -> str:
        return f"{found[1]}\n\n{TABLES[found[2]](results)}\n\n{found[4]}"

    return re.sub(r"(?s)(<!-- rows: ([\w ,-]+) -->)(.*?)(<!-- end of rows -->)", table, text)


def _table(head: list[str], lines: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *lines))


def _p(p: float) -> str:
    return f"{p:.3f}" if p >= 0.0005 else "< 0.001"


def _cell(values: pd.Series) -> str:
    values = values.dropna()  # trainings that became NaN have no scores
    if values.empty:
        return "–"
    return number(values.mean(), values.std()) if len(values) > 1 else number(values.mean(), None)


def critic_rate(results: Path) -> str:
    """Scores of every setting."""
    frame = pd.read_csv(results / "ed_gcae_critic_rate.gpu.csv")
    scores = (MIG, "yeats2023:fac", "yeats2023:dci", "yeats2023:sap", USUAL_MIG, "mse")
    lines = []
    for k, rate, arm in product(UPDATES, RATES, KINDS):
        rows = _rows(frame, {"k": k, "critic_lr": rate, "arm": arm})
        lines.append([str(k), f"{rate:g}", arm, str(len(rows)), *(_cell(rows[score]) for score in scores)])
    chance = [number(frame[f"{score}:chance"].mean(), None) for score in scores[:-1]]
    lines.append(["shuffled codes (chance)", "", "", "", *chance, ""])
    names = ("mig", "fac", "dci", "sap", "mig of locatello2019", "mse")
    return _table(["k", "critic_lr", "critic and noise", "seeds", *names], lines)


def critic_long(results: Path) -> str:
    """Scores along trainings of 20,000 steps."""
    frame = pd.read_csv(results / "ed_gcae_critic_rate.long.csv")
    scores = (MIG, "yeats2023:fac", "yeats2023:dci", "yeats2023:sap", USUAL_MIG, "mse")
    lines = []
    for arm, steps in product(KINDS, sorted(frame["steps"].unique())):
        rows = _rows(frame, {"arm": arm, "steps": steps})
        if len(rows):
            n = f"{rows['mse'].count()} of {len(rows)}" if rows["mse"].isna().any() else str(len(rows))
            lines.append([arm, f"{steps:,}", n, *(_cell(rows[score]) for score in scores)])
    chance = [number(frame[f"{score}:chance"].mean(), None) for score in scores[:-1]]
    lines.append(["shuffled codes (chance)", "20,000", "", *chance, ""])
    names = ("mig", "fac", "dci", "sap", "mig of locatello2019", "mse")
    return _table(["critic and noise", "steps", "seeds", *names], lines)


def beside_published(name: str) -> Callable[[Path], str]:
    """MIG, FAC, DCI and error of a plan's arms at the paper's steps, the published ones beside."""
    plan = Plan.load(ROOT / "plans" / f"{name}.yaml", "gpu")
    scores = ("mig", "fac", "dci")

    def table(results: Path) -> str:
        frame = pd.read_csv(results / f"{name}.gpu.csv")
        lines = []
        for arm in frame["arm"].unique():
            rows = _rows(frame, {"arm": arm})
            line = [arm, str(len(rows))]
            for score in (f"yeats2023:{each}" for each in scores):
                theirs = published(plan, {"arm": arm}, score)
                line += [_cell(rows[score]), number(*theirs) if theirs else "–"]
            lines.append([*line, _cell(rows["mse"])])
        head = ["method", "seeds", *(text for score in scores for text in (score, "published")), "mse"]
        return _table(head, lines)

    return table


def beyond(results: Path) -> str:
    """Scores of six settings of ED-GCAE, the published ones below."""
    plan = Plan.load(ROOT / "plans" / "ed_gcae_beyond.yaml", "gpu")
    frame = pd.read_csv(results / "ed_gcae_beyond.gpu.csv")
    scores = [f"yeats2023:{each}" for each in ("mig", "fac", "dci", "sap")]
    lines = [
        [str(k), str(steps), *(_cell(rows[score]) for score in scores)]
        for (k, steps), rows in frame.groupby(["k", "steps"])
    ]
    theirs = [number(*them) for score in scores if (them := published(plan, {"arm": frame["arm"][0]}, score))]
    return _table(["k", "steps", "MIG", "FAC", "DCI", "SAP"], [*lines, ["published", "", *theirs]])


def over_latents(results: Path) -> str:
    """Scores of ED-GCAE after 2,000 steps over the number of latents; those of PCA and of untrained networks below."""
    rising = "noise that rises with the entropy"
    ten = pd.read_csv(results / "ed_gcae_noise.small.csv").replace(
        {"arm": {"rising, g in groups of 20": rising}}
    )
    frame = pd.concat([pd.read_csv(results / "ed_gcae_beyond.latents.csv"), ten.assign(n_latents=10)])
    scores = [f"yeats2023:{each}" for each in ("mig", "fac", "dci", "sap")]
    lines = []
    for arm, n in product((rising, "PCA", "untrained"), (4, 10, 16)):
        rows = _rows(frame, {"arm": arm, "n_latents": n})
        lines.append([arm, str(n), str(len(rows)), *(_cell(rows[score]) for score in scores)])
    return _table(["codes", "latents", "seeds", "MIG", "FAC", "DCI", "SAP"], lines)


def evae_dsprites(results: Path) -> str:
    """Errors and scores of 20,000 steps."""
    scores = ("mig", "factor-vae-score", "dci-d", "dci-c", "sap")
    columns = ("mse", "nats", *(f"locatello2019:{each}" for each in scores))
    rows = pd.read_csv(results / "evae_dsprites.gpu.csv").to_dict("records")
    lines = [[row["arm"], *(number(row[column], None) for column in columns)] for row in rows]
    return _table(["method", "mse", "recon., nats", *scores], lines)


def critic_pairs(results: Path) -> str:
    """Differences of MIG between two settings, seed by seed."""
    frame = pd.read_csv(results / "ed_gcae_critic_rate.gpu.csv")
    lines = []
    for question, first, last, setting in _pairs():
        pair = _rows(frame, first).merge(_rows(frame, last), on="seed")
        for score in (MIG, USUAL_MIG):
            gap = pair[f"{score}_x"] - pair[f"{score}_y"]
            compared = paired(pair[f"{score}_x"].to_list(), pair[f"{score}_y"].to_list())
            assert compared is not None
            if score == MIG:
                lines.append([question, setting, str(len(pair)), _cell(gap), _p(compared.p)])
            else:
                lines[-1] += [_cell(gap), _p(compared.p)]
    return _table(["difference", "in", "seeds", "mig", "p", "mig of locatello2019", "p"], lines)


def _rows(frame: pd.DataFrame, about: Mapping[str, Any]) -> pd.DataFrame:
    for key, value in about.items():
        frame = frame[frame[key] == value]
    return frame


def _pairs() -> Iterator[tuple[str, dict[str, Any], dict[str, Any], str]]:
    for k, arm in product(UPDATES, KINDS):
        base = {"k": k, "arm": arm}
        yield (
            "critic_lr 0.001 − 0.0002",
            base | {"critic_lr": 0.001},
            base | {"critic_lr": 0.0002},
            f"k = {k}, {arm}",
        )
    for rate, arm in product(RATES, KINDS):
        base = {"critic_lr": rate, "arm": arm}
        yield "k = 5 − k = 1", base | {"k": 5}, base | {"k": 1}, f"{rate:g}, {arm}"
    for what, pairs in (
        ("dynamic − fixed noise", ((0, 1), (2, 3))),
        ("shared − independent critics", ((0, 2), (1, 3))),
    ):
        for k, rate, (first, last) in product(UPDATES, RATES, pairs):
            base, arms = {"k": k, "critic_lr": rate}, (KINDS[first], KINDS[last])
            common = arms[0].split(", ")[0] if what.startswith("dynamic") else arms[0].split(", ")[1]
            yield what, base | {"arm": arms[0]}, base | {"arm": arms[1]}, f"k = {k}, {rate:g}, {common}"


def images(name: str, profile: str, world: str) -> Callable[[Path], str]:
    """Reconstructions and samples of one world, with SSIM and MS-SSIM beside the paper's where the rows have them."""
    plan = Plan.load(ROOT / "plans" / f"{name}.yaml", profile)
    frechet = [
        f"generation:frechet[{features}]-{of}"
        for of in ("reconstructions", "samples")
        for features in ("pixels-pca", f"classifier:{world}")
    ]

    def table(results: Path) -> str:
        frame = _rows(pd.read_csv(results / f"{name}.{profile}.csv"), {"world": world})
        beside = [score for score in ("generation:ssim", "generation:ms-ssim") if score in frame]
        lines = []
        for row in frame.to_dict("records"):
            line = [row["arm"]]
            for score in beside:
                theirs = published(plan, row, score)
                line += [number(row[score], None), f"*{number(*theirs)}*" if theirs else "–"]
            a, b, c, d = (f"{row[score]:.1f}" for score in frechet)
            lines.append([*line, number(row["mse"], None), f"{row['nats']:.1f}", f"{a} · {b}", f"{c} · {d}"])
        names = {"generation:ssim": "SSIM", "generation:ms-ssim": "MS-SSIM"}
        head = ["method", *(text for score in beside for text in (names[score], "*paper*")), "mse", "nats"]
        return _table(
            [*head, *(f"Fréchet, {of}: pixels · classifier" for of in ("reconstructions", "samples"))], lines
        )

    return table


def on_t_sne(profile: str) -> Callable[[Path], str]:
    """Scores of the digits on the t-SNE of codes, with and without Fisher's term, the paper's beside, and by how many
    of the three the paper's level and its order are reached."""
    plans = {
        suffix: Plan.load(ROOT / "plans" / f"{name}.yaml", profile)
        for name, suffix in (("hgmvae_table1", ""), ("hgmvae_table4", WITHOUT))
    }
    scores = [f"clustering/t-sne:{name}[labels on t-SNE]" for name in T_SNE]

    def table(results: Path) -> str:
        ours: dict[tuple[int, str], pd.DataFrame] = {}
        theirs: dict[tuple[int, str], list[float]] = {}  # empty where nothing is published
        for suffix, plan in plans.items():
            frame = pd.read_csv(results / f"{plan.name}.{profile}.csv")
            for (m, arm), rows in frame.groupby(["n_latents", "arm"]):
                again = str(arm).endswith("with Fisher") or (suffix and rows["method"].isin(BASELINES).all())
                if not again:  # Table 4's plan has it too, to compare with
                    said = [published(plan, {"arm": arm, "n_latents": m}, score) for score in scores]
                    place = int(str(m)), f"{arm}{suffix}"
                    ours[place], theirs[place] = rows[scores], [each[0] for each in said if each]
        lines = []
        for (m, arm), rows in sorted(ours.items(), key=lambda each: each[0][0]):
            mean, wanted = rows.mean().to_list(), theirs[m, arm]
            cells = [
                text
                for i, score in enumerate(scores)
                for text in (_cell(rows[score]), f"*{number(wanted[i], None)}*" if wanted else "–")
            ]
            other = m, arm.removesuffix(WITHOUT) if arm.endswith(WITHOUT) else "GMVAE"
            level = order = "–"
            if wanted:
                level = f"{sum(better >= 0 for better in _gains(mean, wanted))} of 3"
            if wanted and other != (m, arm) and theirs.get(other):
                gains = _gains(mean, ours[other].mean()), _gains(wanted, theirs[other])
                order = f"{sum((a > 0) == (b > 0) for a, b in zip(*gains, strict=True))} of 3"
            lines.append([str(m), arm, str(len(rows)), *cells, level, order])
        head = [text for index in ("SC", "CH", "DB") for text in (index, "*paper*")]
        return _table(["L", "method", "seeds", *head, "level", "order"], lines)

    return table


def _gains(ours: Iterable[float], others: Iterable[float]) -> list[float]:
    """By how much each score on the t-SNE is better than another."""
    signs = (-1 if name == "davies-bouldin" else 1 for name in T_SNE)
    return [sign * (a - b) for sign, a, b in zip(signs, ours, others, strict=True)]


def repeats(results: Path) -> str:
    """How far two trainings of the same job on one kind of GPU differ."""
    first, again = (
        pd.read_csv(results / f"hgmvae_table3.{kind}.csv").set_index("run") for kind in ("paper", "repeat")
    )
    lines = []
    for score in (each for each in first if is_score(str(each))):
        gap = (first[score] - again[score]).abs().dropna()
        lines.append(
            [
                str(score).replace(":", ": "),
                str(len(gap)),
                number(gap.mean(), None),
                number(gap.max(), None),
                str(first["arm"][str(gap.idxmax())]),
            ]
        )
    return _table(["score", "jobs", "mean difference", "largest", "of"], lines)


def modern(world: str) -> Callable[[Path], str]:
    """Errors and scores of one world of the plan of modern methods, mean and deviation over seeds; "–" for what is not
    run."""
    scores = ("mse", *(f"locatello2019:{each}" for each in MODERN))

    def table(results: Path) -> str:
        plan = Plan.load(ROOT / "plans" / "modern_worlds.yaml")
        frame = _rows(pd.read_csv(results / "modern_worlds.small.csv"), {"world": world})
        lines = []
        for arm in [*plan.methods, *(BASELINE_NAMES[each] for each in plan.baselines)]:
            rows = frame[frame["arm"] == arm]
            lines.append(
                [
                    arm,
                    str(len(rows)),
                    *(_cell(rows[score]) if rows[score].notna().any() else "–" for score in scores),
                ]
            )
        return _table(["method", "seeds", "mse", *MODERN], lines)

    return table


TABLES: dict[str, Callable[[Path], str]] = {
    "critic rate": critic_rate,
    "critic pairs": critic_pairs,
    "critic long": critic_long,
    "table1": beside_published("ed_gcae_table1"),
    "table3": beside_published("ed_gcae_table3"),
    "beyond": beyond,
    "over latents": over_latents,
    "evae dsprites": evae_dsprites,
    "repeats": repeats,
    "t-SNE, perceptron": on_t_sne("mlp"),
    "t-SNE, five convolutions": on_t_sne("paper"),
    "table3 mnist": images("hgmvae_table3", "paper", "mnist"),
    "table3 fashion-mnist": images("hgmvae_table3", "paper", "fashion-mnist"),
    "table3 fashion-mnist, two epochs": images("hgmvae_table3", "small", "fashion-mnist"),
    "table5 mnist": images("hgmvae_table5", "paper", "mnist"),
    "table5 fashion-mnist": images("hgmvae_table5", "paper", "fashion-mnist"),
    "table5 fashion-mnist, two epochs": images("hgmvae_table5", "small", "fashion-mnist"),
    "modern rooms": modern("rooms3d:side=32:n=40000"),
    "modern sprites": modern("color-dsprites:side=32:n=40000"),
}

if __name__ == "__main__":
    for name in PAGES:
        path = ROOT / "docs" / name
        path.write_text(filled(path.read_text()))

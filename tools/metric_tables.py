"""The tables in docs/metrics: computes their numbers and writes them between the marks in the pages.

    PYTHONPATH=tests python tools/metric_tables.py golden known worlds clusters images likelihood   # compute these
    PYTHONPATH=tests python tools/metric_tables.py   # only fill in what was computed before

Computed values lie in docs/metrics/values.json. A mark is a pair of comments, `<!-- table: NAME ARGUMENTS -->` and
`<!-- end -->`; what stands between them is replaced. Tables: `golden`; `known METRIC ...` (scores of known codes of a
dSprites grid); `worlds METRIC ...` (ceiling and chance level of each world); `declared METRIC ...` (bounds, direction);
`clusters METRIC ...` (scores of known codes of ten classes); `structureless METRIC ...` (of one Gaussian, by its
dimensions); `images METRIC ...` (of known changes of the world digits); `likelihood METRIC ...` (of known
posteriors of a linear model); `speed` (the output of benchmarks/metrics.py, kept in docs/metrics/speed.txt).
The golden values are not part of the repository: `--golden FOLDER` says where they are.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from known_codes import GRIDS, dsprites_codes, grid, standardised

from prismae import metrics, world
from prismae.evaluation import evaluate_codes, evaluate_images, evaluate_likelihood
from prismae.latent.gaussian import Gaussian
from prismae.latent.likelihood import log_importance_weights
from prismae.metrics import all_metrics
from prismae.metrics._votes import majority_accuracy
from prismae.metrics.disentanglement.beta_vae_score import pair_score
from prismae.metrics.disentanglement.dci import completeness, disentanglement

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "metrics"
VALUES = PAGES / "values.json"
KINDS = ("categorical", "continuous", "continuous", "continuous", "continuous")
INFORMATION = ["mig", "mig-sup", "dci-mig", "jemmig", "minimality", "sufficiency", "modularity", "infomec"]
INTERVENTION = ["factor-vae-score", "beta-vae-score", "z-min-variance", "z-max-variance", "irs"]
PREDICTION = ["dci", "sap", "sap-continuous", "mcc", "explicitness", "logistic-accuracy"]
LABEL_FREE = [
    "gaussian-total-correlation",
    "gaussian-wasserstein-correlation",
    "code-mutual-information",
    "active-units",
    "factorised-support",
]

Values = dict[str, Any]


def known_codes() -> Values:
    """Scores of six known codes of a dSprites grid, by both protocols."""
    factors = grid(GRIDS["dsprites"])
    usual = [*INFORMATION, "rmig", *INTERVENTION, *PREDICTION, "sap-mixed", *LABEL_FREE]
    found: Values = {}
    for name, codes in dsprites_codes(factors).items():
        found[name] = {}
        for protocol, wanted in (("locatello2019", usual), ("yeats2023", "all")):
            scores = evaluate_codes(
                codes, factors, factor_kinds=KINDS, metrics=wanted, protocol=protocol, baselines=False
            )
            suffix = "" if protocol == "locatello2019" else f"-{protocol}"
            found[name] |= {key + suffix: score.score for key, score in scores.items()}
        print("known codes:", name, flush=True)
    return found


def worlds() -> Values:
    """Ceiling and chance level of ten codes on each world's grid of factors."""
    found: Values = {}
    for name, sizes in GRIDS.items():
        factors = grid(sizes)
        dead = 0.01 * np.random.default_rng(0).standard_normal(
            (len(factors), 10 - len(sizes)), dtype=np.float32
        )
        codes = np.hstack([standardised(factors), dead])
        shuffled = codes[np.random.default_rng(1).permutation(len(codes))]
        ceiling, chance = (
            evaluate_codes(each, factors, metrics=[*INFORMATION, *INTERVENTION, *PREDICTION], baselines=False)
            for each in (codes, shuffled)
        )
        found[name] = {key: [ceiling[key].score, chance[key].score] for key in ceiling if key in chance}
        print("world:", name, flush=True)
    return found


def golden(folder: Path) -> Values:
    """Our scores beside those of the reference definitions, on the same points."""
    found: Values = {}
    for case in ("disentangled", "mixed"):
        kept = np.load(folder / f"{case}.npz")
        theirs = json.loads((folder / f"{case}.json").read_text())
        z, v = kept["codes_train"], kept["factors_train"]
        test = kept["codes_test"], kept["factors_test"]
        examples = [
            kept[f"bv_{part}"] for part in ("train_points", "train_labels", "eval_points", "eval_labels")
        ]
        explicit = metrics.explicitness(z, v, test=test)
        dci = metrics.dci(z, v, test=test)
        found[case] = {
            "MIG": (metrics.mig(z, v), theirs["mig"]["discrete_mig"]),
            "SAP, continuous": (float(metrics.sap_continuous(z, v)), theirs["sap_cont"]["SAP_score"]),
            "SAP, discrete": (float(metrics.sap(z, v, test=test)), theirs["sap"]["SAP_score"]),
            "modularity": (metrics.modularity(z, v), theirs["modexp"]["modularity_score"]),
            "explicitness, train": (explicit.train_score, theirs["modexp"]["explicitness_score_train"]),
            "explicitness, test": (explicit.score, theirs["modexp"]["explicitness_score_test"]),
            "IRS": (float(metrics.irs(z, v)), theirs["irs"]["IRS"]),
            "FactorVAE score, given the votes": (
                majority_accuracy(kept["fv_votes_train"], kept["fv_votes_eval"]),
                theirs["factor_vae"]["eval_accuracy"],
            ),
            "beta-VAE score, given the examples": (
                float(pair_score(*examples)),
                theirs["beta_vae"]["eval_accuracy"],
            ),
            "DCI D, given the importances": (
                disentanglement(kept["dci_importance"]),
                theirs["dci"]["disentanglement"],
            ),
            "DCI C, given the importances": (
                completeness(kept["dci_importance"]),
                theirs["dci"]["completeness"],
            ),
            "DCI D": (dci.disentanglement, theirs["dci"]["disentanglement"]),
            "DCI C": (dci.completeness, theirs["dci"]["completeness"]),
            "DCI I, train": (dci.informativeness_train, theirs["dci"]["informativeness_train"]),
            "DCI I, test": (dci.informativeness, theirs["dci"]["informativeness_test"]),
        }
        print("golden:", case, flush=True)
    return found


def clusters() -> Values:
    """Scores of known codes of ten classes, 10,000 points in ten dimensions."""
    rng = np.random.default_rng(0)
    labels = np.arange(10_000) % 10
    noise = rng.standard_normal((10_000, 10))
    known = {
        "apart": 6 * np.eye(10)[labels] + noise,
        "touching": 3 * np.eye(10)[labels] + noise,
        "other": 6 * np.eye(10)[rng.permutation(labels)] + noise,
        "both": 3 * np.eye(10)[labels] + 6 * np.eye(10)[rng.permutation(labels)] + noise,
        "none": noise,
        "collapsed": np.zeros((10_000, 10)),
    }
    found: Values = {}
    for name, codes in known.items():
        scores = evaluate_codes(codes, labels[:, None], metrics=["clustering", "classification"])
        found[name] = {key: score.score for key, score in scores.items()}
        print("clusters:", name, flush=True)
    return found


def structureless() -> Values:
    """Ten clusters that k-means finds in 10,000 points of one Gaussian, by its dimensions."""
    labels = np.arange(10_000)[:, None] % 10
    found: Values = {}
    for d in (2, 8, 32, 128):
        codes = np.random.default_rng(d).standard_normal((10_000, d))
        found[f"{d} codes"] = {
            key: score.score
            for key, score in evaluate_codes(codes, labels, metrics="clustering", baselines=False).items()
            if key.endswith("[k-means]")
        }
        print("structureless:", d, flush=True)
    return found


def images() -> Values:
    """Scores of known changes of 599 images of the world digits (8x8); other 599 teach the features."""
    digits = world("digits")
    assert digits.factors is not None
    rows = torch.from_numpy(np.random.default_rng(0).permutation(len(digits)))
    x, others, labels = digits.data[rows[:599]], digits.data[rows[599:]], digits.factors[rows[599:], 0]
    generator = torch.Generator().manual_seed(0)
    order = torch.stack([torch.randperm(len(x), generator=generator) for _ in range(64)], dim=1)
    known = {
        "same": x,
        "noisy": (x + 0.1 * torch.randn(x.shape, generator=generator)).clamp(0, 1),
        "blurred": F.avg_pool2d(x, 3, stride=1, padding=1),
        "shifted": F.pad(x, (1, 0, 0, 0))[..., :-1],
        "one class": x[digits.factors[rows[:599], 0] == 1][(torch.arange(599) + 1) % 57],
        "mean": x.mean(0, keepdim=True).expand_as(x),
        "pixels apart": x.flatten(1).gather(0, order).view_as(x),
    }
    found: Values = {}
    for name, changed in known.items():
        scores = evaluate_images(
            x, reconstructions=changed, others=others, labels=labels, name="digits", baselines=False
        )
        found[name] = {key.removesuffix("-reconstructions"): score.score for key, score in scores.items()}
        print("images:", name, flush=True)
    real = evaluate_images(x, samples=x, others=others, labels=labels, name="digits")
    found["others"] = {key.removesuffix("-samples"): score.ceiling for key, score in real.items()}
    return found


def likelihood() -> Values:
    """Scores of 2,000 observations of x | z ~ N(W z, I), z ~ N(0, I) in ten dimensions, with known posteriors.

    W has orthogonal columns of lengths 3, 2, 1 and 0, so that the exact posterior is known.
    """
    torch.manual_seed(0)
    n, lengths = 2_000, torch.tensor([3.0, 2.0, 1.0, 0.0])
    loading = torch.linalg.qr(torch.randn(10, 4))[0] * lengths
    x = torch.randn(n, 4) @ loading.T + torch.randn(n, 10)
    variance = 1 / (1 + lengths.square())
    mean, log_var = variance * (x @ loading), variance.log().expand(n, 4)
    known = {
        "exact": (mean, log_var, 0.0),
        "wide": (mean, log_var + 1, 0.0),
        "off": (mean + 0.5, log_var, 0.0),
        "moved": (mean + 2, log_var, 2.0),  # and so is what the decoder expects
        "collapsed": (torch.zeros(n, 4), torch.zeros(n, 4), 0.0),
    }
    marginal = torch.distributions.MultivariateNormal(torch.zeros(10), loading @ loading.T + torch.eye(10))
    found: Values = {"likelihood": {"nll[500 samples]": -float(marginal.log_prob(x).mean())}}
    for name, (m, v, moved) in known.items():
        q = Gaussian(m.unsqueeze(1).expand(-1, 500, -1), v.unsqueeze(1).expand(-1, 500, -1))
        z = q.rsample()
        losses = 0.5 * ((x.unsqueeze(1) - (z - moved) @ loading.T).square() + np.log(2 * np.pi)).sum(2)
        weights = log_importance_weights(losses, q, z)
        given = {"losses": losses, "mean": m, "log_var": v}
        found[name] = {
            f"nll[{k} sample{'s' * (k > 1)}]": float(metrics.nll(weights[:, :k])) for k in (1, 10, 100, 500)
        }
        found[name] |= {key: score.score for key, score in evaluate_likelihood(**given).items()}
        print("likelihood:", name, flush=True)
    return {name: found[name] for name in (*known, "likelihood")}


def table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def number(value: float | None) -> str:
    return "" if value is None else "∞" if value == np.inf else f"{value:.3f}"


def matching(names: list[str], keys: list[str]) -> list[str]:
    """The score names that belong to metrics: `dci` stands for dci-d, dci-c, dci-i."""
    every = sorted(all_metrics(), key=len, reverse=True)
    owner = {
        key: next((name for name in every if key == name or key.startswith((f"{name}-", f"{name}["))), key)
        for key in keys
    }
    found = [key for name in names for key in keys if owner[key] == name]
    assert {owner[key] for key in found} == set(names), set(names) - {owner[key] for key in found}
    return found


def golden_table(values: Values, names: list[str]) -> str:
    header = ["score"]
    for case in values["golden"]:
        header += [f"{case}: reference", "prismae", "difference"]
    rows = []
    for name in next(iter(values["golden"].values())):
        row = [name]
        for case in values["golden"].values():
            ours, theirs = case[name]
            row += [
                f"{theirs:.4f}",
                f"{ours:.4f}",
                f"{abs(ours - theirs):.0e}" if abs(ours - theirs) > 1e-12 else "0",
            ]
        rows.append(row)
    return table(header, rows)


def known_table(values: Values, names: list[str]) -> str:
    return by_columns(values["known"], names)


def clusters_table(values: Values, names: list[str]) -> str:
    return by_columns(values["clusters"], names)


def structureless_table(values: Values, names: list[str]) -> str:
    return by_columns(values["structureless"], names)


def images_table(values: Values, names: list[str]) -> str:
    return by_columns(values["images"], names)


def likelihood_table(values: Values, names: list[str]) -> str:
    return by_columns(values["likelihood"], names)


def by_columns(columns: Values, names: list[str]) -> str:
    """A table of one row a score, from {column: {score: value}}."""
    keys = matching(names, list(next(iter(columns.values()))))
    rows = [[f"`{key}`", *(number(column.get(key)) for column in columns.values())] for key in keys]
    return table(["score", *columns], rows)


def worlds_table(values: Values, names: list[str]) -> str:
    found = values["worlds"]
    keys = matching(names, sorted({key for each in found.values() for key in each}))
    rows = []
    for key in keys:
        pairs = (found[name].get(key) for name in found)
        rows.append([f"`{key}`", *("" if each is None else " / ".join(map(number, each)) for each in pairs)])
    return table(["score: ceiling / chance", *found], rows)


def declared_table(values: Values, names: list[str]) -> str:
    rows = []
    for name in names:
        each = all_metrics()[name]
        better = each.better.value
        low, high = (f"{bound:g}".replace("inf", "∞") for bound in each.bounds)
        unchanged = ", ".join(change.replace("_", " ") for change in each.invariant)
        rows.append([f"`{name}`", f"{low} … {high}", better, unchanged])
    return table(["metric", "bounds", "better", "unchanged if you"], rows)


def speed_table(values: Values, names: list[str]) -> str:
    """What benchmarks/metrics.py printed into docs/metrics/speed.txt."""
    return f"```text\n{(PAGES / 'speed.txt').read_text().strip()}\n```"


COMPUTED: dict[str, Callable[..., Values]] = {
    "golden": golden,
    "known": known_codes,
    "worlds": worlds,
    "clusters": clusters,
    "structureless": structureless,
    "images": images,
    "likelihood": likelihood,
}
TABLES: dict[str, Callable[[Values, list[str]], str]] = {
    "golden": golden_table,
    "known": known_table,
    "worlds": worlds_table,
    "clusters": clusters_table,
    "structureless": structureless_table,
    "images": images_table,
    "likelihood": likelihood_table,
    "declared": declared_table,
    "speed": speed_table,
}


def fill_in(page: str, values: Values) -> str:
    """The page with every table renewed."""

    def renew(mark: re.Match[str]) -> str:
        name, *arguments = mark[2].split()
        return f"{mark[1]}\n{TABLES[name](values, arguments)}\n{mark[3]}"

    return re.sub(r"(<!-- table: (.*?) -->)\n.*?(<!-- end -->)", renew, page, flags=re.DOTALL)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("compute", nargs="*", choices=[*COMPUTED, []])
    parser.add_argument("--golden", type=Path, default=ROOT.parent / "shared" / "golden", metavar="FOLDER")
    options = parser.parse_args()
    values = json.loads(VALUES.read_text()) if VALUES.exists() else {}
    for name in options.compute:
        computed = golden(options.golden) if name == "golden" else COMPUTED[name]()
        values = (json.loads(VALUES.read_text()) if VALUES.exists() else {}) | {name: computed}
        VALUES.write_text(json.dumps(values, indent=1) + "\n")
    for path in sorted(PAGES.glob("*.md")):
        path.write_text(fill_in(path.read_text(), values))


if __name__ == "__main__":
    main()

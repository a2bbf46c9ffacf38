"""The pictures of docs/results/ that are drawn from rows alone: what the papers print, and what we measured.

python tools/results_pictures.py
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from prismae.figures.canvas import ACCENT, FAINT, FONT, INK, MUTED, SMALL, new_figure, plain, png
from prismae.studies import Plan
from prismae.studies.summary import published

ROOT = Path(__file__).parents[1]
PLANS, RESULTS, PAGES = ROOT / "plans", ROOT / "results", ROOT / "docs" / "results"
MIG = "yeats2023:mig"
KINDS = (
    "shared critic, dynamic noise",
    "shared critic, σ 0.2",
    "independent critics, dynamic noise",
    "independent critics, σ 0.2",
)
PLANE = {
    "silhouette": "silhouette, higher is better",
    "calinski-harabasz": "Calinski-Harabasz, higher",
    "davies-bouldin": "Davies-Bouldin, lower",
}


def critic_rate() -> Figure:
    """MIG of every seed for each critic, noise, rate and k; the published means, and what costs nothing."""
    rows = pd.read_csv(RESULTS / "ed_gcae_critic_rate.gpu.csv")
    free = pd.read_csv(RESULTS / "methods_baselines.small.csv").query("world == 'beamsynthesis'")
    settings = list(product((1, 5), (0.0002, 0.001), KINDS))
    figure = new_figure(4.6)
    axes = figure.subplots()
    plain(axes, "x")
    for y, (k, rate, kind) in enumerate(settings):
        seeds = rows[(rows["k"] == k) & (rows["critic_lr"] == rate) & (rows["arm"] == kind)][MIG]
        _seeds(axes, seeds.tolist(), y)
    for name, (mean, deviation), colour in (
        ("ED-GCAE, published", (0.369, 0.040), ACCENT),
        ("GCAE, published", (0.291, 0.052), MUTED),
    ):
        axes.axvspan(mean - deviation, mean + deviation, color=colour, alpha=0.12, lw=0, label=name)
    for arm, style in (("PCA", "--"), ("untrained", ":")):
        axes.axvline(free[free["arm"] == arm][MIG].mean(), color=INK, lw=1, ls=style, label=arm)
    axes.set_yticks(range(len(settings)), [f"k = {k}, {rate:g}: {kind}" for k, rate, kind in settings])
    axes.invert_yaxis()
    axes.set_xlabel("MIG (yeats2023) on Beamsynthesis, 2,000 steps", fontsize=FONT, color=MUTED)
    axes.legend(frameon=False, fontsize=SMALL, loc="upper center", bbox_to_anchor=(0.4, 1.1), ncols=4)
    return figure


def on_t_sne() -> Figure:
    """Scores of the digits on the t-SNE of eight latents, ours and the paper's."""
    tables = {}
    for name in ("hgmvae_table1", "hgmvae_table4"):
        rows = pd.read_csv(RESULTS / f"{name}.mlp.csv").query("n_latents == 8")
        tables[name] = (Plan.load(PLANS / f"{name}.yaml", "mlp"), rows)
    arms = [
        ("hgmvae_table1", "GMVAE", "GMVAE"),
        ("hgmvae_table1", "HGMVAE-G", "HGMVAE-G"),
        ("hgmvae_table1", "HGMVAE-U", "HGMVAE-U"),
        ("hgmvae_table4", "HGMVAE-G", "G, no Fisher term"),
        ("hgmvae_table4", "HGMVAE-U", "U, no Fisher term"),
    ]
    figure = new_figure(2.3)
    for axes, (short, title) in zip(figure.subplots(1, 3, sharey=True), PLANE.items(), strict=True):
        plain(axes, "x")
        score = f"clustering/t-sne:{short}[labels on t-SNE]"
        for y, (table, arm, _) in enumerate(arms):
            plan, rows = tables[table]
            theirs = published(plan, {"arm": arm, "n_latents": 8}, score)
            assert theirs is not None, "the plan has every number of the paper's tables"
            axes.plot(theirs[0], y, "|", color=MUTED, ms=14, mew=2, label="" if y else "published")
            _seeds(axes, rows[rows["arm"] == arm][score].tolist(), y, "" if y else "ours")
        axes.set_title(title, loc="left", fontsize=FONT, color=INK)
        axes.set_yticks(range(len(arms)), [name for *_, name in arms])
    axes.invert_yaxis()
    axes.legend(frameon=False, fontsize=SMALL)
    return figure


def evolved() -> Figure:
    """MIG over the error on dSprites, and nats of reconstruction over the KL in texts: what each weight buys."""
    figure = new_figure(2.6)
    for axes, (name, x, y, title, of) in zip(
        figure.subplots(1, 2),
        (
            ("evae_dsprites", "mse", "locatello2019:mig", "dSprites: MIG", "squared error"),
            (
                "evae_text",
                "likelihood:kl",
                "likelihood:reconstruction",
                "Penn Treebank: reconstruction, nats",
                "KL, nats",
            ),
        ),
        strict=True,
    ):
        rows = pd.read_csv(RESULTS / f"{name}.small.csv").query("seed == 0")  # that of the tables
        plain(axes)
        for row in rows.to_dict("records"):
            own, left = row["arm"] == "eVAE", row["arm"] in ("cyclical annealing", "eVAE from weight 50")
            below = row["arm"] in ("InfoVAE", "β-VAE", "linear annealing")
            axes.plot(row[x], row[y], "o", color=ACCENT if own else FAINT, ms=5, zorder=3)
            axes.annotate(
                row["arm"], (row[x], row[y]), fontsize=SMALL, color=INK if own else MUTED,
                xytext=(-4 if left else 4, -10 if below else -3 if own else 2), textcoords="offset points",
                ha="right" if left else "left",
            )  # fmt: skip
        axes.margins(x=0.75, y=0.15)
        left, right = axes.get_xlim()  # with room for names, where there are no values
        axes.set_xticks([tick for tick in axes.get_xticks() if max(left, 0) <= tick <= right])
        axes.set_xlabel(of, fontsize=SMALL, color=MUTED)
        axes.set_title(title, loc="left", fontsize=FONT, color=INK)
    return figure


def _seeds(axes: Axes, values: list[float], y: float, label: str = "") -> None:
    """A ring for each seed, and their mean."""
    axes.plot(values, np.full(len(values), y), "o", color=ACCENT, mfc="none", ms=4, lw=0)
    axes.plot(np.mean(values), y, "o", color=ACCENT, ms=6, label=label)


PICTURES: dict[str, Callable[[], Figure]] = {
    "ed_gcae_critic_rate.png": critic_rate,
    "hgmvae_t_sne_scores.png": on_t_sne,
    "evae_rows.png": evolved,
}

if __name__ == "__main__":
    for file, draw in PICTURES.items():
        (PAGES / file).write_bytes(png(draw()))

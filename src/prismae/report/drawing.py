"""From a run's saved arrays to its figures: all of them for the report, or one by its kind."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from prismae.errors import InputError, unknown_name
from prismae.report import figures as draw
from prismae.report.results import Run

LABELS = {
    "sigma": "channel noise σ",
    "entropy": "entropy of the code, nats",
    "monitor:spread": "spread of the code (standard deviation)",
}
LETTERS = 18  # of a column's name in a figure
# kind of picture -> arrays of pictures.npz that it is drawn from
NEEDS = {
    "reconstructions": ("originals", "reconstructions"),
    "worst": ("worst", "worst_reconstructions"),
    "traversals": ("traversals", "traversal_values"),
    "effects": ("effects", "spread"),
    "manifold": ("manifold",),
    "samples": ("samples",),
    "clusters": ("clusters", "cluster_sizes", "cluster_source"),
    "tsne": ("tsne",),
}


def draw_picture(run: Run, kind: str, factor: str | None = None) -> Figure:
    """One picture of a run.

    Parameters
    ----------
    kind
        A key of `NEEDS`.
    factor
        Whose value colours a t-SNE; by default the factor "label", else the first one.

    Raises
    ------
    InputError
        For an unknown kind or factor, arrays that the run folder lacks, and what a table has no picture of.
    """
    if kind not in NEEDS:
        raise unknown_name("kind of picture", kind, NEEDS)
    if run.kind == "texts":
        refuse_of_texts(kind)
    if lacking := lacks(run, kind):
        raise InputError(
            f"{run.folder} holds no {', '.join(lacking)}: `prismae picture {run.folder} --kind {kind}` computes them."
        )
    if factor is not None and kind != "tsne":
        raise InputError(f"A factor colours a t-SNE only, not a picture of kind {kind!r}.")
    if kind == "manifold" and run.kind == "table":
        raise InputError("A manifold shows images or series; rows of a table do not fit into its cells.")
    return _PICTURES[kind](run) if kind != "tsne" else _tsne(run, factor)


def refuse_of_texts(kind: str) -> None:
    """Refuse, for a run on texts, every kind of picture but the t-SNE, before anything is computed for it."""
    if kind != "tsne":
        raise InputError(
            f"Texts have no picture of kind {kind!r}: expected 'tsne'. Sentences are in the report, `prismae report`."
        )


def lacks(run: Run, kind: str) -> list[str]:
    """The arrays that a kind of picture is drawn from and the run folder does not hold."""
    return [name for name in NEEDS[kind] if name not in run.pictures]


def draw_all(run: Run) -> dict[str, Figure]:
    """Every figure that the saved results of a run allow, by name."""
    pictures, latents = run.pictures, run.latents
    drawn: dict[str, Figure] = {}
    if run.scalars:
        drawn["terms"] = draw.term_curves(run.steps, run.scalars)
    for name, values in run.vectors.items():
        drawn[plain_name(name)] = draw.latent_curves(run.steps, values, latents, LABELS.get(name, name))
    moving = {name: w for name, w in run.weights.items() if len(np.unique(w[np.isfinite(w)])) > 1}
    if run.population:
        drawn["weights"] = _evolution(run)
    elif moving:
        drawn["weights"] = draw.term_curves(run.steps, moving, smooth=False)
    for kind in NEEDS:
        if not lacks(run, kind) and not (kind == "manifold" and run.kind == "table"):
            drawn[kind] = draw_picture(run, kind)
    if "errors" in pictures:
        drawn["errors"] = draw.error_histogram(pictures["errors"])
    if latents is not None and "kl" in pictures:
        drawn["kl"] = draw.latent_bars(pictures["kl"], latents, "mean KL(q(z|x) || N(0, 1)), nats")
    elif latents is not None and "code_entropy" in pictures:
        drawn["code-entropy"] = draw.latent_bars(
            pictures["code_entropy"], latents, "entropy of the code, nats"
        )
    if {"mutual_information", "factor_entropies", "factor_names"} <= pictures.keys():
        drawn["information"] = draw.information(
            pictures["mutual_information"],
            pictures["factor_entropies"],
            [str(name) for name in pictures["factor_names"]],
            latents,
        )
    for protocol, scores in run.protocols.items():
        drawn[f"scores-{plain_name(protocol)}"] = draw.score_bars(scores)
    return drawn


def _evolution(run: Run) -> Figure:
    """The evolved weights with all that was tried; other weights that move have their columns in the history."""
    tried = {name.removeprefix("weight:"): values for name, values in run.population.items() if ":" in name}
    seen = np.isfinite(next(iter(tried.values()))).all(axis=1)
    return draw.evolution(
        run.steps,
        {name: run.weights[name] for name in tried},
        run.steps[seen],
        {name: values[seen] for name, values in tried.items()},
        run.population["fitness"][seen],
        run.population["kl"][seen],
        float(run.history["evolve:rate"].dropna().iloc[-1]),
    )


def plain_name(name: str) -> str:
    """A name for files and anchors."""
    return re.sub(r"[^\w]+", "-", name.removeprefix("monitor:")).strip("-")


def _columns(run: Run) -> list[str]:
    """Names of a table's columns, cut to what fits into a figure."""
    return [name if len(name) <= LETTERS else name[: LETTERS - 1] + "…" for name in run.feature_names]


def _standardised(run: Run, rows: NDArray) -> NDArray:
    """Rows [..., d] of a table in standard deviations from the mean, as far as the run knows them."""
    if not {"element_mean", "element_std"} <= run.pictures.keys():
        return rows
    deviation = run.pictures["element_std"]
    return (rows - run.pictures["element_mean"]) / np.where(deviation > 0, deviation, 1.0)


def _reconstructions(run: Run, first: str = "originals", second: str = "reconstructions") -> Figure:
    originals, rebuilt = run.pictures[first], run.pictures[second]
    if run.kind == "table":
        pair = _standardised(run, originals), _standardised(run, rebuilt)
        return draw.table_pairs(*pair, _columns(run))
    return draw.reconstructions(run.in_units(originals), run.in_units(rebuilt), run.channel_names)


def _traversals(run: Run) -> Figure:
    frames, values = run.pictures["traversals"], run.pictures["traversal_values"]
    if run.kind == "table":
        return draw.table_traversals(_standardised(run, frames), values, _columns(run), run.latents)
    return draw.traversals(run.in_units(frames), values, run.latents, channels=run.channel_names)


def _effects(run: Run) -> Figure:
    change, latents = run.pictures["effects"], run.latents
    assert latents is not None
    if run.kind != "table":
        return draw.effects(change, latents, channels=run.channel_names)
    deviation = run.pictures.get("element_std", np.ones(change.shape[1]))
    return draw.effects(change / np.where(deviation > 0, deviation, 1.0), latents, _columns(run))


def _samples(run: Run) -> Figure:
    frames = run.pictures["samples"]
    if run.kind == "table":
        labels = [f"sample {i + 1}" for i in range(len(frames))]
        return draw.table(_standardised(run, frames), _columns(run), labels)
    return draw.samples(run.in_units(frames))


def _clusters(run: Run) -> Figure:
    means, sizes = run.pictures["clusters"], run.pictures["cluster_sizes"]
    source = str(run.pictures["cluster_source"])
    if run.kind != "table":
        return draw.clusters(run.in_units(means), sizes, source)
    order = np.argsort(-sizes, kind="stable")
    labels = [f"{sizes[i]:,} rows" for i in order]
    title = f"mean of each cluster: {source}"
    return draw.table(_standardised(run, means[order]), _columns(run), labels, title)


def _tsne(run: Run, factor: str | None = None) -> Figure:
    pictures = run.pictures
    if "tsne_factors" not in pictures:
        if factor is not None:
            raise InputError(
                f"The t-SNE cannot be coloured by {factor!r}: no factors are known for this data."
            )
        return draw.embedding(pictures["tsne"])
    names = [str(name) for name in pictures["tsne_names"]]
    chosen = factor or ("label" if "label" in names else names[0])
    if chosen not in names:
        raise unknown_name("factor", chosen, names)
    return draw.embedding(pictures["tsne"], pictures["tsne_factors"][:, names.index(chosen)], chosen)


_PICTURES: dict[str, Callable[[Run], Figure]] = {
    "reconstructions": _reconstructions,
    "worst": lambda run: _reconstructions(run, "worst", "worst_reconstructions"),
    "traversals": _traversals,
    "effects": _effects,
    "manifold": lambda run: draw.manifold(run.in_units(run.pictures["manifold"])),
    "samples": _samples,
    "clusters": _clusters,
    "tsne": _tsne,
}

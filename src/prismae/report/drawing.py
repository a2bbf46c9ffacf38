"""All figures of a run's page: those of its views, of its training and of its scores."""

from __future__ import annotations

import re

import numpy as np
from matplotlib.figure import Figure

from prismae import figures as draw
from prismae.runs.run import Run
from prismae.views import View, all_views

LABELS = {
    "sigma": "channel noise σ",
    "entropy": "entropy of the code, nats",
    "monitor:spread": "spread of the code (standard deviation)",
}


def draw_all(run: Run) -> dict[str, Figure]:
    """Every figure that the saved results of a run allow, by name."""
    latents = run.latents
    drawn: dict[str, Figure] = {}
    if run.logged.scalars:
        drawn["terms"] = draw.term_curves(run.logged.steps, run.logged.scalars, run.logged.unseen_terms)
    for name, values in run.logged.vectors.items():
        drawn[plain_name(name)] = draw.latent_curves(
            run.logged.steps, values, latents, LABELS.get(name, name)
        )
    moving = {name: w for name, w in run.logged.weights.items() if len(np.unique(w[np.isfinite(w)])) > 1}
    if run.logged.population:
        drawn["weights"] = _evolution(run)
    elif moving:
        drawn["weights"] = draw.term_curves(run.logged.steps, moving, smooth=False)
    drawn |= {name: each().draw(run) for name, each in all_views().items() if can_be_drawn(each, run)}
    for protocol, scores in run.protocols.items():
        drawn[f"scores-{plain_name(protocol)}"] = draw.score_bars(scores)
    return drawn


def can_be_drawn(view: type[View], run: Run) -> bool:
    """Whether there is a figure of a view of this run, and the run holds what it is drawn from."""
    return view.drawn and not view.refusal(run.shown.kind) and not view.lacks(run)


def _evolution(run: Run) -> Figure:
    """The evolved weights with all that was tried; other weights that move have their columns in the history."""
    tried = {
        name.removeprefix("weight:"): values for name, values in run.logged.population.items() if ":" in name
    }
    seen = np.isfinite(next(iter(tried.values()))).all(axis=1)
    return draw.evolution(
        run.logged.steps,
        {name: run.logged.weights[name] for name in tried},
        run.logged.steps[seen],
        {name: values[seen] for name, values in tried.items()},
        run.logged.population["fitness"][seen],
        run.logged.population["kl"][seen],
        float(run.history["evolve:rate"].dropna().iloc[-1]),
    )


def plain_name(name: str) -> str:
    """A name for files and anchors."""
    return re.sub(r"[^\w]+", "-", name.removeprefix("monitor:")).strip("-")

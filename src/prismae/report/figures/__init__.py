"""Figures of a run: pure functions from arrays to a matplotlib Figure."""

from prismae.report.figures.canvas import save, svg
from prismae.report.figures.curves import latent_curves, term_curves
from prismae.report.figures.pictures import reconstructions, traversals
from prismae.report.figures.scores import information, score_bars

__all__ = [
    "information",
    "latent_curves",
    "reconstructions",
    "save",
    "score_bars",
    "svg",
    "term_curves",
    "traversals",
]

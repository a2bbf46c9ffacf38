"""Figures of a run: pure functions from arrays to a matplotlib Figure."""

from prismae.report.figures.canvas import inline, png, svg
from prismae.report.figures.curves import latent_curves, term_curves
from prismae.report.figures.pictures import reconstructions, traversals
from prismae.report.figures.scores import information, score_bars

__all__ = [
    "information",
    "inline",
    "latent_curves",
    "png",
    "reconstructions",
    "score_bars",
    "svg",
    "term_curves",
    "traversals",
]

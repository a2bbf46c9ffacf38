"""Figures of a run: pure functions from arrays to a matplotlib Figure."""

from prismae.figures.canvas import inline, pdf, png, svg
from prismae.figures.codes import effects, embedding, error_histogram, latent_bars
from prismae.figures.curves import latent_curves, term_curves
from prismae.figures.evolution import evolution
from prismae.figures.grids import clusters, manifold, samples
from prismae.figures.pictures import reconstructions, traversals
from prismae.figures.scores import information, score_bars
from prismae.figures.sheets import sheets
from prismae.figures.tables import table, table_pairs, table_traversals

__all__ = [
    "clusters",
    "effects",
    "embedding",
    "error_histogram",
    "evolution",
    "information",
    "inline",
    "latent_bars",
    "latent_curves",
    "manifold",
    "pdf",
    "png",
    "reconstructions",
    "samples",
    "score_bars",
    "sheets",
    "svg",
    "table",
    "table_pairs",
    "table_traversals",
    "term_curves",
    "traversals",
]

"""Views: the figures of a run, one file each, found by scanning this folder and other packages' entry points.

Importing this package, and drawing, needs no torch; computing does.
"""

from prismae.views._base import Arrays, Table, View, all_views, view
from prismae.views._computing import add_views, complete, compute, keep
from prismae.views._shapes import check

__all__ = [
    "Arrays",
    "Table",
    "View",
    "add_views",
    "all_views",
    "check",
    "complete",
    "compute",
    "keep",
    "view",
]

"""Where a figure that is taller than a printed sheet is parted: between its rows, never through one."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

PAPER = 7.5  # inches: the width of a printed page's column
FIRST, SHEET = 7.8, 9.8  # inches of a figure that a sheet holds, and the first one with a heading above it

Span = tuple[float, float]  # top and bottom, in inches from the top of the figure


def sheets(figure: Figure) -> list[Span]:
    """Tops and bottoms of the parts of a figure, each for a sheet of its own, as shares of the figure's height.

    One part is all of it: where a sheet holds it, and where nothing tells its rows apart.
    """
    width, height = figure.get_size_inches()
    scale = min(1.0, PAPER / width)
    if height * scale <= SHEET:
        return [(0.0, 1.0)]
    rows: list[Span] = []
    for row in _rows(figure, (axes for axes in figure.axes if axes.get_in_layout())):
        tall = (row[1] - row[0]) * scale > FIRST
        rows += _inner(figure, row) if tall else [row]
    places = [(above[1] + below[0]) / 2 for above, below in pairwise(rows)]
    cuts = [0.0]
    while (height - cuts[-1]) * scale > (SHEET if len(cuts) > 1 else FIRST):
        room = (SHEET if len(cuts) > 1 else FIRST) / scale
        below = [place for place in places if place > cuts[-1]]
        if not below:
            break
        cuts.append(max((place for place in below if place <= cuts[-1] + room), default=below[0]))
    ends = [*cuts, height]
    return [(top / height, end / height) for top, end in pairwise(ends)]


def _inner(figure: Figure, row: Span) -> list[Span]:
    """What is drawn within a row of axes, as rows."""
    drawn: list[Artist] = []
    for axes in figure.axes:
        drawn += [*axes.texts, *axes.lines, *axes.patches, *axes.images, *axes.collections]
    inner = [each for each in _rows(figure, drawn) if row[0] <= sum(each) / 2 <= row[1]]
    return inner or [row]


def _rows(figure: Figure, artists: Iterable[Artist]) -> list[Span]:
    """The spans of artists from the top down, those that overlap as one."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [each.get_tightbbox(renderer) for each in artists if each.get_visible()]
    height = figure.get_figheight()
    spans = sorted((height - box.y1 / figure.dpi, height - box.y0 / figure.dpi) for box in boxes if box)
    rows: list[Span] = []
    for top, bottom in spans:
        if rows and top < rows[-1][1]:
            rows[-1] = rows[-1][0], max(rows[-1][1], bottom)
        else:
            rows.append((top, bottom))
    return rows

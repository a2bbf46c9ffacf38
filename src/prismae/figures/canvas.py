"""The common look: colours, an empty figure, and how a figure becomes a file or a piece of a page.

Colours are picked twice: the values here are for white paper; in a page each is replaced by a CSS variable of
the same role, so that the page can draw the same figure on a dark ground.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from functools import cache, partial
from html import escape
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, Formatter, FuncFormatter
from numpy.typing import NDArray

from prismae.runs.latents import Latents

INK, MUTED, FAINT, RULE = "#1b1d23", "#666c77", "#a9afb9", "#dfe2e7"
ACCENT, WARM = "#2e79c7", "#c9571a"
# Each of a lightness of its own, so that they stay apart for the colour-blind and in a grey print; more than these do
# not fit between black and what is seen on white
PALETTE = ("#3d4ee5", "#c8265e", "#199aad", "#9ca71e", "#6e3a07", "#570a6d", "#03291a")
MARKS = "o^s"  # classes next to each other have other shapes, too: some colours are one grey in print
# families that have what DejaVu lacks, tried in this order where they are installed
FALLBACKS = (
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans JP", "Noto Sans SC", "Hiragino Sans", "PingFang SC", "Yu Gothic",
    "Microsoft YaHei", "Malgun Gothic", "WenQuanYi Micro Hei", "IPAexGothic",
    "Droid Sans Fallback", "Noto Emoji", "Segoe UI Emoji", "Symbola",
)  # fmt: skip
# blue to orange through grey: each end and the middle is readable on white and on black
RAMP = LinearSegmentedColormap.from_list("traversal", ["#1d74c4", "#8790a0", "#dc6a10"])

FONT, SMALL, TINY = 9.0, 8.0, 7.5  # points
SUFFIXES = (".png", ".svg", ".pdf")
DPI = 150  # pixels an inch
WIDTH = 9.0  # inches: the width of the page's column, so that a point in a figure is a point on the page


def new_figure(
    height: float, width: float = WIDTH, *, head: float = 0.0, apart: float = 0.04, placed: bool = False
) -> Figure:
    """An empty figure, apart from pyplot's global state.

    Parameters
    ----------
    height, width
        Size in inches.
    head
        Inches at the top that axes leave free.
    apart
        Inches of padding above and below each axes.
    placed
        Whether the caller places the axes; otherwise they are laid out so that no two labels overlap.
    """
    engine = ConstrainedLayoutEngine(h_pad=apart, w_pad=0.07, rect=(0, 0, 1, 1 - head / height))
    figure = Figure(figsize=(width, height), layout=None if placed else engine, facecolor="none")
    FigureCanvasAgg(figure)
    return figure


def plain(axes: Axes, grid: str = "y") -> None:
    """Take away all of an axes that carries no data; leave faint grid lines along "x", "y" or "" for none."""
    axes.set_facecolor("none")
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom" and bool(grid))
        spine.set_color(FAINT)
        spine.set_linewidth(0.7)
    axes.tick_params(which="both", length=0, labelsize=SMALL, labelcolor=MUTED, colors=MUTED, pad=4)
    if grid:
        axes.grid(axis="x" if grid == "x" else "y", color=RULE, linewidth=0.7)
        axes.set_axisbelow(True)


def head_line(figure: Figure, text: str) -> None:
    """Write a text above all axes; browsers draw letters a little higher than matplotlib measures them."""
    figure.text(0, 1 - 0.03 / figure.get_figheight(), text, va="top", fontsize=FONT, color=INK)


def blank(axes: Axes) -> None:
    """Leave nothing of an axes but what is drawn into it."""
    axes.set_facecolor("none")
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)


def latent_colours(latents: Latents) -> list[str]:
    """A colour for each of m latents, the same in every figure, by their order; dead ones are grey."""
    colours = [FAINT] * len(latents)
    for rank, i in enumerate(latents.order):
        if not latents.dead[i]:
            colours[i] = PALETTE[rank % len(PALETTE)]
    return colours


def thin(curves: NDArray, limit: int) -> tuple[NDArray, NDArray]:
    """Draw long curves with few points and without losing a peak.

    Parameters
    ----------
    curves
        [..., length] values at 0, 1, 2 …
    limit
        How many points may remain.

    Returns
    -------
    positions [p] and values [..., p], p <= max(limit, 2): of each of p / 2 cells the least
    and the greatest value, in the order in which they occur.
    """
    length = curves.shape[-1]
    if length <= max(limit, 2):
        return np.arange(length, dtype=float), curves
    cell = -(-length // max(limit // 2, 1))
    padded = np.pad(curves, [(0, 0)] * (curves.ndim - 1) + [(0, -length % cell)], mode="edge")
    cells = padded.reshape(*curves.shape[:-1], -1, cell)
    first, second = cells.min(axis=-1), cells.max(axis=-1)
    falls = cells.argmax(axis=-1) < cells.argmin(axis=-1)
    values = np.stack([np.where(falls, second, first), np.where(falls, first, second)], axis=-1)
    starts = np.arange(cells.shape[-2]) * cell
    positions = np.stack([starts + (cell - 1) / 4, starts + 3 * (cell - 1) / 4], axis=-1)
    return positions.ravel().clip(max=length - 1), values.reshape(*curves.shape[:-1], -1)


def svg(figure: Figure) -> str:
    """The figure as an SVG document on white, the same for the same figure."""
    _prepare(figure, escaped=False)  # who shows the document has fonts of their own
    buffer, dpi = io.StringIO(), figure.dpi
    # text stays text (small, searchable, in the page's font), and equal figures give equal bytes
    with (
        matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "prismae"}),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        # `savefig` would draw it all once more, only to lay it out
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None, "Creator": None})
    figure.set_dpi(dpi)  # vectors are drawn at 72
    FigureCanvasAgg(figure)
    # of a figure that was drawn as a picture before
    document = re.sub(r"\\U(00(?:0[0-9a-f]|10)[0-9a-f]{4})", _character, buffer.getvalue())
    return document.replace("<svg ", '<svg style="background: white" ', 1)


def inline(document: str, name: str, label: str, parts: Sequence[tuple[float, float]] = ((0.0, 1.0),)) -> str:
    """The SVG document of a figure as an element of a page.

    Its identifiers start with `name`, so that many figures can stand in one page; `label` is what a screen
    reader says; colours are CSS variables (`--ink`, `--muted`, `--faint`, `--rule`, `--accent`, `--warm`,
    `--c0` …) and the ground is that of the page. Of several `parts` (see `sheets`) each is an element of its own in
    print, which shows them in place of the whole.
    """
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', document)
    assert box is not None
    width = float(box[1]) * 96 / 72  # CSS pixels a point
    body = document[document.index(">", document.index("<svg")) + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'(url\(|href=")#', rf"\g<1>#{name}-", body)
    for colour, role in _roles().items():
        body = body.replace(colour, f"var(--{role})")
    style = f"--width: {width:.0f}px; max-width: var(--width)"
    whole = f'role="img" aria-label="{escape(label)}" {box[0]} style="{style}">{body}'
    if len(parts) == 1:
        return f"<svg {whole}"
    (root,) = re.findall(r'<g id="([^"]*figure_1)"', body)
    height = float(box[2])
    return f'<svg class="whole" {whole}' + "".join(
        f'<svg class="sheet" aria-hidden="true" viewBox="0 {top * height:.2f} {box[1]} {(bottom - top) * height:.2f}" '
        f'style="{style}"><use href="#{root}"/></svg>'
        for top, bottom in parts
    )


def png(figure: Figure, dpi: int = DPI) -> bytes:
    """The figure as a PNG image on white, of so many pixels an inch."""
    _prepare(figure)
    buffer, before = io.BytesIO(), (figure.dpi, figure.get_facecolor())
    figure.set_dpi(dpi)
    figure.set_facecolor("white")
    FigureCanvasAgg(figure).print_png(buffer)  # `savefig` would draw it all once more, only to lay it out
    figure.set_dpi(before[0])
    figure.set_facecolor(before[1])
    return buffer.getvalue()


def pdf(figure: Figure) -> bytes:
    """The figure as a PDF document on white, its text as text, the same for the same figure."""
    _prepare(figure)
    buffer = io.BytesIO()
    with matplotlib.rc_context({"pdf.fonttype": 42}):
        figure.savefig(buffer, format="pdf", facecolor="white", metadata={"CreationDate": None})
    return buffer.getvalue()


def as_file(figure: Figure, suffix: str, *, dpi: int = DPI, width: float | None = None) -> bytes:
    """The figure as a file of one of `SUFFIXES`, `width` inches wide (None: as wide as it was drawn)."""
    if width is not None:
        resize(figure, width)
    if suffix == ".png":
        return png(figure, dpi)
    return pdf(figure) if suffix == ".pdf" else svg(figure).encode()


def resize(figure: Figure, width: float) -> None:
    """Make a figure `width` inches wide.

    Curves and bars are laid out anew, at the same height and with text of the same size; where pictures or cells have
    their places, all of it is scaled.
    """
    scale = width / figure.get_figwidth()
    if figure.get_layout_engine() is not None:
        figure.set_size_inches(width, figure.get_figheight())
        for axes in figure.axes:
            if not axes.get_in_layout():  # its unit is an inch
                axes.set_xlim(0, axes.get_xlim()[1] * scale)
        return
    figure.set_size_inches(width, figure.get_figheight() * scale)
    for text in figure.findobj(Text):
        text.set_fontsize(float(text.get_fontsize()) * scale)
    for line in figure.findobj(Line2D):
        line.set(linewidth=line.get_linewidth() * scale, markersize=line.get_markersize() * scale)
    for patch in figure.findobj(Patch):
        patch.set_linewidth(patch.get_linewidth() * scale)


def _prepare(figure: Figure, *, escaped: bool = True) -> None:
    """Names are the user's: dollar signs stay as they are, and characters that no installed font has are escaped."""
    for axes in figure.axes if escaped else ():
        for axis in (axes.xaxis, axes.yaxis):
            if isinstance(named := axis.get_major_formatter(), FuncFormatter | FixedFormatter):
                axis.set_major_formatter(partial(_tick, named))
    for text in figure.findobj(Text):
        text.set_parse_math(False)
        if not text.get_text().isascii():
            text.set_text(_escaped(text.get_text()) if escaped else text.get_text())
            text.set_fontfamily([*text.get_fontfamily(), *_installed()])


def _escaped(name: str) -> str:
    return "".join(c if c.isascii() or _drawable(c) else f"\\U{ord(c):08x}" for c in name)


def _tick(named: Formatter, value: float, place: int | None = None) -> str:
    return _escaped(named(value, place))


def _character(escaped: re.Match[str]) -> str:
    """What `_escaped` stands for; never a sign that means something in a document."""
    code = int(escaped[1], 16)
    return chr(code) if code > 127 else escaped[0]


def complete_fonts() -> None:
    """Add matplotlib's own fonts to its list where what it has kept of this machine lacks some: else each figure
    is drawn in others, and says so for each of them on standard error."""
    there = {Path(each.fname).name for each in fontManager.ttflist}
    for path in Path(matplotlib.get_data_path(), "fonts", "ttf").glob("*.ttf"):
        if path.name not in there:
            fontManager.addfont(path)


complete_fonts()


@cache
def _installed() -> tuple[str, ...]:
    there = set(fontManager.get_font_names())
    return tuple(name for name in FALLBACKS if name in there)


@cache
def _drawable(character: str) -> bool:
    """Whether a font that figures are drawn in has a character."""
    families = [FontProperties(), *(FontProperties(family=name) for name in _installed())]
    return any(get_font(findfont(each)).get_char_index(ord(character)) for each in families)


def look(place: int) -> tuple[str, str]:
    """Colour and mark of a class; no two of 21 have the same of both."""
    return PALETTE[place % len(PALETTE)], MARKS[place % len(MARKS)]


def _roles() -> dict[str, str]:
    named = {INK: "ink", MUTED: "muted", FAINT: "faint", RULE: "rule", ACCENT: "accent", WARM: "warm"}
    return named | {colour: f"c{i}" for i, colour in enumerate(PALETTE)}

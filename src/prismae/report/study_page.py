"""The report of a study: one self-contained HTML page of its tables and figures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from matplotlib.figure import Figure

from prismae._text import together_on_page
from prismae.figures.canvas import inline, svg
from prismae.figures.sheets import sheets


@dataclass(frozen=True)
class Part:
    """A section of the page: a table, and the figure of the same scores.

    Parameters
    ----------
    title
        Heading.
    head, lines
        Texts of the table.
    best
        Cells (line, column) to stress.
    figure
        Drawn above the table; None: no figure.
    tests
        A sentence on it, head and lines of a second table below; None: there is none.
    remark
        A sentence below the table.
    """

    title: str
    head: Sequence[str]
    lines: Sequence[Sequence[str]]
    best: set[tuple[int, int]] = field(default_factory=set)
    figure: Figure | None = None
    tests: tuple[str, Sequence[str], Sequence[Sequence[str]]] | None = None
    remark: str = ""


def study_page(
    title: str,
    lede: str,
    parts: Sequence[Part],
    notes: Sequence[str] = (),
    about: Mapping[str, str] | None = None,
    warned: Sequence[str] = (),
) -> str:
    """The page as HTML. It needs no network, no other file and no server.

    Parameters
    ----------
    title, lede
        Heading, and a sentence below it.
    notes
        What a reader of the numbers should know.
    about
        Facts for the last table: machines, versions, time.
    warned
        What to know before the scores: how many trainings went wrong.
    """
    environment = Environment(
        loader=PackageLoader("prismae.report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["prose"] = prose
    figures = {
        i: Markup(inline(svg(part.figure), f"part-{i}", f"Scores, {part.title}", sheets(part.figure)))
        for i, part in enumerate(parts)
        if part.figure is not None
    }
    page = environment.get_template("study.html.j2").render(
        title=title, lede=lede, parts=parts, figures=figures, notes=notes, about=about or {}, warned=warned
    )
    return together_on_page(page)


def prose(text: str) -> Markup:
    """A text for a page, in which what stands between backticks is code, as in plans and messages."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))

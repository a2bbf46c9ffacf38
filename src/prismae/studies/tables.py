"""A study's summary as text: Markdown, LaTeX, CSV; one table for each protocol."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from math import floor, isfinite, isnan, log10
from typing import Any

from prismae._text import in_markdown, inert, minus
from prismae.errors import unknown_name
from prismae.studies.plan import Plan
from prismae.studies.summary import SURE, Cell, Summary, divided, plain

FORMATS = ("markdown", "csv", "latex")
PUBLISHED = "published"  # heads the published numbers of the score before it
MOST_DIGITS = 5  # after the point; smaller numbers are written as 1.2e-07


def render(plan: Plan, summary: Summary, form: str = "markdown") -> str:
    """The tables of a study.

    Parameters
    ----------
    form
        "markdown", "latex" (booktabs; bold what the test tells from the rest), both with tests and notes, or "csv" (one
        line for each arm and score).
    """
    if form not in FORMATS:
        raise unknown_name("format", form, FORMATS)
    return {"markdown": _markdown, "csv": _csv, "latex": _latex}[form](plan, summary)


def sections(summary: Summary) -> Iterator[tuple[str, list[str]]]:
    """Protocols and their scores; last the errors, if there are any, under the name "reconstruction"."""
    by_protocol: dict[str, list[str]] = {}
    for score in summary.scores:
        by_protocol.setdefault(divided(score)[0], []).append(score)
    errors = by_protocol.pop("", [])
    yield from ((f"protocol {protocol}", scores) for protocol, scores in by_protocol.items())
    if errors:
        yield "reconstruction", errors


def seeds(cells: dict[str, Cell], scores: list[str]) -> str:
    """How many seeds the cells of a line rest on: "5", or "3–5" if scores differ."""
    found = sorted({cells[score].n for score in scores if score in cells})
    return "–".join(str(n) for n in dict.fromkeys([found[0], found[-1]])) if found else "0"


def number(mean: float, deviation: float | None) -> str:
    """ "0.369 ± 0.040"; without a deviation the mean alone.

    Below 10 with three digits after the point, else with one; but with two digits of what would be shown as 0: of the
    deviation ("12.300 ± 0.012"), or of the mean where there is none.
    """
    digits = 3 if abs(mean) < 10 else 1
    spread = None if deviation is None or isnan(deviation) else deviation
    smallest = abs(spread or mean)
    usual = form = f".{digits}f"
    if isfinite(smallest) and smallest and not round(smallest, digits):
        needed = 1 - floor(log10(smallest))
        form = f".{needed}f" if needed <= MOST_DIGITS else ".2g"
    if spread is None:
        return f"{mean:{form}}"
    of_mean = usual if form == ".2g" and round(mean, digits) else form
    return f"{mean:z{of_mean}} ± {spread:{form}}"  # z: what is rounded to 0 has no sign


@dataclass(frozen=True)
class Table:
    """A table of texts: its title or a sentence on it, its head, its lines, and the best's cells (line, column).

    `sure` are those of them that the test tells from all others. `remark` says where a baseline is better than all
    methods, of which none is the best then.
    """

    title: str
    head: list[str]
    lines: list[list[str]]
    best: set[tuple[int, int]]
    sure: set[tuple[int, int]] = field(default_factory=set)
    remark: str = ""


def tables(summary: Summary) -> Iterator[Table]:
    """One table for each protocol: mean ± deviation, the published numbers beside, chance levels in the last line."""
    for title, scores in sections(summary):
        beside = [s for s in scores if any(s in c and c[s].published for c in summary.lines.values())]
        pairs = [(s, p) for s in scores for p in ((False, True) if s in beside else (False,))]
        table = Table(
            title[0].upper() + title[1:],
            [*summary.keys, "seeds", *(PUBLISHED if p else divided(s)[1] for s, p in pairs)],
            [],
            set(),
            remark=_ahead(summary, scores),
        )
        for values, cells in summary.lines.items():
            if not any(s in cells for s in scores):
                continue  # as baselines are without errors: nothing to say here
            line = [*map(plain, values), seeds(cells, scores)]
            for score, published in pairs:
                cell = cells.get(score)
                if cell and cell.best and not cell.not_above and not published:
                    table.best.add((len(table.lines), len(line)))
                if cell and cell.surely and not published:
                    table.sure.add((len(table.lines), len(line)))
                line.append(_text(cell, published))
            table.lines.append(line)
        for world, levels in summary.chance.items():
            if any(s in levels for s in scores):
                chance = ["" if p or s not in levels else number(levels[s], None) for s, p in pairs]
                keys = [world if key == "world" else "" for key in summary.keys[1:]]
                table.lines.append(["shuffled codes (chance)", *keys, "", *chance])
        yield table


def _ahead(summary: Summary, scores: list[str]) -> str:
    """Which baselines no method is better than, and by which scores; in one world of several by which of its."""
    found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    place = summary.keys.index("world") if "world" in summary.keys else None
    for score in scores:
        for values, cells in summary.lines.items():
            if score in cells and (above := cells[score].not_above):
                world = "" if place is None else f" on {values[place]}"
                found.setdefault((world, above), []).append(divided(score)[1])
    return " ".join(
        f"No method is better than {' and than '.join(above)} by {', '.join(names)}{world}."
        for (world, above), names in found.items()
    )


def _text(cell: Cell | None, published: bool) -> str:
    if cell is None or (published and cell.published is None):
        return "–"
    if published:
        return number(*cell.published) if cell.published else "–"
    return number(cell.mean, cell.deviation)


def _markdown(plan: Plan, summary: Summary) -> str:
    parts = []
    for table, (_, scores) in zip(tables(summary), sections(summary), strict=True):
        parts += [f"### {table.title}", "", _row(table.head), "|---" * len(table.head) + "|"]
        for i, line in enumerate(table.lines):
            parts.append(_row(line, [j for at, j in table.best if at == i]))
        parts += ["", in_markdown(table.remark)] if table.remark else []
        tests = tested(summary, scores)
        if tests:
            parts += [
                "",
                tests.title,
                "",
                _row(tests.head),
                "|---" * len(tests.head) + "|",
                *map(_row, tests.lines),
            ]
        parts.append("")
    below = [*map(in_markdown, remarks(plan, summary)), *(note.strip() for note in plan.notes)]
    return "\n".join([*parts, *(text for note in below for text in (note, ""))])


def remarks(plan: Plan, summary: Summary) -> list[str]:
    """What stands below the tables before the plan's own notes: where published numbers are from, and what to know."""
    sources = dict.fromkeys(each.source for each in plan.published)
    published = [f"Published: {'; '.join(sources)}."] if sources else []
    return [*published, *summary.warned, *summary.notes]


AGAINST = (
    "Against the best of the column, by the seeds that both have: the difference ± half of its 95 % interval, d, the "
    "difference over its deviation, and p of the paired t test (t) or the Wilcoxon signed-rank test (W) with the "
    "number of seeds, corrected after Holm for the lines of the column. The best was found by the same seeds."
)


def tested(summary: Summary, scores: list[str]) -> Table | None:
    """How the lines compare with the best of each column; None where no test is made."""
    columns = [s for s in scores if any(s in c and c[s].against for c in summary.lines.values())]
    table = Table(AGAINST, [*summary.keys, *(divided(s)[1] for s in columns)], [], set())
    for values, line in summary.lines.items():
        cells = [line.get(s) for s in columns]
        if any(cell and (cell.best or cell.against) for cell in cells):
            table.lines.append([*map(plain, values), *map(_against, cells)])
    return table if columns else None


def _against(cell: Cell | None) -> str:
    found = cell and cell.against
    if not found:
        return "best" if cell and cell.best else "–"
    p = "< 0.001" if found.p < 0.001 else f"{found.p:.3f}"
    difference = minus(number(found.difference, found.half))
    test = "t" if found.test == "paired t" else "W"
    return f"{difference}, d {minus(f'{found.effect:.2g}')}, p {p} ({test}, {found.pairs})"


CSV = (
    "score", "mean", "deviation", "lower", "upper", "seeds", "best", "difference", "difference_lower",
    "difference_upper", "effect", "p", "test", "pairs", "published", "published_deviation",
)  # fmt: skip


def _csv(plan: Plan, summary: Summary) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*map(inert, summary.keys), *CSV])
    for values, cells in summary.lines.items():
        for score, cell in cells.items():
            by = cell.against
            compared: tuple[Any, ...] = (None,) * 7
            if by is not None:
                ends = (by.difference - by.half, by.difference + by.half)
                compared = (by.difference, *ends, by.effect, by.p, by.test, by.pairs)
            about = (cell.mean, cell.deviation, *cell.interval)
            known = [None if isnan(each) else each for each in about]
            published = cell.published or (None, None)
            writer.writerow([*map(inert, values), score, *known, cell.n, cell.best, *compared, *published])
    return text.getvalue()


def _latex(plan: Plan, summary: Summary) -> str:
    parts = [f"% {_line(plan.title)}; needs booktabs"]
    for table, (_, scores) in zip(tables(summary), sections(summary), strict=True):
        for each in (table, tested(summary, scores)):
            parts += [] if each is None else _tabular(each, len(summary.keys))
    parts.append(
        f"% Bold: better than each of the others, and each baseline, by the paired test, "
        f"p < {SURE} after Holm."
    )
    sources = dict.fromkeys(each.source for each in plan.published)
    parts += [f"% Published: {_line('; '.join(sources))}."] if sources else []
    parts += [f"% {_line(note)}" for note in (*summary.warned, *summary.notes, *plan.notes)]
    return "\n".join(parts) + "\n"


def _tabular(table: Table, keys: int) -> Iterator[str]:
    yield f"% {_line(table.title)}"
    yield rf"\begin{{tabular}}{{{'l' * keys}{'c' * (len(table.head) - keys)}}}"
    yield r"\toprule"
    yield " & ".join(map(_tex, table.head)) + r" \\"
    yield r"\midrule"
    for i, line in enumerate(table.lines):
        texts = [rf"\textbf{{{_tex(t)}}}" if (i, j) in table.sure else _tex(t) for j, t in enumerate(line)]
        yield " & ".join(texts) + r" \\"
    yield from (r"\bottomrule", r"\end{tabular}", *([f"% {_line(table.remark)}"] if table.remark else []), "")


def _line(text: str) -> str:
    """A text as one line, as comments are."""
    return " ".join(text.split())


def _row(texts: list[str], best: Collection[int] = ()) -> str:
    cells = [in_markdown(text) for text in texts]
    return f"| {' | '.join(f'**{cell}**' if j in best else cell for j, cell in enumerate(cells))} |"


def _tex(text: str) -> str:
    """A text as LaTeX sets it, whatever is in it: letters that pdfLaTeX has not are their numbers there, and themselves
    in XeLaTeX and LuaLaTeX."""
    return "".join(_set(letter) for letter in _line(unicodedata.normalize("NFC", text)))


def _set(letter: str) -> str:
    found = _TEX.get(letter) or _greek(letter)
    if found or (letter.isprintable() and (letter.isascii() or letter in _LATIN)):
        return found or letter
    number = f"U+{ord(letter):04X}"
    if not letter.isprintable():
        return number
    other = rf"{{\fontencoding{{T1}}\selectfont {letter}}}" if letter in _OF_T1 else number
    return rf"\ifdefined\Umathcode {letter}\else {other}\fi{{}}"


def _greek(letter: str) -> str | None:
    name = unicodedata.name(letter, "")
    found = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER (\w+)", name)
    called = found[2].replace("LAMDA", "LAMBDA").lower() if found else ""
    small = found is not None and found[1] == "SMALL"
    if called not in (_SMALL if small else _CAPITALS):
        return None  # a letter that TeX has among the Latin ones
    return rf"$\{called if small else called.capitalize()}$"


_OF_T1 = "«»‹›‚„ÐÞðþĄąĐđĘęĮįŊŋŲų"  # which LaTeX's usual encoding lacks
_LATIN = {*map(chr, range(0xA1, 0x180)), *"‘’“”…†‡•€™"} - {*_OF_T1, *"ĦħĸĿŀŉŦŧſ"}  # which it has
_CAPITALS = ["gamma", "delta", "theta", "lambda", "xi", "pi", "sigma", "upsilon", "phi", "psi", "omega"]
_SMALL = [
    *_CAPITALS,
    *["alpha", "beta", "epsilon", "zeta", "eta", "iota", "kappa", "mu", "nu", "rho", "tau", "chi"],
]
_TEX = {each: f"\\{each}" for each in "&%#_${}"} | {
    "\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "±": r"$\pm$", "–": "--",
    "[": "{[}", "*": "{*}",  # at the beginning of a line they would be read as belonging to the end of the one before
    "−": "$-$", "|": "$|$", "→": r"$\rightarrow$", "≈": r"$\approx$",
    "<": "$<$", ">": "$>$", "≤": r"$\leq$", "≥": r"$\geq$", "×": r"$\times$", "∞": r"$\infty$",
}  # fmt: skip

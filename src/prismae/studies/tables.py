"""A study's summary as text: Markdown, LaTeX, CSV; one table for each protocol."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from math import floor, isfinite, isnan, log10

from prismae.errors import unknown_name
from prismae.studies.plan import Plan
from prismae.studies.summary import Cell, Summary, Test, divided

FORMATS = ("markdown", "csv", "latex")
MOST_DIGITS = 5  # after the point; smaller numbers are written as 1.2e-07


def render(plan: Plan, summary: Summary, form: str = "markdown") -> str:
    """The tables of a study.

    Parameters
    ----------
    form
        "markdown" (with tests and notes), "latex" (booktabs) or "csv" (one line for each arm and score).
    """
    if form not in FORMATS:
        raise unknown_name("format", form, FORMATS)
    return {"markdown": _markdown, "csv": _csv, "latex": _latex}[form](plan, summary)


def sections(summary: Summary) -> Iterator[tuple[str, list[str]]]:
    """Protocols and their scores; last the errors, under the name "reconstruction"."""
    by_protocol: dict[str, list[str]] = {}
    for score in summary.scores:
        by_protocol.setdefault(divided(score)[0], []).append(score)
    errors = by_protocol.pop("", [])
    yield from ((f"protocol {protocol}", scores) for protocol, scores in by_protocol.items())
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
    return f"{mean:{of_mean}} ± {spread:{form}}"


@dataclass(frozen=True)
class Table:
    """A table of texts: its title, its head, its lines, and in which cells the best scores stand (line, column)."""

    title: str
    head: list[str]
    lines: list[list[str]]
    best: set[tuple[int, int]]


def tables(summary: Summary) -> Iterator[Table]:
    """One table for each protocol: mean ± deviation, the published numbers beside, chance levels in the last line."""
    for title, scores in sections(summary):
        beside = [s for s in scores if any(s in c and c[s].published for c in summary.lines.values())]
        pairs = [(s, p) for s in scores for p in ((False, True) if s in beside else (False,))]
        table = Table(
            title[0].upper() + title[1:],
            [*summary.keys, "seeds", *("published" if p else divided(s)[1] for s, p in pairs)],
            [],
            set(),
        )
        for values, cells in summary.lines.items():
            if not any(s in cells for s in scores):
                continue  # as baselines are without errors: nothing to say here
            line = [*map(plain, values), seeds(cells, scores)]
            for score, published in pairs:
                cell = cells.get(score)
                if cell and cell.best and not published:
                    table.best.add((len(table.lines), len(line)))
                line.append(_text(cell, published))
            table.lines.append(line)
        for world, levels in summary.chance.items():
            if any(s in levels for s in scores):
                chance = ["" if p or s not in levels else number(levels[s], None) for s, p in pairs]
                keys = [world if key == "world" else "" for key in summary.keys[1:]]
                table.lines.append(["shuffled codes (chance)", *keys, "", *chance])
        yield table


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
            parts.append(_row([f"**{t}**" if (i, j) in table.best else t for j, t in enumerate(line)]))
        parts += ["", *_tests(summary, scores)]
    sources = dict.fromkeys(each.source for each in plan.published)
    parts += [f"Published: {'; '.join(sources)}.", ""] if sources else []
    parts += [text for note in summary.notes for text in (note, "")]
    return "\n".join([*parts, *(text for note in plan.notes for text in (note.strip(), ""))])


def _tests(summary: Summary, scores: list[str]) -> Iterator[str]:
    """p values of every line against the best of its column."""
    tested = [s for s in scores if any(s in c and c[s].p is not None for c in summary.lines.values())]
    if not tested:
        return
    cells = [c[s] for c in summary.lines.values() for s in tested if s in c and c[s].p is not None]
    kinds = {(cell.test, cell.pairs) for cell in cells}
    mixed, names = len(kinds) > 1, {test for test, _ in kinds}
    name = "paired t (t) or the Wilcoxon signed-rank (W)" if len(names) > 1 else next(iter(names))
    why = "; beside each p the number of seeds that both have" if mixed else ""
    if not mixed and name == "paired t":
        n = next(iter(kinds))[1] or 0
        why = f" (with {n} seeds Wilcoxon's p cannot fall below {2 / 2**n:.3g})"
    yield f"p of the {name} test against the best of the column, paired by seed, corrected after Holm{why}:"
    yield ""
    yield _row([*summary.keys, *(divided(s)[1] for s in tested)])
    yield "|---" * (len(summary.keys) + len(tested)) + "|"
    for values, line in summary.lines.items():
        if not any(s in line and (line[s].best or line[s].p is not None) for s in tested):
            continue
        texts = [
            "best"
            if s in line and line[s].best
            else _p(line.get(s)) + (_test(line.get(s), kinds) if mixed else "")
            for s in tested
        ]
        yield _row([*map(plain, values), *texts])
    yield ""


def _csv(plan: Plan, summary: Summary) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    about = (
        "score",
        "mean",
        "deviation",
        "seeds",
        "best",
        "p",
        "test",
        "pairs",
        "published",
        "published_deviation",
    )
    writer.writerow([*summary.keys, *about])
    for values, cells in summary.lines.items():
        for score, cell in cells.items():
            published = cell.published or (None, None)
            deviation = None if isnan(cell.deviation) else cell.deviation
            tested = (cell.p, cell.test, cell.pairs)
            writer.writerow([*values, score, cell.mean, deviation, cell.n, cell.best, *tested, *published])
    return text.getvalue()


def _latex(plan: Plan, summary: Summary) -> str:
    parts = [f"% {plan.title}; needs booktabs"]
    for title, scores in sections(summary):
        head = [*summary.keys, *(divided(s)[1] for s in scores)]
        parts += [
            f"% {title}",
            rf"\begin{{tabular}}{{{'l' * len(summary.keys)}{'c' * len(scores)}}}",
            r"\toprule",
            " & ".join(map(_tex, head)) + r" \\",
            r"\midrule",
        ]
        for values, cells in summary.lines.items():
            texts = [_tex(plain(value)) for value in values]
            for score in scores:
                cell = cells.get(score)
                text = _tex(number(cell.mean, cell.deviation)) if cell else "--"
                if cell and cell.published:
                    text += f" ({_tex(number(*cell.published))})"
                texts.append(rf"\textbf{{{text}}}" if cell and cell.best else text)
            parts.append(" & ".join(texts) + r" \\")
        parts += [r"\bottomrule", r"\end{tabular}", ""]
    if plan.published:
        parts.append("% in brackets: published")
    parts += [f"% {note}" for note in summary.notes]
    return "\n".join(parts) + "\n"


def _row(texts: list[str]) -> str:
    escaped = [text.replace("|", "\\|") for text in texts]
    return f"| {' | '.join(escaped)} |"


def plain(value: object) -> str:
    """A key's value; nothing for a grid that the arm does not have."""
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _p(cell: Cell | None) -> str:
    if cell is None or cell.p is None:
        return "–"
    return "< 0.001" if cell.p < 0.001 else f"{cell.p:.3f}"


def _test(cell: Cell | None, kinds: set[tuple[Test | None, int | None]]) -> str:
    """Which test a p is of, where a table has several: " (t, 5)"."""
    if cell is None or cell.test is None:
        return ""
    letter = "" if len({test for test, _ in kinds}) == 1 else f"{'t' if cell.test == 'paired t' else 'W'}, "
    return f" ({letter}{cell.pairs})"


def _tex(text: str) -> str:
    for character in "&%#_$":
        text = text.replace(character, f"\\{character}")
    greek = {"β": r"$\beta$", "σ": r"$\sigma$", "λ": r"$\lambda$", "γ": r"$\gamma$", "α": r"$\alpha$"}
    for letter, command in greek.items():
        text = text.replace(letter, command)
    return text.replace("±", r"$\pm$").replace("–", "--")

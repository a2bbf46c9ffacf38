"""Numbers and values as pages, figures and messages show them: rounded, with a true minus, never a negative zero."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

NOTHING = "—"


def finite(value: Any) -> float | None:
    """The number, of Python or of NumPy; None where it is missing or not finite."""
    if isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(float(value)):
        return float(value)
    return None


def number(value: Any) -> str:
    """Three significant digits, all those before the point; a dash where there is no number."""
    known = finite(value)
    if known is None:
        return NOTHING
    if known and not 1e-3 <= abs(known) < 1e6:
        return minus(f"{known:.2e}")
    return minus(f"{known:,.{_digits(known)}f}")


def brief(value: float) -> str:
    """Three significant digits, all those before the point, with a power of ten from a million on; thousands stand
    apart where there are more than four digits, which may be a year."""
    if value and not 1e-3 <= abs(value) < 1e6:
        return minus(f"{value:.1e}")
    apart = "," if abs(value) >= 9_999.5 else ""
    return minus(f"{value:{apart}.{_digits(value)}f}")


def percent(value: float) -> str:
    """A share as "95.2 %"."""
    return f"{fixed(100 * value, 1)}\u00a0%"


def fixed(value: Any, digits: int) -> str:
    """So many decimals, from a million on a power of ten instead; a dash where there is no number."""
    known = finite(value)
    return NOTHING if known is None else minus(f"{known:.{digits}f}" if abs(known) < 1e6 else f"{known:.2e}")


def signed(value: float) -> str:
    """Two significant digits, all those before the point, with a sign, the minus as wide as the plus; 0 has none."""
    if value and not 1e-3 <= abs(value) < 1e6:
        return minus(f"{value:+.1e}")
    return minus(f"{value:+,.{_digits(value, 2)}f}") if value else "0"


def shortened(names: Sequence[str], letters: int) -> list[str]:
    """Names of about so many letters: of longer ones the middle is left out, or all but where they differ.

    Names that differ are never shortened to the same text.
    """

    def outer(name: str) -> str:
        return (
            name
            if len(name) <= letters
            else f"{name[: letters // 2]}…{name[len(name) - (letters - 1) // 2 :]}"
        )

    found = {name: outer(name) for name in names}
    room = letters - 2
    while len(set(found.values())) < len(found):
        alike: dict[str, list[str]] = {}
        for name, short in found.items():
            alike.setdefault(short, []).append(name)
        for group in (each for each in alike.values() if len(each) > 1):
            first, last = min(group), max(group)
            pairs = enumerate(zip(first, last, strict=False))
            differ = next((i for i, (a, b) in pairs if a != b), len(first))
            near = max(differ - room // 2, 0)
            start = first.find(" ", max(near - 1, 0), differ) + 1 or near  # at the beginning of a word
            for name in group:
                end = start + room
                found[name] = (
                    f"{'…' if start else ''}{name[start:end].rstrip()}{'…' if end < len(name) else ''}"
                )
        room += 4
    return [found[name] for name in names]


def listed(values: Sequence[object]) -> str:
    """Up to ten values with commas."""
    return ", ".join(str(value) for value in values[:10]) + (" …" if len(values) > 10 else "")


def short(value: object) -> str:
    """A value of a table in at most 24 letters."""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 24 else text[:23] + "…"


def count(value: Any) -> str:
    """A whole number with its thousands apart; anything else as it is."""
    return f"{value:,}" if isinstance(value, Integral) and not isinstance(value, bool) else str(value)


def one(text: str) -> str:
    """A machine as runs have it, "CPU, 1 threads", with its one thread."""
    return text.replace(", 1 threads", ", 1 thread")


def duration(seconds: float) -> str:
    """Seconds as "2 h 5 min", "21 min", "3 min 20 s" or "12.3 s"."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 10:
        return f"{minutes} min {rest} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def minus(text: str) -> str:
    """A formatted number with a true minus; what was rounded to zero has none."""
    return (text[1:] if re.fullmatch(r"-[0.,]+", text) else text).replace("-", "\u2212")


def _digits(value: float, significant: int = 3) -> int:
    """Decimals that so many significant digits need, once the number is rounded to them: 0.9999 is 1.00."""
    place = int(f"{value:.{significant - 1}e}".partition("e")[2]) if value else significant - 1
    return max(0, significant - 1 - place)


_SIGN = re.compile(r"(?<=\S) (=|≈|≤|≥|<|>|&lt;|&gt;|±) (?=[-+\u2212]?\d)")  # |r| = 0.84, 95.1 ± 0.2
_UNIT = re.compile(  # 12 %, z3 0.4, p 0.04, (t, 5)
    r"(?<=\d) (?=%)|(?<=\bz\d) (?=\d)|(?<=\bz\d\d) (?=\d)|(?<=\b[dp]) (?=[\u2212-]?\d)|(?<=\([tW],) (?=\d)"
)
_CODE = re.compile(r"(<(script|style|code|pre|svg|title)\b.*?</\2>|<[^>]*>)", re.DOTALL)
_WHOLE = re.compile(r"(?<!\S)[^\s<>]*(?:-\d|(?<!\w)--?[a-z])[^\s<>]*")  # P-0286, --holdout
_HYPHENED = re.compile(r"[^\s<>]*-[^\s<>]*")


def together(text: str) -> str:
    """A text whose lines do not end between a symbol, its sign and its number: no-break spaces stand there."""
    return _UNIT.sub("\u00a0", _SIGN.sub("\u00a0\\1\u00a0", text))


def together_on_page(html: str) -> str:
    """The same of all texts of a page, save those that are code.

    Names and options with hyphens, at which browsers part lines, stay in one piece, in code too.
    """
    parts = _CODE.split(html)  # text, tag or code, name of what is code, text …
    for i in range(0, len(parts), 3):
        text = together(parts[i]).replace("|\u00a0", "|\u2060\u00a0")  # browsers break at bars
        parts[i] = _WHOLE.sub(_in_one_piece, text)
    for i in range(1, len(parts), 3):
        if parts[i + 1] == "code":
            parts[i] = _words(parts[i])
    return "".join(each for i, each in enumerate(parts) if i % 3 < 2)


def _words(code: str) -> str:
    """An element of code whose words with hyphens, options of commands above all, stay in one piece."""
    tags = re.split(r"(<[^>]*>)", code)
    tags[::2] = [_HYPHENED.sub(_in_one_piece, text) for text in tags[::2]]
    return "".join(tags)


def _in_one_piece(found: re.Match[str]) -> str:
    return f'<span class="piece">{found[0]}</span>'  # what is copied of it is the text alone


def in_markdown(text: object) -> str:
    """A text in one line that Markdown and HTML show as it is, also in a table's cell: names come from data."""
    tags = re.sub(r"<(?=[a-zA-Z/!?])", "&lt;", re.sub(r"&(?=#?\w+;)", "&amp;", str(text)))
    return " ".join(re.sub(r"([\\`*|]|\](?=[(\[])|(?<!\w)_(?=\S))", r"\\\1", tags).split())


_FORMULA = re.compile(r"'*\s*[=+\-@\t\r]")


def inert(value: Any) -> Any:
    """A cell of a .csv file that no spreadsheet takes for a formula: such texts behind an apostrophe, numbers as they
    are."""
    return (
        f"'{value}" if isinstance(value, str) and _FORMULA.match(value) and not _is_number(value) else value
    )


def spoken(value: Any) -> Any:
    """What `inert` was given."""
    return value[1:] if isinstance(value, str) and value[:1] == "'" and _FORMULA.match(value[1:]) else value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

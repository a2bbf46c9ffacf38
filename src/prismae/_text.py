"""Numbers as a reader of pages and figures sees them: rounded, with a true minus, and never a negative zero."""

from __future__ import annotations

import math
import re
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
    if known and not 1e-3 <= abs(known) < 1e5:
        return minus(f"{known:.2e}")
    return minus(f"{known:,.{_digits(known)}f}")


def brief(value: float) -> str:
    """Three significant digits, all those before the point, with a power of ten from a million on."""
    if value and not 1e-3 <= abs(value) < 1e6:
        return minus(f"{value:.1e}")
    return minus(f"{value:,.{_digits(value)}f}")


def share(value: Any) -> str:
    """Three decimals, for scores that stand in one column; a dash where there is no number."""
    return fixed(value, 3)


def percent(value: float) -> str:
    """A share as "95.2 %"."""
    return f"{fixed(100 * value, 1)}\u00a0%"


def fixed(value: Any, digits: int) -> str:
    """So many decimals; a dash where there is no number."""
    known = finite(value)
    return NOTHING if known is None else minus(f"{known:.{digits}f}")


def signed(value: float) -> str:
    """Two digits with a sign, the minus as wide as the plus; 0 has none."""
    return minus(f"{value:+.2g}") if value else "0"


def count(value: Any) -> str:
    """A whole number with its thousands apart; anything else as it is."""
    return f"{value:,}" if isinstance(value, Integral) and not isinstance(value, bool) else str(value)


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


def _digits(value: float) -> int:
    return max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0

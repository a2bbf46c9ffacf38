"""Which end of a score is better: what metrics declare, and every table, figure and sentence says."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Better(StrEnum):
    """Which end of a score is better; what is written of it anywhere comes from here."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"

    @classmethod
    def of(cls, saved: Mapping[str, Any]) -> Better:
        """The direction of a score that was saved as plain data; neither where it does not say it.

        Scores of earlier versions have ``higher_is_better``, with true, false, or null for neither.

        Raises
        ------
        ValueError
            For anything else.
        """
        return cls(saved.get("better", saved.get("higher_is_better")))

    @classmethod
    def _missing_(cls, value: object) -> Better | None:
        earlier = {True: cls.HIGHER, False: cls.LOWER, None: cls.NEITHER}
        return next((better for said, better in earlier.items() if value is said), None)

    @property
    def word(self) -> str:
        """What a table's column "better" says: "higher", "lower", or a dash."""
        return "–" if self is Better.NEITHER else self.value

    @property
    def phrase(self) -> str:
        """ "higher is better", "lower is better", "neither is better"."""
        return f"{self.value} is better"

    def beats(self, score: float, other: float) -> bool:
        """Whether a score is better than another; no score is where neither end is better."""
        return score > other if self is Better.HIGHER else self is Better.LOWER and score < other

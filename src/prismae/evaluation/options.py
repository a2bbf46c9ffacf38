"""How scores are taken, whatever of."""

from __future__ import annotations

from dataclasses import dataclass

from prismae.fields import Count, CountOrZero, Seed, check_fields

SAMPLES = 500  # of each posterior, behind a likelihood; as in most papers


@dataclass(frozen=True)
class Options:
    """How scores are taken; see `prismae.evaluate`.

    `tolerant` leaves out a metric that breaks, whatever it raises, also where it was named.
    """

    bootstrap: CountOrZero = 0
    baselines: bool = True
    seed: Seed = 0
    label: str | int | None = None
    samples: Count = SAMPLES
    progress: bool = False
    tolerant: bool = False

    def __post_init__(self) -> None:
        check_fields(self)

    @classmethod
    def name(cls) -> str:
        """What messages call them."""
        return "evaluate"

"""How scores are taken, whatever of."""

from __future__ import annotations

from dataclasses import dataclass

from prismae.errors import InputError

SAMPLES = 500  # of each posterior, behind a likelihood; as in most papers


@dataclass(frozen=True)
class Options:
    """How scores are taken; see `prismae.evaluate`."""

    bootstrap: int = 0
    baselines: bool = True
    seed: int = 0
    label: str | int | None = None
    samples: int = SAMPLES
    progress: bool = False

    def __post_init__(self) -> None:
        if self.bootstrap < 0:
            raise InputError(f"There can be no {self.bootstrap} bootstrap replicates, expected 0 or more.")

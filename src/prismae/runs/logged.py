"""Logged: the columns of a history, by what they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_ELEMENT = re.compile(r"(?P<name>.+)\[(?P<index>\d+)\]")


@dataclass(frozen=True)
class Logged:
    """What a training logged, as arrays over the n logged steps.

    Parameters
    ----------
    history
        A row for each logged step; columns are "step", the terms by name, "weight:kl", "monitor:mse", "sigma[0]" …
    """

    history: pd.DataFrame

    @cached_property
    def steps(self) -> NDArray:
        """[n] the logged steps."""
        return self.history["step"].to_numpy()

    @cached_property
    def scalars(self) -> dict[str, NDArray]:
        """Loss terms and scalar monitors by column name, each [n] with NaN where it was not logged."""
        others = ("weight:", "evolve:", "unseen:")
        names = [name for name in self._names if name != "step" and not name.startswith(others)]
        return {name: self._column(name) for name in names if not _ELEMENT.fullmatch(name)}

    @cached_property
    def terms(self) -> dict[str, NDArray]:
        """The loss terms alone, each [n]."""
        return {name: values for name, values in self.scalars.items() if not name.startswith("monitor:")}

    @cached_property
    def unseen_terms(self) -> dict[str, NDArray]:
        """The loss terms on what is held out, each [n] with NaN where they were not measured."""
        names = [name for name in self._names if name.startswith("unseen:")]
        return {name.removeprefix("unseen:"): self._column(name) for name in names}

    @cached_property
    def weights(self) -> dict[str, NDArray]:
        """The weight of each term, each [n]."""
        names = [name for name in self._names if name.startswith("weight:")]
        return {name.removeprefix("weight:"): self._column(name) for name in names}

    @cached_property
    def vectors(self) -> dict[str, NDArray]:
        """Observations with one value a latent, each [n, m]: `sigma`, `entropy`, `monitor:spread` …"""
        return self._arrays([name for name in self._names if not name.startswith("evolve:")])

    @cached_property
    def population(self) -> dict[str, NDArray]:
        """What was tried in each generation, each [n, population] with NaN in the steps between, by the name after
        "evolve:": `weight:kl`, `fitness`, `kl`, `recon`; empty where nothing evolves."""
        arrays = self._arrays([name for name in self._names if name.startswith("evolve:")])
        return {name.removeprefix("evolve:"): values for name, values in arrays.items()}

    def _arrays(self, columns: Sequence[str]) -> dict[str, NDArray]:
        """The columns ``name[0]``, ``name[1]`` … side by side, by name."""
        found: dict[str, dict[int, str]] = {}
        for column in columns:
            if match := _ELEMENT.fullmatch(column):
                found.setdefault(match["name"], {})[int(match["index"])] = column
        return {
            name: np.stack([self._column(places[i]) for i in sorted(places)], axis=1)
            for name, places in found.items()
        }

    @property
    def _names(self) -> list[str]:
        return [str(name) for name in self.history.columns]

    def _column(self, name: str) -> NDArray:
        return self.history[name].to_numpy(dtype=float, na_value=np.nan)

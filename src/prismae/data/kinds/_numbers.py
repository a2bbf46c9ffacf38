"""Numbers: what kinds of data have in common that are arrays of numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from prismae.data.channels import ChannelScheme
from prismae.data.kinds._base import PART, Kind
from prismae.data.layout import images_first, numbers
from prismae.data.offset import less
from prismae.data.rows import Rows
from prismae.data.storage import Dense, Storage
from prismae.data.summary import Summary, summary_of
from prismae.errors import InputError

FEW, NARROW = 100, 256  # elements of an observation below which the MLP has that width


@dataclass(frozen=True, kw_only=True)
class Numbers(Kind):
    """Arrays of numbers.

    Parameters
    ----------
    pixels
        Whether uint8 means pixels of 0 to 255, drawn as value / 255.
    offset
        What was taken off every element before it became float32; 0 but for own numbers that lie so far from zero
        that float32 would round away what varies.
    lacking
        None where every observation has all its values. Else the places of the elements of a row that may be missing,
        of which an encoder is told whether they are; () for images and series, where it is not told.
    channels
        How each channel was scaled, of vectors each column: of series of several channels, and of other observations
        whose channels lie so far apart that one scale for all would hide what varies. None: they all have one.
    """

    pixels: bool = False
    offset: float = 0.0
    lacking: tuple[int, ...] | None = None
    channels: ChannelScheme | None = None

    @property
    def scheme(self) -> Any:
        """What makes observations another sort of thing than plain numbers: a table's columns, several channels of
        series; else None."""
        return None

    @property
    def scaled(self) -> bool:
        return self.scheme is not None or self.channels is not None

    def to_json(self) -> dict[str, Any]:
        offset = {"offset": self.offset} if self.offset else {}
        lacking = {} if self.lacking is None else {"lacking": list(self.lacking)}
        return {"kind": self.name(), "pixels": self.pixels, **offset, **lacking, **self.scheme_json()}

    @classmethod
    def from_json(cls, about: Mapping[str, Any]) -> Self:
        lacking = tuple(about["lacking"]) if "lacking" in about else None
        channels = ChannelScheme.from_json(about["channels"]) if "channels" in about else None
        return cls(
            pixels=about["pixels"], offset=about.get("offset", 0.0), lacking=lacking, channels=channels
        )

    def scheme_json(self) -> dict[str, Any]:
        return {} if self.channels is None else {"channels": self.channels.to_json()}

    def noted(self) -> str:
        return "" if self.channels is None else f" ({self._each} scaled)"

    def values(self, data: Storage, summary: Summary) -> str:
        low, high, mean, std = summary.said(self.offset)
        scaled, origin = "scaled " * self.scaled, " (from bytes)" if self.pixels else ""
        return f"{scaled}values {low} to {high}{origin}, mean {mean}, standard deviation {std}"

    def units(self) -> str:
        if self.channels is not None:
            return f"{self._each} as (value - mean) / deviation, by `channels`; a deviation of 0 counts as 1"
        units = "value / 255 for pixels of 0 to 255" if self.pixels else "the data's own units"
        return units + (f" less {self.offset!r}, taken off in double precision" if self.offset else "")

    def sentences(self) -> list[str]:
        if self.channels is not None:
            return [f"{self._each.capitalize()} was scaled to mean 0 and {self.channels.deviations}."]
        return ["Pixels of 0 to 255 are drawn as value / 255."] if self.pixels else []

    def summary(self, data: Storage) -> Summary:
        return summary_of(data)

    def default_net(self, shape: tuple[int, ...]) -> str:
        return "mlp" if np.prod(shape) >= FEW else f"mlp:width={NARROW}"

    def default_likelihood(self, summary: Summary) -> str:
        return "gaussian"

    def alike(self, kind: Kind) -> bool:
        return isinstance(kind, Numbers) and all(
            getattr(kind, name) == getattr(self, name) for name in ("scheme", "channels", "offset")
        )

    def parts(self, X: NDArray | Rows | pd.DataFrame, shape: tuple[int, ...]) -> Iterator[Tensor]:
        for start in range(0, len(X), PART):
            yield self._read(np.asarray(X[start : start + PART]), shape, start)

    def parts_of(self, data: Storage, kind: Kind, shape: tuple[int, ...], name: str) -> Iterator[Tensor]:
        if not isinstance(kind, Numbers):
            raise InputError(
                f"The observations are not what was fitted: expected no {kind.name()}, as a World."
            )
        if type(kind.scheme) is not type(self.scheme):
            given, fitted = f"{name!r} is", "the observations of the fit were"
            pair = (fitted, self, given) if kind.scheme is None else (given, kind, fitted)
            raise InputError(
                f"The kinds of observations differ: {pair[0]} {pair[1]._called}, {pair[2]} not; expected the same."
            )
        if (kind.scheme, kind.channels) != (self.scheme, self.channels):  # by way of the user's units
            for rows in torch.arange(len(data)).split(PART):
                x = kind.as_seen().given_back(data[rows].cpu().numpy(), data.shape)
                yield from self.as_seen().parts(x, shape)
            return
        check_shape(data.shape, shape)
        for start in range(0, len(data), PART):
            rows = torch.arange(start, min(start + PART, len(data)), device=data.device)
            part = data[rows].cpu()
            self._refuse_gaps(part.numpy(), start)
            moved = kind.offset != self.offset
            yield (part.double() + (kind.offset - self.offset)).float() if moved else part

    def joined(self, parts: list[Tensor]) -> Tensor:
        return torch.cat(parts)

    def stored(self, x: Tensor) -> Storage:
        return Dense(x)

    def given_back(self, x: NDArray, shape: tuple[int, ...]) -> NDArray | pd.DataFrame:
        if self.channels is not None:
            return self.channels.in_units(x)
        return x.astype(np.float64) + self.offset if self.offset else x

    def how_to_scale(self) -> str:
        if self.pixels:
            return "the fit had pixels of type uint8, drawn as value / 255, so give uint8 or values divided by 255"
        return "scale them as those of the fit were (pixels of 0 to 255: divided by 255)"

    @property
    def _called(self) -> str:
        """The kind in a sentence."""
        return self.name()

    def _numbers(self, x: NDArray, start: int) -> NDArray:
        """Numbers of new observations, which may lack values where those of the fit did."""
        self._refuse_gaps(x, start)
        return numbers(x, NEW, start, gaps=True)

    def _refuse_gaps(self, x: NDArray, start: int) -> None:
        """Refuse missing values where the fit had none: their codes would be NaN. `start` is the first row's place."""
        if self.lacking is None and x.dtype.kind == "f" and np.isnan(x).any():
            raise InputError(
                f"{self._gaps(np.isnan(x), start)}, and those of the fit had all their values, so the model knows "
                "nothing of missing ones: expected none."
            )

    def _gaps(self, missing: NDArray[np.bool_], start: int) -> str:
        """Where new observations lack values, as the beginning of a sentence."""
        first = np.argwhere(missing)[0].tolist()
        first[0] += start
        return f"{NEW} hold NaN, a missing value, the first at index {first}"

    def _laid_out(self, x: NDArray) -> NDArray:
        """A user's array [n, …] with its dimensions in the order of a network's."""
        return images_first(x, NEW.lower(), least=1, slender=True)

    def _read(self, x: NDArray, shape: tuple[int, ...], start: int) -> Tensor:
        """Observations in a user's array, float32 [n, *shape]; `start` is the first one's place, for messages."""
        new = self._laid_out(self._numbers(x, start))
        check_shape(new.shape[1:], shape)
        values = torch.from_numpy(self._scaled(new))
        return values / 255 if self.pixels and new.dtype == np.uint8 else values

    def _scaled(self, x: NDArray) -> NDArray[np.float32]:
        """A user's numbers [n, *shape] in the network's order as it sees them."""
        return less(x, self.offset) if self.channels is None else self.channels.scaled(x)

    @property
    def _each(self) -> str:
        return "each channel"


NEW = "New observations"  # what messages call them


def check_shape(shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    """Refuse observations of another shape than those of the fit."""
    if shape != expected:
        raise InputError(f"Observations have shape {shape}, expected {expected} as in the fit.")

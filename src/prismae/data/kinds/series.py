"""Series of one channel or of several."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import isclose
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from prismae.data.channels import ChannelScheme, channels_first
from prismae.data.kinds._base import Kind
from prismae.data.kinds._numbers import NEW, Numbers, check_shape
from prismae.data.storage import Storage
from prismae.errors import DataWarning, InputError
from prismae.settings import Layout

RATES = 0.001  # share by which rates of recordings may differ that count as the same
LONG = 16  # points of series of several channels from which convolutions have something to slide over
LONGER = 4096  # points of series of one channel from which a network of dense layers has too many weights


@dataclass(frozen=True, kw_only=True)
class Series(Numbers):
    """Series of one channel, [n, length], or of several, [n, c, length], each of which is scaled (`channels`).

    Parameters
    ----------
    layout
        Where the channels of the user's arrays stand; None: first, as a network sees them.
    rate
        Points a second, where they are known.
    """

    layout: Layout | None = None
    rate: float | None = None

    @classmethod
    def plain(cls, data: Storage) -> Self | None:
        return cls() if len(data.shape) == 2 else None

    def to_json(self) -> dict[str, Any]:
        layout = {} if self.layout is None else {"series": self.layout}
        return super().to_json() | layout | ({} if self.rate is None else {"rate": self.rate})

    @classmethod
    def from_json(cls, about: Mapping[str, Any]) -> Self:
        return replace(super().from_json(about), layout=about.get("series"), rate=about.get("rate"))

    def noted(self) -> str:
        rate = "" if self.rate is None else f", {self.rate:g} points a second"
        if self.channels is None:
            return f" (series{rate})" if rate else ""
        named = f": {', '.join(self.channel_names)};" if self.channel_names else ","
        return f" (series of {len(self.channels.means)} channels{named} each scaled{rate})"

    def sentences(self) -> list[str]:
        named = [f"Channels: {', '.join(self.channel_names)}."] if self.channel_names else []
        return [*named, *super().sentences()]

    @property
    def scheme(self) -> ChannelScheme | None:
        return self.channels

    @property
    def channel_names(self) -> tuple[str, ...]:
        return () if self.channels is None else self.channels.names

    def default_net(self, shape: tuple[int, ...]) -> str:
        long = LONG if len(shape) == 2 else LONGER
        return "conv1d" if shape[-1] >= long else super().default_net(shape)

    def given_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return shape[::-1] if self.layout == "channels-last" else shape

    def as_seen(self) -> Self:
        return replace(self, layout=None)

    def parts_of(self, data: Storage, kind: Kind, shape: tuple[int, ...], name: str) -> Iterator[Tensor]:
        if kind.channel_names and self.channel_names and kind.channel_names != self.channel_names:
            raise InputError(
                f"The channels are {', '.join(kind.channel_names)}, "
                f"expected {', '.join(self.channel_names)} as in the fit."
            )
        its, mine = getattr(kind, "rate", None), self.rate
        if its and mine and not isclose(its, mine, rel_tol=RATES):
            warnings.warn(
                f"{name!r} has {its:g} points a second, and the observations of the fit had {mine:g}: what it "
                "shows is slower or faster than what the model knows (resample it, unless one of the rates is wrong).",
                DataWarning,
                stacklevel=2,
            )
        return super().parts_of(data, kind, shape, name)

    def given_back(self, x: NDArray, shape: tuple[int, ...]) -> NDArray | pd.DataFrame:
        x = np.asarray(super().given_back(x, shape))
        return np.moveaxis(x, 1, 2) if self.layout == "channels-last" and x.ndim == 3 else x

    @property
    def _called(self) -> str:
        return "series of several channels"

    def _read(self, x: NDArray, shape: tuple[int, ...], start: int) -> Tensor:
        if len(shape) == 1:
            return super()._read(x, shape, start)
        new = channels_first(self._numbers(x, start), self.layout or "channels-first", NEW)
        check_shape(new.shape[1:], shape)
        return torch.from_numpy(self._scaled(new))

"""Series of one channel or of several."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from prismae.data.channels import ChannelScheme, channels_first
from prismae.data.kinds._base import NEW, Kind, Numbers, check_shape
from prismae.data.offset import less
from prismae.data.storage import Storage
from prismae.errors import InputError
from prismae.settings import Layout

LONG = 16  # points of series of several channels from which convolutions have something to slide over
LONGER = 4096  # points of series of one channel from which a network of dense layers has too many weights


@dataclass(frozen=True, kw_only=True)
class Series(Numbers):
    """Series of one channel, [n, length], or of several, [n, c, length].

    Parameters
    ----------
    scheme
        How each channel of the user's own series was scaled; None for series of one channel.
    layout
        Where the channels of the user's arrays stand; None: first, as a network sees them.
    rate
        Points a second, where they are known.
    """

    scheme: ChannelScheme | None = None
    layout: Layout | None = None
    rate: float | None = None

    @classmethod
    def plain(cls, data: Storage) -> Self | None:
        return cls() if len(data.shape) == 2 else None

    def to_json(self) -> dict[str, Any]:
        layout = {} if self.layout is None else {"series": self.layout}
        return super().to_json() | layout | ({} if self.rate is None else {"rate": self.rate})

    def scheme_json(self) -> dict[str, Any]:
        return {} if self.scheme is None else {"channels": self.scheme.to_json()}

    @classmethod
    def from_json(cls, about: Mapping[str, Any]) -> Self:
        scheme = ChannelScheme.from_json(about["channels"]) if "channels" in about else None
        return replace(
            super().from_json(about), scheme=scheme, layout=about.get("series"), rate=about.get("rate")
        )

    def noted(self) -> str:
        rate = "" if self.rate is None else f", {self.rate:g} points a second"
        if self.scheme is None:
            return f" (series{rate})" if rate else ""
        named = f": {', '.join(self.scheme.names)};" if self.scheme.names else ","
        return f" (series of {len(self.scheme.means)} channels{named} each scaled{rate})"

    def units(self) -> str:
        return super().units() if self.scheme is None else "each channel scaled as `channels` says"

    def sentences(self) -> list[str]:
        if self.scheme is None:
            return super().sentences()
        named = [f"Channels: {', '.join(self.scheme.names)}."] if self.scheme.names else []
        return [*named, "Each channel was scaled to mean 0 and standard deviation 1."]

    @property
    def channel_names(self) -> tuple[str, ...]:
        return () if self.scheme is None else self.scheme.names

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
        return super().parts_of(data, kind, shape, name)

    def given_back(self, x: NDArray, shape: tuple[int, ...]) -> NDArray | pd.DataFrame:
        x = np.asarray(super().given_back(x, shape)) if self.scheme is None else self.scheme.in_units(x)
        return np.moveaxis(x, 1, 2) if self.layout == "channels-last" and x.ndim == 3 else x

    @property
    def _called(self) -> str:
        return "series of several channels"

    def _read(self, x: NDArray, shape: tuple[int, ...], start: int) -> Tensor:
        if len(shape) == 1:
            return super()._read(x, shape, start)
        new = channels_first(self._numbers(x, start), self.layout or "channels-first", NEW)
        check_shape(new.shape[1:], shape)
        return torch.from_numpy(less(new, self.offset) if self.scheme is None else self.scheme.scaled(new))

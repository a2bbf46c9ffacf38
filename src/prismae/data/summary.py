"""Mean, deviation and range of observations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod, sqrt

import torch

from prismae.data.pieces import Pieces
from prismae.data.storage import Storage, spaced

_MOST = 20_000  # observations behind a mean
_AT_A_TIME = 1 << 24  # elements in double precision, 128 MB
ROUNDING = 1e-6  # deviations that float32 leaves of a mean that was taken off


@dataclass(frozen=True)
class Summary:
    """Mean, standard deviation, least and greatest element of a world's observations, over all elements."""

    mean: float
    std: float
    low: float
    high: float

    def said(self, offset: float = 0.0) -> tuple[str, str, str, str]:
        """Least and greatest element, mean and deviation in words, with what was taken off every element put back."""
        mean = self.mean if abs(self.mean) > ROUNDING * self.std else 0.0
        digits = ".10g" if offset else ".4g"
        low, high, middle = (f"{value + offset:{digits}}" for value in (self.low, self.high, mean))
        return low, high, middle, f"{self.std:.4g}"


def summary_of(data: Storage) -> Summary:
    """Mean and deviation of at most 20,000 observations, evenly spaced (of `Pieces` of all), and the range of all."""
    if isinstance(data, Pieces):
        return Summary(data.mean, data.std, data.low, data.high)
    rows = spaced(len(data), _MOST).to(data.device)
    shift = (
        data[rows[:1]].double().nanmean().nan_to_num().cpu()
    )  # so that squares of large values do not cancel
    size, total, squares = 0, 0.0, 0.0
    for part in torch.split(rows, max(1, min(1024, _AT_A_TIME // prod(data.shape)))):
        x = data[part].cpu().double() - shift
        seen = ~x.isnan()
        x = x if bool(seen.all()) else x[seen]
        size, total, squares = size + x.numel(), total + float(x.sum()), squares + float(x.square().sum())
    mean = total / size
    std = sqrt(max(squares - size * mean**2, 0.0) / max(size - 1, 1))
    return Summary(float(shift) + mean, std, *data.extremes())


def moments_of_seen(data: Storage) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation of each element [*shape], over what `means_of_seen` looks at."""
    mean = means_of_seen(data)
    return mean, means_of_seen(data, lambda x: (x - mean.double()).square()).sqrt()


def means_of_seen(
    data: Storage, function: Callable[[torch.Tensor], torch.Tensor] = lambda x: x
) -> torch.Tensor:
    """Mean of each element [*shape], or of a function of it, over those of at most 20,000 observations that have it; 0
    where none has."""
    rows = spaced(len(data), _MOST).to(data.device)
    total = torch.zeros(data.shape, dtype=torch.float64)
    count = torch.zeros(data.shape, dtype=torch.float64)
    for part in torch.split(rows, max(1, min(1024, _AT_A_TIME // prod(data.shape)))):
        x = function(data[part].cpu().double())
        total, count = total + x.nansum(0), count + (~x.isnan()).sum(0)
    return (total / count.clamp(min=1)).float()

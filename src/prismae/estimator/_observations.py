"""What users hand over as observations, and how reconstructions are handed back: arrays, images, tables, worlds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import inf, prod
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data
from torch import Tensor

from prismae.data import Vocabulary, World
from prismae.data.arrays import as_observations
from prismae.data.channels import ChannelScheme
from prismae.data.own import strange_table
from prismae.data.storage import Dense, spaced
from prismae.data.tables import TableScheme
from prismae.errors import InputError
from prismae.settings import Layout

SLACK = 1e-6  # by which values may leave their range: interpolation of images rounds
PART = 1024  # observations that go through a network at a time

Observations = ArrayLike | Tensor | World | pd.DataFrame


@dataclass(frozen=True)
class Form:
    """How observations were given to `fit`: new ones are read, and reconstructions given back, the same way.

    Parameters
    ----------
    shape
        Shape of one observation as the user gave it: (h, w) or (h, w, c), say, where the network sees (c, h, w).
    seen
        Shape of one observation as the network sees it.
    pixels
        Whether uint8 means pixels of 0 to 255.
    table
        How the columns of a table became those of an array; None for anything but a table.
    channels
        How series of several channels were scaled; None for anything else.
    series
        Where the channels of such series stand.
    vocabulary
        The words of texts, which are given as a `World`; None for anything else.
    offset
        What is taken off numbers before they become float32, as `World.offset`.
    within
        The range that every element has to lie in: the likelihood's, and [0, 1] for images that were.
    """

    shape: tuple[int, ...]
    seen: tuple[int, ...]
    pixels: bool
    table: TableScheme | None = None
    channels: ChannelScheme | None = None
    series: Layout | None = None
    vocabulary: Vocabulary | None = None
    offset: float = 0.0
    within: tuple[float, float] = (-inf, inf)

    def parts(self, X: NDArray | pd.DataFrame | World) -> Iterator[Tensor]:
        """Observations as the network sees them, float32 [up to 1024, *seen], one part after the other.

        Only the part is ever copied, so X may be larger than memory.

        Raises
        ------
        InputError
            For observations of another kind, shape or range than those of the fit.
        """
        start = 0
        for part in self._parts(X):
            self._check_range(part, start)
            start += len(part)
            yield part

    def _parts(self, X: NDArray | pd.DataFrame | World) -> Iterator[Tensor]:
        if isinstance(X, World):
            self._check_kind(X)
        if isinstance(X, World) and X.table is not None and self.table is not None and X.table != self.table:
            X = X.table.to_frame(X.data[torch.arange(len(X))])  # another table has a scale of its own
        if self.vocabulary is not None or (isinstance(X, World) and X.vocabulary is not None):
            X = self._known(X)
        elif isinstance(X, World) and X.shape != self.seen:
            raise InputError(f"Observations have shape {X.shape}, expected {self.seen} as in the fit.")
        x, series = X, self.series
        if isinstance(X, World) and X.channels and self.channels and X.channels != self.channels:
            if X.channels.names and self.channels.names and X.channels.names != self.channels.names:
                raise InputError(
                    f"The channels are {', '.join(X.channels.names)}, "
                    f"expected {', '.join(self.channels.names)} as in the fit."
                )
            # series of another scale too
            x, series = X.channels.in_units(X.data[torch.arange(len(X))].numpy()), "channels-first"
        if self.table is not None and not isinstance(X, World):
            named = X if isinstance(X, pd.DataFrame) else pd.DataFrame(X, columns=list(self.table.columns))
            x = self.table.to_array(named)
        for start in range(0, len(x), PART):
            if isinstance(x, World):
                rows = torch.arange(start, min(start + PART, len(x)), device=x.data.device)
                part = x.data[rows].cpu()
                yield (part.double() + (x.offset - self.offset)).float() if x.offset != self.offset else part
            else:
                yield as_observations(
                    np.asarray(x[start : start + PART]),
                    self.seen,
                    pixels=self.pixels,
                    series=series,
                    channels=self.channels,
                    offset=self.offset,
                    start=start,
                )

    def _check_kind(self, X: World) -> None:
        """Refuse a world whose numbers were made otherwise than those of the fit."""
        for what, given, fitted in (
            ("a table", X.table, self.table),
            ("series of several channels", X.channels, self.channels),
        ):
            if (given is None) != (fitted is None):
                one, other = f"{X.name!r} is", "the observations of the fit were"
                one, other = (one, other) if fitted is None else (other, one)
                raise InputError(
                    f"The kinds of observations differ: {one} {what}, {other} not; expected the same."
                )

    def _check_range(self, part: Tensor, start: int) -> None:
        """Refuse observations that lie where none of the fit could; `start` is the row that the part begins with."""
        least, most = self.within
        if self.vocabulary is not None or not len(part):
            return
        low, high = (float(value) for value in part.aminmax())
        if low < least - SLACK or high > most + SLACK:
            outside = ((part < least - SLACK) | (part > most + SLACK)).flatten(1).any(1)
            first = part[outside][0]
            how = (
                "the fit had pixels of type uint8, drawn as value / 255, so give uint8 or values divided by 255"
                if self.pixels
                else "scale them as those of the fit were (pixels of 0 to 255: divided by 255)"
            )
            raise InputError(
                f"Observation {start + int(outside.int().argmax())} has values from {float(first.min()):g} to "
                f"{float(first.max()):g}, expected {least:g} to {most:g} as in the fit: {how}."
            )

    def _known(self, X: Any) -> World:
        """Texts in the words of those of the fit; what is new is unknown, what is too long is refused."""
        if self.vocabulary is None or not isinstance(X, World) or X.vocabulary is None:
            kind = "texts" if self.vocabulary is not None else "no texts"
            raise InputError(f"The observations are not what was fitted: expected {kind}, as a World.")
        if X.vocabulary == self.vocabulary:
            return X
        sentences = [text.split() for text in X.vocabulary.decode(X.data[torch.arange(len(X))])]
        return replace(X, data=self.vocabulary.encode(sentences), vocabulary=self.vocabulary)

    def some(self, X: NDArray | pd.DataFrame | World, n: int) -> Tensor:
        """Up to n evenly spaced observations as the network sees them, float32 [n, *seen]."""
        rows = spaced(len(X), n).numpy()
        if isinstance(X, World):
            taken = X.data.take(torch.from_numpy(rows).to(X.data.device))
            part: Any = replace(X, data=taken, factors=None, factor_names=(), factor_kinds=())
        else:
            part = X.iloc[rows] if isinstance(X, pd.DataFrame) else X[rows]
        return torch.cat([*self.parts(part)])

    def world(self, X: NDArray | pd.DataFrame | World, n: int) -> World:
        """Up to n evenly spaced observations as the network sees them, as a world; one of the same scale as it is."""
        if isinstance(X, World) and self._same_scale(X):
            return X
        rows = spaced(len(X), n).numpy()
        return World(
            "observations",
            Dense(self.some(X, n)),
            table=self.table,
            channels=self.channels,
            offset=self.offset,
            names=X.called[rows] if isinstance(X, World) else rows,
        )

    def _same_scale(self, X: World) -> bool:
        return (X.table, X.channels, X.offset) == (self.table, self.channels, self.offset)

    def given_back(self, x: NDArray) -> NDArray | pd.DataFrame:
        """Observations [n, *seen] of a network in the form of the user's: [n, *shape], a table, or sentences [n]."""
        if self.vocabulary is not None:
            return np.array(self.vocabulary.decode(torch.from_numpy(x)), dtype=object)
        if self.table is not None:
            return self.table.to_frame(x)
        if self.channels is not None:
            x = self.channels.in_units(x)
            return np.moveaxis(x, 1, 2) if self.series == "channels-last" else x
        if self.offset:
            x = x.astype(np.float64) + self.offset
        if len(self.shape) == 2:
            return x[:, 0]
        return x if self.shape == self.seen else np.moveaxis(x, 1, -1)

    @classmethod
    def from_json(cls, about: dict[str, Any], support: tuple[float, float] = (-inf, inf)) -> Self:
        """The form that a run's job.json tells of; what the command line is given has the network's shape.

        `support` is that of the run's likelihood.
        """
        low, high = about["summary"]["low"], about["summary"]["high"]
        images = len(about["shape"]) == 3 and low >= 0 and high <= 1
        table, channels = about.get("table"), about.get("channels")
        series: Layout | None = None if channels is None else about.get("series") or "channels-first"
        shape = about["shape"][::-1] if series == "channels-last" else about["shape"]
        return cls(
            tuple(about.get("given_shape", shape)),
            tuple(about["shape"]),
            about["pixels"],
            None if table is None else TableScheme.from_json(table),
            None if channels is None else ChannelScheme.from_json(channels),
            series,
            Vocabulary(tuple(about["vocabulary"])) if "vocabulary" in about else None,
            about.get("offset", 0.0),
            (max(support[0], 0.0), min(support[1], 1.0)) if images else support,
        )


def checked(
    estimator: BaseEstimator, X: Observations, *, fitting: bool = False
) -> NDArray | pd.DataFrame | World:
    """Observations as an array [n, ...] (not copied where they are one), a table with columns of text, or a world.

    Number and names of features are noted on the estimator where it is `fitting`, and compared with those of the fit
    where it is not, as scikit-learn asks. Values are looked at later, part by part.

    Raises
    ------
    InputError
        For sparse data, fewer than two dimensions, too few observations, other features than those of the fit.
    TypeError
        For objects that are no numbers.
    """
    if hasattr(X, "__dataframe__") and not isinstance(
        X, pd.DataFrame
    ):  # else it would be read as a bare array
        raise strange_table(X)
    if issparse(X):
        raise InputError("Sparse data cannot be used, expected a dense array: X.toarray() makes one.")
    if isinstance(X, World):
        if fitting:
            note_features(estimator, X.shape, X.table)
        return X
    if isinstance(X, Tensor):
        X = X.detach().cpu()
        X = (X.float() if X.dtype == torch.bfloat16 else X).numpy()
    least = 2 if fitting else 1
    try:
        if isinstance(X, pd.DataFrame):
            validate_data(estimator, X, reset=fitting, skip_check_array=True)
            return X.set_axis([str(name) for name in X.columns], axis=1)
        X = np.asarray(X)
        if X.ndim < 2:
            raise InputError(
                f"Observations have shape {X.shape}, expected vectors or series [n, d], or images. "
                "Reshape your data: X.reshape(1, -1) is one observation."
            )
        plain: dict[str, Any] = {"ensure_all_finite": False, "ensure_min_samples": least}
        if X.ndim == 2:
            return validate_data(estimator, X, reset=fitting, **plain)
        if fitting:
            note_features(estimator, X.shape[1:])
        return check_array(X, allow_nd=True, estimator=estimator, **plain)
    except ValueError as error:
        raise InputError(" ".join(str(error).split())) from None


def note_features(estimator: Any, shape: tuple[int, ...], table: TableScheme | None = None) -> None:
    """Features of what scikit-learn does not count: those of a world's table, and the elements of anything else."""
    vars(estimator).pop("feature_names_in_", None)
    estimator.n_features_in_ = prod(shape) if table is None else len(table.columns)
    if table is not None:
        estimator.feature_names_in_ = np.asarray(table.columns, dtype=object)

"""What users hand over as observations, and how reconstructions are handed back: arrays, images, tables, worlds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod
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
from prismae.data.storage import Dense, spaced
from prismae.data.tables import TableScheme
from prismae.errors import InputError
from prismae.settings import Layout

PART = 1024  # observations that go through a network at a time

Observations = ArrayLike | Tensor | World | pd.DataFrame


@dataclass(frozen=True)
class Form:
    """How observations were given to `fit`: new ones are read, and reconstructions given back, the same way.

    Parameters
    ----------
    shape
        Of one observation as the user gave it: (h, w) or (h, w, c), say, where the network sees (c, h, w).
    seen
        Of one observation as the network sees it.
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
    """

    shape: tuple[int, ...]
    seen: tuple[int, ...]
    pixels: bool
    table: TableScheme | None = None
    channels: ChannelScheme | None = None
    series: Layout | None = None
    vocabulary: Vocabulary | None = None

    def parts(self, X: NDArray | pd.DataFrame | World) -> Iterator[Tensor]:
        """Observations as the network sees them, float32 [up to 1024, *seen], one part after the other.

        Only the part is ever copied, so X may be larger than memory.
        """
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
                yield x.data[rows].cpu()
            else:
                part = np.asarray(x[start : start + PART])
                found = as_observations(part, self.seen, pixels=self.pixels, series=series, start=start)
                scaled = found if self.channels is None else self.channels.scaled(found.numpy())
                yield torch.as_tensor(scaled)

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
        if isinstance(X, World) and (X.table, X.channels) == (self.table, self.channels):
            return X
        return World("observations", Dense(self.some(X, n)), table=self.table, channels=self.channels)

    def given_back(self, x: NDArray) -> NDArray | pd.DataFrame:
        """Observations [n, *seen] of a network in the form of the user's: [n, *shape], a table, or sentences [n]."""
        if self.vocabulary is not None:
            return np.array(self.vocabulary.decode(torch.from_numpy(x)), dtype=object)
        if self.table is not None:
            return self.table.to_frame(x)
        if self.channels is not None:
            x = self.channels.in_units(x)
            return np.moveaxis(x, 1, 2) if self.series == "channels-last" else x
        if len(self.shape) == 2:
            return x[:, 0]
        return x if self.shape == self.seen else np.moveaxis(x, 1, -1)

    @classmethod
    def from_json(cls, about: dict[str, Any]) -> Self:
        """The form that a run's job.json tells of; what the command line is given has the network's shape."""
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

"""Kind: what observations are, and all that follows from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from prismae._discovery import kebab
from prismae.data.channels import ChannelScheme
from prismae.data.layout import images_first, numbers
from prismae.data.offset import less
from prismae.data.rows import Rows
from prismae.data.storage import Dense, Storage
from prismae.data.summary import Summary, summary_of
from prismae.errors import InputError

PART = 1024  # observations that are read, and go through a network, at a time
FEW, NARROW = 100, 256  # elements of an observation below which the MLP has that width


class Kind(ABC):
    """A kind of data, with what was learnt of these data to make a network's input of them and to give them back.

    One file in `prismae.data.kinds` (or an entry point of group ``prismae.kinds``) holds one kind, a frozen dataclass:
    a `World` carries it, job.json keeps it. Its name there is the class's, ``Images`` → ``images``, and says how a
    report draws observations.
    """

    elements: ClassVar[Literal["numbers", "words"]] = "numbers"  # what networks and likelihoods must be for
    lacking: tuple[int, ...] | None = None  # see `Numbers`
    given: tuple[str, ...] = ()  # see `Table`

    @classmethod
    def name(cls) -> str:
        """Name in job.json."""
        return kebab(cls.__name__)

    @classmethod
    @abstractmethod
    def plain(cls, data: Storage) -> Self | None:
        """The kind of observations of which nothing is said but how they lie in memory; None where they are not."""

    # in files and in words

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """What job.json says of the kind: ``kind``, its name, and keys of its own; plain lists, numbers and texts."""

    @classmethod
    @abstractmethod
    def from_json(cls, about: Mapping[str, Any]) -> Self:
        """The kind that a job.json tells of; those of version 0.1 have no ``kind`` but the other keys."""

    def scheme_json(self) -> dict[str, Any]:
        """Those of these keys that say how the user's values became a network's, for exported files; or none."""
        return {}

    def noted(self) -> str:
        """What a description says behind the observations' shape, as " (of 3 numeric columns)"; or nothing."""
        return ""

    @abstractmethod
    def values(self, data: Storage, summary: Summary) -> str:
        """One line on the values of observations."""

    @abstractmethod
    def units(self) -> str:
        """In which units a network sees observations, as a part of a sentence."""

    def sentences(self) -> list[str]:
        """What a model card says of how the data were read."""
        return []

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that the user gave; none where they have none."""
        return ()

    @property
    def left_out(self) -> tuple[str, ...]:
        """Names of the columns that the user's table has beside these, and that are not trained on."""
        return ()

    @property
    def element_names(self) -> tuple[str, ...]:
        """Names of the elements of an observation as a network sees it; none where they have none."""
        return ()

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Names of the channels; none where they have none."""
        return ()

    @abstractmethod
    def summary(self, data: Storage) -> Summary:
        """Statistics of all elements of the observations."""

    # training

    @abstractmethod
    def default_net(self, shape: tuple[int, ...]) -> str:
        """The network for observations of `shape` where none is asked for, as `prismae.nets.net` reads it."""

    @abstractmethod
    def default_likelihood(self, summary: Summary) -> str:
        """The likelihood where none is asked for."""

    def default_lr(self) -> float:
        """The learning rate where neither a training nor its method gives one."""
        return 1e-4

    def column_sorts(self) -> tuple[tuple[tuple[str, float, float], ...], tuple[int, ...]]:
        """For a table's columns of numbers, what they are (`prismae.data.columns.Sort`), mean and deviation; and sizes
        of its categories."""
        return (), ()

    # what is given of observations, and is no concern of the codes

    def knowing(self, given: tuple[str, ...], shape: tuple[int, ...]) -> Self:
        """The same kind, of whose observations [*shape] these columns are given; () is nothing.

        Raises
        ------
        InputError
            Where there are no such columns, or they cannot be given.
        """
        if given:
            raise InputError(
                f"What is given (given=, --given) are columns of a table, or of vectors [n, d] by their numbers, and "
                f"these observations are {self.name()}: leave it out."
            )
        return self

    @property
    def given_places(self) -> Mapping[str, tuple[int, ...]]:
        """Column that is given → places of the elements of an observation that it is."""
        return {}

    @property
    def known(self) -> tuple[int, ...]:
        """All of these places."""
        return tuple(place for places in self.given_places.values() for place in places)

    def usual(self, mean: Tensor) -> Tensor:
        """The most usual value of each element of an observation, of its mean [*shape] over the data."""
        return mean

    def told(self, given: Any, n: int, shape: tuple[int, ...], *, every: bool = True) -> Tensor | None:
        """What a user says is given of n observations as a network sees them, [n, *shape], and NaN elsewhere.

        None where a model is told nothing. `every`: whether all that is given has to be there.
        """
        if given is not None:
            raise InputError(
                "Nothing is given to this model: it was fitted without given=, so leave that out."
            )
        return None

    @property
    def outputs(self) -> int:
        """Outputs of a decoder for each element of an observation."""
        return 1

    def lengths(self, data: Storage) -> Tensor | None:
        """[n] length of each observation, where batches should be of about equally long ones; else None."""
        return None

    def parted(self, kept: Storage, held: Storage) -> tuple[Self, Storage, Storage]:
        """The kind of a part of the data, which knows nothing of what is held out, and both parts in it."""
        return self, kept, held

    # what users give, and what they get back

    def given_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of an observation as the user's arrays have it, of that which a network sees."""
        return shape

    def as_seen(self) -> Self:
        """The same kind of observations that lie in arrays as a network sees them."""
        return self

    @abstractmethod
    def alike(self, kind: Kind) -> bool:
        """Whether observations of `kind` became the same numbers as those of this kind would have."""

    @abstractmethod
    def parts(self, X: NDArray | Rows | pd.DataFrame, shape: tuple[int, ...]) -> Iterator[Tensor]:
        """A user's new observations as a network sees them, [up to 1024, *shape], one part after the other.

        Only the part is ever copied, so X may be larger than memory.

        Raises
        ------
        InputError
            For observations of another kind or shape, and values that cannot be used.
        """

    @abstractmethod
    def parts_of(self, data: Storage, kind: Kind, shape: tuple[int, ...], name: str) -> Iterator[Tensor]:
        """The same for the observations of a world called `name`, which are of `kind`."""

    @abstractmethod
    def joined(self, parts: list[Tensor]) -> Tensor:
        """Parts of observations or codes as one."""

    @abstractmethod
    def stored(self, x: Tensor) -> Storage:
        """Observations as a network sees them, to be kept in memory."""

    @abstractmethod
    def given_back(self, x: NDArray, shape: tuple[int, ...]) -> NDArray | pd.DataFrame:
        """Observations of a network in the user's units: an array [n, *shape], a table, or sentences [n]."""

    def lenient(self) -> Self:
        """The same kind, to which a category that the fit did not see is none of those that it saw."""
        return self

    def within(self, summary: Summary, support: tuple[float, float]) -> tuple[float, float]:
        """The range that elements of new observations have to lie in, given that of the likelihood."""
        return support

    def how_to_scale(self) -> str:
        """What to do about new observations that are out of range, as the end of a sentence."""
        return "scale them as those of the fit were"


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
        low, high, mean = (value + self.offset for value in (summary.low, summary.high, summary.mean))
        digits = ".10g" if self.offset else ".4g"
        return (
            f"values {low:{digits}} to {high:{digits}}{' (from bytes)' if self.pixels else ''}, "
            f"mean {mean:{digits}}, standard deviation {summary.std:.4g}"
        )

    def units(self) -> str:
        if self.channels is not None:
            return f"{self._each} scaled as `channels` says"
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

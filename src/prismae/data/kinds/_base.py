"""Kind: what observations are, and all that follows from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal, Self

import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from prismae._discovery import kebab
from prismae.data.rows import Rows
from prismae.data.storage import Storage
from prismae.data.summary import Summary
from prismae.errors import InputError

PART = 1024  # observations that are read, and go through a network, at a time


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

    @property
    def scaled(self) -> bool:
        """Whether a network sees values in other units than the user's, each column or channel scaled by itself."""
        return False

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

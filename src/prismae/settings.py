"""What a training and the reading of own data can be told: plain data, defined here and read by everything else.

A field stands here once, with its range, its default and its description. The command line makes its options from
them, `Job` its JSON, plans their axes; a test holds `Autoencoder`'s parameters to them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from prismae.errors import InputError
from prismae.fields import BelowOne, Count, Positive, Seed, check_fields

CodeSize = Annotated[int, Ge(1), Le(10_000)]
Side = Annotated[int, Ge(1), Le(4096)]
Precision = Literal["32", "bf16"]
Steps = Count | Literal["auto"]
Layout = Literal["channels-first", "channels-last", "rows"]


def _axes(letters: str) -> str:
    if {"h", "w"} <= set(letters) <= set("cdhw") and len(set(letters)) == len(letters):
        return letters
    expected = "should have h and w, and of c (channels) and d (depth) those that there are, each once, as chw or dhw"
    raise PydanticCustomError("axes", expected)


Axes = Annotated[str, AfterValidator(_axes)]

MOST = 20_000  # updates of steps="auto"
HELD_OUT = 0.1  # of the observations, where steps="auto" is told of no other part


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a method is trained.

    Parameters
    ----------
    n_latents
        Size of the code, m.
    net
        A network's name, with the settings that differ from its defaults (mlp:width=512), a `prismae.nets.Net`, or a
        function (shape, n_outputs, n_latents) → (encoder, decoder); "auto" chooses by method and data.
    likelihood
        How outputs are compared with data: a likelihood's name, or a `prismae.nets.Likelihood`; "auto" chooses by
        method and kind of data.
    steps
        Updates of the autoencoder; "auto": until the loss on held-out observations has stopped falling, at most
        20,000. A tenth of the observations is held out then, unless it is said how many.
    batch
        Observations in each update.
    lr
        Learning rate; None: the method's, or where it has none that of the kind of data.
    seed
        Seed of everything random: same seed, same machine, same result to the bit.
    precision
        "32", or "bf16" for matrix products in bfloat16 with float32 weights.
    controls
        Controllers of weights beside the method's own: as objects, or for each a mapping of its name as "controller"
        and its fields.
    snapshots
        Steps after which the codes of all observations are kept, to be scored beside the final ones.
    """

    n_latents: CodeSize = 10
    net: Any = "auto"
    likelihood: Any = "auto"
    steps: Steps = "auto"
    batch: Count = 64
    lr: Positive | None = None
    seed: Seed = 0
    precision: Precision = "32"
    controls: tuple[Any, ...] = ()
    snapshots: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check_fields(self)
        if self.steps == "auto" and self.snapshots:
            raise InputError(
                f"{label(self)}: snapshots are taken at steps that are known, so steps should be a number, got 'auto'."
            )
        late = [step for step in self.snapshots if not 0 < step <= self.limit]
        if late:
            raise InputError(
                f"{label(self)}: snapshots should lie within 1 and {self.steps} steps, got {', '.join(map(str, late))}."
            )

    @property
    def limit(self) -> int:
        """The most updates that are made."""
        return MOST if self.steps == "auto" else self.steps


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How own data are read, and what of them is trained on.

    Parameters
    ----------
    factors
        Columns, arrays or labels that are factors: they are not trained on.
    size
        Side that the images of a folder are cut and scaled to.
    axes
        What the dimensions of an image or volume are, where their sizes do not say it: "c" channels, "d" depth, "h"
        height and "w" width, as "hwc", "dhw" or "cdhw". Of a TIFF file, what its pages and samples are.
    skip_damaged
        Leave out the images of a folder that cannot be read, and say how many they are.
    series
        Where the channels of series of several channels stand: "channels-first", [n, c, length], or "channels-last",
        [n, length, c]. Without it an array of three dimensions is images. "rows": each row of a table, or of an array
        [n, length], is a series of one channel.
    window
        Points of the windows into which long recordings are cut: a .wav file, an array [length] or [c, length], a table
        of which each row is a point in time, or a folder of such files.
    stride
        Points from the start of a window to the start of the next; by default windows follow each other.
    rate
        Points a second of series, for the axes of reports; audio files and columns of times say it themselves.
    series_id
        Column of a table that says to which series a row belongs, where each row is a point in time.
    time
        Column of such a table that says when a point was: rows are put in that order.
    channel_names
        Names of the channels of such series.
    drop
        Columns of a table that are left out.
    categorical
        Columns of a table that are categories though they look like numbers or names: grades, codes of places.
    numeric
        Columns of a table that are numbers though they look like numbers of rows; texts in them that are no numbers are
        missing values.
    given
        Columns of a table, or numbers of columns of an array, that are given: encoder and decoder see them, and codes
        are to be free of them, as of a batch, an age, a condition.
    index
        Column of a table that names its rows; it is not trained on.
    missing
        What stands for a missing value in a table, beside the usual NA, NaN, null, None and their like of a text file;
        an empty text among them says that the usual ones are values. An empty cell always is missing.
    sep
        What stands between the columns of a text file, "tab" for a tabulator; found by itself if not given.
    tokens
        What a text is made of: "words" and signs, as Unicode tells them apart, in lower case, or "characters" as they
        are.
    sheet
        Name of the sheet of an .xlsx file; the first if not given.
    holdout
        Fraction of the observations that is not trained on, to measure losses, errors and scores on it; the same rows
        for every seed.
    """

    factors: tuple[str, ...] = ()
    size: Side | None = None
    axes: Axes | None = None
    skip_damaged: bool = False
    series: Layout | None = None
    window: Count | None = None
    stride: Count | None = None
    rate: Positive | None = None
    series_id: str | None = None
    time: str | None = None
    channel_names: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    index: str | None = None
    missing: tuple[str, ...] = ()
    sep: str | None = None
    tokens: Literal["words", "characters"] | None = None
    sheet: str | None = None
    holdout: BelowOne = 0.0

    def __post_init__(self) -> None:
        check_fields(self)


def reading_of(
    given: dict[str, Any], call: str = "world", without: Sequence[str] = ("holdout", "factors")
) -> Reading:
    """Settings of a reading that are given to a call, which takes all but some; those that are several names may be
    given as one, or as a list."""
    defaults = {each.name: each.default for each in fields(Reading) if each.name not in without}
    if unknown := [name for name in given if name not in defaults]:
        raise TypeError(f"{call}() got an unexpected argument {unknown[0]!r}")
    made: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    for name, value in made.items():
        if isinstance(defaults[name], tuple):
            made[name] = (str(value),) if isinstance(value, str | int | float) else tuple(map(str, value))
    return Reading(**made)


def label(settings: object) -> str:
    """What messages call settings: their class, in lower case."""
    return type(settings).__name__.lower()


def plain(value: Any) -> Any:
    """A setting as JSON holds it: networks, likelihoods and controllers as they describe themselves.

    A function, such as a network of the user's, is its name: it cannot be read back, only recognised.
    """
    if hasattr(value, "described"):
        return value.described()
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if callable(value):
        return f"function:{getattr(value, '__name__', type(value).__name__)}"
    return value


def as_plain(settings: Any) -> dict[str, Any]:
    """All fields of settings as plain data."""
    return {each.name: plain(getattr(settings, each.name)) for each in fields(settings)}

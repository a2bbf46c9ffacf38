"""View: one figure of a run, from what is computed of the model to what the page says above it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, cast

from matplotlib.figure import Figure
from numpy.typing import NDArray

from prismae._discovery import entry_name, kebab, subclasses
from prismae.errors import unknown_name
from prismae.fields import Settings, named_values
from prismae.views._shown import KINDS

if TYPE_CHECKING:
    from prismae.runs.run import Run
    from prismae.views._subject import Subject

Arrays = dict[str, NDArray]

SECTIONS = {  # of a report's page, by their anchors
    "sentences": "Sentences",
    "reconstruction": "Reconstruction",
    "traversals": "Traversals",
    "codes": "Latents",
    "information": "Codes and factors",
    "views": "Further views",
}
NUMBERS = ("images", "volumes", "series", "table")


@dataclass(frozen=True)
class Table:
    """Words that stand below a view's figure: a heading, a sentence, the heads of columns, and rows of cells."""

    title: str
    sentence: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


class View(Settings, ABC):
    """A frozen dataclass whose fields are what may be asked of a view, such as its seed.

    One file in `prismae.views` (or an entry point of group ``prismae.views``) holds one view; its name on the command
    line is the class's, ``TSNE`` → ``tsne``. A file imports torch, and what imports it, in `compute` alone: drawing
    needs neither. Fields are annotated with their range (see `prismae.fields`).

    Attributes
    ----------
    arrays
        What the view keeps in pictures.npz: name → its dimensions, apart by spaces. ``m`` is the number of latents,
        ``*shape`` that of an observation: these two are the same in all views; other letters stand for one number in
        all arrays of this view, and a number for itself. ``-`` is any shape.
    sometimes
        Those of `arrays` that not every run has.
    needs
        The arrays that it is drawn from, of this view or of others; by default those of `arrays` that every run has.
    title
        The heading above the figure; none where it is the first of its section.
    called
        How the page names it where it is missing: "the t-SNE of the codes".
    section, place
        Where on the page it stands: a key of `SECTIONS`, and there from the least place to the greatest.
    kinds
        The kinds of data that it is for.
    slow
        Whether it is computed only when it is asked for, not at the end of every training.
    small
        Whether its figure is shown in half of the page's width.
    drawn
        Whether there is a figure; else it keeps arrays only, from which the page makes words.
    """

    arrays: ClassVar[Mapping[str, str]]
    sometimes: ClassVar[tuple[str, ...]] = ()
    needs: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str] = ""
    called: ClassVar[str] = ""
    section: ClassVar[str] = "views"
    place: ClassVar[int] = 100
    kinds: ClassVar[tuple[str, ...]] = NUMBERS
    slow: ClassVar[bool] = False
    small: ClassVar[bool] = False
    drawn: ClassVar[bool] = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        assert cls.section in SECTIONS, f"{cls.__name__}: section {cls.section!r} is none of {list(SECTIONS)}"

    @classmethod
    def name(cls) -> str:
        """Name on the command line."""
        return entry_name(cls, "prismae.views") or kebab(cls.__name__)

    @abstractmethod
    def compute(self, subject: Subject) -> Arrays:
        """The view's arrays, by their names.

        Raises
        ------
        Unavailable
            For a model or data that have no such view; at the end of a training it is then left out.
        """

    @abstractmethod
    def draw(self, run: Run) -> Figure:
        """The figure, from the arrays of a run that holds all that the view `needs`."""

    def sentence(self, run: Run) -> str:
        """What stands above the figure: text, or `markupsafe.Markup` with tags; by default the class's first line."""
        return (type(self).__doc__ or "").partition("\n")[0]

    def table(self, run: Run) -> Table | None:
        """What stands below the figure; most often nothing."""
        return None

    def absence(self, run: Run) -> str:
        """What stands in place of the figure where the run holds too little; most often nothing."""
        return ""

    @classmethod
    def refusal(cls, kind: str) -> str:
        """Why there is no such view of a kind of data, as a sentence; empty where there is one."""
        if kind in cls.kinds:
            return ""
        others = [repr(name) for name, other in all_views().items() if kind in other.kinds and other.drawn]
        expected = (
            f"expected {' or '.join(others)}" if len(others) < 3 else f"expected one of {', '.join(others)}"
        )
        several = KINDS[kind].several if kind in KINDS else f"Data of the kind {kind!r}"
        return f"{several} have no picture of kind {cls.name()!r}: {expected}."

    @classmethod
    def always(cls) -> list[str]:
        """The arrays that every run has for which the view was computed."""
        return [name for name in cls.arrays if name not in cls.sometimes]

    @classmethod
    def lacks(cls, run: Run) -> list[str]:
        """The arrays that the view is drawn from and the run does not hold."""
        return [name for name in cls.needs or cls.always() if name not in run.pictures]

    @classmethod
    def options(cls) -> list[str]:
        """The names of what may be asked of it."""
        return [field.name for field in fields(cast(Any, cls))]


def all_views() -> dict[str, type[View]]:
    """Every view by its command-line name: those of `prismae.views`, then those of other packages."""
    return subclasses("prismae.views", cast(Any, View), "prismae.views")


def view(given: str | View, **options: Any) -> View:
    """The view that is meant: one by its name, with the values of its fields that are not as by default.

    Raises
    ------
    InputError
        For an unknown name, and a field that is unknown or out of its range.
    """
    if isinstance(given, View):
        return given
    known = all_views()
    if given not in known:
        raise unknown_name("view", given, known)
    return known[given](**named_values(known[given], options, among=known[given].options()))

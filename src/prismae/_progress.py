"""What a terminal shows: a screen for text of others, and the one progress bar, with a note of what is done now."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import IO, Any, Self, cast

from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.segment import Segment
from rich.table import Column
from rich.text import Text

from prismae._text import together

# what a terminal obeys, and what turns the direction of writing; not the ends of lines and tabulators
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


_HELD = "\ue0a0"  # of private use, and as wide as a space: stands for a no-break space while rich parts lines


def visible(text: str) -> str:
    """A text as a terminal may be given it: characters that it would obey stand as ``\\x1b``."""
    return _OBEYED.sub(lambda found: repr(found[0])[1:-1], text)


class _Unheard:
    """A stream that takes what it cannot write."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Screen(Console):
    """A console whose terminal obeys no character of a text that it shows: names of columns and files are anyone's.

    Lines do not end between a symbol, its sign and its number, nor at other no-break spaces, where rich would end them;
    where the encoding has none, or nobody is there to look, they are spaces.
    """

    @property
    def file(self) -> IO[str]:
        """Where it writes. What a command says along the way does not end it where standard error is full or gone."""
        file = super().file
        return cast("IO[str]", _Unheard(file)) if self.stderr else file

    @file.setter
    def file(self, file: IO[str]) -> None:
        self._file = file

    def render_str(self, text: str, **look: Any) -> Text:
        return super().render_str(together(visible(text)).replace("\u00a0", _HELD), **look)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        space = "\u00a0" if self.is_terminal and self.encoding.startswith("utf") else " "
        for each in super().render(renderable, options):
            text = visible(each.text).replace("\u00a0", space).replace(_HELD, space)
            yield each if each.control else Segment(text, each.style)


def bars(*, left: bool = False, **look: Any) -> Progress:
    """Bars whose tasks have a field ``note``; with the time that is `left` if asked for. `look` goes to rich.

    In a narrow terminal the note is cut, and never a number before it.
    """
    whole: dict[str, Any] = {"table_column": Column(no_wrap=True)}
    columns = [
        TextColumn("{task.description}", markup=False, **whole),
        BarColumn(bar_width=12),
        MofNCompleteColumn(**whole),
        TimeElapsedColumn(**whole),
        *([TimeRemainingColumn(**whole)] if left else []),
    ]
    rest = Column(no_wrap=True, overflow="ellipsis", ratio=1)
    return Progress(
        *columns, TextColumn("{task.fields[note]}", markup=False, table_column=rest), expand=True, **look
    )


class Bar:
    """One bar on stderr, gone from the screen when it ends; silent unless `enabled`, and where nothing can be taken
    from a screen: in files, pipes and dumb terminals."""

    def __init__(self, what: str, total: int, *, enabled: bool) -> None:
        screen = Screen(stderr=True)
        self.bars = bars(console=screen, disable=not (enabled and screen.is_interactive), transient=True)
        self.task = self.bars.add_task(what, total=total, note="")

    def __enter__(self) -> Self:
        self.bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        if not self.bars.disable:  # else earlier versions of rich print a line
            self.bars.stop()

    def show(self, now: str) -> None:
        """Say what is done now."""
        self.bars.update(self.task, note=now)

    def advance(self, parts: int = 1) -> None:
        """So many parts more are done."""
        self.bars.advance(self.task, parts)

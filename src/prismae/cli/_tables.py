"""Tables in a terminal: as many columns beside each other as there is room for, the others below them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table


def width_of(table: Table, console: Console) -> int:
    """Signs that a table would take in a line if there were room for any number."""
    return console.measure(table, options=console.options.update(width=10_000)).maximum


def whole(texts: Sequence[str]) -> dict[str, Any]:
    """The settings of a column of which lines are not parted: one of numbers."""
    return {"no_wrap": True, "overflow": "fold", "min_width": max(map(cell_len, texts))}


def in_room(
    console: Console, keys: list[int], groups: Iterable[list[int]], make: Callable[[list[int]], Table]
) -> Iterator[Table]:
    """A table, or several to be shown below each other where the console is too narrow for it.

    Parameters
    ----------
    keys
        Columns that each of them starts with.
    groups
        The other columns, of which those of a group stay beside each other if they can.
    make
        Makes the table of some columns.
    """

    def fits(columns: list[int]) -> bool:
        wide = console.options.update(width=10_000)
        return (
            console.measure(make(columns), options=wide).minimum <= console.width
        )  # between words lines may end

    parts = [part for group in groups for part in ([group] if fits(keys + group) else [[j] for j in group])]
    while parts:
        shown = keys + parts.pop(0)
        while parts and fits(shown + parts[0]):
            shown += parts.pop(0)
        yield make(shown)

"""Help: what an option takes in the words of a terminal, and whole names where there is no room for columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from rich.cells import cell_len
from typer import rich_utils

NARROW = 70  # cells, below which Typer's columns cut names of options
INDENT = "    "


def filled(text: str, width: int) -> str:
    """A text in lines of at most so many cells, of which a Chinese character or an emoji takes two."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and cell_len(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return "\n".join(lines)


class Worded:
    """A command whose help says what an option takes, as an option of a terminal: flags take nothing."""

    def get_params(self, ctx: Any) -> list[Any]:
        params: list[Any] = super().get_params(ctx)  # type: ignore[misc]  # a command's, or a group's
        for each in params:
            # a range stands behind it
            kind = re.sub(r"(list\[)?(\w+)(]| range)?>$", r"\2>", each.display_type(ctx))
            shown = "" if getattr(each, "is_flag", False) else kind.replace("<Path>", "<path>")
            each.display_type = lambda _, shown=shown: shown
        return params

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """In a narrow terminal what is told of an option stands below its name."""
        width = rich_utils._get_rich_console().width
        if width < NARROW:
            formatter.write("\n".join(_in_one_column(self, ctx, width)))
        else:
            super().format_help(ctx, formatter)  # type: ignore[misc]


def _in_one_column(command: Any, ctx: Any, width: int) -> Iterator[str]:
    for text in (command.get_usage(ctx), *(command.help or "").split("\n\n")):
        yield f"{filled(' '.join(text.split()), width)}\n"
    records: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
    for each in command.get_params(ctx):
        usual = "Arguments" if each.param_type_name == "argument" else "Options"
        panel = getattr(each, "rich_help_panel", None) or usual
        if (record := each.get_help_record(ctx)) is not None:
            records.setdefault(panel, []).append(record)
    list_commands: Callable[[Any], list[str]] = getattr(command, "list_commands", lambda _: [])
    for name in list_commands(ctx):
        each = command.get_command(ctx, name)
        records.setdefault(each.rich_help_panel, []).append((name, each.help))
    for panel, found in records.items():
        if found:
            yield f"{panel}:"
        for name, said in found:
            yield filled(name.replace("|", " | "), width)  # a choice, which may be longer than a line
            text = " ".join(said.replace("\\[", "[").split())  # which is escaped for Rich's markup
            lines = filled(text, width - len(INDENT)).split("\n")
            yield "\n".join(f"{INDENT}{line}" for line in lines) + "\n"
    for text in filter(None, (command.epilog or "").split("\n\n")):
        yield filled(text, width)

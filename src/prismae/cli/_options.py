"""Options of a command that are the fields of settings: types, defaults and descriptions stand with the fields."""

from __future__ import annotations

import csv
import inspect
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import MISSING, dataclass, fields
from functools import wraps
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import typer
from rich.markup import escape

from prismae._discovery import kebab
from prismae.errors import InputError

_SHOWN = 80  # letters of what cannot be read


@dataclass(frozen=True)
class Written:
    """How a field is written on the command line where its name and type do not say it.

    Parameters
    ----------
    option
        Its option.
    each
        Whether the option is given once for each value; else several values may stand in one text with commas, too.
    metavar
        What stands for its value in the help.
    description
        What the help says in place of the field's description, which speaks of Python objects.
    group
        Its heading in the help, where it is not that of all the others.
    """

    option: str
    each: bool = False
    metavar: str | None = None
    description: str | None = None
    group: str | None = None


def options_of(
    group: str, settings: type, written: Mapping[str, Written] | None = None, without: Sequence[str] = ()
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the fields of a dataclass as options, and the command its values as one mapping.

    The command takes the mapping, field → value, under the dataclass's name in lower case.

    Parameters
    ----------
    group
        Heading in the help.
    settings
        The dataclass; its docstring's section "Parameters" describes the fields.
    written
        Fields that are written in another way.
    without
        Fields that the command does not take.
    """
    described, hints = descriptions(settings), get_type_hints(settings)
    taken_fields = [each for each in fields(settings) if each.name not in without]
    ways = {each.name: Written(f"--{kebab(each.name)}") for each in taken_fields} | dict(written or {})
    taken = settings.__name__.lower()
    parameters = []
    for each in taken_fields:
        way, hint, default = ways[each.name], hints[each.name], each.default
        several = get_origin(hint) is tuple
        metavar = way.metavar or ("NAME,…" if several and not way.each else None)
        option = typer.Option(
            way.option,
            metavar=metavar,
            help=escape(way.description or described[each.name]),
            rich_help_panel=way.group or group,
            show_default=not several,
        )
        kind: Any = _single(hint)
        if several:
            kind = list[_single(get_args(hint)[0]) if way.each else str] | None  # type: ignore[misc]
        assert default is not MISSING
        parameters.append(
            inspect.Parameter(
                each.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=None if several else str(default) if _either(hint) else default,
                annotation=Annotated[kind, option],
            )
        )

    def give(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def with_settings(**given: Any) -> None:
            values = {each.name: given.pop(each.name) for each in taken_fields}
            for each in taken_fields:
                if get_origin(hints[each.name]) is tuple:
                    values[each.name] = _several(values[each.name], split=not ways[each.name].each)
                elif _either(hints[each.name]):
                    values[each.name] = _number_or_text(values[each.name])
            command(**given, **{taken: values})

        own = inspect.signature(command, eval_str=True).parameters.values()
        rest = [p.replace(kind=p.KEYWORD_ONLY) for p in own if p.name != taken]
        vars(with_settings)["__signature__"] = inspect.Signature([*rest, *parameters])
        del vars(with_settings)["__wrapped__"]  # whose signature is another
        with_settings.__annotations__ = {p.name: p.annotation for p in (*rest, *parameters)}
        return with_settings

    return give


def descriptions(settings: type) -> dict[str, str]:
    """Field → its description, from the section "Parameters" of a dataclass's docstring."""
    if sys.flags.optimize > 1:  # `python -OO` keeps no docstrings
        return {each.name: "" for each in fields(settings)}
    section = inspect.getdoc(settings) or ""
    section = section.partition("Parameters\n----------\n")[2].partition("\n\n")[0]
    found = {}
    for names, text in re.findall(r"(?m)^(\w[\w, ]*)\n((?:    .*\n?)+)", section):
        for name in names.split(","):
            found[name.strip()] = " ".join(text.split())
    return found


def _single(hint: Any) -> Any:
    """The type that the command line reads: without its range, which the dataclass checks in one place."""
    if get_origin(hint) is Literal or hint is Any or _either(hint):
        return str
    optional = [each for each in get_args(hint) if each is not type(None)]
    if get_origin(hint) is Annotated:
        return optional[0]
    return _single(optional[0]) | None if optional else hint


def _either(hint: Any) -> bool:
    """Whether a field is of one of several types, such as a number or a word, None not counted."""
    return get_origin(hint) in (Union, UnionType) and len({*get_args(hint)} - {type(None)}) > 1


def _number_or_text(text: str) -> int | float | str:
    """The value of a field of one of several types: what it may be the dataclass checks, with all others."""
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return text


def _several(given: list[Any] | None, *, split: bool) -> tuple[Any, ...]:
    """The values of an option that may be repeated, and split at commas: ``["a, b", "c"]`` → ``("a", "b", "c")``.

    A name that has a comma stands in double quotes: ``['"a, b"']`` → ``("a, b",)``.
    """
    if not split:
        return tuple(given or ())
    try:
        rows = list(csv.reader(given or (), skipinitialspace=True))
    except csv.Error as error:
        shown = repr(", ".join(given or ()))[:_SHOWN]
        raise InputError(f"{shown} is no line of names with commas between them ({error}).") from None
    return tuple(name.strip() for row in rows for name in row or [""])

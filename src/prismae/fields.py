"""Fields of frozen dataclasses as settings: checked on construction, readable from text.

The fields of a method, a controller, a network or a likelihood are its configuration, so their annotations carry the
valid range: ``beta: NonNegative = 4.0``. So do the parameters of metrics: ``bins: AtLeastTwo = 20``. pydantic reads the
annotations; this module turns what it finds into one sentence. Classes of your own import their ranges from here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, fields
from functools import lru_cache
from types import UnionType
from typing import Annotated, Any, Union, cast, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Lt
from pydantic import AllowInfNan, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from prismae._discovery import kebab, unfrozen
from prismae.errors import InputError, noted, unknown_names

__all__ = [
    "AtLeastTwo",
    "BelowOne",
    "Count",
    "CountOrZero",
    "Fraction",
    "NonNegative",
    "Positive",
    "Seed",
    "check_arguments",
    "check_fields",
    "from_text",
    "named_values",
    "value_from_text",
]

Positive = Annotated[float, Gt(0), AllowInfNan(False)]
"""A finite number above 0."""
NonNegative = Annotated[float, Ge(0), AllowInfNan(False)]
"""A finite number, 0 or above."""
Fraction = Annotated[float, Ge(0), Le(1)]
"""A number from 0 to 1."""
BelowOne = Annotated[float, Ge(0), Lt(1)]
"""A number from 0 to below 1."""
MOST = 10**9  # of whatever is counted: beyond it numbers do not fit where libraries put them
Count = Annotated[int, Ge(1), Le(MOST)]
"""A whole number from 1 to a thousand million."""
AtLeastTwo = Annotated[int, Ge(2), Le(MOST)]
"""A whole number from 2 to a thousand million."""
CountOrZero = Annotated[int, Ge(0), Le(MOST)]
"""A whole number from 0 to a thousand million."""

Seed = Annotated[int, Ge(0), Lt(2**32)]
"""A seed that PyTorch, NumPy and scikit-learn take."""


def _label(cls: type) -> str:
    """What users call the class: a method's command-line name, else the class's own in kebab-case."""
    return cls.name() if hasattr(cls, "name") else kebab(cls.__name__)


@lru_cache(maxsize=256)
def _hints(of: Any) -> dict[str, Any]:
    try:
        return get_type_hints(of, include_extras=True)
    except NameError as error:
        raise InputError(
            f"{getattr(of, '__qualname__', of)}: its annotations cannot be read ({error}): import at the module's top "
            "what they name."
        ) from None


@lru_cache(maxsize=4096)
def _adapter(of: Any, name: str) -> TypeAdapter:
    """What reads an annotated name; making one takes a hundred times as long as asking it."""
    try:
        return TypeAdapter(_hints(of)[name])
    except PydanticUserError:
        raise TypeError(
            f"is annotated {_hints(of)[name]!r}, of which nothing is known here: expected numbers, texts or lists of "
            "these, or a range of prismae.fields"
        ) from None


def check_fields(instance: Any) -> None:
    """Check every field of a frozen dataclass against its annotation; numbers are stored as annotated.

    Raises
    ------
    InputError
        Naming the class, each field that is wrong, the given value and what was expected.
    """
    cls = type(instance)
    given = {field.name: getattr(instance, field.name) for field in fields(cls)}
    for name, checked in _checked(_label(cls), cls, given).items():
        object.__setattr__(instance, name, checked)


class Settings:
    """What is made again from its fields: a frozen dataclass, whose values are plain data, as job.json keeps them.

    Raises
    ------
    InputError
        For a class that is no frozen dataclass, and values of its fields that cannot be.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if why := unfrozen(cls):
            raise InputError(f"{cls.__name__} {why}.")
        return super().__new__(cls)

    def __post_init__(self) -> None:
        check_fields(self)
        strange = []
        for name, value in asdict(cast(Any, self)).items():
            try:
                json.dumps(value)
            except (TypeError, ValueError):
                strange.append(f"{name} is {value!r:.60}")
        if strange:
            raise InputError(
                f"{_label(type(self))}: {'; '.join(strange)}, which a run cannot keep: expected numbers, texts, truth "
                "values, None, or lists of these."
            )


def from_text(cls: type, settings: Mapping[str, str], **values: Any) -> Any:
    """Build the dataclass `cls` from texts, as the command line gives them: ``{"beta": "4"}``, over given values."""
    return cls(**values | named_values(cls, settings, strict=False))


def named_values(
    cls: type, values: Mapping[str, Any], *, among: Collection[str] | None = None, strict: bool = True
) -> dict[str, Any]:
    """Values of fields of the dataclass `cls` that a user names, as they are annotated.

    `among` are the fields that may be named, all of them by default; without `strict` a text is read as what it means.

    Raises
    ------
    InputError
        Naming every field that `cls` does not have, with those it has, and every value that cannot be.
    """
    valid = [field.name for field in fields(cls)] if among is None else list(among)
    unknown = [name for name in values if name not in valid]
    faults, found = list[str](), dict[str, Any]()
    if unknown:
        faults.append(_unknown_fields(_label(cls), unknown, valid))
    with noted(faults):
        known = {name: value for name, value in values.items() if name in valid}
        found = _checked(_label(cls), cls, known, strict=strict)
    if faults:
        raise InputError(" ".join(faults))
    return found


def value_from_text(cls: type, name: str, text: str) -> Any:
    """One field of `cls` from its text."""
    return _checked(_label(cls), cls, {name: text}, strict=False)[name]


def check_arguments(label: str, function: Callable, values: Mapping[str, Any]) -> dict[str, Any]:
    """Check arguments of `function` against its parameters' annotations, as `check_fields` does for fields.

    `label` is what messages call it; `values` may be some of the arguments. Returns them as annotated.
    """
    return _checked(label, function, values)


def _unknown_fields(label: str, unknown: list[str], valid: list[str]) -> str:
    """The sentence for fields that there are not, with those that there are."""
    if not valid:
        return f"{label} has no field {' or '.join(map(repr, unknown))}: it has no settings."
    said = str(unknown_names(f"field of {label}", unknown, valid))
    return (
        said if "; expected" in said or ": expected" in said else f"{said} (Its fields: {', '.join(valid)}.)"
    )


def _checked(label: str, of: Any, values: Mapping[str, Any], *, strict: bool = True) -> dict[str, Any]:
    """Values as they are annotated, or one error for all that are wrong."""
    hints = _hints(of)
    found, wrong = {}, []
    for name, value in values.items():
        try:
            found[name] = _as_annotated(hints[name], _adapter(of, name), value, strict=strict)
        except ValidationError as error:
            faults = error.errors() if get_origin(hints[name]) in (Union, UnionType) else error.errors()[:1]
            expected = " or ".join(each["msg"].replace("Input should be", "should be") for each in faults)
            wrong.append(f"{name} {expected.replace(' or should be', ' or')}, got {value!r}")
        except TypeError as error:
            wrong.append(f"{name} {error}, got {value!r}")
    if wrong:
        raise InputError(f"{label}: {'; '.join(wrong)}.")
    return found


def _as_annotated(hint: Any, adapter: TypeAdapter, value: Any, *, strict: bool) -> Any:
    if (
        type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0
    ):  # as grids made by NumPy hold them
        value = value.item()
    if strict and isinstance(value, bool) and hint is not bool:
        raise TypeError("should not be a truth value")
    if strict and isinstance(value, int) and not isinstance(value, bool):
        strict = False  # an int is welcome where a float is meant
    return adapter.validate_python(value, strict=strict)

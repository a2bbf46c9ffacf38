"""Reading a plan's file: plain data, where in the file each key stands, and what is wrong with it in one sentence."""

from __future__ import annotations

import os
import re
import runpy
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from prismae.errors import InputError, unknown_name

Place = tuple[Any, ...]
T = TypeVar("T")
MOST = 100_000  # keys and entries of a plan
LETTERS = 10_000_000  # of all its texts, each counted wherever an alias puts it
MANY = 10  # faults that are told


class _Loader(yaml.SafeLoader):
    """Plain data, of which numbers and truth values are what they look like, as YAML 1.2 has it: 1e-3 is a number, 010
    is ten, and no and 1:30 are texts."""

    yaml_implicit_resolvers = {  # noqa: RUF012 (as in its base)
        first: [each for each in found if each[0].rpartition(":")[2] not in ("bool", "int", "float")]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def whole(self, node: yaml.ScalarNode) -> int:
        """A whole number of base ten, or of that which its prefix names."""
        text = node.value.replace("_", "")
        return int(text, 0 if re.match("[-+]?0[xob]", text) else 10)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """What a node is; where it is not what its tag says, and where a text cannot be written, that is said."""
        try:
            made = super().construct_object(node, deep)
            repr(made) if isinstance(made, int) else None  # one of more digits than Python writes
            made.encode() if isinstance(made, str) else None  # half a character, "\\ud800"
        except (ValueError, LookupError, AttributeError, TypeError) as error:
            reason = f" ({error})" if isinstance(error, ValueError) else ""
            whole = "a mapping" if isinstance(node, yaml.MappingNode) else "a list"
            given = repr(node.value)[:80] if isinstance(node, yaml.ScalarNode) else whole
            said = f"{given} is no {node.tag.rpartition(':')[2]}{reason}"
            raise yaml.constructor.ConstructorError(None, None, said, node.start_mark) from None
        return made


for _tag, _form, _firsts in (
    ("bool", "true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", "[-+]?([0-9][0-9_]*|0x[0-9a-fA-F]+|0o[0-7]+|0b[01]+)", "-+0123456789"),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_form})$"), [*_firsts])
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.whole)


@dataclass(frozen=True)
class Source:
    """The data of a plan's file, and the line of each key, by the path of keys that leads to it.

    Parameters
    ----------
    path
        The file.
    data
        What is in it.
    lines
        Path of keys → line; empty for a Python file.
    profile
        Keys are looked up below this path first, as those of a profile stand there.
    """

    path: Path
    data: Mapping[str, Any]
    lines: Mapping[Place, int] = field(default_factory=dict)
    profile: Place = ()

    def under(self, profile: Place) -> Source:
        """The same file with the changes of a profile made."""
        return Source(self.path, self.data, self.lines, profile)

    def error(self, error: InputError, place: Place) -> InputError:
        """The error with the file, the line, and the path of keys in front."""
        found = [self.profile + place, place] if self.profile else [place]
        line = next((self.lines[each] for each in found if each in self.lines), None)
        where = f"{self.path}, line {line}" if line else str(self.path)
        return InputError(f"{where}: {'.'.join(map(str, place)) or 'plan'}: {error}")

    def mapping(self, value: Any, place: Place) -> dict[str, Any]:
        """The value, if it is a mapping."""
        if not isinstance(value, Mapping):
            raise self.error(InputError(f"Expected keys with values, got {value!r}."), place)
        return dict(value)

    def check_keys(self, given: Iterable[str], place: Place, valid: Iterable[str]) -> None:
        """Refuse keys that are not among the valid ones, naming the nearest."""
        valid, faults = list(valid), Faults()
        for key in given:
            if key not in valid:
                faults.note(self.error(unknown_name("key", str(key), valid), (*place, key)))
        faults.tell()


@dataclass
class Faults:
    """What is wrong with a plan, collected and told in one sentence."""

    found: dict[str, None] = field(default_factory=dict)  # each once, in their order

    def note(self, error: InputError) -> None:
        """Add one, to be told later."""
        self.found[str(error)] = None

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Go on after what is wrong here."""
        try:
            yield
        except InputError as error:
            self.note(error)

    def tell(self) -> None:
        """Raise InputError with all that was noted, if anything was."""
        if not self.found:
            return
        first, *others = self.found
        ends = min(self.found), max(self.found)
        same = next((i for i, (a, b) in enumerate(zip(*ends, strict=False)) if a != b), 0)
        shared = re.match(r"(?s).*[,:] ", first[:same])
        begins = shared[0] if shared else ""  # the file, or the arm, which is named once
        said = [first, *(each.removeprefix(begins) for each in others)][:MANY]
        said += [f"and {len(self.found) - MANY:,} faults more"] * (len(self.found) > MANY)
        text = "; ".join(each.rstrip(".") for each in said)
        raise InputError(text if text.endswith("?") else f"{text}.")


def read_source(path: Path) -> Source:
    """Read a .yaml file, or the dictionary `plan` of a .py file."""
    if not os.path.isfile(path):  # as pathlib asks, but a name that no file can have is an error there
        raise InputError(f"There is no plan {str(path)!r}.")
    if path.suffix == ".py":
        plan = runpy.run_path(str(path)).get("plan")
        if not isinstance(plan, Mapping):
            raise InputError(f"{path}: expected it to define `plan`, a dictionary, got {plan!r}.")
        return Source(path, plan)
    try:
        text = path.read_text(encoding="utf-8")
        loader = _Loader(text)
        root = loader.get_single_node()
        lines = _lines_of(root, path)
        data = loader.construct_document(root) if root else None
    except InputError:
        raise
    except RecursionError:
        raise InputError(f"{path} holds keys or lists in each other without end: expected a plan.") from None
    except (yaml.YAMLError, ValueError, TypeError) as error:
        raise InputError(f"{path} is not YAML: {' '.join(str(error).split()).rstrip('.')}.") from None
    if not isinstance(data, Mapping):
        raise InputError(f"{path}: expected a plan's keys (title, worlds, methods, …), got {data!r:.200}.")
    return Source(path, data, lines)


def merged(data: Any, changes: Any) -> Any:
    """The data with changes: mappings are merged, everything else is replaced, and null takes a key away."""
    if not isinstance(data, Mapping) or not isinstance(changes, Mapping):
        return changes
    result = {key: value for key, value in data.items() if changes.get(key, value) is not None}
    for key, value in changes.items():
        if value is not None:
            result[key] = merged(data.get(key), value)
    return result


def checked(cls: type[T], data: Mapping[str, Any], source: Source) -> T:
    """The dataclass `cls` of the data; what does not fit its annotations is an error that says where."""
    faults = Faults()
    try:
        return TypeAdapter(cls).validate_python(data)
    except ValidationError as found:
        places = set()
        for each in found.errors():
            place = tuple(part for part in each["loc"] if not str(part).startswith(("float", "tuple")))
            if any(place[:n] in places for n in range(len(place) + 1)):
                continue  # what may be of several types has a fault for each of them
            places.add(place)
            said = f"{each['msg'][0].upper()}{each['msg'][1:]}, got {each['input']!r:.200}."
            missing = each["type"] == "missing"
            faults.note(
                source.error(InputError("It is missing, and a plan needs it." if missing else said), place)
            )
    faults.tell()
    raise AssertionError("pydantic refused without an error")


def _lines_of(root: yaml.Node | None, path: Path) -> dict[Place, int]:
    """The line of each key and entry; raises InputError where a key stands twice, for the last one would count."""
    found: dict[Place, int] = {}
    letters = 0
    for place, line, value in _lines(root):
        if place in found:
            raise InputError(
                f"{path}, line {line}: {'.'.join(map(str, place))} stands in line {found[place]} already: expected "
                "each key once."
            )
        found[place] = line
        if len(found) > MOST:  # aliases of aliases unfold to any number
            raise InputError(f"{path} has more than {MOST:,} keys and entries: expected a plan.")
        letters += len(str(place[-1])) + len(value.value if isinstance(value, yaml.ScalarNode) else "")
        if letters > LETTERS:
            raise InputError(f"{path} has more than {LETTERS:,} letters: expected a plan.")
    return found


def _lines(node: yaml.Node | None, place: Place = ()) -> Iterable[tuple[Place, int, yaml.Node]]:
    """The path of keys, the line, and what stands there, of each key and entry."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            whole = isinstance(key, yaml.ScalarNode) and key.tag.endswith(":int")
            inner = (*place, _Loader(key.value).get_single_data() if whole else str(key.value))
            yield inner, key.start_mark.line + 1, value
            yield from _lines(value, inner)
    elif isinstance(node, yaml.SequenceNode):
        for i, value in enumerate(node.value):
            yield (*place, i), value.start_mark.line + 1, value
            yield from _lines(value, (*place, i))

"""What there is to choose from, read from the sources: names and descriptions without importing any of it.

The command line lists and completes names; importing what bears them takes seconds, since all of it needs PyTorch.
What is found here is what `all_methods`, `all_metrics` and the others find (a test compares them).
"""

from __future__ import annotations

import ast
import inspect
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from io import StringIO
from pathlib import Path
from textwrap import dedent
from typing import Any

from prismae._discovery import described, entry_points, kebab, load
from prismae.errors import InputError

ROOT = Path(__file__).parent


@dataclass(frozen=True)
class Shelf:
    """Where things of one kind lie, and how they are known: by base class, by decorator, or as a file's function."""

    folder: str
    bases: tuple[str, ...] = ()
    decorator: str = ""
    function: str = ""
    named_by_file: bool = True


SHELVES = {
    "methods": Shelf("methods", bases=("Method", "Adversarial", "Clustering")),
    "metrics": Shelf("metrics", decorator="metric", named_by_file=False),
    "worlds": Shelf("data/worlds", function="load"),
    "controllers": Shelf("control", bases=("Controller",)),
    "nets": Shelf("nets", bases=("Net",)),
    "views": Shelf("views", bases=("View",)),
    "trackers": Shelf("trackers", bases=("Tracker",)),
    "likelihoods": Shelf("nets", bases=("Likelihood",), named_by_file=False),
}


FAMILIES = (
    "plain",
    "a heavier KL",
    "independent codes",
    "independent codes, no Gaussian prior",
    "codes as a whole like the prior",
    "codes of few values",
    "pairs of observations",
    "mixture priors",
)  # of methods, in the order in which they are listed


def catalogue(kind: str) -> dict[str, str]:
    """Name → one line of description, of every thing of a kind: a key of `SHELVES`.

    Those of other packages are described by the package that brings them, since they are not read.
    """
    found = {name: _line(name, node) for name, node, _ in _nodes(kind)}
    brought = {point.name: _brought_by(point) for point in entry_points(f"prismae.{kind}")}
    return dict(sorted((brought | found if kind == "worlds" else found | brought).items()))


def families() -> dict[str, str]:
    """Method → its family, one of `FAMILIES`; none for those of other packages."""
    return {name: str(_declared(node, "family")) for name, node, _ in _nodes("methods")}


def explained(kind: str, name: str) -> str | None:
    """All that is said of one thing: its docstring, and the fields that it takes, with their defaults; None where there
    is no such thing. One of another package is imported.

    Raises
    ------
    InputError
        For one of another package that cannot be imported.
    """
    for found, node, lines in _nodes(kind):
        if found == name:
            return _said(node, lines)
    for point in entry_points(f"prismae.{kind}"):
        if point.name == name:
            return f"{_of_package(point)}\n\n({_brought_by(point)})"
    return None


def _said(node: ast.ClassDef | ast.FunctionDef, lines: list[str]) -> str:
    """The docstring of a definition, and its fields."""
    text = ast.get_docstring(node) or ""
    fields = [
        f"  {_field(each, lines)}"
        for each in node.body
        if isinstance(each, ast.AnnAssign) and "ClassVar" not in ast.unparse(each.annotation)
    ]
    return "\n\n".join([text, *(["Fields:\n" + "\n".join(fields)] if fields else [])])


def _of_package(point: metadata.EntryPoint) -> str:
    """The same of what an entry point declares."""
    try:
        loaded = load(point)
    except InputError as error:
        raise InputError(f"{described(point)} {error}.") from None
    try:
        source = dedent(inspect.getsource(loaded))
    except (OSError, TypeError):  # its file is not there, or it is neither class nor function
        return inspect.getdoc(loaded) or ""
    node = ast.parse(source).body[0]
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return _said(node, source.splitlines())
    return inspect.getdoc(loaded) or ""


def _field(node: ast.AnnAssign, lines: list[str]) -> str:
    """A field in one line, as its source has it however many lines that takes, and what a comment says of it."""
    source = "\n".join(lines)
    parts = [ast.get_source_segment(source, each) or "" for each in (node.target, node.annotation)]
    value = "" if node.value is None else f" = {ast.get_source_segment(source, node.value)}"
    own = "\n".join(lines[node.lineno - 1 : node.end_lineno]).lstrip() + "\n"
    comments = [
        token.string.lstrip("# ")
        for token in tokenize.generate_tokens(StringIO(own).readline)
        if token.type == tokenize.COMMENT
    ]
    said = f"  # {' '.join(comments)}" if comments else ""
    return " ".join(f"{': '.join(parts)}{value}".split()) + said


def _nodes(kind: str) -> Iterator[tuple[str, ast.ClassDef | ast.FunctionDef, list[str]]]:
    """Name and definition of every thing of a kind, and the lines of the file that it is in."""
    shelf = SHELVES[kind]
    for path in sorted((ROOT / shelf.folder).rglob("*.py")):
        if not path.name.startswith("_"):
            source = path.read_text(encoding="utf-8")
            for node in _chosen(shelf, ast.parse(source)):
                own = kebab(path.stem if shelf.named_by_file else node.name)
                for name in _declared(node, "variants") or [own]:
                    yield name, node, source.splitlines()


def _line(name: str, node: ast.ClassDef | ast.FunctionDef) -> str:
    """The first line of its docstring, with what a method of several names fixes under this one."""
    line = (ast.get_docstring(node) or "").partition("\n")[0]
    fixed = (_declared(node, "variants") or {}).get(name)
    if not fixed:
        return line
    return f"{line.removesuffix('.')} ({', '.join(f'{field}={value}' for field, value in fixed.items())})."


def _chosen(shelf: Shelf, module: ast.Module) -> Iterator[ast.ClassDef | ast.FunctionDef]:
    for node in module.body:
        if isinstance(node, ast.ClassDef):
            if {base.id for base in node.bases if isinstance(base, ast.Name)} & set(shelf.bases):
                yield node
        elif isinstance(node, ast.FunctionDef):
            called = [each.func for each in node.decorator_list if isinstance(each, ast.Call)]
            names = [each.id for each in called if isinstance(each, ast.Name)]
            if node.name == shelf.function or (shelf.decorator and shelf.decorator in names):
                yield node


def _declared(node: ast.ClassDef | ast.FunctionDef, name: str) -> Any:
    """What a class sets a variable to, such as the `variants` of a method that has several names; None if nothing."""
    for line in node.body:
        if isinstance(line, ast.AnnAssign) and getattr(line.target, "id", "") == name and line.value:
            return ast.literal_eval(line.value)
    return None


def _brought_by(point: metadata.EntryPoint) -> str:
    return f"from {point.dist.name} {point.dist.version}" if point.dist else f"from {point.value}"

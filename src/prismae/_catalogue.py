"""What there is to choose from, read from the sources: names and descriptions without importing any of it.

The command line lists and completes names; importing what bears them takes seconds, since all of it needs PyTorch.
What is found here is what `all_methods`, `all_metrics` and the others find (a test compares them).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from prismae._discovery import entry_points, kebab

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
    "likelihoods": Shelf("nets", bases=("Likelihood",), named_by_file=False),
}


def catalogue(kind: str) -> dict[str, str]:
    """Name → one line of description, of every thing of a kind: a key of `SHELVES`.

    Those of other packages are described by the package that brings them, since they are not read.
    """
    shelf = SHELVES[kind]
    found: dict[str, str] = {}
    for path in sorted((ROOT / shelf.folder).rglob("*.py")):
        if not path.name.startswith("_"):
            for node in _chosen(shelf, ast.parse(path.read_bytes())):
                line = (ast.get_docstring(node) or "").partition("\n")[0]
                name = kebab(path.stem if shelf.named_by_file else node.name)
                found |= dict.fromkeys(_variants(node) or [name], line)
    brought = {point.name: _brought_by(point) for point in entry_points(f"prismae.{kind}")}
    return dict(sorted((brought | found if kind == "worlds" else found | brought).items()))


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


def _variants(node: ast.ClassDef | ast.FunctionDef) -> list[str]:
    """The names of a method that has several: the keys of its `variants`."""
    for line in node.body:
        if isinstance(line, ast.AnnAssign) and getattr(line.target, "id", "") == "variants" and line.value:
            return list(ast.literal_eval(line.value))
    return []


def _brought_by(point: metadata.EntryPoint) -> str:
    return f"from {point.dist.name} {point.dist.version}" if point.dist else f"from {point.value}"

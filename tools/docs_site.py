"""What the site adds to the pages of docs/ when it is built (a hook of mkdocs): files of the repository, and links.

Pages of their own: CHANGELOG.md, REPRODUCTION.md, CONTRIBUTING.md and SECURITY.md, with their links into docs/, and one
of the papers that methods and metrics cite. In every page, the API's too, "arXiv:…" and "doi:10.…" become links, and
numbers stay with their signs and options in one piece, as on the pages of reports.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from prismae._catalogue import catalogue, explained
from prismae._text import together_on_page

ROOT = Path(__file__).parents[1]
FILES = ("CHANGELOG.md", "REPRODUCTION.md", "CONTRIBUTING.md", "SECURITY.md")
PAPER = re.compile(r"\b(arXiv:\s?(?P<arxiv>\d{4}\.\d{4,5})|doi:\s?(?P<doi>10\.\d{4,}/[^\s<>,;]*[\w/]))")
TOKEN = re.compile(r"(<(?P<closing>/?)(?P<tag>[a-zA-Z]+)[^>]*>)")
KEPT = {"a", "pre", "title"}  # elements whose text stays as it is


def page_of(name: str) -> str:
    """A file of the repository's root as a page of the site."""
    text = re.sub(r"\]\(docs/", "](", (ROOT / name).read_text(encoding="utf-8"))
    return re.sub(
        r"\]\(#[^)]*\)", lambda found: re.sub("-+", "-", found[0]), text
    )  # anchors as mkdocs makes them


def papers() -> str:
    """The page of papers: what each method and metric cites in its docstring."""
    parts = [
        "# Papers",
        "What the docstrings of methods and metrics cite by number; their pages have the rest.",
    ]
    for kind in ("methods", "metrics"):
        rows = []
        for name, line in catalogue(kind).items():
            found = dict.fromkeys(each[0].rstrip(".") for each in PAPER.finditer(explained(kind, name) or ""))
            if found:
                rows.append(f"| `{name}` | {line} | {', '.join(found)} |")
        parts.append(
            f"## {kind.title()}\n\n| name | what it is | papers |\n|---|---|---|\n" + "\n".join(rows)
        )
    return "\n\n".join(parts) + "\n"


def linked(html: str) -> str:
    """A page in which papers are linked, except where they are already, and in code."""
    parts, inside = [], 0
    for part in re.split(r"(<[^>]*>)", html):
        tag = TOKEN.fullmatch(part)
        if tag is None:
            parts.append(PAPER.sub(_link, part) if not inside else part)
            continue
        if tag["tag"].lower() in KEPT:
            inside += -1 if tag["closing"] else 1
        parts.append(part)
    return "".join(parts)


def _link(found: re.Match[str]) -> str:
    at = f"https://arxiv.org/abs/{found['arxiv']}" if found["arxiv"] else f"https://doi.org/{found['doi']}"
    return f'<a href="{at}">{found[0]}</a>'


def named(html: str) -> str:
    """A page with names for what the theme leaves without: its search, and parts of the navigation that are pages.

    The empty corner of a table is the head of nothing.
    """
    html = re.sub(r"<th( style=\"[^\"]*\")?></th>", "<td></td>", html)
    dialog = 'class="md-search" data-md-component="search" role="dialog"'
    html = html.replace(dialog, f'{dialog} aria-label="Search"')
    titles = re.findall(r'<label class="md-nav__title" for="(\w+)">(.*?)</label>', html, re.DOTALL)
    for part, title in titles:
        words = " ".join(re.sub(r"<[^>]*>", "", title).split())
        html = html.replace(f'aria-labelledby="{part}_label"', f'aria-label="{words}"')
    return html


def on_files(files: Any, *, config: Any) -> Any:
    """Called by mkdocs when it has found the pages."""
    from mkdocs.structure.files import File

    for name in FILES:
        files.append(File.generated(config, name.lower(), content=page_of(name)))
    files.append(File.generated(config, "papers.md", content=papers()))
    return files


def on_page_content(html: str, **given: Any) -> str:
    """Called by mkdocs for each page."""
    return together_on_page(linked(html))


def on_post_page(output: str, **given: Any) -> str:
    """Called by mkdocs for each page as it is written."""
    return named(output)

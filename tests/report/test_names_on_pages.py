"""Names from data reach a page as text alone: whatever they are, the page has the same elements and attributes."""

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from made_up import made_up_run

from prismae.report.html import _page, write_report
from prismae.runs.run import Run

NAMES = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "' onclick='alert(1)",
    '"}]};alert(1);//',
    "]]><!-- <svg onload=alert(1)>",
    "</title></style></textarea></svg>",
    "${alert(1)}{{7*7}}{% raw %}",
    "&lt;b&gt; &#60;i&#62; \\u003cb\\u003e",
    "javascript:alert(1)",
    "line\nbreak\u2028and\u0000null",
]


class Elements(HTMLParser):
    """The elements of a page with the names of their attributes; what stands in scripts of data, and links."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []
        self.links: list[str | None] = []
        self.data: list[str] = []
        self.inside = False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, tuple(name for name, _ in attrs)))
        self.links += [value for name, value in attrs if name in ("href", "src", "action")]
        self.inside = tag == "script" and ("type", "application/json") in attrs

    def handle_data(self, data):
        if self.inside:
            self.data.append(data)
            self.inside = False


def named(folder: Path, name: str) -> Path:
    """A run of whose names each is `name`."""
    made_up_run(folder, scores=False)
    job = json.loads((folder / "job.json").read_text())
    job |= dict.fromkeys(
        ("id", "world", "method", "net", "likelihood", "source", "machine", "precision"), name
    )
    job |= {"a_new_key": [name, {name: name}], "warnings": [name], "notices": [name], "factors": [name, name]}
    (folder / "job.json").write_text(json.dumps(job))
    with np.load(folder / "pictures.npz") as file:
        arrays = {key: file[key] for key in file.files}
    for key, values in arrays.items():
        if values.dtype.kind == "U":
            arrays[key] = np.full(values.shape, name)
    np.savez(folder / "pictures.npz", **arrays)
    scores: dict[str, dict] = {"reconstruction": {"mse": 0.1, "nats": 1.0}}
    scores["skipped"] = {"locatello2019": {"dci": name}, name: {name: name}}
    (folder / "scores.json").write_text(json.dumps(scores))
    return folder


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Elements:
    folder = named(tmp_path_factory.mktemp("plain") / "run", "plain")
    return Elements(_page(Run(folder).read(), {}, {}, {}))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_adds_no_element_no_attribute_and_no_link(plain, tmp_path, name):
    page = Elements(_page(Run(named(tmp_path / "run", name)).read(), {}, {}, {}))
    assert page.found == plain.found
    assert not any((link or "").startswith("javascript:") for link in page.links)
    assert len(page.data) == len(plain.data)
    for data in page.data:
        json.loads(data)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES[:3])
def test_nor_do_names_in_figures(tmp_path, name):
    pages = [
        Elements(write_report(named(tmp_path / each / "run", each_name)).read_text(encoding="utf-8"))
        for each, each_name in (("plain", "plain"), ("named", name))
    ]
    tags = [
        [tag for tag, _ in page.found if tag in ("script", "img", "iframe", "object", "a")] for page in pages
    ]
    assert tags[0] == tags[1]
    assert not any(attribute.startswith("on") for _, names in pages[1].found for attribute in names)

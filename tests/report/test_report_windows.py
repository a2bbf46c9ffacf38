"""The report in windows from a phone's to a large screen's: every slider is in reach, all is readable, axe agrees."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from browser import Browser, find_chromium
from untrained import images, untrained_run, vectors

from prismae.data import World, world
from prismae.report import write_report
from prismae.runs.run import Run

WINDOWS = [
    (390, 664),
    (844, 390),
    pytest.param(1366, 650, marks=pytest.mark.slow),
    pytest.param(1400, 900, marks=pytest.mark.slow),
    (1920, 1080),
]
# what lies at the middle of each slider once it is scrolled there, as a reader does
REACHED = """[...document.querySelectorAll('.dial input')].map((dial) => {
  dial.scrollIntoView({block: 'center', behavior: 'instant'});
  const box = dial.getBoundingClientRect();
  return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2) === dial;
})"""
SEEN = """(() => {
  const stage = document.querySelector('.stage').getBoundingClientRect();
  return Math.min(stage.bottom, innerHeight) - Math.max(stage.top, 0);
})()"""
SMALLEST = """Math.min(...[...document.querySelectorAll('main *')].filter((each) => each.getClientRects().length &&
  [...each.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())).map((each) => {
  const drawn = each.closest('svg');
  const scale = drawn ? drawn.getBoundingClientRect().width / drawn.viewBox.baseVal.width : 1;
  return scale * parseFloat(getComputedStyle(each).fontSize);
}))"""


def columns(d: int) -> World:
    rng = np.random.default_rng(0)
    names = [f"pressure at the inlet of pump {i} before its valve, bar" for i in range(d)]
    return world(pd.DataFrame(rng.normal(3, 2, (40, d)).astype(np.float32), columns=names))


def channels(c: int) -> World:
    noise = np.random.default_rng(0).normal(size=(40, c, 32))
    return world(noise.astype(np.float32), series="channels-first")


def long_names() -> World:
    data = images()
    return replace(
        data, names=np.array([f"a_folder_with_{'a_long_' * 8}name/{i}.png" for i in range(len(data))])
    )


def test_long_names_of_files_are_not_wider_than_a_phone(
    browser: Browser, page: Callable[[str], Path]
) -> None:
    browser.open(page("names"), width=390, height=844)
    assert browser.run("document.documentElement.scrollWidth") <= 390


MADE: dict[str, Callable[[], tuple[World, str, int]]] = {
    "columns": lambda: (columns(100), "mlp:width=16", 5),
    "channels": lambda: (channels(12), "mlp:width=16", 10),
    "latents": lambda: (images(), "mlp:width=16", 100),
    "names": lambda: (long_names(), "mlp:width=16", 3),
}
EACH = [
    "columns",
    pytest.param("channels", marks=pytest.mark.slow),
    pytest.param("latents", marks=pytest.mark.slow),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser(find_chromium()) as opened:
        yield opened


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    root: Path = tmp_path_factory.mktemp("runs")
    done: dict[str, Path] = {}

    def written(kind: str) -> Path:
        if kind not in done:
            data, net, m = MADE[kind]() if kind in MADE else (vectors(), "mlp:width=16", 3)
            done[kind] = write_report(untrained_run(root / kind, data, net, n_latents=m)[0].path)
        return done[kind]

    return written


@pytest.mark.parametrize(("width", "height"), WINDOWS)
@pytest.mark.parametrize("kind", EACH)
def test_every_slider_is_in_reach_beside_what_it_moves(
    browser: Browser, page: Callable[[str], Path], kind: str, width: int, height: int
) -> None:
    path, m = page(kind), MADE[kind]()[2]
    browser.open(path, width=width, height=height)
    browser.run("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    for pressed in (0, -1):  # the middle, and an observation with its original
        browser.run(f"[...document.querySelectorAll('#presets button')].at({pressed}).click()")
        assert browser.run(REACHED) == [True] * m
        assert browser.run(SEEN) > 0.2 * height
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.errors == []


@pytest.mark.parametrize("kind", EACH)
def test_nothing_on_a_phone_is_smaller_than_nine_pixels(
    browser: Browser, page: Callable[[str], Path], kind: str
) -> None:
    browser.open(page(kind), width=390, height=844)
    assert browser.run(SMALLEST) >= 9


ROWS = "[...document.querySelectorAll('.feature')].filter((each) => !each.hidden)"
CELLS = f"{ROWS}.map((each) => [...each.querySelectorAll('.name, .number')].map((cell) => cell.textContent))"


def test_columns_are_found_by_name(browser: Browser, page: Callable[[str], Path]) -> None:
    def typed(text: str) -> list[list[str]]:
        browser.run(
            "(() => { const field = document.querySelector('.search');"
            f" field.value = {text!r}; field.dispatchEvent(new Event('input')); }})()"
        )
        return browser.run(CELLS)

    browser.open(page("columns"))
    assert browser.run("document.querySelector('.search').placeholder") == "find one of 100 columns"
    shown = browser.run(CELLS)
    assert len(shown) == 30
    hidden = next(i for i in range(100) if f"pump {i} " not in str(shown))
    found = typed(f"  PUMP {hidden} ")
    assert [name for name, *_ in found] == [f"pressure at the inlet of pump {hidden} before its valve, bar"]
    browser.run("[...document.querySelectorAll('#presets button')].at(-1).click()")
    browser.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))")
    [[_, rebuilt, original]] = browser.run(CELLS)
    run = Run.open(page("columns").parent)
    expected = run.shown.in_units(run.pictures["originals"])[-1, hidden]
    np.testing.assert_allclose(float(original.replace("−", "-")), expected, rtol=6e-3)
    browser.run(
        "document.querySelectorAll('#dials input').forEach((dial) => {"
        " dial.value = dial.max; dial.dispatchEvent(new Event('input')); })"
    )
    browser.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))")
    assert browser.run(CELLS)[0][1] != rebuilt  # what is found follows the sliders
    assert len(typed("pump 1")) == 11  # 1 and 10 to 19
    assert typed("no such column") == []
    assert [name for name, *_ in typed("")] == [name for name, *_ in shown]
    assert browser.errors == []


def test_a_slider_of_the_keyboard_is_not_under_the_picture(
    browser: Browser, page: Callable[[str], Path]
) -> None:
    browser.open(page("columns"), width=390, height=664)
    found = browser.run(
        "document.documentElement.style.scrollBehavior = 'auto';"
        "[...document.querySelectorAll('#dials input')].map((dial) => { dial.focus();"
        " const box = dial.getBoundingClientRect(); return document.elementFromPoint("
        "box.x + box.width / 2, box.y + box.height / 2) === dial; })"
    )
    assert found
    assert all(found)


@pytest.mark.parametrize("kind", ["few", *(pytest.param(each, marks=pytest.mark.slow) for each in MADE)])
def test_axe_finds_nothing(browser: Browser, page: Callable[[str], Path], kind: str) -> None:
    found = importlib.util.find_spec("axe_core_python")
    if found is None or found.origin is None:
        pytest.skip("axe-core-python is not installed: it is in the extra `dev`")
    source = (Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8")
    for width, dark in ((390, False), (1400, True)):
        browser.open(page(kind), width=width, height=844, dark=dark)
        browser.run(f"{source};0")
        # what is within a drawn figure is one picture to who hears the page, with words of its own
        browser.run("document.querySelectorAll('figure svg').forEach((each) => each.replaceChildren())")
        result: dict[str, Any] = browser.run("axe.run({resultTypes: ['violations']})")
        assert [(each["id"], each["nodes"][0]["html"][:200]) for each in result["violations"]] == []


def test_who_asks_for_less_motion_has_none(browser: Browser, page: Callable[[str], Path]) -> None:
    behaviour = "getComputedStyle(document.documentElement).scrollBehavior"
    browser.open(page("few"), width=718, height=1000)
    assert browser.run(behaviour) == "smooth"
    less = [{"name": "prefers-reduced-motion", "value": "reduce"}]
    browser.send("Emulation.setEmulatedMedia", features=less)
    assert browser.run(behaviour) == "auto"


def test_what_is_printed_fits_a_sheet(browser: Browser, page: Callable[[str], Path]) -> None:
    browser.open(page("columns"), width=718, height=1000)
    browser.send("Emulation.setEmulatedMedia", media="print")
    drawn = browser.run(
        "[...document.querySelectorAll('figure svg')].filter((each) => each.checkVisibility())"
        ".map((each) => each.getBoundingClientRect().height * 2.54 / 96)"
    )
    browser.send("Emulation.setEmulatedMedia", media="")
    assert max(drawn) <= 25.01  # cm
    assert (
        browser.run("[...document.querySelectorAll('svg.sheet')].some((each) => each.checkVisibility())")
        is False
    )
    assert len(drawn) > browser.run("document.querySelectorAll('figure svg:not(.sheet)').length")


def test_a_command_is_copied_as_it_is_run_and_no_option_is_parted(
    browser: Browser, page: Callable[[str], Path]
) -> None:
    path = page("columns")
    command = f"prismae report {path.parent} --full"
    for width in (390, 500, 768, 1366):
        browser.open(path, width=width)
        copied = browser.run(
            "[...document.querySelectorAll('code')].map((each) => {"
            " getSelection().selectAllChildren(each); return getSelection().toString(); })"
        )
        assert command in copied
        parted = (
            "[...document.querySelectorAll('code .piece')].filter((each) => each.textContent.startsWith('-')"
        )
        assert (
            browser.run(
                f"{parted} && each.getBoundingClientRect().height > 24).map((each) => each.innerText)"
            )
            == []
        )
    assert browser.run(f"{parted}).length") > 0

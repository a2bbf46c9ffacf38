"""The report as a reader uses it, in a headless Chromium: sliders move, pictures change, nothing fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from blank import blank_figures
from browser import Browser, find_chromium
from made_up import made_up_run
from untrained import channels, columns, images, series, untrained_run, vectors

from prismae import Job, run
from prismae.data import world
from prismae.methods import method
from prismae.nets.autoencoder import AutoencoderNet
from prismae.report import write_report
from prismae.runs.run import Run
from prismae.views import compute

Page = tuple[Path, AutoencoderNet]
DATA = "JSON.parse(document.getElementById('explorer-data').textContent)"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser(find_chromium()) as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Page]:
    made = {
        "images": lambda path: untrained_run(path, images(), "conv", likelihood="bernoulli"),
        "series": lambda path: untrained_run(path, series(), "conv1d"),
        "channels": lambda path: untrained_run(path, channels(), "conv1d"),
        "table": lambda path: untrained_run(path, vectors(), "mlp"),
        "given": lambda path: untrained_run(path, vectors(given=["1", "4"]), "mlp"),
        "columns": lambda path: untrained_run(path, columns(), "mlp", likelihood="columns"),
    }
    root, done = tmp_path_factory.mktemp("runs"), {}

    def page(kind: str) -> Page:
        if kind not in done:
            folder, net = made[kind](root / kind)
            with pytest.MonkeyPatch.context() as patch:
                if kind != "images":  # blank figures are as wide
                    blank_figures(patch)
                done[kind] = write_report(folder.path), net
        return done[kind]

    return page


SHOWN = {
    "images": "document.querySelector('#decoded canvas').toDataURL()",
    "series": "document.querySelector('#decoded polyline:not(.given)').getAttribute('points')",
    "channels": "[...document.querySelectorAll('#decoded polyline')].at(-1).getAttribute('points')",
    "table": "[...document.querySelectorAll('#decoded .number')].map((each) => each.textContent).join()",
}


@pytest.mark.parametrize(
    "kind",
    ["images", "series", pytest.param("channels", marks=pytest.mark.slow), "table", "given", "columns"],
)
def test_page_decodes_as_torch_does(browser: Browser, pages: Callable[[str], Page], kind: str) -> None:
    path, net = pages(kind)
    browser.open(path)
    codes = np.random.default_rng(1).normal(size=(3, 4)).round(3)
    with torch.no_grad():
        expected = net.generate(torch.from_numpy(codes).float()).flatten(1).numpy()
    found = browser.run(
        f"(() => {{ const decode = prismaeDecoder({DATA}.decoder);"
        f" return {codes.tolist()}.map((z) => Array.from(decode(z))); }})()"
    )
    assert np.ptp(expected, axis=0).max() > 0.05  # else anything would agree
    np.testing.assert_allclose(np.array(found), expected, atol=3e-3 * max(1.0, np.abs(expected).max()))
    assert browser.errors == []


def test_page_decodes_with_what_is_given_of_an_observation(
    browser: Browser, pages: Callable[[str], Page]
) -> None:
    path, net = pages("given")
    browser.open(path)
    z, x = torch.zeros(2, 4), torch.from_numpy(np.random.default_rng(1).normal(size=(2, 6)).round(3)).float()
    found = browser.run(
        f"(() => {{ const decode = prismaeDecoder({DATA}.decoder);"
        f" return {x.tolist()}.map((like) => Array.from(decode([0, 0, 0, 0], like))); }})()"
    )
    with torch.no_grad():
        expected = net.generate(z, x).numpy()
    np.testing.assert_allclose(np.array(found), expected, atol=3e-3 * np.abs(expected).max())


@pytest.mark.parametrize("kind", ["images", "series", "channels", "table"])
def test_sliders_combine(browser: Browser, pages: Callable[[str], Page], kind: str) -> None:
    path, _ = pages(kind)
    browser.open(path)
    seen = [browser.run(SHOWN[kind])]
    for place in (0, 1):
        browser.run(
            f"(() => {{ const dial = document.querySelectorAll('.dial input')[{place}]; dial.value = dial.max;"
            " dial.dispatchEvent(new Event('input')); })()"
        )
        browser.run(
            "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))"
        )
        seen.append(browser.run(SHOWN[kind]))
    assert len(set(seen)) == 3  # the second slider does not undo the first
    assert browser.errors == []


def test_address_sets_the_codes(browser: Browser, pages: Callable[[str], Page]) -> None:
    path, net = pages("images")
    browser.open(path, "#codes=0.5,-1,0.25,1e-1")
    shown = browser.run(
        "(() => { const canvas = document.querySelector('#decoded canvas');"
        " return Array.from(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data); })()"
    )
    with torch.no_grad():
        expected = 255 * net.generate(torch.tensor([[0.5, -1, 0.25, 0.1]]))[0].permute(1, 2, 0).numpy()
    found = np.array(shown).reshape(9, 13, 4)
    assert (found[..., 3] == 255).all()
    assert np.abs(found[..., :3] - expected).max() < 2
    assert browser.errors == []


def test_an_observation_stands_beside_its_reconstruction(
    browser: Browser, pages: Callable[[str], Page]
) -> None:
    browser.open(pages("series")[0])
    points = "[...document.querySelectorAll('#decoded polyline')].map((each) => each.getAttribute('points').length)"
    shown = browser.run(points)
    assert shown[0] == 0
    browser.run("[...document.querySelectorAll('#presets button')].at(-1).click()")
    assert min(browser.run(points)) > 37
    assert not browser.run("document.getElementById('given').hidden")
    browser.open(pages("table")[0])
    assert browser.run("[...document.querySelectorAll('.given')].every((each) => each.textContent === '')")
    browser.run("[...document.querySelectorAll('#presets button')].at(-1).click()")
    original = browser.run(
        "[...document.querySelectorAll('.feature .given')].map((each) => each.textContent)"
    )
    row = Run.open(pages("table")[0].parent).pictures["originals"][-1]
    np.testing.assert_allclose([float(each.replace("−", "-")) for each in original], row, rtol=6e-3)
    browser.open(pages("images")[0])
    browser.run("[...document.querySelectorAll('#presets button')].at(-1).click()")
    assert not browser.run("document.getElementById('beside').hidden")
    assert browser.errors == []


def test_shares_of_categories_are_shown_as_shares(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a decoder makes of a category may lie below 0 or above 1."""
    blank_figures(monkeypatch)
    table = pd.DataFrame({"length": np.arange(60.0), "site": ["Rome", "Oslo", "Bern"] * 20})
    folder, net = untrained_run(tmp_path / "run", world(table), "mlp")
    far = [60.0, -60.0, 60.0, -60.0]
    with torch.no_grad():
        decoded = net.generate(torch.tensor([far])).flatten()[1:]
    assert decoded.min() < 0  # else nothing is tested
    page = write_report(folder.path)
    browser.open(page, f"#codes={','.join(map(str, far))}")
    shown = browser.run(f"{SHOWN['table'].replace('number', 'number:not(.given)')}").split(",")[1:]
    found = [float(each.removesuffix("\u00a0%")) for each in shown]
    np.testing.assert_allclose(found, 100 * decoded.clip(0, 1).numpy(), atol=1)


@pytest.mark.parametrize("kind", ["images", "series"])
def test_single_sliders_move_without_a_decoder(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    blank_figures(monkeypatch)
    browser.open(write_report(made_up_run(tmp_path / "run", kind, length=60)))
    assert browser.run("document.getElementById('explorer-data')") is None
    shown = {
        "images": "document.querySelector('.player .frame').style.backgroundPosition",
        "series": "document.querySelector('.player .now').getAttribute('points')",
    }[kind]
    before = browser.run(shown)
    browser.run(
        "(() => { const dial = document.querySelector('.player input'); dial.value = 0;"
        " dial.dispatchEvent(new Event('input')); })()"
    )
    assert browser.run(shown) != before
    assert browser.errors == []


def test_names_are_text(browser: Browser, tmp_path: Path) -> None:
    attack = '<img src=x onerror="window.hacked=1"></script><script>window.hacked=1</script>'
    folder, net = untrained_run(tmp_path / "run", vectors(), "mlp")
    arrays = compute(method("vae"), net, vectors()) | {
        "feature_names": np.array([f"{attack} {i}" for i in range(6)]),
        "mutual_information": np.ones((4, 1)), "factor_entropies": np.ones(1), "factor_names": np.array([attack]),
        "clusters": np.ones((2, 6)), "cluster_sizes": np.ones(2, dtype=int), "cluster_source": np.array(attack),
    }  # fmt: skip
    folder.write_arrays("pictures.npz", arrays)
    job = folder.job
    folder.write_json("job.json", job | {"world": attack, "source": attack, "method": attack})
    browser.open(write_report(folder.path))
    assert browser.run("window.hacked") is None
    assert browser.run("document.querySelector('#decoded .name').textContent") == f"{attack} 0"
    assert browser.run("document.querySelectorAll('img').length") == 0
    assert browser.errors == []


def test_page_fits_a_phone(browser: Browser, pages: Callable[[str], Page]) -> None:
    for kind in ("images", "series", "channels", "table"):
        browser.open(pages(kind)[0], width=390, height=844)
        assert browser.run("document.documentElement.scrollWidth") <= 390


def test_sliders_of_codes_of_few_values_snap_to_them(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blank_figures(monkeypatch)
    path = run(
        Job("fsq", "digits", {"levels": 3}, n_latents=2, steps=2, batch=16), tmp_path, device="cpu"
    ).path
    browser.open(write_report(path))
    found = browser.run(
        "(() => { const dial = document.querySelector('.dial input'); return [-0.9, -0.4, 0.6].map((value) => {"
        " dial.value = value; dial.dispatchEvent(new Event('input')); return Number(dial.value); }); })()"
    )
    assert found == [-1, 0, 1]
    assert browser.errors == []

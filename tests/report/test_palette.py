"""Classes are told apart by all who look at a figure, and in a grey print; names of any writing are drawn."""

from __future__ import annotations

import warnings
from itertools import combinations, pairwise
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.font_manager import fontManager

from prismae.figures import pdf, png, svg
from prismae.figures.canvas import MARKS, PALETTE, complete_fonts, look, new_figure
from prismae.figures.codes import CLASSES


@pytest.mark.parametrize("vision", ["usual", "deuteranomaly", "protanomaly", "grey"])
def test_any_two_colours_of_classes_lie_apart(vision: str) -> None:
    colours = pytest.importorskip("colorspacious", reason="colorspacious is not installed: it is in `dev`")
    rgb = np.array([[int(each[i : i + 2], 16) / 255 for i in (1, 3, 5)] for each in PALETTE])
    seen = rgb
    if vision == "grey":
        light = colours.cspace_convert(rgb, "sRGB1", "JCh") * [1, 0, 0]
        seen = colours.cspace_convert(light, "JCh", "sRGB1")
    elif vision != "usual":
        seen = colours.cspace_convert(
            rgb, {"name": "sRGB1+CVD", "cvd_type": vision, "severity": 100}, "sRGB1"
        )
    placed = colours.cspace_convert(seen, "sRGB1", "CAM02-UCS")
    assert min(np.linalg.norm(a - b) for a, b in combinations(placed, 2)) >= 8


def test_no_two_classes_look_alike_and_those_next_to_each_other_differ_in_shape() -> None:
    """Ink of two colours may be one grey in print, where CAM02-UCS still tells them apart."""
    looks = [look(place) for place in range(CLASSES)]
    assert len(set(looks)) == CLASSES
    assert all(a != b for (_, a), (_, b) in pairwise(looks))
    assert set(MARKS) == {mark for _, mark in looks}


def test_fonts_of_matplotlib_that_its_list_lacks_are_added(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else each figure tells of them on standard error: a list that was kept may be another version's."""
    own = {path.name for path in Path(matplotlib.get_data_path(), "fonts", "ttf").glob("*.ttf")}
    kept = [each for each in fontManager.ttflist if Path(each.fname).name not in own]
    monkeypatch.setattr(fontManager, "ttflist", kept)
    assert "STIXGeneral" not in fontManager.get_font_names()
    complete_fonts()
    assert {"STIXGeneral", "cmr10", "DejaVu Sans Display"} <= set(fontManager.get_font_names())
    added = list(fontManager.ttflist)
    complete_fonts()
    assert fontManager.ttflist == added


def test_names_of_any_writing_are_drawn_without_a_warning() -> None:
    figure = new_figure(2.0)
    axes = figure.subplots()
    axes.set_title("温度 😀 \\U0000003cb")
    axes.set_yticks([0, 1], ["城市_東京", "größe $x$"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        document = svg(figure)
        assert png(figure, dpi=50).startswith(b"\x89PNG")
        assert pdf(figure).startswith(b"%PDF")
    for text in ("温度 😀", "城市_東京", "größe $x$", "\\U0000003cb"):
        assert text in document

from __future__ import annotations

import io
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from made_up import SPREAD
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from prismae import figures as draw
from prismae._text import brief, duration, fixed, number, percent, shortened, signed
from prismae.figures.animation import traversal_gif
from prismae.figures.canvas import latent_colours, resize, thin
from prismae.figures.curves import _apart
from prismae.figures.lanes import in_seconds
from prismae.figures.pictures import mosaic, to_pixels
from prismae.figures.studies import seed_bars, swept_curves
from prismae.runs.latents import Latents
from prismae.runs.shown import Shown

RNG = np.random.default_rng(0)


def words(figure: Figure) -> str:
    return draw.svg(figure)


INFORMATION = np.array([0.02, 3.1, 0.012, 2.5, 0.9, 0.03, 1.2, 0.018, 0.027, 2.8])


def test_dead_is_what_tells_or_moves_as_good_as_nothing() -> None:
    spread = np.array([0.3, 0.05, 1.0, 1.0, 0.9])
    information = np.array([0.05, 2.0, 0.1, 9.0, np.nan])
    effect = np.array([1.0, 0.5, 0.2, 0.01, 1.0])
    latents = Latents(spread, information, effect)
    assert latents.dead.tolist() == [True, False, False, True, True]
    assert latents.order.tolist() == [1, 2, 3, 0, 4]
    assert Latents(np.array([1.0, np.nan, 3.0, 1.0])).order.tolist() == [2, 0, 3, 1]  # nothing is known


def test_live_latents_have_colours_of_their_own() -> None:
    latents = Latents(SPREAD, INFORMATION)
    colours, dead = np.array(latent_colours(latents)), latents.dead
    assert len(set(colours[~dead])) == 5
    assert len(set(colours[dead])) == 1


@pytest.mark.parametrize(("length", "limit"), [(1000, 100), (1001, 100), (7, 2), (5, 100), (100, 99)])
def test_thin_keeps_peaks_and_order(length: int, limit: int) -> None:
    curves = RNG.standard_normal((3, length))
    x, y = thin(curves, limit)
    assert y.shape == (3, len(x))
    assert len(x) <= limit or length <= limit
    assert (np.diff(x) >= 0).all()
    assert 0 <= x[0] <= x[-1] <= length - 1
    np.testing.assert_array_equal(y.max(axis=-1), curves.max(axis=-1))
    np.testing.assert_array_equal(y.min(axis=-1), curves.min(axis=-1))


def test_thin_follows_a_ramp() -> None:
    x, y = thin(np.arange(1000.0), 100)
    assert np.abs(x - y).max() < 20
    assert (np.diff(y) > 0).all()


def test_labels_are_moved_apart_and_stay_in_order() -> None:
    wanted = np.sort(RNG.uniform(0, 1, 12))
    places = _apart(wanted, gap=0.05)
    assert (np.diff(places) > 0.05 - 1e-12).all()
    np.testing.assert_allclose(_apart(np.array([0.1, 0.5, 0.9]), 0.05), [0.1, 0.5, 0.9])
    np.testing.assert_allclose(_apart(np.array([0.5, 0.5]), 0.1), [0.45, 0.55])


def test_pixels_and_mosaic() -> None:
    grey = np.array([[[[-1.0, 0.0], [0.5, 2.0]]]])
    assert to_pixels(grey)[0, ..., 0].tolist() == [[0, 0], [128, 255]]
    assert to_pixels(np.zeros((2, 1, 3, 128, 200))).shape == (2, 1, 42, 66, 3)
    assert to_pixels(np.zeros((4, 1, 1, 300, 2))).shape[-1] == 3
    assert to_pixels(np.zeros((4, 2, 8, 8))).shape == (4, 8, 8, 3)
    sheet = mosaic(np.full((2, 3, 4, 5, 3), 7, dtype=np.uint8), gap=1)
    assert sheet.shape == (9, 17, 4)
    assert sheet[0, 0].tolist() == [7, 7, 7, 255]
    assert sheet[4, 0, 3] == 0


def test_term_curves_survive_anything() -> None:
    steps = np.arange(100)
    terms = {
        "falls": np.exp(-steps / 10.0),
        "nothing": np.full(100, np.nan),
        "one": np.where(steps == 50, 1.0, np.nan),
        "constant": np.ones(100),
        "monitor:mse": np.where(steps % 10 == 0, 2.0, np.nan),
    }
    text = words(draw.term_curves(steps, terms))
    assert "no finite value" in text
    assert ">mse<" in text
    words(draw.term_curves(np.array([1]), {"a": np.array([1.0])}))
    assert "held out" not in text
    beside = draw.term_curves(steps, terms, {"falls": terms["monitor:mse"]})
    assert "held out" in words(beside)
    assert not any(axes.get_legend() for axes in beside.axes)  # which would lie on curves


def test_latent_curves_name_their_ends() -> None:
    values = RNG.standard_normal((50, 10)).cumsum(axis=0)
    text = words(draw.latent_curves(np.arange(50), values, Latents(SPREAD), "σ"))
    assert all(f">z{i}<" in text for i in range(10))
    words(draw.latent_curves(np.arange(50), values[:, :3], Latents(SPREAD)))  # a spread of other latents
    words(draw.latent_curves(np.arange(50), np.full((50, 3), np.nan)))
    words(draw.latent_curves(np.arange(5), RNG.standard_normal((5, 40))))


@pytest.mark.parametrize(
    ("m", "shape"), [(1, (4,)), (5, (300,)), (3, (1,)), (1, (3, 20, 30)), (30, (1, 28, 28)), (2, (2, 1, 1))]
)
def test_pictures_of_any_shape(m: int, shape: tuple[int, ...]) -> None:
    originals = RNG.uniform(size=(m, *shape))
    draw.svg(draw.reconstructions(originals, originals))
    values = np.linspace(-1, 1, 5) * np.ones((m, 1))
    text = draw.svg(draw.traversals(RNG.uniform(size=(m, 5, *shape)), values, Latents(np.linspace(1, 0, m))))
    assert "z0 · spread 1.00" in text
    assert ("z23 ·" in text, "z24 ·" in text) == (m > 23, False)  # the 24 of the largest spread


def test_information_marks_the_best_code_of_each_factor() -> None:
    mutual = np.array([[1.0, 0.1, 0.0], [0.0, 1.5, 0.0], [0.9, 1.4, 0.0]])
    text = words(
        draw.information(
            mutual,
            np.array([2.0, 3.0, 0.0]),
            ["a", "b" * 40, "c"],
            Latents(np.ones(3), np.array([1, 1, 1e-3])),
        )
    )
    assert text.count(">0.50<") == 2
    assert "—" in text
    assert "z2 · dead" in text
    assert "b" * 40 not in text
    assert "…" in text


def test_scores_with_what_is_there() -> None:
    text = words(draw.score_bars({"mig": {"score": 0.5}, "irs": {"score": None}, "far": {"score": 3.0}}))
    assert "0.500" in text
    assert "—" in text
    assert "interval" not in text
    assert "lower is better" not in text


def test_scores_say_what_is_better_only_where_something_is() -> None:
    text = words(draw.score_bars({"kl": {"score": 0.5, "better": "neither"}}))
    assert "neither is better" in text
    assert "higher is better" not in text


def test_svg_is_themed_and_unique() -> None:
    figure = draw.score_bars({"mig": {"score": 0.5, "better": "higher"}})
    document = draw.svg(figure)
    assert document == draw.svg(figure)
    assert "var(" not in document
    one, two = draw.inline(document, "one", "Scores"), draw.inline(document, "two", "Scores")
    assert one == two.replace("two-", "one-")
    assert "var(--accent)" in one
    assert draw.png(figure).startswith(b"\x89PNG")


def test_no_pyplot() -> None:
    assert "matplotlib.pyplot" not in {
        name
        for name, module in sys.modules.items()
        if name.startswith("prismae.report")
        for name in vars(module)
    }


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.float16, float])
def test_numbers_of_numpy_are_numbers(kind: type) -> None:
    assert (number(kind(0.5)), number(np.int64(3))) == ("0.500", "3.00")
    assert (number(kind("nan")), number(True), number("3")) == ("—", "—", "—")


def test_no_negative_zero() -> None:
    assert percent(-268165611519.0) == "\u22122.68e+13\u00a0%"  # of a training that diverged
    assert [percent(0.9517), percent(-12.0)] == ["95.2\u00a0%", "\u22121200.0\u00a0%"]
    assert [fixed(-1e-9, 3), fixed(-0.004, 2), signed(-0.0), number(-0.0), brief(-0.0)] == [
        "0.000",
        "0.00",
        "0",
        "0",
        "0",
    ]
    assert [number(0.99996), number(9.9996), brief(0.9996), signed(-0.06), signed(3e-7)] == [
        *("1.00", "10.0", "1.00", "−0.060", "+3.0e−07"),
    ]
    assert [number(110_000), number(1.2e6), brief(110_000)] == ["110,000", "1.20e+06", "110,000"]
    assert [brief(1997), brief(-1997.4), brief(9999.6)] == ["1997", "\u22121997", "10,000"]
    assert [number(-0.5), signed(-0.5), signed(0.5)] == ["−0.500", "−0.50", "+0.50"]


def test_gif_has_the_colours_of_every_frame() -> None:
    frames = np.zeros((1, 11, 3, 16, 16))
    frames[0, :, 0] = np.linspace(1, 0, 11)[:, None, None]  # from red to blue
    frames[0, :, 2] = np.linspace(0, 1, 11)[:, None, None]
    with Image.open(io.BytesIO(traversal_gif(frames, np.linspace(-2, 2, 11)[None]))) as picture:
        for step in (0, 5, 10):
            picture.seek(step)
            image = np.asarray(picture.convert("RGB")).astype(float)
            middle = image[int(0.6 * len(image)), image.shape[1] // 2]
            expected = [255 * (1 - step / 10), 0, 255 * step / 10]
            assert np.abs(middle - expected).max() < 16, (step, middle)


def test_what_stands_above_a_figure_is_not_cut_at_its_edge() -> None:
    """Browsers draw letters up to a point higher than matplotlib measures them."""
    for figure in (
        draw.clusters(RNG.random((3, 1, 8, 8)), np.array([5, 3, 2]), "k-means"),
        draw.table(RNG.normal(size=(3, 4)), list("abcd"), list("xyz"), "a title\nof two lines"),
    ):
        (head,) = figure.texts
        figure.canvas.draw()  # type: ignore[attr-defined]
        assert head.get_window_extent().y1 < figure.bbox.height - figure.dpi / 72


def test_maps_of_wide_pictures_leave_no_empty_lines_between_them() -> None:
    square, wide = (
        draw.effects(RNG.random((8, 1, 12, width)), Latents(np.ones(8))).get_figheight() for width in (12, 36)
    )
    assert wide < 0.5 * square


@pytest.mark.parametrize(
    "change",
    [
        np.array([0.1, 3.0, 0.5])[:, None] * np.abs(np.sin(np.arange(50) / 5)),
        np.array([0.1, 3.0, 0.5])[:, None, None] * np.abs(RNG.normal(size=(1, 2, 50))),
    ],
    ids=["one channel", "two channels"],
)
def test_every_effect_lies_inside_its_axes(change: np.ndarray) -> None:
    """The latent of the largest spread, which is drawn first, is not the one of the largest effect."""
    figure = draw.effects(change, Latents(np.array([3.0, 2.0, 1.0])))
    drawn = [axes for axes in figure.axes if axes.get_visible()]
    tops = []
    for axes in drawn:
        low, high = axes.get_ylim()
        for area in axes.collections:
            heights = np.concatenate([path.vertices[:, 1] for path in area.get_paths()])
            assert low <= heights.min() <= heights.max() <= high
            tops.append(heights.max())
    if change.ndim == 2:
        assert max(tops) == pytest.approx(change.max())


def test_numbers_and_durations() -> None:
    assert [number(x) for x in (0.0213, 412.7, 0, 1.0, 12345, 2e-7, None, float("nan"))] == [
        "0.0213", "413", "0", "1.00", "12,345", "2.00e−07", "—", "—",
    ]  # fmt: skip
    assert [duration(s) for s in (12.34, 200, 1234.5, 7500)] == [
        "12.3 s",
        "3 min 20 s",
        "20 min",
        "2 h 5 min",
    ]


def test_shortened_names_tell_each_other_apart() -> None:
    pumps = [f"pressure at inlet of pump {i} before the valve, bar" for i in range(30)]
    same_ends = ["x" * 40 + "a" + "y" * 40, "x" * 40 + "b" + "y" * 40, "x" * 40 + "y" * 40, "short"]
    for names in (
        pumps,
        same_ends,
        [f"{'a' * 50}{i}{'b' * i}" for i in range(9)],
        ["a b c d e f g h", "a b c d"],
    ):
        for letters in (4, 10, 22):
            found = shortened(names, letters)
            assert len(set(found)) == len(names)
    assert shortened(pumps, 22)[7] == "…of pump 7 before the…"
    assert shortened(["temperature_of_the_outer_wall", "t"], 16) == ["temperat…er_wall", "t"]
    assert shortened(["pressure"] * 2, 4) == ["pr…e"] * 2


def test_a_code_that_knows_no_more_than_shuffled_ones_is_not_framed() -> None:
    def framed(shuffled: list[float] | None) -> int:
        figure = draw.information(
            np.array([[0.9, 0.3], [0.1, 0.2]]), np.ones(2), ["a", "b"],
            shuffled=None if shuffled is None else np.array(shuffled),
        )  # fmt: skip
        return sum(text.get_fontweight() == "bold" for text in figure.axes[0].texts)

    assert (framed(None), framed([0.05, 0.29]), framed([0.05, 0.3]), framed([1.0, 1.0])) == (2, 2, 1, 0)


@pytest.mark.parametrize(
    ("low", "high", "black", "white"),
    [(0.2, 0.9, 0, 1), (-3, 400, 60, 140), (90, 105, 90, 105), (0, 120, 60, 120)],
)
def test_images_of_numbers_are_drawn_over_their_range(
    low: float, high: float, black: float, white: float
) -> None:
    job = {"kind": "images", "summary": {"mean": 100.0, "std": 10.0, "low": low, "high": high}}
    assert Shown(Path("pictures.npz"), {}, job).drawn(np.array([black, white])).tolist() == [0, 1]


@pytest.mark.parametrize(("shape", "upright"), [((20,), "value"), ((3, 20), ""), ((1, 8, 8), None)])
def test_panels_say_which_observation_they_are_of_and_axes_what_they_count(
    shape: tuple[int, ...], upright: str | None
) -> None:
    x = RNG.uniform(size=(3, *shape))
    figure = draw.reconstructions(x, x, names=["no. 7", "no. 9", "left.png"])
    texts = [text.get_text() for text in figure.findobj(Text)]
    assert {"no. 7", "no. 9", "left.png"} <= set(texts)
    assert ("point of the series" in texts) == (upright is not None)
    assert ("value" in texts) == (upright == "value")
    if upright is not None:
        in_seconds(figure, 10.0)
        assert "time" in [text.get_text() for text in figure.findobj(Text)]


@pytest.mark.parametrize("kind", ["curves", "cells"])
def test_a_figure_of_another_width_has_that_width_and_only_cells_shrink_their_text(kind: str) -> None:
    x = RNG.uniform(size=(4, 30) if kind == "curves" else (4, 1, 8, 8))
    figure = draw.reconstructions(x, x)
    width, height = figure.get_size_inches()
    sizes = [text.get_fontsize() for text in figure.findobj(Text) if text.get_text()]
    resize(figure, 4.5)
    assert figure.get_figwidth() == 4.5
    scale = 1.0 if kind == "curves" else 4.5 / width
    assert figure.get_figheight() == pytest.approx(height * scale)
    assert [t.get_fontsize() for t in figure.findobj(Text) if t.get_text()] == pytest.approx(
        [size * scale for size in sizes]
    )


@pytest.mark.parametrize("many", ["manifold", "samples", "clusters"])
def test_grids_of_series_name_the_lanes_of_each_row(many: str) -> None:
    frames, names = RNG.uniform(2, 3, size=(2, 2, 3, 20)), ("left arm", "right arm", "chest")
    flat = frames.reshape(4, 3, 20)
    figure = {
        "manifold": lambda: draw.manifold(frames, names),
        "samples": lambda: draw.samples(flat, columns=2, channels=names),
        "clusters": lambda: draw.clusters(flat, np.ones(4), "k-means", columns=2, channels=names),
    }[many]()
    texts = [each.get_text() for each in figure.axes[0].texts]
    for name in names:
        assert sum(text.startswith(f"{name}\n2.") for text in texts) == (1 if many == "clusters" else 2)
    one = draw.samples(RNG.uniform(size=(4, 20)))
    assert not one.axes[0].texts


@pytest.mark.parametrize("kind", ["bars", "curves"])
def test_long_names_of_arms_leave_room_for_scores_and_are_not_cut(kind: str) -> None:
    arms = [
        f"a method whose name says {what} of its settings, one by one"
        for what in ("all", "most", "some", "none")
    ]
    x, seeds = np.array([1.0, 2.0]), [[0.1, 0.2], [0.3, 0.4]]
    figure = (
        seed_bars({"mig": {arm: [0.1, 0.2] for arm in arms}, "dci": {arm: [0.3] for arm in arms}}, {})
        if kind == "bars"
        else swept_curves("k", {"mig": dict.fromkeys(arms, (x, seeds))})
    )
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    width = figure.bbox.width
    assert sum(axes.bbox.width for axes in figure.axes) > 0.65 * width
    (key,) = figure.legends
    assert key.get_window_extent().x1 <= width
    if kind == "bars":
        labels = figure.axes[0].get_yticklabels()
        assert len({each.get_text() for each in labels}) == len(arms)
        boxes = [each.get_window_extent() for each in labels]
        assert not any(one.overlaps(other) for one, other in pairwise(boxes))


@pytest.mark.parametrize("what", ["pairs", "strips"])
def test_no_name_lies_on_a_small_picture(what: str) -> None:
    x = RNG.uniform(size=(8, 1, 8, 8))
    figure = (
        draw.reconstructions(x, x, names=[f"no. {i}gj" for i in range(8)])
        if what == "pairs"
        else (draw.traversals(x[None].repeat(3, 0), np.tile(np.arange(8.0), (3, 1))))
    )
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    (axes,) = figure.axes
    picture = axes.get_window_extent()
    inside = [each for each in axes.texts if each.get_window_extent().overlaps(picture)]
    assert [each.get_text() for each in inside] == []


def test_keys_of_long_names_do_not_lie_on_each_other() -> None:
    names = [f"pressure at pump {i} before" for i in range(12)]
    frames = RNG.normal(size=(6, 5, 12))
    figure = draw.table_traversals(frames, np.tile(np.arange(5.0), (6, 1)), names)
    FigureCanvasAgg(figure).draw()
    keys = [axes.get_legend().get_window_extent() for axes in figure.axes]
    for i, key in enumerate(keys):
        assert not any(key.overlaps(other) for other in keys[i + 1 :])
        assert not any(key.overlaps(axes.get_window_extent().padded(-2)) for axes in figure.axes)


@pytest.mark.parametrize("what", ["panels", "one panel of many rows"])
def test_figures_that_no_sheet_holds_are_parted_between_their_rows(what: str) -> None:
    series, channels = RNG.normal(size=(8, 12, 20)), [f"channel {i}" for i in range(12)]
    figure = {
        "panels": lambda: draw.reconstructions(series, series, channels),
        "one panel of many rows": lambda: draw.samples(
            np.tile(series, (2, 1, 1)), columns=2, channels=channels
        ),
    }[what]()
    document = draw.svg(figure)
    parts = draw.sheets(figure)
    assert len(parts) > 2
    assert (parts[0][0], parts[-1][1]) == (0, 1)
    assert [end for _, end in parts[:-1]] == [top for top, _ in parts[1:]]
    heights = np.array([end - top for top, end in parts]) * figure.get_figheight() * 7.5 / 9
    assert heights[0] < 8
    assert heights.max() < 10
    page = draw.inline(document, "a", "A figure.", parts)
    assert page.count('href="#a-figure_1"') == len(parts)
    assert page.count('role="img"') == 1
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn = np.asarray(canvas.buffer_rgba())[..., 3]  # clear where nothing is drawn
    for _, end in parts[:-1]:
        assert not drawn[round(end * len(drawn)) - 1].any()


def test_figures_that_a_sheet_holds_are_not_parted() -> None:
    assert draw.sheets(draw.samples(RNG.uniform(size=(32, 1, 8, 8)))) == [(0, 1)]

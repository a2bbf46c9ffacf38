"""Worlds by name: found, described, and each what it says it is."""

from __future__ import annotations

import io
import re
import zipfile
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.ensemble import ExtraTreesRegressor

from prismae.data import World, world, world_descriptions, world_names
from prismae.data._world import world_splits
from prismae.data.signals import pulse_trains
from prismae.data.storage import Dense
from prismae.data.worlds.beamsynthesis import read_series
from prismae.errors import InputError
from prismae.testing import check_world


def everything(made: World) -> np.ndarray:
    return made.data[torch.arange(len(made))].numpy()


def test_the_shipped_worlds_are_found_and_described() -> None:
    assert set(world_names()) >= {"beamsynthesis", "digits", "dsprites", "pulses"}
    described = world_descriptions()
    assert tuple(described) == world_names()
    for line in described.values():
        assert 20 < len(line) < 120
        assert "\n" not in line


@pytest.mark.parametrize("name", ["digits", "pulses", "known"])  # the others need files or minutes
def test_what_every_world_must_hold(name: str) -> None:
    check_world(name)


def test_worlds_of_other_packages_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def load() -> World:
        """Two points, of another package."""
        return World("two-points", Dense(torch.eye(2)))

    point = EntryPoint("two-points", "theirs:load", "prismae.worlds")
    monkeypatch.setattr("prismae.data._world.plugins", lambda group, known=(): [(point, load)])
    assert world_descriptions()["two-points"] == "Two points, of another package."
    assert len(world("two-points")) == 2


def test_an_unknown_name_offers_the_nearest() -> None:
    with pytest.raises(InputError, match=re.escape("Unknown world 'dsprite': did you mean 'dsprites'")):
        world("dsprite")


def test_a_world_is_returned_as_it_is() -> None:
    made = world("digits")
    assert world(made) is made


def test_own_factors_go_with_own_data_only() -> None:
    sentence = "World 'digits' has its own factors and name: factors can be given with own data only."
    with pytest.raises(InputError, match=re.escape(sentence)):
        world("digits", factors=np.arange(1797))
    with pytest.raises(InputError, match=re.escape(sentence)):
        world(world("digits"), factors=np.arange(1797))


def test_other_objects_are_refused() -> None:
    with pytest.raises(
        InputError,
        match=r"cannot be made of list \(numpy.asarray makes .*\): expected a name, the path of",
    ):
        world([[1, 2], [3, 4]])  # type: ignore[arg-type]


def test_digits() -> None:
    made = world("digits")
    assert (len(made), made.shape, made.factor_sizes) == (1797, (1, 8, 8), (10,))
    assert (made.factor_names, made.factor_kinds) == (("class",), ("categorical",))
    assert (made.summary.low, made.summary.high) == (0, 1)


@pytest.mark.parametrize("name", world_splits("known"))
def test_known_answers_hold_their_factors(name: str) -> None:
    made = world(f"known:{name}")
    again = world(f"known:{name}")
    assert 200 <= len(made) <= 20_000
    assert made.kind.name() == {"discs": "images", "bars": "images"}.get(
        name, "series" if name in ("waves", "channels") else "table"
    )
    assert made.factors is not None
    np.testing.assert_array_equal(everything(made), everything(again))
    few = np.arange(0, len(made), max(1, len(made) // 1000))
    x = everything(made).reshape(len(made), -1)[few]
    learned = ExtraTreesRegressor(20, random_state=0).fit(x[::2], made.factors[few][::2])
    explained = learned.score(x[1::2], made.factors[few][1::2])  # the observations tell the factors
    assert explained > {"linear-small": 0.5, "nonlinear-small": 0.5, "nonlinear-large": 0.5}.get(name, 0.75)


def test_linear_known_answers_are_linear() -> None:
    made = world("known:linear")
    x = everything(made)
    assert np.linalg.matrix_rank(x - x.mean(0), tol=1e-3 * np.linalg.norm(x)) == 3
    rebuilt = np.c_[x, np.ones(len(x))] @ np.linalg.lstsq(np.c_[x, np.ones(len(x))], made.factors)[0]
    np.testing.assert_allclose(rebuilt, made.factors, atol=1e-3)
    with pytest.raises(InputError, match="World 'known' has no split 'circles'"):
        world("known:circles")


def test_pulses_are_those_of_beamsynthesis(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRISMAE_DATA", str(real_data))
    real, simulated = world("beamsynthesis"), world("pulses")
    for made in (real, simulated):
        assert (len(made), made.shape, made.factor_sizes) == (360, (1000,), (3, 120))
        assert made.summary.mean == pytest.approx(0.3113, abs=0.001)
        assert made.summary.std == pytest.approx(0.4166, abs=0.001)
        assert 0 <= made.summary.low < 0.001
        assert made.summary.high == pytest.approx(1.04, abs=0.01)
    np.testing.assert_array_equal(real.factors, simulated.factors)
    difference = everything(real) - everything(simulated)
    assert np.sqrt((difference**2).mean()) < 0.01
    assert np.sqrt((difference**2).mean(axis=1)).max() < 0.015  # for each series


def test_pulses_without_real_data() -> None:
    made = world("pulses")
    assert made.source == "simulated pulses"
    assert (made.factor_names, made.factor_kinds) == (
        ("frequency", "duty_cycle"),
        ("categorical", "continuous"),
    )
    x = everything(made)
    assert x.dtype == np.float32
    assert len(np.unique(x, axis=0)) == 360
    assert made.factors is not None
    for (frequency, duty_cycle), series in zip(made.factors, x, strict=True):
        starts = np.sum((series[299:799] < 0.5) & (series[300:800] >= 0.5))
        assert starts == (5, 7, 10)[frequency]
        open_part = (series[400:800] > 0.5).mean()
        assert open_part == pytest.approx(0.2 + 0.005 * duty_cycle, abs=0.02)
        assert series[820:].max() < 0.02


def test_longer_duty_cycles_carry_more() -> None:
    x = pulse_trains(np.full(3, 12.5), np.array([0.0, 0.4, 0.9]))
    assert x.shape == (3, 1000)
    assert (np.diff(x.mean(axis=1)) > 0.2).all()


def test_a_beamsynthesis_archive_with_a_hole(tmp_path: Path) -> None:
    path = tmp_path / "holed.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for frequency in (10, 15, 20):
            for k in range(120):
                if (frequency, k) not in {(15, 3), (20, 7)}:
                    file = io.BytesIO()
                    np.save(file, np.full(1000, frequency + k / 1000))
                    archive.writestr(
                        f"beamsynthesis/data/{0.2 + k * 0.005:.3f}_{frequency:.3f}.npy", file.getvalue()
                    )
    sentence = (
        "lacks 2 of the 360 series of 1000 samples, the first with frequency 15 kHz and duty cycle 0.215."
    )
    with pytest.raises(InputError, match=re.escape(sentence)):
        read_series(path)

"""Recordings: cut into windows, of unequal lengths, in audio and MATLAB files, in tables with a row for each point."""

# mypy: disable-error-code="attr-defined"
# what only one kind of data has is asked of worlds here

from __future__ import annotations

import struct
import wave
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from scipy.io import savemat, wavfile

import prismae as pr
from prismae.data import Series, World, world
from prismae.errors import InputError
from prismae.runs.observations import everything, new_observations
from prismae.studies import Job

rng = np.random.default_rng(0)
LONG = rng.normal(size=(3, 1000)) * [[1], [100], [0.01]] + [[0], [5], [-3]]  # [c, length]


def values(made: World) -> np.ndarray:
    """The observations in the user's units, channels first."""
    x = made.data[torch.arange(len(made))].numpy()
    return np.asarray(made.kind.as_seen().given_back(x, made.shape))


def kind(made: World) -> Series:
    assert isinstance(made.kind, Series)
    return made.kind


def windows(x: np.ndarray, window: int, stride: int) -> np.ndarray:
    """Windows [n, …, window] of a recording [..., length], one by one."""
    starts = range(0, x.shape[-1] - window + 1, stride)
    return np.stack([x[..., start : start + window] for start in starts])


@pytest.mark.parametrize("stride", [None, 30, 100])
def test_a_long_recording_is_cut_into_windows(stride: int | None) -> None:
    made = world(LONG, window=64, stride=stride, rate=250)
    expected = windows(LONG, 64, stride or 64)
    np.testing.assert_allclose(values(made), expected, rtol=1e-4, atol=1e-5)
    assert kind(made).rate == 250
    assert "(series of 3 channels, each scaled, 250 points a second)" in made.describe()
    assert made.called[1] == f"{(stride or 64) / 250:g} s"
    said = " ".join(made.notices)
    assert "taken for one recording of 3 channels and 1,000 points (else --series)" in said
    assert f"{len(expected)} windows of 64 points, one every {stride or 64}" in said
    assert ("overlap" in said) == (stride == 30)


def test_layouts_of_recordings() -> None:
    for x, series in ((LONG, "channels-first"), (LONG.T, "channels-last"), (LONG.T, None)):
        np.testing.assert_allclose(
            values(world(x, window=50, series=series)), windows(LONG, 50, 50), rtol=1e-4, atol=1e-5
        )
    one = world(LONG[0], window=50)
    assert one.shape == (50,)
    assert one.kind.name() == "series"
    np.testing.assert_allclose(values(one), windows(LONG[0], 50, 50), rtol=1e-6)
    rows = world(LONG, window=50, series="rows")
    assert (rows.shape, len(rows)) == ((50,), 60)
    several = world(np.stack([LONG, 2 * LONG]), window=100, series="channels-first")
    assert several.called[10] == "recording 1 @0"
    np.testing.assert_allclose(values(several)[10], 2 * LONG[:, :100], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint8, np.float32])
@pytest.mark.parametrize("channels", [1, 2])
def test_audio(tmp_path: Path, dtype: Any, channels: int) -> None:
    sound = (rng.normal(size=(500, channels)) * 20 + 100).astype(dtype)
    wavfile.write(tmp_path / "a.WAV", 8000, sound[:, 0] if channels == 1 else sound)
    made = world(tmp_path / "a.WAV", window=100)
    expected = windows(sound.T.astype(float), 100, 100)
    np.testing.assert_allclose(
        values(made), expected[:, 0] if channels == 1 else expected, rtol=1e-4, atol=1e-3
    )
    assert kind(made).rate == 8000
    assert made.called[2] == "0.025 s"
    with pytest.raises(
        InputError, match=r"one recording of \d channels? and 500 points \(0\.0625 s\): say .*--window"
    ):
        world(tmp_path / "a.WAV")


@pytest.mark.parametrize("before", [b"", b"LIST\x05\0\0\0fmt !\0"], ids=["", "behind a text"])
@pytest.mark.parametrize("width", [2, 3, 4])
def test_whole_numbers_of_sound_are_those_of_the_file(tmp_path: Path, width: int, before: bytes) -> None:
    full = 2 ** (8 * width - 1) - 1
    sound = np.round(full * np.sin(np.arange(800) / 5)).astype(int)
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((2, width, 8000, 0, "NONE", ""))
        file.writeframes(b"".join(int(each).to_bytes(width, "little", signed=True) for each in sound))
    content = (tmp_path / "a.wav").read_bytes()
    size = struct.pack("<I", len(content) + len(before) - 8)
    (tmp_path / "a.wav").write_bytes(b"RIFF" + size + b"WAVE" + before + content[12:])
    made = world(tmp_path / "a.wav", window=100)
    np.testing.assert_allclose(
        values(made), windows(sound.reshape(-1, 2).T.astype(float), 100, 100), rtol=1e-4, atol=full * 1e-5
    )


def test_sound_that_claims_more_than_any_memory(tmp_path: Path) -> None:
    size = 10**15
    lengths = struct.pack("<QQQI", size + 100, size, size // 2, 0)
    about = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
    (tmp_path / "a.wav").write_bytes(
        b"RF64\xff\xff\xff\xffWAVE"
        + (b"ds64" + struct.pack("<I", len(lengths)) + lengths)
        + (b"fmt " + struct.pack("<I", len(about)) + about)
        + (b"data\xff\xff\xff\xff" + bytes(64))
    )
    with pytest.raises(
        InputError, match=r"a\.wav (does not fit in memory .*909\. TiB|.*'RF64' not understood)"
    ):
        world(tmp_path / "a.wav", window=10)


def test_a_folder_of_recordings_with_classes(tmp_path: Path) -> None:
    for i, (name, length) in enumerate((("cat/a.wav", 300), ("cat/b.wav", 250), ("dog/a.wav", 300))):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        wavfile.write(tmp_path / name, 1000, (rng.normal(size=length) * 100 + i).astype(np.int16))
    (tmp_path / "notes.md").write_text("mine")
    made = world(tmp_path)
    assert (made.shape, kind(made).rate) == ((300,), 1000)
    assert np.isnan(values(made)[1, 250:]).all()
    assert not np.isnan(values(made)[1, :250]).any()
    assert made.called.tolist() == ["cat/a.wav", "cat/b.wav", "dog/a.wav"]
    assert made.factors is not None
    assert made.factors[:, 0].tolist() == [0, 0, 1]
    said = " ".join(made.notices)
    assert "series are 250 to 300 points long: what shorter ones lack is missing" in said
    assert "1 other files in the folder are not read" in said
    cut = world(tmp_path, window=100)
    assert cut.factors is not None
    assert cut.factors[:, 0].tolist() == [0] * 5 + [1] * 3
    assert "50 of 850 points at the ends fill none" in " ".join(cut.notices)
    (tmp_path / "dog" / "bad.wav").write_bytes(b"RIFF")
    (tmp_path / "dog" / "worse.wav").write_bytes(b"")
    with pytest.raises(
        InputError, match=r"2 of 5 recordings cannot be read: --skip-damaged .*bad\.wav .*worse\.wav"
    ):
        world(tmp_path)
    assert len(world(tmp_path, skip_damaged=True)) == 3
    wavfile.write(tmp_path / "dog" / "bad.wav", 500, np.arange(300, dtype=np.int16))
    with pytest.raises(InputError, match="several sampling rates"):
        world(tmp_path, skip_damaged=True)


@pytest.mark.parametrize("new", [False, True], ids=["5", "7.3"])
def test_matlab(tmp_path: Path, new: bool) -> None:
    path = tmp_path / "ecg.mat"
    if new:
        with h5py.File(path, "w", userblock_size=512) as file:
            file["val"], file["Fs"] = LONG.T, np.array([[360.0]])  # as MATLAB writes it
            file["note"] = np.array([[111], [102]], np.uint16)
            file["note"].attrs["MATLAB_class"] = np.bytes_("char")
    else:
        savemat(
            path, {"val": LONG, "Fs": 360, "note": "of a patient", "cells": np.array(["a", 1], dtype=object)}
        )
    made = world(path, window=200)
    np.testing.assert_allclose(values(made), windows(LONG, 200, 200), rtol=1e-4, atol=1e-5)
    assert kind(made).rate == 360
    (tmp_path / "bad.mat").write_bytes(b"MATLAB 5.0 MAT-file" + bytes(50))
    with pytest.raises(InputError, match=r"bad\.mat is corrupted or no MATLAB file"):
        world(tmp_path / "bad.mat")


def table(**more: Any) -> pd.DataFrame:
    return pd.DataFrame({"time": np.arange(1000) / 250, "x": LONG[0], "y": LONG[1], **more})


def test_a_table_of_one_recording(tmp_path: Path) -> None:
    table(state=np.arange(1000) // 500).to_csv(tmp_path / "x.csv", index=False)
    made = world(tmp_path / "x.csv", window=100, factors=["state"])
    np.testing.assert_allclose(values(made), windows(LONG[:2], 100, 100), rtol=1e-4, atol=1e-5)
    assert (kind(made).rate, made.kind.channel_names) == (250, ("x", "y"))
    assert (
        "'time' counts or tells the time, and is left out (else --numeric): 250 points a second (else --rate)"
        in " ".join(made.notices)
    )
    assert made.factors is not None
    assert made.factors[:, 0].tolist() == [0] * 5 + [1] * 5
    with pytest.raises(InputError, match=r"holds no numbers.*--drop"):
        world(table(who="me"), window=100)
    dated = table(time=pd.date_range("2020-01-01", periods=1000, freq="10min"))
    assert kind(world(dated, window=100)).rate == pytest.approx(1 / 600, rel=1e-5)
    with pytest.raises(InputError, match="fewer than a window of 2,000"):
        world(table(), window=2000)
    with pytest.raises(InputError, match="Unknown column of table 'when'"):
        world(table(), window=100, time="when")


@pytest.mark.parametrize(
    ("name", "unit", "rate"), [("Time [s]", 1, 50), ("t", 1, 50), ("time_ms", 1000, 50), ("x0", 1, None)]
)
def test_a_column_of_times_by_its_name(tmp_path: Path, name: str, unit: float, rate: float | None) -> None:
    made = pd.DataFrame(
        {name: np.arange(500) / 50 * unit + 0.25, "CH1 (mV)": LONG[0, :500], "CH2 (mV)": LONG[1, :500]}
    )
    made.to_csv(tmp_path / "scope.csv", index=False, sep=";", decimal=",")
    found = world(tmp_path / "scope.csv", window=50)
    assert kind(found).rate == rate
    assert len(found.kind.channel_names) == (3 if rate is None else 2)


def test_half_a_sound_is_not_taken_for_a_whole(tmp_path: Path) -> None:
    wavfile.write(tmp_path / "a.wav", 8000, np.arange(4000, dtype=np.int16))
    (tmp_path / "a.wav").write_bytes((tmp_path / "a.wav").read_bytes()[:3001])
    with pytest.raises(
        InputError, match=r"a\.wav is damaged or no \.wav file that can be read \(Reached EOF"
    ):
        world(tmp_path / "a.wav", window=100)


def test_a_long_table_of_series(tmp_path: Path) -> None:
    rows = [
        {"who": f"p{i}", "t": k / 10, "x": LONG[0, 20 * i + k], "y": LONG[1, 20 * i + k], "sex": "fm"[i % 2]}
        for i in range(6)
        for k in range(20 - i)
    ]
    shuffled = pd.DataFrame(rows).sample(frac=1, random_state=0)
    shuffled.to_csv(tmp_path / "long.csv", index=False)
    made = world(tmp_path / "long.csv", series_id="who", time="t", factors=["sex"])
    order = [int(name[1:]) for name in made.called]
    assert sorted(order) == [0, 1, 2, 3, 4, 5]
    for row, i in enumerate(order):
        np.testing.assert_allclose(
            values(made)[row, :, : 20 - i], LONG[:2, 20 * i : 20 * i + 20 - i], rtol=1e-4, atol=1e-4
        )
        assert np.isnan(values(made)[row, :, 20 - i :]).all()
    assert kind(made).rate == 10
    assert not any("spaced" in each for each in made.notices)
    assert made.factors is not None
    assert made.factors[:, 0].tolist() == [i % 2 for i in order]
    with pytest.raises(InputError, match="'x' of the factors vary within a series of 'who'"):
        world(tmp_path / "long.csv", series_id="who", factors=["x"], drop=["sex"])
    with pytest.raises(InputError, match=r"told apart by a column \(--id\)"):
        world(tmp_path / "long.csv", time="t", drop=["sex", "who"])


def test_each_row_of_a_table_is_a_series(tmp_path: Path) -> None:
    x = LONG.reshape(60, 50)
    pd.DataFrame(x, index=[f"s{i}" for i in range(60)]).to_csv(tmp_path / "rows.csv")
    made = world(tmp_path / "rows.csv", series="rows")
    assert (made.kind.name(), made.shape, made.called[3]) == ("series", (50,), "s3")
    np.testing.assert_allclose(values(made), x, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(values(world(x, series="rows")), x.astype(np.float32))
    with pytest.raises(InputError, match="series='rows' is for series"):
        world(LONG.reshape(20, 3, 50), series="rows")
    with pytest.raises(InputError, match="is a table, which has no channels first or last"):
        world(tmp_path / "rows.csv", series="channels-last")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"stride": 5, "series": "rows"}, "A stride is from one window to the next"),
        ({"rate": 5}, "A rate is for series"),
        ({"time": "t", "window": 5}, "so time cannot be given"),
    ],
)
def test_options_that_say_nothing(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        world(LONG, **options)


@pytest.mark.parametrize("series", [None, "channels-last"])
def test_a_run_finds_its_windows_again_and_takes_new_recordings(tmp_path: Path, series: str | None) -> None:
    np.save(tmp_path / "long.npy", LONG.T)
    job = Job(
        "ae", str(tmp_path / "long.npy"), steps=2, batch=8, n_latents=2, window=50, rate=100.0, series=series
    )
    run = pr.studies.run(job, tmp_path / "runs")
    assert (run.job["rate"], run.job["window"]) == (100, 50)
    np.testing.assert_array_equal(values(everything(run.job)), values(world(LONG.T, window=50)))
    np.save(tmp_path / "new.npy", LONG.T[:70])
    assert len(new_observations(str(tmp_path / "new.npy"), run.job)) == 1
    model = pr.load(run.path)
    codes = model.transform(world(LONG.T, window=50))
    back = model.inverse_transform(codes)
    assert back.shape == ((20, 50, 3) if series else (20, 3, 50))


def test_arrays_of_a_folder_that_seem_to_be_images_are_images(tmp_path: Path) -> None:
    shapes = {"bytes": (6, 9), "square": (8, 8), "colours": (8, 8, 3), "others": (3, 7)}
    for name, shape in shapes.items():
        for label in ("cat", "dog"):
            folder = tmp_path / name / label
            folder.mkdir(parents=True)
            for i in range(2):
                x = np.random.default_rng(i).integers(0, 255, shape)
                np.save(folder / f"{i}.npy", x.astype(np.uint8 if name == "bytes" else np.float32))
    for name, shape in {"bytes": (1, 6, 9), "square": (1, 8, 8), "colours": (3, 8, 8)}.items():
        made = world(f"{tmp_path / name}/")
        assert made.shape == shape
        assert "each of the 4 .npy files is taken for one image (else --series)" in made.notices
        assert made.called.tolist() == ["cat/0.npy", "cat/1.npy", "dog/0.npy", "dog/1.npy"]
        assert (made.factor_names, made.factors[:, 0].tolist()) == (("folder",), [0, 0, 1, 1])
    assert world(f"{tmp_path / 'square'}/", series="channels-first").kind.channels is not None
    assert (
        world(f"{tmp_path / 'others'}/").notices[0] == "each of the 4 .npy files is taken for one recording"
    )
    assert world(f"{tmp_path / 'others'}/", axes="hw").shape == (1, 3, 7)
    np.save(tmp_path / "colours" / "cat" / "0.npy", np.zeros((8, 9, 3)))
    for axes in (None, "hwc"):  # of three dimensions there are no recordings
        with pytest.raises(
            InputError, match=r"arrays of several shapes, .*\(8, 9, 3\) \(0\.npy\).*: expected one"
        ):
            world(f"{tmp_path / 'colours'}/", axes=axes)
    np.save(tmp_path / "square" / "cat" / "0.npy", np.zeros((8, 9)))
    assert "is taken for one recording" in world(f"{tmp_path / 'square'}/", window=8).notices[0]
    with pytest.raises(InputError, match="arrays of several shapes"):
        world(f"{tmp_path / 'square'}/", axes="hw")


@pytest.mark.parametrize(
    ("name", "times", "rate", "asked"),
    [
        ("Time [min]", [f"{i / 100}" for i in range(24)], 1 / 0.6, False),
        ("time_us", [f"{5 * i}" for i in range(24)], 200_000.0, False),
        ("day", [f"{i}" for i in range(24)], 1 / 86_400, True),
        ("hours", [f"{i}" for i in range(24)], 1 / 3600, True),
        ("Elapsed time", [f"0:{i / 500:06.3f}" for i in range(24)], 500.0, False),
        ("at", [f"{i}:30" for i in range(24)], 1 / 3600, True),
        ("s", [f"{i / 360}" for i in range(24)], 360.0, False),
    ],
)
def test_times_have_units(tmp_path: Path, name: str, times: list[str], rate: float, asked: bool) -> None:
    lines = [f"{name},a", *(f"{time},{i * i % 7}" for i, time in enumerate(times))]
    (tmp_path / "x.csv").write_text("\n".join(lines))
    made = world(tmp_path / "x.csv", window=6, **({"time": name} if asked else {}))
    assert made.kind.rate == pytest.approx(rate, rel=1e-5)
    assert made.shape == (6,)


def test_what_may_be_a_time_or_a_name_of_channels_is_said(tmp_path: Path) -> None:
    rows = "".join(f"{i / 4},{i * i % 7}\n" for i in range(24))
    (tmp_path / "x.csv").write_text("axis,a\n" + rows)
    made = world(tmp_path / "x.csv", window=6)
    assert (
        "column 'axis' rises evenly, as a time does, and is trained on (else --time 'axis')" in made.notices
    )
    rows = "".join(f"p{i % 2},{i // 4},{'ab'[i // 2 % 2]},{i * i % 7}\n" for i in range(24))
    (tmp_path / "y.csv").write_text("who,t,what,value\n" + rows)
    with pytest.raises(
        InputError, match=r"have the same 'who' and 't'.*if 'what' says which channel a row is of, make"
    ):
        world(tmp_path / "y.csv", series_id="who", time="t")

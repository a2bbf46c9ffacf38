"""Observations new to a model: they are checked as those of the fit were, but need not be enough to train on."""

import json
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from PIL import Image
from scipy.io import wavfile
from typer.testing import CliRunner

import prismae as pr
from prismae.cli import app
from prismae.errors import DataWarning, InputError

FAST = {"n_latents": 2, "steps": 3, "batch": 8, "net": "mlp:width=8", "device": "cpu"}
rng = np.random.default_rng(0)
BYTES = rng.integers(0, 256, (30, 9, 8), np.uint8)
FRAME = pd.DataFrame(
    {
        "size": rng.normal(size=40),
        "weight": 1000 * rng.normal(size=40),
        "sex": rng.choice(["f", "m"], 40),
        "species": rng.choice(["a", "b", "c"], 40),
    }
)


def cli(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def said(done):
    return " ".join(str(done.exception or done.output).split())


FITTED = {"floats": BYTES / 255, "bytes": BYTES, "bits": (BYTES > 127).astype(np.uint8)}


@pytest.mark.parametrize("fitted", FITTED)
@pytest.mark.parametrize("likelihood", ["auto", "gaussian"])
def test_images_in_another_range_are_refused(fitted, likelihood):
    model = pr.Autoencoder("ae", likelihood=likelihood, **FAST).fit(FITTED[fitted])
    wrong = [BYTES.astype(np.int64), BYTES.astype(np.float32), BYTES / 255 - 0.5]
    wrong += [] if fitted == "bytes" else [BYTES]
    for x in wrong:
        for use in (model.transform, model.score, lambda x: model.read(x, 10)):
            with pytest.raises(
                InputError, match=r"Observation 0 has values from .*, expected 0 to 1 as in the fit"
            ):
                use(x)
    late = np.tile(BYTES / 255, (50, 1, 1))
    late[1200, 3, 3] = 2.0
    with pytest.raises(InputError, match=r"Observation 1200 has values from .* to 2, expected 0 to 1"):
        model.transform(late)
    codes = model.transform(BYTES / 255)
    if fitted == "bytes":
        np.testing.assert_allclose(model.transform(BYTES), codes, atol=1e-5)
    np.testing.assert_allclose(model.transform(pr.world(BYTES)), codes, atol=1e-5)
    np.testing.assert_allclose(model.transform(BYTES / 255 * (1 + 1e-7)), codes, atol=1e-4)


def test_vectors_of_a_bernoulli_likelihood_are_held_to_its_range():
    x = BYTES.reshape(30, -1) / 255
    model = pr.Autoencoder("ae", likelihood="bernoulli", **FAST).fit(x)
    with pytest.raises(InputError, match="expected 0 to 1 as in the fit"):
        model.transform(x * 255)
    free = pr.Autoencoder("ae", **FAST).fit(x)
    assert np.isfinite(free.transform(x * 255)).all()


def test_vectors_of_bytes_come_back_in_their_units():
    x = rng.integers(0, 200, (30, 6), np.uint8)
    model = pr.Autoencoder("ae", **FAST).fit(x)
    same = pr.Autoencoder("ae", **FAST).fit(x.astype(np.int16))
    np.testing.assert_array_equal(model.transform(x), same.transform(x.astype(np.float64)))
    back = model.inverse_transform(model.transform(x))
    assert 50 < back.mean() < 150
    np.testing.assert_array_equal(back, same.inverse_transform(same.transform(x)))


def test_worlds_of_another_kind_are_refused():
    numbers = FRAME[["size", "weight"]]
    table, array = (pr.Autoencoder("ae", **FAST).fit(x) for x in (numbers, numbers.to_numpy()))
    with pytest.raises(InputError, match="observations of the fit were a table, 'array' is not"):
        table.transform(pr.world(numbers.to_numpy()))
    with pytest.raises(InputError, match="'table' is a table, the observations of the fit were not"):
        array.transform(pr.world(numbers))
    np.testing.assert_allclose(table.transform(pr.world(numbers)), table.transform(numbers), atol=1e-6)


def test_categories_that_the_fit_did_not_see_are_refused_or_none_of_those_that_it_saw():
    table = pd.DataFrame({"size": [1.0, 2.0, 4.0, 3.0] * 5, "sex": ["f", "m", "f", "m"] * 5})
    model = pr.Autoencoder("ae", **FAST).fit(table)
    new = table[:2].assign(sex=["f", "x"])
    with pytest.raises(InputError, match=r"column 'sex' has the value 'x' in row 2.*handle_unknown='ignore'"):
        model.transform(new)
    codes = model.set_params(handle_unknown="ignore").transform(new)
    np.testing.assert_allclose(codes[0], model.transform(table[:1])[0], atol=1e-6)
    x = torch.tensor([[*model.read(table[1:2], 1)[0, :1], 0.0, 0.0]])
    np.testing.assert_allclose(codes[1], model.net_.encode(x).mean.detach()[0], atol=1e-6)


def test_a_row_that_is_a_series_is_told_how_it_stays_a_row():
    model = pr.Autoencoder("ae", **FAST).fit(FRAME)
    with pytest.raises(
        InputError, match=r"A Series is taken for a column: one row of a table is table\.iloc\[\[0\]\]"
    ):
        model.transform(FRAME.iloc[0])
    assert model.transform(FRAME.iloc[[0]]).shape == (1, model.n_latents)


def test_a_run_takes_categories_that_its_data_do_not_have_for_none_of_theirs_where_it_is_told_so(tmp_path):
    table = pd.DataFrame({"size": [1.0, 2.0, 4.0, 3.0] * 5, "sex": ["f", "m"] * 10})
    table.to_csv(tmp_path / "old.csv", index=False)
    table[:2].assign(sex=["f", "x"]).to_csv(tmp_path / "new.csv", index=False)
    export = ("export", fit(tmp_path, str(tmp_path / "old.csv")), "--codes", "--world", tmp_path / "new.csv")
    refused = said(cli(*export))
    assert "value 'x' in row 2" in refused
    assert "--handle-unknown ignore" in refused
    assert "codes of 2 observations" in said(cli(*export, "--handle-unknown", "ignore"))


class Stranger:
    """Stands for a data frame of another library, as the interchange protocol of Arrow has it."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame

    def __arrow_c_stream__(self, requested_schema=None):
        return pa.table(dict(self.frame)).__arrow_c_stream__(requested_schema)

    def __array__(self, dtype=None, copy=None):
        raise AssertionError("read as a bare array")


def test_frames_of_other_libraries_are_read_as_pandas_frames():
    expected = pr.Autoencoder("ae", **FAST).fit(FRAME)
    for other in (Stranger(FRAME), pa.table(dict(FRAME))):
        assert pr.world(other).kind == pr.world(FRAME).kind
        model = pr.Autoencoder("ae", **FAST).fit(other)
        np.testing.assert_array_equal(model.transform(other), expected.transform(FRAME))
        assert model.feature_names_in_.tolist() == FRAME.columns.tolist()


def fit(tmp_path, *words):
    done = cli("fit", "ae", *words, "--steps", 3, "--batch", 8, "--no-evaluate", "--out", tmp_path / "runs")
    assert done.exit_code == 0, said(done)
    return next((tmp_path / "runs").iterdir())


def codes(run, source):
    done = cli("export", run, "--codes", "--world", source, "--out", run / "new")
    assert done.exit_code == 0, said(done)
    return pd.read_parquet(run / "new" / "codes.parquet")


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_one_row_or_one_category_can_be_encoded(suffix, tmp_path):
    def write(frame, name):
        path = tmp_path / f"{name}.{suffix}"
        frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path)
        return path

    run = fit(tmp_path, write(FRAME, "all"), "--factors", "species")
    model = pr.load(run)
    expected = model.transform(FRAME.drop(columns="species"))
    for rows in (FRAME[:1], FRAME[FRAME["sex"] == "f"], FRAME.assign(species="a")[:3]):
        for new in (rows, rows.drop(columns="species"), rows[rows.columns[::-1]]):
            found = codes(run, write(new, "new"))
            np.testing.assert_allclose(found[["z0", "z1"]], expected[rows.index][:, :2], atol=1e-5)
            assert ("species" in found) == ("species" in new)
    for wrong, sentence in (
        (FRAME.assign(sex="x"), "column 'sex' has the value 'x' in row 1, expected one of f, m"),
        (FRAME.drop(columns="sex"), "lacks the column 'sex'"),
        (FRAME.drop(columns="sex").assign(Sex="f"), "lacks the column 'sex' and has the column 'Sex'"),
    ):
        assert sentence in said(cli("export", run, "--codes", "--world", write(wrong, "wrong")))
    more = cli("export", run, "--codes", "--world", write(FRAME.assign(note="by hand", more=1.0), "more"))
    assert "'note', 'more' not in what was trained on: left out" in said(more)
    found = pd.read_parquet(run / "export" / "codes.parquet")
    np.testing.assert_allclose(found[["z0", "z1"]], expected[:, :2], atol=1e-5)


def test_one_image_and_one_series_can_be_encoded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    (tmp_path / "one").mkdir()
    for i, image in enumerate(rng.integers(0, 256, (12, 20, 30), np.uint8)):
        Image.fromarray(image).save(tmp_path / "photos" / f"{i}.png")
    Image.fromarray(image[:, :25]).save(tmp_path / "one" / "new.png")  # scaled to the size of the fit
    assert codes(fit(tmp_path, "photos", "--size", 16), "one").shape == (1, 10)

    series = rng.normal(size=(20, 40, 3)) + 1e7
    np.save("series.npy", series)
    np.save("new.npy", series[:1])
    run = fit(tmp_path / "b", "series.npy", "--series", "channels-last")
    np.testing.assert_allclose(codes(run, "new.npy"), pr.load(run).transform(series[:1]), atol=1e-5)


def changed(path, kind):
    """Other data under the same path."""
    if kind == "npy":
        np.save(path, np.random.default_rng(1).normal(size=(40, 5)))
    else:
        pd.read_csv(path).assign(weight=lambda x: x["weight"] * 1000).to_csv(path, index=False)


@pytest.mark.parametrize("kind", ["npy", "csv"])
def test_data_that_changed_since_the_training_are_not_taken_for_the_old_ones(kind, tmp_path):
    path = tmp_path / f"mine.{kind}"
    np.save(path, rng.normal(size=(40, 5))) if kind == "npy" else FRAME.to_csv(path, index=False)
    run = fit(tmp_path, path)
    before = path.read_bytes()
    commands = [
        ("evaluate", run, "--metrics", "gaussian-total-correlation"),
        ("export", run, "--codes"),
        ("report", run, "--full"),
        ("picture", run, "--kind", "tsne", "--points", 20),
    ]
    changed(path, kind)
    for command in commands:
        done = cli(*command)
        assert re.search(rf"mine\.{kind} has changed since the run was trained on it.*--world", said(done)), (
            command
        )
        assert done.exit_code != 0
    assert len(codes(run, path)) == 40  # on purpose
    path.write_bytes(before)
    for command in commands[:2]:
        assert cli(*command).exit_code == 0, command


def test_data_of_a_relative_path_are_found_from_another_folder(tmp_path, monkeypatch):
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    np.savez("mine.npz", a=rng.normal(size=(40, 5)), b=rng.normal(size=(40, 4)))
    run = fit(tmp_path, "mine.npz:b")
    monkeypatch.chdir(tmp_path / "there")
    np.savez("mine.npz", b=rng.normal(size=(40, 4)))  # another file of that name
    done = cli("export", run, "--codes")
    assert done.exit_code == 0, said(done)
    found = pd.read_parquet(run / "export" / "codes.parquet")
    expected = pr.load(run).transform(np.load(tmp_path / "here" / "mine.npz")["b"])
    np.testing.assert_allclose(found, expected, atol=1e-5)
    (tmp_path / "here" / "mine.npz").rename(tmp_path / "here" / "gone.npz")
    assert "mine.npz has changed since the run was trained" in said(cli("export", run, "--codes"))
    (tmp_path / "there" / "mine.npz").unlink()
    assert re.search(r"here/mine\.npz, are not there any more", said(cli("export", run, "--codes")))


def test_a_run_saved_from_python_says_that_its_data_are_not_known(tmp_path):
    run = pr.Autoencoder("ae", **FAST).fit(FRAME).save(tmp_path / "run").path
    for command in (("evaluate", run), ("picture", run, "--kind", "tsne"), ("export", run, "--codes")):
        assert "saved from Python, so its data are not known here" in said(cli(*command)), command
    assert json.loads((run / "job.json").read_text())["world"] == "table"


def test_a_device_that_is_not_there_is_one_sentence():
    import torch

    absent = "mps" if torch.cuda.is_available() else "cuda"
    with pytest.raises(
        InputError, match=rf"no device '{absent}' that PyTorch .* can use here: expected 'cpu'"
    ):
        pr.Autoencoder("ae", **FAST | {"device": absent}).fit(FRAME)


@pytest.mark.parametrize("method", ["beta-tcvae", "hfvae", "vae", pr.method("gmvae", n_components=2)])
def test_the_default_batch_fits_the_data(method):
    few = {"n_latents": 2, "steps": 3, "net": "mlp:width=8", "device": "cpu"}
    x = rng.normal(size=(100, 4))
    for n, batch in ((2, 2), (40, 40), (100, 64)):
        model = pr.Autoencoder(method, **few).fit(x[:n])
        assert model.about_["batch"] == batch
        assert np.isfinite(model.transform(x)).all()


def test_a_batch_that_is_too_large_is_said():
    with pytest.raises(InputError, match="needs batches of 2 to 41 of the 40 observations, got 64"):
        pr.Autoencoder("beta-tcvae", batch=64, steps=3).fit(rng.normal(size=(40, 4)))
    assert pr.Autoencoder("ae", batch=64, steps=3, net="mlp:width=8").fit(FRAME).about_["batch"] == 64


def test_new_files_lack_values_only_where_those_of_the_fit_did(tmp_path):
    """Codes of such rows were NaN, without a word."""
    x = rng.normal(size=(20, 4))
    FRAME.to_csv(tmp_path / "table.csv", index=False)
    np.save(tmp_path / "array.npy", x)
    FRAME.assign(weight=FRAME["weight"].mask(FRAME.index == 2)).to_csv(tmp_path / "gaps.csv", index=False)
    x[2, 3] = np.nan
    np.save(tmp_path / "gaps.npy", x)
    expected = {"table.csv": "lack values in weight (the first in row 3)", "array.npy": "index [2, 3]"}
    for file, where in expected.items():
        run = tmp_path / file.partition(".")[0]
        pr.Autoencoder("ae", **FAST).fit(pr.world(tmp_path / file)).save(run)
        done = cli("export", run, "--codes", "--world", tmp_path / f"gaps{(tmp_path / file).suffix}")
        assert done.exit_code
        assert where in said(done)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_texts_of_digits_are_the_categories_that_they_were_in_files_of_few_rows(tmp_path, suffix):
    write = {".csv": pd.DataFrame.to_csv, ".xlsx": pd.DataFrame.to_excel}[suffix]
    table = pd.DataFrame({"size": rng.normal(size=30), "place": [*["01234", "10115", "80331"] * 10]})
    new = tmp_path / f"new{suffix}"
    write(table, tmp_path / f"all{suffix}", index=False)
    model = pr.Autoencoder("ae", **FAST).fit(pr.world(tmp_path / f"all{suffix}"))
    model.save(tmp_path / "run")
    codes = model.transform(pr.world(tmp_path / f"all{suffix}"))
    for rows in ([0], [1], [1, 2]):
        write(table.iloc[rows], new, index=False)
        assert cli("export", tmp_path / "run", "--codes", "--world", new).exit_code == 0
        written = pd.read_parquet(tmp_path / "run" / "export" / "codes.parquet")
        np.testing.assert_allclose(written, codes[rows], atol=1e-6)
    write(table.assign(place=[None, *table["place"][1:]])[:3].drop(index=2), new, index=False)
    assert "place" in said(cli("export", tmp_path / "run", "--codes", "--world", new))  # a number with a gap
    np.testing.assert_allclose(
        model.transform(table[1:3].assign(place=[10115, 80331])), codes[1:3], atol=1e-6
    )


def test_names_of_rows_that_only_new_files_have_name_their_codes(tmp_path):
    FRAME.to_csv(tmp_path / "all.csv", index=False)
    model = pr.Autoencoder("ae", **FAST).fit(pr.world(tmp_path / "all.csv"))
    model.save(tmp_path / "run")
    FRAME.set_axis([f"fish {i}" for i in FRAME.index])[5:8].to_csv(tmp_path / "new.csv")
    assert cli("export", tmp_path / "run", "--codes", "--world", tmp_path / "new.csv").exit_code == 0
    written = pd.read_parquet(tmp_path / "run" / "export" / "codes.parquet")
    assert written.index.tolist() == ["fish 5", "fish 6", "fish 7"]
    np.testing.assert_allclose(written, model.transform(FRAME[5:8]), atol=1e-6)


def test_a_run_reads_the_table_of_its_file_with_the_columns_that_are_left_out(tmp_path):
    named = FRAME.assign(tag=[f"fish {i}" for i in FRAME.index], note=1.5 * FRAME.index)
    named.to_csv(tmp_path / "all.csv", index=False)
    world = pr.world(tmp_path / "all.csv", drop=["note"])
    pr.Autoencoder("ae", **FAST).fit(world).save(tmp_path / "run")
    model = pr.load(tmp_path / "run")
    codes = model.transform(world)
    np.testing.assert_allclose(model.transform(named), codes, atol=1e-6)
    np.testing.assert_allclose(model.transform(FRAME), codes, atol=1e-6)
    with pytest.raises(InputError, match="unseen at fit time"):
        model.transform(named.assign(other=1))
    made = fit(tmp_path, tmp_path / "all.csv", "--drop", "note", "--factors", "sex")
    model = pr.load(made)  # whose file has the factors, too
    codes = model.transform(FRAME.drop(columns="sex"))
    np.testing.assert_allclose(model.transform(named), codes, atol=1e-6)


def test_one_observation_is_found_among_its_coordinates(tmp_path):
    """The only array of several dimensions was the observations of the fit; of one of them others have no more."""
    x, times = rng.normal(size=(20, 4, 5)), np.arange(20)
    np.savez(tmp_path / "all.npz", field=x, time=times, lat=np.arange(4))
    np.savez(tmp_path / "one.npz", field=x[3:4], time=times[3:4], lat=np.arange(4))
    model = pr.Autoencoder("ae", **FAST).fit(pr.world(tmp_path / "all.npz"))
    model.save(tmp_path / "run")
    assert cli("export", tmp_path / "run", "--codes", "--world", tmp_path / "one.npz").exit_code == 0
    written = pd.read_parquet(tmp_path / "run" / "export" / "codes.parquet")
    np.testing.assert_allclose(written, model.transform(x[3:4]), atol=1e-6)


@pytest.mark.filterwarnings("ignore::prismae.errors.DataWarning")
def test_recordings_of_another_rate_are_told_and_their_windows_called_by_it(tmp_path):
    x = (8000 * np.sin(np.arange(4000) ** 1.2)).astype(np.int16)
    for rate in (8000, 16000):
        wavfile.write(tmp_path / f"{rate}.wav", rate, x)
    model = pr.Autoencoder("ae", **FAST).fit(pr.world(tmp_path / "8000.wav", window=200))
    model.save(tmp_path / "run")
    with pytest.warns(
        DataWarning, match="has 16000 points a second, and the observations of the fit had 8000"
    ):
        model.transform(pr.world(tmp_path / "16000.wav", window=200))
    done = cli(
        "fit", "ae", tmp_path / "8000.wav", "--window", "200", "--steps", "2", "--out", tmp_path / "runs"
    )
    assert done.exit_code == 0
    (run,) = (tmp_path / "runs").glob("ae-*")
    names = {}
    for rate in (8000, 16000):
        done = cli("export", run, "--codes", "--world", tmp_path / f"{rate}.wav", "--to", tmp_path)
        assert "note: 20 windows of 200 points" in said(done)
        names[rate] = pd.read_parquet(tmp_path / "codes.parquet").index[1]
    assert names == {8000: "0.025 s", 16000: "0.0125 s"}


def test_grey_images_alone_are_what_they_are_among_coloured_ones(tmp_path):
    for folder in ("all", "grey"):
        (tmp_path / folder).mkdir()
    for i in range(8):
        image = Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8))
        image = image.convert("L") if i < 2 else image
        image.save(tmp_path / "all" / f"{i}.png")
        if i < 2:
            image.save(tmp_path / "grey" / f"{i}.png")
    world = pr.world(tmp_path / "all")
    model = pr.Autoencoder("ae", **FAST).fit(world)
    grey = pr.world(tmp_path / "grey")
    assert (world.shape, grey.shape) == ((3, 8, 8), (1, 8, 8))
    np.testing.assert_allclose(model.transform(grey), model.transform(world)[:2], atol=1e-6)
    with pytest.raises(InputError, match="expected"):
        pr.Autoencoder("ae", **FAST).fit(grey).transform(world)

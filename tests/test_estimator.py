import pickle
import tracemalloc

import numpy as np
import pandas as pd
import pytest
import torch
from blank import blank_figures
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import prismae as pr
from prismae.errors import InputError
from prismae.estimator._observations import checked

FAST = {"n_latents": 3, "net": "mlp:width=32", "steps": 10, "batch": 16, "device": "cpu"}


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    return (rng.normal(size=(120, 2)) @ rng.normal(size=(2, 8)) + 0.1 * rng.normal(size=(120, 8))).astype(
        np.float32
    )


def test_codes_and_back(table):
    model = pr.Autoencoder("vae", **FAST | {"steps": 100, "lr": 5e-4}).fit(table)
    codes = model.transform(table)
    assert codes.shape == (120, 3)
    assert codes.dtype == np.float32
    assert model.inverse_transform(codes).shape == table.shape
    assert 0.5 < model.score(table) <= 1
    assert np.allclose(model.transform(table[:1]), codes[:1], atol=1e-5)


@pytest.mark.parametrize("shape", [(12, 10), (12, 10, 3), (1, 12, 10)])
def test_images_come_back_in_their_shape_and_units(shape, tmp_path):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, size=(40, *shape), dtype=np.uint8)
    model = pr.Autoencoder(pr.BetaVAE(beta=0.5), **FAST).fit(pixels)
    codes = model.transform(pixels)
    out = model.inverse_transform(codes)
    assert out.shape == pixels.shape
    assert 0 <= out.min() <= out.max() <= 1
    assert np.allclose(codes, model.transform(torch.from_numpy(pixels / 255.0)), atol=1e-5)
    assert np.isclose(model.score(pixels), model.score(pixels / 255), atol=1e-5)
    assert model.shape_ == shape
    assert model.n_features_in_ == pixels[0].size
    model.save(tmp_path / "run")
    assert np.array_equal(pr.load(tmp_path / "run").inverse_transform(codes), out)


def test_channels_last_are_the_same_images_as_channels_first():
    rng = np.random.default_rng(0)
    last = rng.integers(0, 256, size=(20, 8, 9, 3), dtype=np.uint8)
    first = np.moveaxis(last, 3, 1)
    codes, images = zip(
        *(
            (model.transform(x), model.inverse_transform(model.transform(x)))
            for x in (last, first)
            for model in [pr.Autoencoder("vae", **FAST).fit(x)]
        ),
        strict=True,
    )
    assert np.array_equal(*codes)
    assert np.array_equal(np.moveaxis(images[0], 3, 1), images[1])


def test_a_table_of_mixed_columns_comes_back_as_one(tmp_path):
    rng = np.random.default_rng(0)
    size = rng.normal(50, 10, 200)
    frame = pd.DataFrame(
        {
            "size": size,
            "kind": np.where(size > 50, "large", "small"),
            "weight": 1e4 * size + rng.normal(0, 1e4, 200),
            "sold": rng.random(200) < 0.5,
        },
        index=np.arange(200) + 1000,
    )
    model = pr.Autoencoder("ae", **FAST | {"steps": 100, "lr": 2e-3}).fit(frame)
    codes = model.transform(frame)
    back = model.inverse_transform(codes)
    assert list(back.columns) == list(frame.columns)
    assert (back["kind"].to_numpy() == frame["kind"].to_numpy()).mean() > 0.95
    assert np.corrcoef(back["weight"], frame["weight"])[0, 1] > 0.9
    assert abs(back["weight"].mean() / frame["weight"].mean() - 1) < 0.1
    assert 0.5 < model.score(frame) <= 1
    named = pd.DataFrame(codes, index=frame.index)
    assert model.inverse_transform(named).index.equals(frame.index)

    model.save(tmp_path / "run")
    loaded = pr.load(tmp_path / "run")
    assert np.array_equal(loaded.transform(frame), codes)
    pd.testing.assert_frame_equal(loaded.inverse_transform(codes), back)
    assert list(loaded.feature_names_in_) == list(frame.columns)
    with pytest.raises(InputError, match="'medium'"):
        loaded.transform(frame.assign(kind="medium"))
    with pytest.raises(InputError, match="feature names should match"):
        loaded.transform(frame.rename(columns={"size": "length"}))


def test_columns_that_are_named_as_codes_may_stand_in_any_order(table):
    model = pr.Autoencoder("vae", **FAST).fit(table)
    codes = pd.DataFrame(model.transform(table), columns=model.get_feature_names_out())
    expected = model.inverse_transform(codes.to_numpy())
    assert np.array_equal(model.inverse_transform(codes[["z2", "z0", "z1"]]), expected)


def test_a_table_of_numbers_may_be_followed_by_bare_arrays(table):
    frame = pd.DataFrame(table.astype(np.float64))  # whose columns are numbers, hence no names of features
    model = pr.Autoencoder("vae", **FAST).fit(frame)
    assert np.array_equal(model.transform(frame), model.transform(table))
    assert list(model.inverse_transform(model.transform(frame)).columns) == list("01234567")


@pytest.mark.parametrize("dtype", [np.float64, np.uint8])
def test_a_mapped_file_is_read_part_by_part(dtype, tmp_path):
    values = np.random.default_rng(0).integers(0, 256, size=(20_000, 100)).astype(dtype)
    np.save(tmp_path / "large.npy", values)
    mapped = np.load(tmp_path / "large.npy", mmap_mode="r")
    model = pr.Autoencoder("vae", **FAST | {"steps": 1}).fit(mapped[:500])
    tracemalloc.start()
    rows = sum(len(part) for part in model._form.parts(checked(model, mapped)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == 20_000
    assert peak < values.size  # in bytes: an eighth of the doubles, a quarter of float32
    assert np.array_equal(model.transform(mapped[1000:1100]), model.transform(values[1000:1100]))


def test_a_mapped_file_of_doubles_is_fitted_in_single_precision(tmp_path):
    values = np.random.default_rng(0).normal(size=(20_000, 100))
    np.save(tmp_path / "large.npy", values)
    mapped = np.load(tmp_path / "large.npy", mmap_mode="r")
    model = pr.Autoencoder("vae", **FAST | {"steps": 1})
    tracemalloc.start()
    model.fit(mapped)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < values.nbytes * 1.5


def test_lists_and_sparse_matrices(table):
    model = pr.Autoencoder("vae", **FAST).fit(table.tolist())
    assert np.allclose(model.transform(table.tolist()), model.transform(table))
    assert np.allclose(model.transform(csr_array(table)), model.transform(table))


def test_the_score_is_the_share_of_variance_that_is_explained(table):
    shifted = table + 1e4 * np.arange(8, dtype=np.float32)
    model = pr.Autoencoder("vae", **FAST).fit(table)
    x = table.astype(np.float64)
    back = model.inverse_transform(model.transform(table))
    expected = r2_score(x, back, multioutput="variance_weighted")
    assert model.score(table) == pytest.approx(expected, abs=1e-6)
    many = np.tile(table, (20, 1))  # several parts
    assert model.score(many) == pytest.approx(expected, abs=1e-6)
    model = pr.Autoencoder("vae", **FAST).fit(shifted)  # of which each column is scaled by itself
    expected = r2_score(shifted, model.inverse_transform(model.transform(shifted)))
    assert model.score(shifted) == pytest.approx(expected, rel=1e-4)
    with pytest.raises(InputError, match="One observation does not vary"):
        model.score(table[:1])


def test_automatic_steps_are_recorded(table, monkeypatch, tmp_path):
    monkeypatch.setattr("prismae.train.stopping.FEWEST", 4)
    monkeypatch.setattr("prismae.settings.MOST", 100)
    model = pr.Autoencoder("vae", batch=16, lr=0.1, device="cpu").fit(table)
    assert model.about_["kept"] <= model.steps_ == len(model.history_) < 100
    assert (model.about_["n"], model.about_["holdout"]) == (108, 0.1)
    assert model.transform(table).shape == (120, 10)
    model.save(tmp_path / "run")
    again = pr.load(tmp_path / "run")
    assert (again.steps, again.steps_, again.about_["kept"]) == ("auto", model.steps_, model.about_["kept"])


def test_automatic_steps_need_something_to_hold_out(table):
    with pytest.raises(
        InputError, match="steps='auto' trains on two observations at least and holds out two"
    ):
        pr.Autoencoder("vae", device="cpu").fit(table[:3])
    with pytest.raises(InputError, match="warm_start goes on to a number of steps"):
        pr.Autoencoder("vae", device="cpu", warm_start=True).fit(table)


@pytest.mark.parametrize(
    "method",
    [
        "beta-tcvae",
        pr.AnnealedVAE(capacity_steps=8),
        pr.VaDE(n_components=2, pretrain_steps=6),
        pr.EDGCAE(critic_warmup=3, critic_width=16, n_nodes=4),
    ],
)
def test_a_warm_start_gives_what_one_longer_training_gives_to_the_bit(method, table):
    long = FAST | {"steps": 9}
    whole = pr.Autoencoder(method, **long).fit(table)
    pieces = pr.Autoencoder(method, warm_start=True, **FAST | {"steps": 4}).fit(table)
    first = pieces.transform(table)
    pieces.set_params(steps=9).fit(table)
    assert not np.array_equal(pieces.transform(table), first)
    assert np.array_equal(pieces.transform(table), whole.transform(table))
    terms = [column for column in whole.history_ if not column.startswith("monitor:")]  # type: ignore[attr-defined]
    pd.testing.assert_frame_equal(pieces.history_[terms], whole.history_[terms], check_exact=True)
    assert pieces.fit(table).steps_ == 9  # nothing is left to do
    assert np.array_equal(pieces.transform(table), whole.transform(table))


def test_a_warm_start_refuses_what_is_another_training(table):
    model = pr.Autoencoder("vae", warm_start=True, random_state=None, **FAST).fit(table)
    again = pickle.loads(pickle.dumps(model)).set_params(steps=40).fit(table)  # the drawn seed stays
    assert again.steps_ == 40
    with pytest.raises(InputError, match="same data, but n was 120 and is 60"):
        model.fit(table[:60])
    with pytest.raises(InputError, match="same parameters, but batch was 16 and is 8"):
        model.set_params(batch=8).fit(table)
    with pytest.raises(InputError, match="goes on after 10 steps, expected at least as many, got 5"):
        model.set_params(batch=16, steps=5).fit(table)
    frame = pd.DataFrame(table).add_prefix("x")
    model = pr.Autoencoder("vae", warm_start=True, **FAST).fit(frame)
    with pytest.raises(InputError, match="same data, but its table is another"):
        model.set_params(steps=40).fit(frame.add_prefix("y"))
    cold = pr.Autoencoder("vae", **FAST).fit(table).set_params(warm_start=True, steps=40)
    with pytest.raises(InputError, match="was fitted without warm_start"):
        cold.fit(table)


def test_a_pickle_in_place_of_the_weights_is_refused_and_not_opened(table, tmp_path, monkeypatch):
    folder = pr.Autoencoder("vae", **FAST).fit(table).save(tmp_path / "run")
    opened = tmp_path / "opened"

    class Bomb:
        def __reduce__(self):
            return (opened.touch, ())

    monkeypatch.setattr("torch.load", lambda *args, **kwargs: pytest.fail("torch.load was called"))
    for name in ("weights.safetensors", "history.parquet", "job.json"):
        before = (folder.path / name).read_bytes()
        (folder.path / name).write_bytes(pickle.dumps(Bomb()))
        with pytest.raises(InputError, match=f"{name}.*damaged"):
            pr.load(folder.path)
        (folder.path / name).write_bytes(before)
    assert pr.load(folder.path).transform(table).shape == (120, 3)
    assert not opened.exists()


def test_works_in_a_pipeline_and_is_cloned(table):
    pipeline = make_pipeline(StandardScaler(), pr.Autoencoder("vae", **FAST))
    assert clone(pipeline).fit_transform(table).shape == (120, 3)


@pytest.mark.parametrize("method", ["vae", pr.EDGCAE(critic_warmup=3, critic_width=16, n_nodes=4)])
def test_save_and_load_keep_everything(method, table, tmp_path):
    model = pr.Autoencoder(method, **FAST).fit(table)
    model.save(tmp_path / "mine")
    loaded = pr.load(tmp_path / "mine")
    assert np.array_equal(loaded.transform(table), model.transform(table))
    assert loaded.method_ == model.method_
    assert loaded.n_latents == 3
    loaded.save(tmp_path / "again")
    assert np.array_equal(pr.load(tmp_path / "again").transform(table), model.transform(table))
    assert not list(tmp_path.rglob("*.pkl"))


def test_a_model_saved_over_another_leaves_nothing_of_it(table, tmp_path, monkeypatch):
    blank_figures(monkeypatch)
    first = pr.Autoencoder("vae", **FAST).fit(table)
    folder = first.save(tmp_path / "run", table)
    pr.export.to_parquet(first, folder.path / "export" / "codes.parquet", table)
    pr.report.write_report(folder.path)
    for name in ("scores.json", "stability.json", "codes-5.npz", ".lock"):
        (folder.path / name).write_text("{}")
    (tmp_path / "link").symlink_to(folder.path)
    for path in (folder.path, tmp_path / "link"):
        second = pr.Autoencoder("ae", **FAST | {"n_latents": 2}).fit(table[:, :5])
        second.save(path)
        names = {each.name for each in folder.path.iterdir()} - {".manifest.lock"}
        assert names == {
            *(
                "job.json",
                "weights.safetensors",
                "history.parquet",
                "README.md",
                "verdict.json",
                "manifest.json",
            )
        }
        assert np.array_equal(pr.load(path).transform(table[:, :5]), second.transform(table[:, :5]))
    assert (tmp_path / "link").is_symlink()
    assert {each.name for each in tmp_path.iterdir()} == {"run", "link"}


def test_a_folder_that_is_no_run_is_not_emptied(table, tmp_path):
    model = pr.Autoencoder("vae", **FAST).fit(table)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "thesis.tex").write_text("Chapter 1")
    with pytest.raises(InputError, match=r"holds thesis\.tex, which a run saved over it would remove"):
        model.save(tmp_path / "runs")
    with pytest.raises(InputError, match="is a file, expected a folder"):
        model.save(tmp_path / "runs" / "thesis.tex")
    model.save(tmp_path / "run")
    (tmp_path / "run" / "notes.txt").write_text("Keep me.")
    with pytest.raises(InputError, match=r"holds notes\.txt, which"):
        model.save(tmp_path / "run")
    assert (tmp_path / "run" / "notes.txt").read_text() == "Keep me."
    assert (tmp_path / "runs" / "thesis.tex").read_text() == "Chapter 1"
    (tmp_path / "empty").mkdir()
    assert pr.load(model.save(tmp_path / "empty").path).n_latents == 3


def test_what_fails_while_it_is_saved_leaves_the_old_model(table, tmp_path, monkeypatch):
    first = pr.Autoencoder("vae", **FAST).fit(table)
    first.save(tmp_path / "run", table)
    before = {each.name: each.read_bytes() for each in (tmp_path / "run").iterdir()}
    monkeypatch.setattr("prismae.train.checkpoint.save_file", lambda *args, **more: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        pr.Autoencoder("ae", **FAST).fit(table).save(tmp_path / "run")
    assert {each.name: each.read_bytes() for each in (tmp_path / "run").iterdir()} == before
    assert [each.name for each in tmp_path.iterdir()] == ["run"]


def test_a_run_of_the_command_line_loads_too(tmp_path):
    job = pr.Job("vae", "digits", n_latents=3, steps=5, batch=16)
    model = pr.load(pr.run(job, tmp_path, device="cpu").path)
    assert model.transform(pr.world("digits")).shape == (1797, 3)


def test_the_same_random_state_gives_the_same_codes(table):
    first, second, other = (
        pr.Autoencoder("vae", random_state=s, **FAST).fit_transform(table) for s in (1, 1, 2)
    )
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_evaluate_takes_models_and_bare_codes(table):
    model = pr.Autoencoder("vae", **FAST).fit(pr.world("pulses"))
    scores = pr.evaluate(model, pr.world("pulses"), metrics=["mig"])
    assert 0 <= scores["mig"].score <= 1
    codes = model.transform(pr.world("pulses"))
    bare = pr.evaluate(torch.from_numpy(codes), pr.world("pulses").factors, metrics=["mig"])
    assert bare["mig"].score == pytest.approx(scores["mig"].score, abs=1e-6)


def test_label_free_scores_need_no_factors_and_udr_takes_other_seeds():
    world = pr.world(np.random.default_rng(0).normal(size=(120, 6)).astype(np.float32))
    models = [pr.Autoencoder("vae", random_state=seed, **FAST).fit(world) for seed in (0, 1)]
    names = ["gaussian-total-correlation", "active-units", "udr-spearman"]
    scores = pr.evaluate(models[0], world, metrics=names, other_runs=models[1:])
    assert all(np.isfinite(score.score) for score in scores.values())
    assert 0 <= scores["udr-spearman"].score <= 1
    with pytest.raises(InputError, match="compares runs"):
        pr.evaluate(models[0], world, metrics=["udr-spearman"])


def test_mistakes(table):
    model = pr.Autoencoder("vae", **FAST)
    with pytest.raises(NotFittedError):
        model.transform(table)
    with pytest.raises(InputError, match="Unknown method 'va'"):
        pr.Autoencoder("va", **FAST).fit(table)
    model.fit(table)
    with pytest.raises(InputError, match="X has 5 features, but Autoencoder is expecting 8"):
        model.transform(table[:, :5])
    with pytest.raises(InputError, match=r"Codes have shape \(2, 4\), expected \[n, 3\]"):
        model.inverse_transform(np.zeros((2, 4)))
    for wrong in (np.full((2, 3), np.nan), np.ones((2, 3), complex), np.array([["a", "b", "c"]])):
        with pytest.raises(InputError, match=r"expected (finite )?numbers"):
            model.inverse_transform(wrong)
    with pytest.raises(InputError, match="Reshape your data"):
        model.transform(table[0])
    with pytest.raises(InputError, match=r"shape \(4, 2\)|shape \(1, 4, 2\), expected \(8,\) as in the fit"):
        model.transform(table.reshape(-1, 4, 2))
    with pytest.raises(InputError, match=r"shape \(1000,\), expected \(8,\) as in the fit"):
        model.transform(pr.world("pulses"))
    broken = np.tile(table, (20, 1))
    broken[2000, 3] = np.nan
    with pytest.raises(InputError, match=r"hold NaN, a missing value, the first at index \[2000, 3\]"):
        model.transform(broken)
    with pytest.raises(InputError, match="evaluated on a World"):
        pr.evaluate(model, table)


def test_labels_are_not_ignored_in_silence():
    x = np.random.default_rng(0).normal(size=(20, 3))
    model = pr.Autoencoder("vae", 2, steps=2, net="mlp:width=4", device="cpu")
    with pytest.warns(UserWarning, match="y is not used: an Autoencoder learns from observations alone"):
        given = model.fit(x, np.arange(20)).transform(x)
    np.testing.assert_array_equal(model.fit(x).transform(x), given)


@pytest.mark.parametrize("value", [None, -1, float("nan"), object()], ids=str)
def test_controllers_that_are_none_are_one_sentence(value):
    with pytest.raises(InputError, match="Autoencoder: controllers should be several, got"):
        pr.Autoencoder("vae", steps=1, controllers=value).fit(np.zeros((4, 2)))


@pytest.mark.parametrize("name", ["net", "likelihood"])
def test_an_array_is_no_network_and_no_likelihood(name):
    x = np.random.default_rng(0).normal(size=(20, 3))
    with pytest.raises(InputError, match=f"^A {'network' if name == 'net' else name} should be a name"):
        pr.Autoencoder("vae", steps=1, **{name: x}).fit(x)


def test_rows_of_several_lengths_are_no_codes():
    ae = pr.Autoencoder("vae", n_latents=2, steps=1, net="mlp:width=8").fit(np.eye(8))
    with pytest.raises(InputError, match=r"^Codes are no array of numbers .*expected \[n, 2\]"):
        ae.inverse_transform([[1, 2], [3]])


@pytest.mark.parametrize("value", [5, b"a", np.eye(8)], ids=["number", "bytes", "array"])
def test_the_name_of_a_world_is_a_text(value):
    with pytest.raises(InputError, match=r"^name: expected a text"):
        pr.world(np.eye(8), name=value)

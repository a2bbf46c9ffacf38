"""Exports: ONNX and torch.export files against PyTorch, codes as tables; the model card of a run folder."""

import html
import json
import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from commands import command
from sklearn.exceptions import NotFittedError

import prismae as pr
from prismae import export
from prismae.control import Ramp
from prismae.errors import InputError
from prismae.methods import all_methods
from prismae.nets import all_nets
from prismae.runs.files import JOB
from prismae.runs.model_card import model_card
from prismae.runs.run import Run

FAST = {"n_latents": 3, "steps": 2, "batch": 16, "device": "cpu"}
SHAPES = {
    "mlp": (12,),
    "additive": (12,),
    "conv": (1, 8, 8),
    "conv5": (1, 16, 16),
    "conv1d": (16,),
    "conv3d": (1, 8, 8, 8),
}
SIZES = (1, 5, 70)
QUICK = {"critic_warmup": 0, "critic_width": 16, "n_nodes": 4, "pretrain_steps": 0}  # where a method has them


def observations(net):
    return np.random.default_rng(0).random((70, *SHAPES[net]), dtype=np.float32)


def fitted(method, net):
    cls = all_methods()[method]
    chosen = pr.method(method, **{k: v for k, v in QUICK.items() if k in {f.name for f in fields(cls)}})
    return pr.Autoencoder(chosen, net=net, **FAST).fit(observations(net))


def computed_by_onnx(path):
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda x: session.run(None, {session.get_inputs()[0].name: x})[0]


def computed_by_torch(path):
    module = torch.export.load(path).module()
    return lambda x: module(torch.from_numpy(x)).detach().numpy()


def assert_same(model, net, encode, decode):
    x = observations(net)
    for n in SIZES:
        codes = model.transform(x[:n])
        np.testing.assert_allclose(encode(x[:n]), codes, atol=1e-4 * max(1, np.abs(codes).max()))
        back = model.inverse_transform(codes)
        np.testing.assert_allclose(decode(codes), back, atol=1e-4 * np.abs(back).max())


@pytest.mark.parametrize(
    ("method", "net"),
    [
        ("beta-tcvae", "conv"),
        pytest.param(
            "ed-gcae", "mlp", marks=pytest.mark.slow
        ),  # by default an mlp goes to PyTorch's files, below
        pytest.param("gmvae", "conv1d", marks=pytest.mark.slow),
    ],
)
def test_onnx_files_compute_what_the_model_does_at_any_batch_size(method, net, tmp_path):
    pytest.importorskip("onnxruntime")
    model = fitted(method, net)
    files = export.to_onnx(model, tmp_path, observations(net))
    assert [file.path.name for file in files] == ["encoder.onnx", "decoder.onnx"]
    assert {path.name for path in tmp_path.iterdir()} == {"encoder.onnx", "decoder.onnx"}
    assert all(0 <= file.difference <= 1e-4 for file in files)
    assert_same(model, net, *(computed_by_onnx(file.path) for file in files))


def test_onnx_files_say_what_they_are(tmp_path):
    onnx = pytest.importorskip("onnx")
    pixels = np.random.default_rng(0).integers(0, 256, (20, 8, 8), dtype=np.uint8)
    model = pr.Autoencoder(pr.BetaVAE(beta=2.0), net="mlp:width=16", **FAST).fit(pixels)
    encoder, _ = export.to_onnx(model, tmp_path, pixels)
    found = {each.key: each.value for each in onnx.load(encoder.path).metadata_props}
    assert found["method"] == "beta-vae"
    assert json.loads(found["fields"]) == {"beta": 2.0}
    assert found["observations"] == "float32 [batch, 1, 8, 8], value / 255 for pixels of 0 to 255"
    scaled = (pixels / 255).astype(np.float32)[:, None]
    np.testing.assert_allclose(computed_by_onnx(encoder.path)(scaled), model.transform(pixels), atol=1e-5)


@pytest.mark.parametrize(("method", "net"), [("vae", "conv"), ("nash-ae", "mlp")])
def test_torch_files_compute_what_the_model_does_at_any_batch_size(method, net, tmp_path):
    model = fitted(method, net)
    files = export.to_torch(model, tmp_path, observations(net))
    assert_same(model, net, *(computed_by_torch(file.path) for file in files))
    about = {"prismae.json": ""}
    torch.export.load(files[0].path, extra_files=about)
    assert json.loads(about["prismae.json"])["method"] == method


@pytest.mark.slow
@pytest.mark.parametrize("net", sorted(name for name, cls in all_nets().items() if cls.elements == "numbers"))
@pytest.mark.parametrize("method", sorted(all_methods()))
def test_every_method_is_exported_with_every_network(method, net, tmp_path):
    try:
        model = fitted(method, net)
    except InputError as refused:
        pytest.skip(f"not to be fitted: {refused}")
    assert_same(
        model, net, *(computed_by_torch(f.path) for f in export.to_torch(model, tmp_path, observations(net)))
    )
    assert_same(
        model, net, *(computed_by_onnx(f.path) for f in export.to_onnx(model, tmp_path, observations(net)))
    )


def test_one_observation_is_enough_to_check_with(tmp_path):
    model, x = fitted("vae", "mlp"), observations("mlp")
    encoder, _ = export.to_torch(model, tmp_path, x[:1])
    np.testing.assert_allclose(computed_by_torch(encoder.path)(x[:5]), model.transform(x[:5]), atol=1e-5)


def test_what_cannot_be_exported_leaves_no_file(tmp_path, monkeypatch):
    model, x = fitted("vae", "mlp"), observations("mlp")
    with pytest.raises(NotFittedError):
        export.to_torch(pr.Autoencoder(), tmp_path, x)
    with monkeypatch.context() as patch:
        patch.setattr("prismae.export.find_spec", lambda name: None if name == "onnxruntime" else name)
        with pytest.raises(InputError, match=r"need onnxruntime: pip install 'prismae\[onnx\]'"):
            export.to_onnx(model, tmp_path, x)
    with monkeypatch.context() as patch:
        patch.setattr(
            model.net_.encoder[0], "forward", lambda x: x.flatten(1) if x.sum() > 0 else -x.flatten(1)
        )
        with pytest.raises(InputError, match="encoder of vae with network 'mlp' cannot be written as pt2"):
            export.to_torch(model, tmp_path, x)
    with monkeypatch.context() as patch:
        patch.setattr("prismae.export._difference", lambda *args: 0.01)
        with pytest.raises(
            InputError, match=r"encoder.pt2 was not written: .* by 1.0e-02 of the greatest value"
        ):
            export.to_torch(model, tmp_path, x)
    assert not list(tmp_path.iterdir())


def test_codes_become_a_table_with_the_factors_beside(tmp_path):
    world = pr.world("digits")
    model = pr.Autoencoder("vae", **FAST).fit(world).set_output(transform="pandas")
    found = pd.read_parquet(export.to_parquet(model, tmp_path / "codes.parquet", world))
    assert list(found.columns) == ["z0", "z1", "z2", *world.factor_names]
    assert np.array_equal(found[["z0", "z1", "z2"]], model.transform(world))
    assert np.array_equal(found[list(world.factor_names)], world.factors)
    bare = world.data[torch.arange(10)].numpy()
    assert list(pd.read_parquet(export.to_parquet(model, tmp_path / "bare.parquet", bare)).columns) == [
        "z0",
        "z1",
        "z2",
    ]
    factors = np.arange(10) % 2
    kinds = pd.DataFrame({"animal": np.array(["cat", "dog"])[factors]})
    named = pd.read_parquet(
        export.to_parquet(model, tmp_path / "named.parquet", pr.world(bare, factors=kinds))
    )
    assert list(named["animal"]) == list(kinds["animal"])
    clash = pr.world(bare, factors=factors, factor_names=["z1"])
    with pytest.raises(InputError, match="factor 'z1', which is the name of a code"):
        export.to_parquet(model, tmp_path / "clash.parquet", clash)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run of the command line's kind, not evaluated."""
    job = pr.Job("beta-vae", "digits", n_latents=3, steps=2, batch=16, fields={"beta": 2.0})
    return pr.run(job, tmp_path_factory.mktemp("runs"), device="cpu")


def test_the_command_exports_a_run(run, capfd, tmp_path):
    code, said = command(capfd, "export", run.path, "--torch", "--codes")
    assert code == 0, said
    assert "decoder.pt2: within" in said
    assert "codes of 1,797 observations" in said
    assert {path.name for path in (run.path / "export").iterdir()} == {
        "encoder.pt2",
        "decoder.pt2",
        "codes.parquet",
    }
    np.savez(tmp_path / "other.npz", x=np.random.default_rng(0).random((30, 8, 8)), factors=np.arange(30) % 3)
    words = ["--codes", "--world", tmp_path / "other.npz", "--out", tmp_path / "there"]
    code, said = command(capfd, "export", run.path, *words)
    assert code == 0, said
    found = pd.read_parquet(tmp_path / "there" / "codes.parquet")
    assert found.shape == (30, 4)
    assert np.isfinite(found.to_numpy()).all()


def test_mistakes_of_the_command(run, capfd, tmp_path):
    assert "Nothing to export: expected --onnx" in command(capfd, "export", run.path)[1]
    code, said = command(capfd, "export", run.path, "--codes", "--world", "pulses")
    assert (code, "expected (1, 8, 8) as in the fit" in said) == (2, True)
    saved = pr.Autoencoder("vae", **FAST).fit(observations("mlp")).save(tmp_path / "saved")
    code, said = command(capfd, "export", saved.path, "--codes")
    assert (code, "was saved from Python" in said, said.count("\n")) == (2, True, 1)
    np.save(tmp_path / "x.npy", observations("mlp"))
    assert command(capfd, "export", saved.path, "--codes", "--world", tmp_path / "x.npy")[0] == 0


def card(folder):
    text = (folder.path / "README.md").read_text()
    _, header, body = text.split("---\n", 2)
    return yaml.safe_load(header), body


def test_a_run_has_a_model_card_that_evaluate_completes(run):
    header, body = card(run)
    assert header["library_name"] == "prismae"
    assert {"disentanglement", "beta-vae"} <= set(header["tags"])
    assert "license" not in header
    for said in (
        "| `beta` | `2.0` |",
        "2 updates of 16 observations",
        "1,797 observations of shape 1x8x8",
        "seed | 0",
    ):
        assert said in body
    assert "Not evaluated" in body
    from prismae.studies import score

    scores = score(run, metrics=["mig"], protocols=["locatello2019"])
    assert card(run)[0] == header
    body = card(run)[1]
    assert "Not evaluated" not in body
    assert f"| `mig` | {scores['protocols']['locatello2019']['mig']['score']:.3f} |" in body


def test_files_say_how_channels_were_scaled():
    x = np.random.default_rng(0).normal([[5.0], [9.0]], 2.0, (40, 2, 20))
    model = pr.Autoencoder("vae", **FAST, series="channels-first").fit(x)
    about = export._about(model)
    assert about["observations"].startswith(
        "float32 [batch, 2, 20], each channel as (value - mean) / deviation"
    )
    np.testing.assert_allclose(json.loads(about["channels"])["means"], x.mean((0, 2)))


def test_a_table_is_made_by_hand_into_what_a_file_takes_by_what_the_file_says(tmp_path):
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "ward": draw.choice(
                ["north", "south", None], 40
            ),  # before the numbers, as the array has it behind them
            "size": draw.normal(50, 9, 40),
            "one": 3,
            "seen": pd.Timestamp("2021-03-01") + pd.to_timedelta(draw.integers(0, 400, 40), unit="D"),
            "smokes": draw.random(40) < 0.5,
        }
    )
    frame.loc[3, "size"] = np.nan
    model = pr.Autoencoder("vae", **FAST).fit(frame)
    encoder, _ = export.to_torch(model, tmp_path, frame)
    kept = {"prismae.json": ""}
    torch.export.load(encoder.path, extra_files=kept)
    about = json.loads(kept["prismae.json"])
    table, places = json.loads(about["table"]), json.loads(about["elements"])
    days = {"seen": (frame["seen"] - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)}
    made = dict.fromkeys(places)
    for column, (mean, deviation) in table["scaling"].items():
        made[column] = (days.get(column, frame[column]) - mean) / deviation
    for column, values in table["categories"].items():
        for value in values:
            made[f"{column}_{value}"] = (frame[column] == value).where(frame[column].notna(), np.nan)
    assert [*made] == places
    x = np.stack([each.to_numpy(np.float32) for each in made.values()], axis=1)
    np.testing.assert_allclose(computed_by_torch(encoder.path)(x), model.transform(frame), atol=1e-5)


def test_a_card_of_a_table_names_its_columns_and_its_code_loads_the_model(tmp_path):
    frame = pd.DataFrame({"size": np.random.default_rng(0).normal(size=40), "kind": ["a", "b"] * 20})
    model = pr.Autoencoder("vae", **FAST, controllers=[Ramp("kl", steps=5)]).fit(frame)
    folder = model.save(tmp_path / "run")
    body = card(folder)[1]
    assert "Columns: size, kind." in body
    assert "controller of kl | ramp (steps = 5" in body
    code = body.split("```python\n")[1].split("```")[0].replace("the folder of this file", str(folder.path))
    names = {"X": frame}
    exec(code, names)
    assert list(names["X_hat"].columns) == ["size", "kind"]


@pytest.mark.parametrize(
    ("damage", "expected"),
    [({"method": None}, "no method"), ({"n_latents": 7}, "does not hold the weights of the network")],
)
def test_a_run_that_does_not_fit_together_is_refused(damage, expected, run, tmp_path):
    job = {k: v for k, v in (run.job | damage).items() if v is not None}
    broken = Run(tmp_path)
    for name in ("weights.safetensors", "history.parquet"):
        (tmp_path / name).write_bytes((run.path / name).read_bytes())
    broken.write_json(JOB, job)
    with pytest.raises(InputError, match=expected):
        pr.load(tmp_path)


@pytest.mark.parametrize(
    ("page", "most"),
    [
        ("estimator.md", 100),
        pytest.param("estimator.md", 10_000, marks=pytest.mark.slow),
        ("export.md", 10_000),
    ],
)
def test_the_pages_show_what_their_code_prints(page, most, capsys):
    """Of one page by default those pieces alone whose trainings are short; they need nothing of the others."""
    text = (Path(__file__).parents[1] / "docs" / page).read_text()
    names = {"rng": np.random.default_rng(0)}
    for code, shown in re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", text, re.DOTALL):
        if max(map(int, re.findall(r"steps\W+(\d+)", code)), default=0) <= most:
            exec(code, names)
            assert capsys.readouterr().out == shown
    assert len(names) > 3


def test_names_are_no_markup_in_a_model_card(run):
    name = "a|b\n# <script>alert(1)</script> [x](http://y) `c` ![i](j) \\ & d"
    job = {**run.job, "world": name, "source": name, "machine": name, "net": name, "fields": {"beta": name}}
    text = model_card(job, {"reconstruction": {"mse": 0.1, "nats": 1.0}})
    assert "<script" not in text
    assert "\n# <" not in text
    assert not re.search(r"(?<!\\)\]\(http", text)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 3 for row in rows)
    assert yaml.safe_load(text.split("---")[1])["library_name"] == "prismae"
    assert "a|b" in html.unescape(re.sub(r"\\(.)", r"\1", text))  # and it is the name that is read

"""What is given: the term, what encoder and decoder see of it, codes that are free of it, and "the same, but ..."."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from flat import train
from torch import nn

import prismae as pr
from prismae import cli, export
from prismae.data import World
from prismae.data.kinds import Table
from prismae.data.tables import TableScheme
from prismae.errors import DataWarning, InputError
from prismae.evaluation import codes_table
from prismae.latent.labels import told
from prismae.methods.ae import AE
from prismae.nets.autoencoder import AutoencoderNet
from prismae.nets.likelihood import Gaussian
from prismae.report.findings import findings
from prismae.runs.decoder import describe_decoder
from prismae.runs.job_record import checked_job
from prismae.runs.measured import read_linearly
from prismae.runs.observations import new_observations
from prismae.runs.run import Run
from prismae.train import ongoing

FAST = {"n_latents": 2, "net": "mlp:width=16", "steps": 3, "device": "cpu"}
SETTINGS = {name: value for name, value in FAST.items() if name != "device"}
RNG = np.random.default_rng(0)
MIX, SHIFT = RNG.normal(size=(2, 6)), RNG.normal(size=(3, 6))
BATCHES = np.array(list("ABC"))


def scheme_of(data: World) -> TableScheme:
    """How a table becomes an array."""
    assert isinstance(data.kind, Table)
    assert data.kind.scheme is not None
    return data.kind.scheme


def cells(factors: np.ndarray, batch: np.ndarray) -> pd.DataFrame:
    """A table of six columns that are functions of two factors, moved by the batch, whose name stands beside."""
    x = 2 * np.tanh(factors @ MIX) + SHIFT[batch]
    return pd.DataFrame(x, columns=list("abcdef")).assign(batch=BATCHES[batch])


FACTORS, BATCH = RNG.uniform(-1, 1, (300, 2)), RNG.integers(0, 3, 300)
CELLS = cells(FACTORS, BATCH)
AGED = CELLS.assign(age=RNG.uniform(20, 80, 300))


@pytest.fixture
def model() -> pr.Autoencoder:
    return pr.Autoencoder("vae", given=["batch", "age"], **FAST).fit(AGED)


# the term


def test_the_term_is_the_share_of_the_codes_variance_that_each_given_element_explains() -> None:
    z, s = torch.from_numpy(RNG.normal(size=(40, 3))), torch.from_numpy(RNG.normal(size=(40, 2)))
    s = (s - s.mean(0)) / s.std(0, correction=0)
    by_hand = sum(
        np.corrcoef(z[:, j], s[:, k])[0, 1] ** 2 * float(z[:, j].var(correction=0))
        for j in range(3)
        for k in range(2)
    ) / float(z.var(0, correction=0).sum())
    assert float(told(z, s)) == pytest.approx(by_hand)
    assert float(told(1e3 * z + 5, s)) == pytest.approx(by_hand)
    assert float(told(s[:, :1], s[:, :1])) == pytest.approx(1)
    grid = torch.cartesian_prod(torch.tensor([-1.0, 1.0]), torch.tensor([-1.0, 1.0]))
    assert float(told(grid[:, :1], grid[:, 1:])) == pytest.approx(0, abs=1e-7)
    assert torch.isfinite(told(torch.zeros(5, 2), torch.randn(5, 1)))


# the network


def linear() -> AutoencoderNet:
    """The code is the sum of a row of three, the last of which is given; it is decoded to code + 10 given."""
    encoder, decoder = nn.Linear(3, 1, bias=False), nn.Linear(2, 3, bias=False)
    with torch.no_grad():
        encoder.weight.fill_(1.0)
        decoder.weight.copy_(torch.tensor([[1.0, 10.0]]).expand(3, 2))
    ae = AutoencoderNet(encoder, decoder, AE().posterior, Gaussian(), 0.0, 1.0, shape=(3,), given=(2,))
    ae.know(torch.tensor([0.0, 0.0, 4.0]), torch.tensor([1.0, 1.0, 2.0]), torch.tensor([0.0, 0.0, 6.0]))
    return ae


def test_encoder_and_decoder_see_what_is_given_and_it_is_not_rebuilt() -> None:
    ae, x = linear(), torch.tensor([[1.0, 2.0, 8.0], [0.0, 1.0, 2.0]])
    with torch.no_grad():
        z = ae.encode(x).mean
        assert z.tolist() == [[11.0], [3.0]]
        assert ae.decode(z, x).tolist() == [[31.0] * 3, [-7.0] * 3]  # (8 - 4) / 2 and (2 - 4) / 2 are given
        assert ae.generate(z, x).tolist() == [[31.0, 31.0, 8.0], [-7.0, -7.0, 2.0]]
        assert ae.generate(z).tolist() == [[21.0, 21.0, 6.0], [13.0, 13.0, 6.0]]  # what is usual
        squares = np.array([30.0**2 + 29.0**2, 7.0**2 + 8.0**2])
        np.testing.assert_allclose(ae.nll(x, z), squares / 2 + np.log(2 * np.pi), rtol=1e-6)
        np.testing.assert_allclose(
            ae.errors(x), [squares.mean() / 2, (squares / 2 + np.log(2 * np.pi)).mean()]
        )
        np.testing.assert_allclose(ae.row_errors(x)[0], squares / 2)
        assert ae.change(x, z, z + 1).tolist() == [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]]
        assert ae.error_of_mean(x) == pytest.approx(0.5)  # of two columns, each of variance 1/2


def test_what_is_usual_is_the_mean_of_numbers_and_the_commonest_category() -> None:
    table = AGED.assign(batch=["B"] * 200 + ["A"] * 60 + ["C"] * 40, smokes=[1] * 170 + [0] * 130)
    data = pr.world(table, given=["batch", "age", "smokes"])
    ae = train(pr.VAE(), data, **FAST).ae
    usual = scheme_of(data).to_frame(ae.generate(torch.zeros(1, 2)).detach().numpy())
    assert usual["batch"][0] == "B"
    assert usual["smokes"][0] == pytest.approx(1)
    assert usual["age"][0] == pytest.approx(table["age"].mean())


def test_a_page_decodes_with_what_is_usual() -> None:
    ae = train(pr.AE(), pr.world(CELLS, given=["batch"]), **FAST).ae
    layers = describe_decoder(ae)["layers"]
    assert (layers[0]["kind"], layers[-1]["kind"]) == ("beside", "put")
    z = torch.randn(4, 2)
    usual, means, stds = (torch.tensor(layers[0][name]) for name in ("values", "means", "stds"))
    seen = torch.cat([z, ((usual - means) / stds).expand(4, -1)], 1)
    with torch.no_grad():
        by_hand = ae.decoder(seen) * ae.std + ae.mean
        by_hand[:, layers[-1]["places"]] = torch.tensor(layers[-1]["values"])
        torch.testing.assert_close(ae.generate(z), by_hand)


# what it is for


def known_answers(given: list[str] | None, method: pr.Method, steps: int) -> tuple[float, float, float]:
    """What codes tell of the batch and of the factors, and the error of "the same, but of batch B", of its variance."""
    data = pr.world(CELLS, given=given)
    settings = {"n_latents": 3, "net": "mlp:width=32", "likelihood": "auto", "lr": 1e-2}
    ae = train(method, data, steps=steps, device="cpu", **settings).ae
    codes = codes_table(ae, data)
    x = data.data[torch.arange(300)]
    other = x.clone()
    other[:, 6:] = torch.tensor([0.0, 1.0, 0.0])
    truth = scheme_of(data).to_array(cells(FACTORS, np.ones(300, int)))
    with torch.no_grad():
        again = ae.generate(ae.encode(x if given else other).mean, other).numpy()
    error = np.square(again - truth)[:, :6].mean() / x[:, :6].numpy().var(0).mean()
    return read_linearly(codes, np.eye(3)[BATCH]), read_linearly(codes, FACTORS), float(error)


def test_codes_carry_the_factors_free_of_the_batch_and_decode_to_true_counterparts() -> None:
    batch, factors, error = known_answers(["batch"], pr.VAE(), 120)
    assert batch < 0.05
    assert factors > 0.9
    assert error < 0.1


def test_a_vae_that_is_given_nothing_mixes_the_batch_in() -> None:
    batch, _, error = known_answers(None, pr.VAE(), 120)
    assert batch > 0.3
    assert error > 0.3


@pytest.mark.slow
@pytest.mark.parametrize("method", [pr.VAE(), pr.AE()], ids=lambda each: each.name())
def test_without_the_term_some_of_the_batch_stays(method: pr.Method, monkeypatch: pytest.MonkeyPatch) -> None:
    free = known_answers(["batch"], method, 300)[0]
    monkeypatch.setattr(ongoing, "told", lambda z, given: 0 * told(z, given))
    assert free < 0.05
    assert known_answers(["batch"], method, 300)[0] > 0.04 + free


GCAE = pr.GCAE(critic_warmup=50, critic_width=32, n_nodes=16)


@pytest.mark.slow
@pytest.mark.parametrize("method", [pr.AE(), pr.QLAE(), pr.Tripod(), GCAE], ids=lambda each: each.name())
def test_other_methods_are_free_of_the_batch_too(method: pr.Method) -> None:
    batch, factors, error = known_answers(["batch"], method, 300)
    assert batch < 0.1
    assert factors > 0.8
    assert error < 0.2


# training, files


def test_the_term_is_logged_and_a_stopped_training_goes_on_to_the_bit(tmp_path: Path) -> None:
    data = pr.world(AGED, given=["batch", "age"])
    kept = FAST | {"steps": 6, "checkpoint": tmp_path / "state.safetensors", "checkpoint_every": 3}

    def stop(now: pr.Moment) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(pr.VAE(), data, hooks=[pr.Hook(on_step=stop, at=[5])], **kept)
    whole, resumed = train(pr.VAE(), data, **FAST | {"steps": 6}), train(pr.VAE(), data, **kept)
    assert whole.history["given"].between(0, 4).all()
    pd.testing.assert_frame_equal(whole.history, resumed.history, check_exact=True)
    for name, value in whole.ae.state_dict().items():
        assert torch.equal(value, resumed.ae.state_dict()[name]), name


def test_a_saved_model_knows_what_it_is_told(model: pr.Autoencoder, tmp_path: Path) -> None:
    model.save(tmp_path / "run", AGED)
    again = pr.load(tmp_path / "run")
    assert again.get_params()["given"] == ("batch", "age")
    codes = model.transform(AGED)
    np.testing.assert_array_equal(again.transform(AGED), codes)
    pd.testing.assert_frame_equal(
        again.inverse_transform(codes, given=AGED), model.inverse_transform(codes, given=AGED)
    )
    run = Run(tmp_path / "run")
    assert any("Given: batch, age." in each.text for each in findings(run.read()))
    card = (tmp_path / "run" / "README.md").read_text()
    assert "Given are batch, age: the model is told them" in card
    assert "X_hat = model.inverse_transform(codes, given=X)" in card
    with pytest.raises(InputError, match="given names 'lot', which is no column"):
        checked_job({**run.job, "given": ["lot"]}, run.path)


@pytest.mark.slow
def test_the_decoder_that_is_exported_is_told_too(tmp_path: Path) -> None:
    data = pr.world(CELLS, given=["batch"])
    model = pr.Autoencoder("vae", **FAST).fit(data)
    export.to_torch(model, tmp_path, data)
    decoder = torch.export.load(tmp_path / "decoder.pt2").module()
    x, codes = data.data[torch.arange(5)], torch.randn(5, 2)
    torch.testing.assert_close(decoder(codes, x), model.net_.generate(codes, x).detach())


# the estimator


def test_the_same_but_in_another_batch(model: pr.Autoencoder) -> None:
    codes, few = model.transform(AGED.iloc[:4]), AGED.iloc[:4]
    back = model.inverse_transform(codes, given=few)
    pd.testing.assert_frame_equal(back, model.reconstruct(few), check_exact=True)
    np.testing.assert_allclose(back["age"], few["age"], rtol=1e-6)
    assert list(back["batch"]) == list(few["batch"])
    but = model.reconstruct(few, given={"batch": "B"})
    assert set(but["batch"]) == {"B"}
    np.testing.assert_allclose(but["age"], few["age"], rtol=1e-6)
    same = model.inverse_transform(codes, given={"batch": "B", "age": few["age"]})
    pd.testing.assert_frame_equal(but, same, check_exact=True)
    assert set(model.sample(3, given={"batch": "C", "age": 30})["batch"]) == {"C"}
    told_so = model.verdict_.told
    assert {*told_so} == {"batch", "age"}


def test_columns_of_arrays_are_given_by_their_numbers() -> None:
    x = AGED.drop(columns="batch").to_numpy()
    model = pr.Autoencoder("vae", given=[6], **FAST).fit(x)
    codes = model.transform(x[:3])
    for given in (x[:3, 6], x[:3, [6]], {6: x[:3, 6]}):
        back = model.inverse_transform(codes, given=given)
        np.testing.assert_allclose(back[:, 6], x[:3, 6], rtol=1e-6)
        np.testing.assert_array_equal(back, model.reconstruct(x[:3]))
    assert model.score(x) < 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "expected given=, a table or mapping of 'batch', 'age'"),
        ({"batch": "B"}, "given= lacks 'age'"),
        (
            {"batch": "Z", "age": 1},
            "given=: column 'batch' has the value 'Z' in row 1, expected one of A, B, C",
        ),
        ({"batch": "B", "age": [1, 2]}, "given= has 2 of 'age', expected one for all or one for each of 3"),
        ({"batch": "B", "age": np.nan}, "given= lacks values in 'age'"),
        ({"lot": 1}, "given= has 'lot', which this model is not told"),
        (
            np.zeros((3, 3)),
            r"given= has the shape \(3, 3\), expected a table or mapping of 'batch', 'age', or an array",
        ),
        (AGED[["a", "age"]].iloc[:3], "given= lacks 'batch'"),
    ],
)
def test_what_cannot_be_told(given: object, said: str, model: pr.Autoencoder) -> None:
    with pytest.raises(InputError, match=said):
        model.inverse_transform(np.zeros((3, 2)), given=given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["lot"], "Unknown column 'lot'"),
        (["batch", "batch"], "'batch' stands twice"),
        ([*"abcdef", "batch", "age"], "all columns are given, so nothing is left to rebuild"),
        (["place", "lot"], "'place' is constant, so it tells nothing; Unknown column 'lot'"),
        (["dose"], "'dose' lacks values, and what is given has to be known"),
    ],
)
def test_what_cannot_be_given(given: list[str], said: str) -> None:
    table = AGED
    if "place" in given:
        table = AGED.assign(place="north")
    if "dose" in given:
        table = AGED.assign(dose=np.where(np.arange(300) < 5, np.nan, AGED["age"] + 1))
    with pytest.raises(InputError, match=said):
        pr.world(table, given=given)


def test_observations_without_columns_have_nothing_to_give() -> None:
    for x in (pr.world("digits"), np.random.default_rng(0).random((20, 8, 8))):
        with pytest.raises(
            InputError, match=r"are columns of a table, or of vectors .* and these observations are images"
        ):
            pr.Autoencoder("vae", given=["class"], **FAST).fit(x)
    model = pr.Autoencoder("vae", **FAST).fit(CELLS)
    with pytest.raises(InputError, match="Nothing is given to this model"):
        model.inverse_transform(np.zeros((3, 2)), given={"batch": "B"})


def test_new_observations_must_have_what_is_given(model: pr.Autoencoder) -> None:
    with pytest.raises((InputError, ValueError), match="age"):
        model.transform(AGED.drop(columns="age"))
    x = AGED.drop(columns="batch").to_numpy()
    x[:5, 0] = np.nan  # so that the model knows of missing values
    with pytest.warns(DataWarning, match="missing"):
        other = pr.Autoencoder("vae", given=[6], **FAST).fit(x)
    x[7, 6] = np.nan
    with pytest.raises(
        InputError, match="Observation 7 lacks a value of 6, and what is given has to be known"
    ):
        other.transform(x)


def test_a_factor_may_be_given_too() -> None:
    data = pr.world(CELLS, factors=["batch"], given=["batch"])
    assert data.factor_names == ("batch",)
    assert isinstance(data, World)
    assert data.kind.known == (6, 7, 8)


# the command line


def test_a_job_keeps_what_is_given_and_new_rows_need_it(tmp_path: Path) -> None:
    path = tmp_path / "cells.csv"
    CELLS.to_csv(path, index=False)
    run = pr.run(pr.Job("vae", str(path), given=("batch",), **SETTINGS), tmp_path, device="cpu")
    CELLS.iloc[:3].to_csv(tmp_path / "new.csv", index=False)
    CELLS.drop(columns="batch").iloc[:3].to_csv(tmp_path / "less.csv", index=False)
    new = new_observations(str(tmp_path / "new.csv"), run.job)
    model = pr.load(run.path)
    np.testing.assert_allclose(model.transform(new), model.transform(CELLS.iloc[:3]), atol=1e-6)
    with pytest.raises(InputError, match=r"less\.csv lacks the column 'batch'"):
        new_observations(str(tmp_path / "less.csv"), run.job)


@pytest.mark.slow
def test_the_command_gives_columns_and_encodes_new_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def command(*words: str) -> None:
        monkeypatch.setattr(sys, "argv", ["prismae", *words])
        with suppress(SystemExit):
            cli.main()

    path, runs = tmp_path / "cells.csv", tmp_path / "runs"
    CELLS.to_csv(path, index=False)
    options = [
        "--given",
        "batch",
        "--latents",
        "2",
        "--steps",
        "120",
        "--net",
        "mlp:width=16",
        "--out",
        str(runs),
    ]
    command("fit", "vae", str(path), "--device", "cpu", "--no-evaluate", *options)
    said = capsys.readouterr().out
    assert "given: batch" in said
    assert "Of what is given the codes tell, read linearly," in said
    (run,) = (each for each in runs.iterdir() if each.is_dir())
    CELLS.iloc[:3].to_csv(tmp_path / "new.csv", index=False)
    command("export", str(run), "--codes", "--world", str(tmp_path / "new.csv"))
    codes = pd.read_parquet(run / "export" / "codes.parquet")
    np.testing.assert_allclose(codes, pr.load(run).transform(CELLS.iloc[:3]), atol=1e-6)
    CELLS.drop(columns="batch").iloc[:3].to_csv(tmp_path / "less.csv", index=False)
    command("export", str(run), "--codes", "--world", str(tmp_path / "less.csv"))
    assert "lacks the column 'batch'" in " ".join(capsys.readouterr().err.split())

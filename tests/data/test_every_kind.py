"""What every kind of data must do: be kept in JSON, read what users give, give it back, describe itself."""

# mypy: disable-error-code="attr-defined"
# what only one kind of data has is asked of worlds here

import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import prismae as pr
from prismae.data import Images, Series, Table, Texts, Tokens, Vocabulary, World
from prismae.data.channels import ChannelScheme
from prismae.data.kinds import Numbers, all_kinds, kind_of
from prismae.data.storage import Dense
from prismae.data.tables import TableScheme
from prismae.errors import InputError

RNG = np.random.default_rng(0)
TABLE = pd.DataFrame({"length": [3.0, 5.0, 10.0, 4.0], "sex": ["f", "m", "f", "m"], "weight": [1, 20, 3, 5]})
GAPS = TABLE.assign(sex=["f", None, "m", "f"], weight=[1.0, np.nan, 3.0, 5.0], unit="cm")
SENTENCES = [["a", "cat", "sat"], ["a", "dog"], ["the", "dog", "sat", "here"], ["a", "cat"]]


def text(name: str, sentences: list[list[str]]) -> World:
    vocabulary = Vocabulary.of(sentences)
    return World(name, vocabulary.encode(sentences), kind=Texts(vocabulary))


def given() -> dict[str, object]:
    """What a user gives, one for each way in which it can lie."""
    return {
        "images of bytes": RNG.integers(0, 256, (4, 9, 8), np.uint8),
        "images, channels last": RNG.random((4, 9, 8, 3)),
        "binary images": RNG.integers(0, 2, (4, 1, 9, 8)).astype(bool),
        "images of five channels": RNG.normal(size=(4, 5, 9, 8)),
        "images of two channels, last": RNG.normal(size=(4, 9, 8, 2)),
        "volumes": RNG.normal(size=(4, 8, 9, 10)),
        "volumes of bytes, channels last": RNG.integers(0, 256, (4, 3, 9, 10, 2), np.uint8),
        "series, channels first": RNG.normal(5e3, 2.0, (4, 2, 20)),
        "series, channels last": RNG.normal(5e3, 2.0, (4, 20, 2)),
        "a table": TABLE,
        "series, one channel": RNG.normal(size=(4, 40)),
        "vectors": RNG.normal(size=(4, 60)),
        "vectors with gaps": np.where(RNG.random((4, 6)) < 0.2, np.nan, RNG.normal(size=(4, 6))),
        "vectors with a constant": RNG.normal(size=(4, 6)) * [1, 0, 1, 1, 1, 1] + [0, 7, 0, 0, 0, 0],
        "a table with gaps": GAPS,
        "vectors far from zero": 1e9 + RNG.normal(size=(4, 6)),
        "texts": text("texts", SENTENCES),
    }


def layout(case: str) -> str | None:
    return "channels-" + ("last" if case.endswith("last") else "first") if case.startswith("series") else None


GIVEN = given()
every_case = pytest.mark.parametrize("case", GIVEN)


def made(case: str) -> World:
    axes = "dhwc" if case == "volumes of bytes, channels last" else None
    return pr.world(GIVEN[case], series=layout(case), axes=axes)


def test_every_kind_has_a_case():
    assert (
        {made(case).kind.name() for case in GIVEN}
        == set(all_kinds())
        == {"images", "series", "table", "texts", "volumes"}
    )


@every_case
def test_a_kind_is_kept_in_json(case):
    kind = made(case).kind
    assert kind_of(json.loads(json.dumps(kind.to_json()))) == kind
    assert kind.to_json()["kind"] == kind.name()


@every_case
def test_what_is_read_again_is_what_the_world_holds_and_comes_back_as_it_was_given(case):
    x, world = GIVEN[case], made(case)
    rows = torch.arange(len(world))
    if isinstance(x, World):
        [seen] = world.kind.parts_of(x.data, x.kind, x.shape, x.name)
        shape = x.shape
    else:
        [seen] = world.kind.parts(x, world.shape)
        shape = x.shape[1:]
    np.testing.assert_array_equal(seen, world.data[rows])
    back = world.kind.given_back(seen.numpy(), shape)
    if isinstance(x, pd.DataFrame):
        pd.testing.assert_frame_equal(back, x, check_dtype=False, rtol=1e-6)
    elif isinstance(x, World):
        assert back.tolist() == [" ".join(sentence) for sentence in SENTENCES]
    else:
        assert back.shape == x.shape
        np.testing.assert_allclose(back, x / 255 if x.dtype == np.uint8 else x, rtol=1e-6, atol=1e-6)


@every_case
def test_the_observations_of_a_world_are_those_of_its_kind(case):
    world = made(case)
    assert world.kind.alike(world.kind)
    [drawn] = world.kind.parts_of(world.data, world.kind, world.shape, world.name)
    np.testing.assert_array_equal(drawn, world.data[torch.arange(len(world))])
    stored = world.kind.stored(world.kind.joined([drawn, drawn]))
    assert (len(stored), stored.shape) == (8, world.shape)
    np.testing.assert_array_equal(stored[torch.arange(4)], drawn)


@every_case
def test_a_kind_describes_itself(case):
    world = made(case)
    lines = world.describe().splitlines()
    assert len([line for line in lines if not line.startswith(("  ", "columns:", "note:"))]) == 3
    assert [line.split(":")[0].strip() for line in lines if line.startswith("  ")] == list(
        GIVEN[case].columns if isinstance(GIVEN[case], pd.DataFrame) else ()
    )
    assert ("words" if case == "texts" else "values") in lines[1]
    assert world.kind.units()
    for sentence in world.kind.sentences():
        assert sentence.endswith(".")


@every_case
def test_a_network_and_a_likelihood_are_for_the_kind(case):
    world = made(case)
    net, likelihood = (
        pr.nets.net(world.kind.default_net(world.shape)),
        world.kind.default_likelihood(world.summary),
    )
    assert net.elements == pr.nets.likelihood(likelihood).elements == world.kind.elements


@pytest.mark.parametrize("other", ["images of bytes", "a table", "series, channels first", "texts"])
@pytest.mark.parametrize("case", ["images of bytes", "a table", "series, channels first", "texts"])
def test_a_world_of_another_kind_is_refused_in_one_sentence(case, other):
    world, strange = made(case), made(other)
    if case == other:
        return
    with pytest.raises(InputError) as refused:
        list(world.kind.parts_of(strange.data, strange.kind, world.shape, "strange"))
    assert len(re.findall(r"\.(?:\s|$)", str(refused.value))) == 1
    assert "expected" in str(refused.value)


def test_series_and_tables_of_another_scale_go_by_way_of_the_users_units():
    table, other = made("a table"), pr.world(TABLE.assign(length=TABLE["length"] * 10))
    [part] = table.kind.parts_of(other.data, other.kind, table.shape, "other")
    np.testing.assert_allclose(
        part, table.kind.scheme.to_array(TABLE.assign(length=TABLE["length"] * 10)), rtol=1e-5
    )
    series = made("series, channels last")
    moved = pr.world(GIVEN["series, channels last"] + 1, series="channels-last")
    [part] = series.kind.parts_of(moved.data, moved.kind, series.shape, "moved")
    means, stds = (np.array(each)[:, None] for each in (series.kind.scheme.means, series.kind.scheme.stds))
    expected = (np.moveaxis(GIVEN["series, channels last"] + 1, 2, 1) - means) / stds
    np.testing.assert_allclose(part, expected, atol=1e-3)


def test_texts_of_other_words_are_read_in_the_words_of_the_fit():
    texts, other = made("texts"), text("other", [["the", "cat", "flew"], ["a", "bat"]])
    [part] = texts.kind.parts_of(other.data, other.kind, texts.shape, "other")
    assert texts.kind.given_back(part.numpy(), texts.shape).tolist() == ["the cat <unk>", "a <unk>"]


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        ({"shape": [1, 8, 8], "pixels": True}, Images(pixels=True)),
        ({"shape": [6], "pixels": False, "offset": 3.0}, Table(offset=3.0)),
        ({"shape": [60], "pixels": False}, Series()),
        ({"shape": [2], "pixels": False, "table": {"columns": ["a"], "scaling": {"a": [0.0, 1.0]}, "categories": {}}},
         Table(scheme=TableScheme(("a",), {"a": (0.0, 1.0)}, {}))),
        ({"shape": [1, 9], "pixels": False, "series": "channels-last", "channels": {"means": [0.0], "stds": [2.0]}},
         Series(channels=ChannelScheme((0.0,), (2.0,)), layout="channels-last")),
        ({"shape": [9], "pixels": False, "vocabulary": ["a", "b"]}, Texts(Vocabulary(("a", "b")))),
    ],
)  # fmt: skip
def test_runs_of_version_0_1_tell_their_kind_by_what_they_know(about, expected):
    assert kind_of(about) == expected


@dataclass(frozen=True, kw_only=True)
class Angles(Numbers):
    """Angles [n, d], which a network sees as their cosines and sines: what one file more would hold."""

    @classmethod
    def plain(cls, data):
        return None

    def given_shape(self, shape):
        return (shape[0] // 2,)

    def parts(self, X, shape):
        return super().parts(np.concatenate([np.cos(X), np.sin(X)], axis=1), shape)

    def given_back(self, x, shape):
        cosines, sines = np.split(x, 2, axis=1)
        return np.arctan2(sines, cosines)


def test_a_kind_of_another_package_is_trained_saved_and_loaded(tmp_path, monkeypatch):
    known = all_kinds()
    monkeypatch.setattr("prismae.data.kinds.all_kinds", lambda: known | {"angles": Angles})
    angles = RNG.uniform(-3, 3, (40, 3))
    [x] = Angles().parts(angles, (6,))
    model = pr.Autoencoder("ae", n_latents=3, steps=5).fit(World("angles", Dense(x), kind=Angles()))
    np.testing.assert_allclose(Angles().given_back(x.numpy(), (6,)), angles, atol=1e-5)
    again = pr.load(model.save(tmp_path / "run", World("angles", Dense(x), kind=Angles())).path)
    assert json.loads((tmp_path / "run" / "job.json").read_text())["kind"] == "angles"
    codes = again.transform(angles)
    np.testing.assert_array_equal(codes, model.transform(angles))
    assert again.inverse_transform(codes).shape == (40, 3)
    assert "<h1" in pr.report.write_report(tmp_path / "run").read_text()


def test_a_kind_that_is_not_installed_is_refused():
    with pytest.raises(InputError, match="Unknown kind of data 'video': "):
        kind_of({"kind": "video"})


def test_observations_of_several_kinds_have_to_say_which():
    tokens = Tokens(torch.ones(3, 4, dtype=torch.int32))
    with pytest.raises(
        InputError, match=r"Observations of shape \(4,\) in Tokens may be of several kinds: say which"
    ):
        World("texts", tokens)


def test_series_of_one_channel_are_the_numbers_of_vectors():
    x = np.cumsum(RNG.normal(size=(6, 50)), axis=1)
    x[:, 0] = 0.0
    first, last = (pr.world(x, series=f"channels-{end}") for end in ("first", "last"))
    assert first.kind.name() == last.kind.name() == "series"
    assert first.shape == last.shape == (50,)
    np.testing.assert_array_equal(first.data.values, x.astype(np.float32))
    model = pr.Autoencoder("ae", n_latents=2, steps=2, series="channels-first").fit(x)
    assert model.inverse_transform(model.transform(x)).shape == x.shape
    given = {"n_latents": 2, "steps": 2, "likelihood": "gaussian", "lr": 1e-3}  # by default they have others
    same = pr.Autoencoder("ae", **given).fit(x[:, 1:])
    as_series = pr.Autoencoder("ae", series="channels-first", **given).fit(x[:, 1:])
    np.testing.assert_array_equal(same.transform(x[:, 1:]), as_series.transform(x[:, 1:]))


def test_series_that_were_not_scaled_keep_their_channels():
    world = World("bare", Dense(torch.randn(5, 3, 20)))
    assert world.kind == Series()
    [read] = world.kind.parts(world.data.values.numpy(), world.shape)
    np.testing.assert_array_equal(world.kind.given_back(read.numpy(), world.shape), world.data.values)


def test_runs_remember_the_kind(tmp_path: Path):
    model = pr.Autoencoder("ae", n_latents=2, steps=2).fit(GIVEN["vectors"])
    assert json.loads((model.save(tmp_path / "run").path / "job.json").read_text())["kind"] == "table"
    assert pr.Autoencoder("ae", n_latents=2, steps=2).fit(pr.world("pulses")).about_["kind"] == "series"

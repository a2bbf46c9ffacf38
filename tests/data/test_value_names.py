"""What the values of a factor are called: from folders, columns, tables and texts to figures, job.json and exports."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
from PIL import Image

import prismae as pr
from prismae import figures
from prismae.data import World
from prismae.data.worlds import fashion_mnist
from prismae.errors import InputError
from prismae.runs.loading import NAMED, describe
from prismae.views.tsne import TSNE

KINDS = ["dog", "cat", "Vögel"] * 4
CALLED = ("Vögel", "cat", "dog")  # in the order of their letters, as their numbers are


def own(tmp_path: Path, how: str) -> World:
    """Twelve observations whose factor "animal" has the values KINDS."""
    x = np.random.default_rng(0).normal(size=(12, 4))
    frame = pd.DataFrame(x, columns=list("abcd")).assign(animal=KINDS)
    if how == "column":
        frame.to_csv(tmp_path / "rows.csv", index=False)
        return pr.world(tmp_path / "rows.csv", factors="animal")
    if how == "table":
        return pr.world(x, factors=frame[["animal"]])
    if how == "texts":
        return pr.world(x, factors=np.array(KINDS), factor_names=["animal"])
    if how == "npz":
        np.savez(tmp_path / "x.npz", x=x, factors=np.array(KINDS), factor_names=np.array(["animal"]))
        return pr.world(tmp_path / "x.npz")
    if how == "hdf5":
        with h5py.File(tmp_path / "x.h5", "w") as file:
            file["x"] = x
            for name, texts in (("factors", KINDS), ("factor_names", ["animal"])):
                file.create_dataset(name, data=texts, dtype=h5py.string_dtype())
        return pr.world(tmp_path / "x.h5")
    if how == "renamed":
        return pr.world(x, factors=frame[["animal"]].rename(columns={"animal": "b"}), factor_names=["animal"])
    if how == "windows":  # beside a factor that is a number, of which the names must not be
        both = frame[["animal"]].assign(size=np.linspace(0, 1, 12))
        return pr.world(np.tile(x, (1, 5)), factors=both, series="rows", window=10)
    for i, name in enumerate(KINDS):
        (tmp_path / "photos" / name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8), i * 20, np.uint8)).save(tmp_path / "photos" / name / f"{i}.png")
    return pr.world(tmp_path / "photos", factors="folder", factor_names=["animal"])


@pytest.mark.parametrize("how", ["column", "table", "texts", "npz", "hdf5", "renamed", "windows", "folders"])
def test_names_of_values_come_with_the_data(tmp_path: Path, how: str) -> None:
    made = own(tmp_path, how)
    assert dict(made.value_names) == {"animal": CALLED}
    named = list(made.named("animal"))
    assert named == (sorted(KINDS) if how == "folders" else list(np.repeat(KINDS, len(made) // 12)))
    part = made.take(np.array([0, 5]))
    assert list(part.named("animal")) == [named[0], named[5]]


def test_factors_of_windows_keep_their_kinds(tmp_path: Path) -> None:
    assert own(tmp_path, "windows").factor_kinds == ("categorical", "continuous")


def test_numbers_have_no_names() -> None:
    made = pr.world(np.eye(4), factors=pd.DataFrame({"grade": [3, 5, 3, 9], "size": [0.1, 0.2, 0.3, 0.4]}))
    assert made.value_names == {}
    assert list(made.named("grade")) == [3, 5, 3, 9]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({"age": ("a", "b")}, "'age', which is no factor"),
        ({"animal": ("a", "b")}, "names 2 values of the factor"),
    ],
)
def test_names_that_do_not_fit_are_refused(
    tmp_path: Path, names: dict[str, tuple[str, ...]], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        replace(own(tmp_path, "table"), value_names=names)


def test_a_run_keeps_names_of_few_values(tmp_path: Path) -> None:
    settings = dict.fromkeys(("n_latents", "net", "likelihood", "steps", "batch", "lr", "seed", "precision"))
    made = own(tmp_path, "table")
    assert describe(pr.VAE(), made, **settings)["value_names"] == {"animal": list(CALLED)}
    many = replace(made, value_names={"animal": tuple(map(str, range(NAMED + 1)))})
    assert "value_names" not in describe(pr.VAE(), many, **settings)


def test_a_figure_names_classes() -> None:
    names = [*CALLED, "a very long name of a class of things", "a very long name of a class of thinks"]
    figure = figures.embedding(np.zeros((5, 2)), np.arange(5), "animal", names)
    (legend,) = figure.legends
    said = [text.get_text() for text in legend.get_texts()]
    assert said[:3] == list(CALLED)
    assert len(set(said)) == 5
    assert max(map(len, said)) < 30


def test_the_picture_of_codes_takes_the_names_of_the_run() -> None:
    pictures = {"tsne": np.zeros((3, 2)), "tsne_factors": np.arange(3)[:, None], "tsne_names": ["animal"]}
    run: Any = SimpleNamespace(pictures=pictures, job={"value_names": {"animal": list(CALLED)}})
    (legend,) = TSNE().draw(run).legends
    assert [text.get_text() for text in legend.get_texts()] == list(CALLED)
    run.job = {}
    (legend,) = TSNE().draw(run).legends
    assert [text.get_text() for text in legend.get_texts()] == ["0", "1", "2"]


def test_classes_of_worlds_are_as_many_as_their_names() -> None:
    assert len(fashion_mnist.CLASSES) == 10
    assert pr.world("rooms3d").value_names["shape"][-1] == "capsule"

"""Tables and arrays on disk: columns and arrays that are factors, and one sentence for each thing that can be wrong."""

# mypy: disable-error-code="attr-defined"
# what only one kind of data has is asked of worlds here

from __future__ import annotations

import hashlib
import os
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.io
import torch

from prismae.data import world
from prismae.data.paths import contents, split_path
from prismae.data.storage import BitPacked
from prismae.data.tables import TableScheme
from prismae.errors import InputError

h5py = pytest.importorskip("h5py")

rng = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {
        "length": rng.normal(30, 5, size=20).round(3),
        "rings": rng.integers(1, 30, size=20),
        "sex": rng.choice(["F", "I", "M"], size=20),
        "pond": np.arange(20) % 3,
    }
)
X = rng.normal(size=(20, 6)).astype(np.float32)


def everything(source: Any, **options: Any) -> np.ndarray:
    made = world(source, **options)
    return made.data[torch.arange(len(made))].numpy()


# Tables


@pytest.fixture(params=[".csv", ".parquet"])
def fish(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"fish{request.param}"
    TABLE.to_csv(path, index=False) if request.param == ".csv" else TABLE.to_parquet(path)
    return path


def test_a_table_with_columns_that_are_factors(fish: Path) -> None:
    made = world(fish, factors=["pond", "sex", "length"])
    assert (made.name, made.source, made.shape) == ("fish", f"own file {fish.name}", (1,))
    assert made.factor_names == ("pond", "sex", "length")
    assert made.factor_kinds == ("categorical", "categorical", "continuous")
    assert made.factors is not None
    np.testing.assert_array_equal(made.factors[:, 0], TABLE["pond"])
    np.testing.assert_array_equal(made.factors[:, 1], pd.factorize(TABLE["sex"], sort=True)[0])
    assert made.kind.scheme is not None
    back = made.kind.scheme.to_frame(everything(fish, factors=["pond", "sex", "length"]))
    np.testing.assert_allclose(back, TABLE[["rings"]], rtol=1e-5)


def test_a_table_without_factors(fish: Path) -> None:
    made = world(str(fish))
    assert made.factors is None
    assert made.kind.scheme == TableScheme.fit(TABLE)
    np.testing.assert_array_equal(everything(fish), TableScheme.fit(TABLE).to_array(TABLE))
    assert "(of 3 numeric and 1 categorical columns)" in made.describe()


def test_a_pandas_table_is_as_good_as_its_file(fish: Path) -> None:
    np.testing.assert_array_equal(everything(TABLE, factors="sex"), everything(fish, factors=["sex"]))
    assert world(TABLE).source == "own table"
    assert world(TABLE, factors=np.arange(20)).factor_names == ("factor 1",)


def test_bad_factors_of_a_table(fish: Path) -> None:
    with pytest.raises(
        InputError, match=re.escape(f"Unknown column of {fish.name} 'sexe': did you mean 'sex'?")
    ):
        world(fish, factors=["sexe"])
    with pytest.raises(InputError, match="all columns are factors, expected some that are left to train on"):
        world(fish, factors=list(TABLE.columns))


@pytest.mark.parametrize("content", [b"", b"PAR1 this is no parquet file"])
def test_damaged_parquet(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.parquet"
    path.write_bytes(content)
    with pytest.raises(InputError, match=re.escape(f"{path} is corrupted or no .parquet table (")):
        world(path)


# Arrays


@pytest.fixture(params=[".npz", ".h5", ".hdf5"])
def things(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A file with two tables of observations, and arrays that may be factors."""
    path = tmp_path / f"things{request.param}"
    arrays: dict[str, Any] = {
        "raw/x": X,
        "raw/masks": (X > 0).astype(np.uint8),
        "colour": np.array(["red", "blue"] * 10, dtype="S"),
        "pose": rng.normal(size=(20, 2)),
        "short": np.arange(5),
    }
    if request.param == ".npz":
        np.savez(path, **arrays | {"colour": arrays["colour"].astype(str)})
    else:
        with h5py.File(path, "w") as file:
            for name, values in arrays.items():
                file[name] = values
    return path


def test_an_array_is_chosen_after_a_colon(things: Path) -> None:
    np.testing.assert_array_equal(everything(f"{things}:raw/x"), X)
    assert isinstance(world(f"{things}:/raw/masks").data, BitPacked)
    assert world(f"{things}:raw/x").name == "things"
    with pytest.raises(
        InputError, match=re.escape(f"Unknown array of {things.name} 'raw/y': did you mean 'raw/x'")
    ):
        world(f"{things}:raw/y")


def test_several_arrays_are_listed(things: Path) -> None:
    with pytest.raises(InputError) as caught:
        world(things)
    assert "'raw/x' (20, 6)" in str(caught.value)
    assert re.search(rf"as the only array; choose one as in {things.name}:\S+\.$", str(caught.value))


def test_arrays_that_are_factors(things: Path) -> None:
    made = world(f"{things}:raw/x", factors=["colour", "pose"])
    assert made.factor_names == ("colour", "pose 1", "pose 2")
    assert made.factor_kinds == ("categorical", "continuous", "continuous")
    assert made.factors is not None
    assert made.factors[:4, 0].tolist() == [1, 0, 1, 0]
    with pytest.raises(
        InputError, match="factor 'short' has 5 values, expected one for each of 20 observations"
    ):
        world(f"{things}:raw/x", factors=["short"])
    with pytest.raises(InputError, match=r"Unknown array of things\.\w+ 'color': did you mean 'colour'"):
        world(f"{things}:raw/x", factors=["color"])


def test_the_only_table_is_taken(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "one.h5", "w") as file:
        file["deep/inside"] = X
        file["labels"] = np.arange(20)
    made = world(tmp_path / "one.h5", factors="labels")
    assert (made.shape, made.factor_names) == ((6,), ("labels",))


def test_hdf5_without_a_table(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "none.h5", "w") as file:
        file.create_group("empty")
    with pytest.raises(
        InputError, match="holds no arrays: expected the observations as one of 'X', 'x', 'images'"
    ):
        world(tmp_path / "none.h5")
    with h5py.File(tmp_path / "text.h5", "w") as file:
        file["x"] = np.array([["a", "b"], ["c", "d"]], dtype="S")
    with pytest.raises(
        InputError, match=r"values of type object cannot be used, expected numbers|holds no arrays"
    ):
        world(tmp_path / "text.h5")


def test_damaged_hdf5(tmp_path: Path) -> None:
    (tmp_path / "bad.h5").write_bytes(b"no HDF5")
    with pytest.raises(InputError, match=re.escape(f"{tmp_path / 'bad.h5'} is corrupted or no HDF5 file (")):
        world(tmp_path / "bad.h5")


def test_hdf5_without_h5py(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.h5").write_bytes(b"any")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(InputError, match=re.escape("install it with pip install 'prismae[hdf5]'.")):
        world(tmp_path / "x.h5")


# What is common to all


def test_factors_of_an_array_have_no_names() -> None:
    with pytest.raises(InputError, match="An array has no factors named colour: expected an array"):
        world(X, factors=["colour"])


def test_a_size_is_for_folders_only(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    with pytest.raises(
        InputError, match=r"x\.npy is no folder of images: a size can be given for one only\."
    ):
        world(tmp_path / "x.npy", size=8)
    with pytest.raises(InputError, match="a size is for folders of images"):
        world(X, size=8)


def test_paths_and_parts() -> None:
    assert split_path("a/b.h5:c/d") == (Path("a/b.h5"), "c/d")
    assert split_path("mnist:test") == (Path("mnist:test"), None)
    assert split_path("C:/data/x.npy") == (Path("C:/data/x.npy"), None)


def test_contents_tell_other_data(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    assert contents(str(tmp_path / "x.npy")) == hashlib.sha256((tmp_path / "x.npy").read_bytes()).digest()
    assert contents("pulses") == contents("mnist:test") == b""


def test_holding_out() -> None:
    made = world(X, factors=np.arange(20))
    train, held = made.split(0.25, seed=3)
    assert (len(train), len(held)) == (15, 5)
    assert train.factors is not None
    assert held.factors is not None
    rows = np.concatenate([train.factors[:, 0], held.factors[:, 0]])
    assert sorted(rows) == list(range(20))
    np.testing.assert_array_equal(everything(held), X[held.factors[:, 0]])
    again = made.split(0.25, seed=3)[1].factors
    np.testing.assert_array_equal(again, held.factors)
    assert not np.array_equal(made.split(0.25, seed=4)[1].factors, held.factors)


def test_holding_out_bits() -> None:
    made = world(X > 0)
    assert isinstance(made.split(0.5)[0].data, BitPacked)
    assert len(made.split(0.5)[0]) == 10


@pytest.mark.parametrize("fraction", [0, 1, -0.5, 0.01, 0.99, float("nan")])
def test_bad_fractions(fraction: float) -> None:
    with pytest.raises(InputError, match="of 20 observations cannot be held out, expected a fraction"):
        world(X).split(fraction)


def test_a_world_describes_itself() -> None:
    assert world(X, name="mine", factors=np.arange(20) % 4).describe() == (
        f"own array: 20 observations of shape 6, 480 bytes\n"
        f"values {X.min():.4g} to {X.max():.4g}, mean {X.mean():.4g}, standard deviation {X.std(ddof=1):.4g}\n"
        "factors: factor 1 (4 values)"
    )
    many = world(X, factors=rng.integers(0, 9, (20, 8)))
    assert many.describe().endswith("values) and 2 more")
    assert world((X * 60).clip(0, 255).astype(np.uint8)).describe().endswith("factors: none known")


def test_the_mean_of_scaled_columns_is_zero_in_words() -> None:
    """Not the rounding of float32, such as 3.487e-09."""
    table = pd.DataFrame(rng.normal(50, 9, (189, 9))).add_prefix("c")
    assert ", mean 0, standard deviation 1\n" in world(table).describe()


def test_contents_of_a_folder_with_names_that_are_no_utf8(tmp_path) -> None:
    """Such names are refused where the images are read; a run on other data asks for the contents first."""
    for name in (b"\xe9.png", b"\xe8.png"):
        folder = os.path.join(os.fsencode(tmp_path), name[:1].hex().encode())
        os.mkdir(folder)
        with open(os.path.join(folder, name), "wb") as file:
            file.write(b"x")
    assert len({contents(str(each)) for each in tmp_path.iterdir()} - {b""}) == 2


def test_a_folder_written_like_a_name_is_named(tmp_path, monkeypatch):
    (tmp_path / "photos").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        InputError, match=r"no world 'photos', but a file or folder: write it as a path, \./photos"
    ):
        world("photos")


def test_what_cannot_be_read_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(self: Path, **_: Any) -> Path:
        raise PermissionError(13, "Permission denied", str(self))

    path = tmp_path / "table.csv"
    path.write_text("a,b\n1,2\n2,3\n")
    monkeypatch.setattr(Path, "resolve", denied)
    for read in (world, contents):
        with pytest.raises(InputError, match=r"table\.csv cannot be read: Permission denied\."):
            read(str(path))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.nii.gz", r"nibabel.load\('a.nii.gz'\)"),
        ("a.mha", "SimpleITK.ReadImage"),
        ("a.CZI", "czifile.imread"),
        ("a.fcs", "flowio reads it: save its numbers"),
        ("a.fastq.gz", "--tokens characters"),
        ("a.nwb", "if it is HDF5, call it a.h5"),
    ],
)
def test_a_format_that_is_not_read_names_what_reads_it(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / name).write_bytes(b"\0\1\2")
    with pytest.raises(InputError, match=said):
        world(tmp_path / name)


def test_a_folder_of_files_that_are_not_read_names_what_reads_them(tmp_path: Path) -> None:
    for i in range(3):
        (tmp_path / f"s{i}.nii.gz").write_bytes(b"\0")
    (tmp_path / "about.md").touch()
    said = r"it holds 3 \.nii\.gz, 1 \.md: save the array of nibabel\.load\('s0\.nii\.gz'\).* \(numpy\.stack\)\.$"
    with pytest.raises(InputError, match=said):
        world(tmp_path)


@pytest.mark.parametrize("suffix", ["npz", "h5", "mat"])
def test_labels_beside_the_observations_are_told_of(tmp_path: Path, suffix: str) -> None:
    path, arrays = tmp_path / f"x.{suffix}", {"X": X, "y": np.arange(20) % 3, "seconds": np.arange(7.0)}
    if suffix == "npz":
        np.savez(path, **arrays)
    elif suffix == "mat":
        scipy.io.savemat(path, arrays)
    else:
        with h5py.File(path, "w") as file:
            file.update(arrays)
    (notice,) = world(path).notices
    assert (
        notice
        == "a value for each observation is not used: y; factors=['y'] (--factors y) takes it as a factor"
    )
    taken = world(path, factors=["y"])
    assert (taken.factor_names, taken.notices) == (("y",), ())

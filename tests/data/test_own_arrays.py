"""Own data: every accepted shape and type, and one sentence for each thing that can be wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from prismae import Autoencoder, metrics
from prismae.data import world
from prismae.data.storage import BitPacked, Dense
from prismae.errors import InputError

rng = np.random.default_rng(0)
GREY = rng.integers(0, 256, size=(6, 5, 7), dtype=np.uint8)
COLOUR = rng.integers(0, 256, size=(6, 5, 7, 3), dtype=np.uint8)
TABLE = rng.normal(size=(6, 4))


def everything(source: Any, **options: Any) -> np.ndarray:
    made = world(source, **options)
    return made.data[torch.arange(len(made))].numpy()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int32, np.int64])
def test_tables_become_float32(dtype: type) -> None:
    table = (TABLE * 100).astype(dtype)
    drawn = everything(table)
    assert drawn.dtype == np.float32
    np.testing.assert_allclose(drawn, table.astype(np.float32))


def test_grey_images_get_a_channel_and_bytes_are_scaled() -> None:
    made = world(GREY)
    assert isinstance(made.data, Dense)
    assert made.data.values.dtype == torch.uint8
    assert made.shape == (1, 5, 7)
    np.testing.assert_allclose(everything(GREY)[:, 0], GREY / 255, rtol=1e-6)


def test_channels_may_come_first_or_last() -> None:
    first = np.moveaxis(COLOUR, 3, 1)
    assert world(COLOUR).shape == world(first).shape == (3, 5, 7)
    np.testing.assert_array_equal(everything(COLOUR), everything(first))


@pytest.mark.parametrize("x", [GREY > 99, (GREY > 99).astype(np.uint8), torch.from_numpy(GREY > 99)])
def test_binary_images_are_kept_as_bits_and_drawn_as_zero_and_one(x: Any) -> None:
    assert isinstance(world(x).data, BitPacked)
    np.testing.assert_array_equal(everything(x)[:, 0], GREY > 99)


@settings(deadline=None, max_examples=40)
@given(
    hnp.arrays(
        np.float64,
        st.tuples(st.integers(2, 6), st.integers(1, 6)),
        elements=st.floats(-1e6, 1e6, width=32),
        unique=True,
    )
)
def test_any_varying_table_goes_in_and_out(x: np.ndarray) -> None:
    made = world(x)
    back = made.kind.given_back(everything(made), made.shape)
    np.testing.assert_allclose(back, x, rtol=1e-6, atol=1e-6 * np.abs(x).max())


def test_tensors_are_welcome_and_gradients_are_dropped() -> None:
    x = torch.tensor(TABLE, requires_grad=True)
    np.testing.assert_allclose(everything(x), TABLE, rtol=1e-6)
    assert everything(torch.tensor(TABLE, dtype=torch.bfloat16)).dtype == np.float32


OTHER_TENSORS = {
    "float8": lambda: torch.tensor(TABLE).to(torch.float8_e4m3fn),
    "a part of conjugates": lambda: -torch.complex(torch.tensor(TABLE), torch.tensor(TABLE)).conj().imag,
    "bfloat16": lambda: torch.tensor(TABLE, dtype=torch.bfloat16),
}


@pytest.mark.parametrize("case", OTHER_TENSORS)
def test_tensors_of_types_that_numpy_lacks_are_numbers_everywhere(case: str) -> None:
    x = OTHER_TENSORS[case]()
    np.testing.assert_allclose(everything(x), TABLE, rtol=0.1, atol=0.1)
    assert Autoencoder("ae", n_latents=1, steps=1, batch=2).fit(x).transform(x).shape == (6, 1)
    assert np.isfinite(metrics.mig(x.repeat(4, 1), np.arange(24) % 2))


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (torch.eye(6).to_sparse(), r"sparse tensor .* x\.to_dense\(\)"),
        (torch.eye(6).to_sparse_csr(), r"sparse tensor .* x\.to_dense\(\)"),
        (torch.empty(6, 2, device="meta"), "the device meta"),
        (torch.nested.as_nested_tensor([torch.ones(3, 2), torch.ones(4, 2)], layout=torch.jagged), "nested"),
        (torch.eye(6, dtype=torch.cfloat), r"numpy\.abs\(x\)"),
        (pd.DataFrame({None: [1.0, 2.0, 4.0], "b": [1.0, 2.0, 5.0]}), r"table\.columns\.astype\(str\)"),
    ],
    ids=["sparse", "csr", "meta", "nested", "complex", "a name that is none"],
)
def test_what_is_not_taken_is_one_sentence_of_both_faces(x: Any, said: str) -> None:
    for read in (world, Autoencoder("ae", n_latents=1, steps=1).fit):
        with pytest.raises(InputError, match=said):
            read(x)


@pytest.mark.parametrize("x", [TABLE.astype(np.float32), GREY.copy()])
def test_a_world_does_not_change_with_the_array_it_came_from(x: np.ndarray) -> None:
    made = world(x)
    before = made.data[torch.arange(6)]
    x[:] = 7
    assert torch.equal(made.data[torch.arange(6)], before)


def test_factors_names_and_kinds() -> None:
    made = world(TABLE, factors=np.arange(6))
    assert made.factors is not None
    assert (made.factors.shape, made.factor_names, made.factor_kinds) == (
        (6, 1),
        ("factor 1",),
        ("categorical",),
    )
    made = world(TABLE, factors=torch.rand(6, 2), factor_names=("a", "b"), name="mine")
    assert (made.name, made.factor_names, made.factor_kinds) == ("mine", ("a", "b"), ("continuous",) * 2)
    made = world(TABLE, factors=np.arange(6), factor_kinds=["continuous"])
    assert made.factor_kinds == ("continuous",)


# Files


def test_npy(tmp_path: Path) -> None:
    np.save(tmp_path / "mine.npy", TABLE)
    made = world(tmp_path / "mine.npy", factors=np.arange(6))
    assert (made.name, made.source, made.factor_sizes) == ("mine", "own file mine.npy", (6,))
    np.testing.assert_allclose(everything(str(tmp_path / "mine.npy")), TABLE, rtol=1e-6)


@pytest.mark.parametrize("key", ["x", "images", "data", "observations", "anything"])
def test_npz_with_factors(tmp_path: Path, key: str) -> None:
    arrays: dict[str, Any] = {
        key: TABLE,
        "factors": np.arange(12).reshape(6, 2),
        "factor_names": ["colour", "size"],
        "factor_kinds": ["categorical", "continuous"],
    }
    np.savez(tmp_path / "mine.npz", **arrays)
    made = world(tmp_path / "mine.npz")
    assert made.factor_names == ("colour", "size")
    assert made.factor_kinds == ("categorical", "continuous")
    np.testing.assert_allclose(everything(tmp_path / "mine.npz"), TABLE, rtol=1e-6)
    assert world(tmp_path / "mine.npz", factors=np.arange(6)).factor_names == ("factor 1",)


def test_the_usual_key_is_preferred_to_others(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", x=TABLE, weights=np.ones(3))
    assert world(tmp_path / "mine.npz").shape == (4,)


# Bad input

holed = TABLE.copy()
holed[2, 1], holed[4, 0], holed[5, 3] = np.nan, np.inf, -np.inf
one_empty = TABLE.copy()
one_empty[:, 2] = np.nan

BAD_ARRAYS = [
    (
        holed,
        "2 values are infinite or beyond 1e+38, the first at index [4, 0]; expected finite numbers of",
    ),
    (one_empty, "1 of 4 columns have no values (2): leave them out."),
    (TABLE * 1e300, "24 values are infinite or beyond 1e+38, the first at index [0, 0]"),
    (np.ones(5), "observations of shape (5,) cannot be used, expected [n, d] vectors or series"),
    (np.ones((2, 2, 2, 2, 2, 2)), "observations of shape (2, 2, 2, 2, 2, 2) cannot be used"),
    (np.ones((2, 2, 2, 2, 2)), "observations of shape (2, 2, 2, 2) may be volumes with channels first"),
    (
        np.ones((4, 5, 6, 7)),
        "observations of shape (5, 6, 7) may be images of 5 channels or volumes: say axes='chw'",
    ),
    (TABLE[:1], "observations of shape (1, 4), expected at least two and none empty."),
    (np.ones((4, 0)), "observations of shape (4, 0), expected at least two and none empty."),
    (np.tile(TABLE[:1], (9, 1)), "all 9 observations are equal, so there is nothing to learn."),
    (np.zeros((9, 5, 5), np.uint8), "all 9 observations are equal"),
    (TABLE.astype(object), "values of type object cannot be used, expected numbers: x.astype(float), or"),
    (TABLE.astype(str), "values of type <U32 cannot be used, expected numbers: x.astype(float) makes"),
    (
        TABLE.astype("M8[D]"),
        "values of type datetime64[D] cannot be used, expected numbers: (x - x.min()) /",
    ),
    (TABLE.astype(complex), "values of type complex128 cannot be used, expected numbers: numpy.abs(x), or"),
]


@pytest.mark.parametrize(("x", "sentence"), BAD_ARRAYS, ids=[sentence[:30] for _, sentence in BAD_ARRAYS])
def test_bad_arrays_get_one_sentence(x: np.ndarray, sentence: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"World 'array': {sentence}")):
        world(x)


def test_constant_pixels_are_welcome() -> None:
    images = GREY.reshape(6, -1).copy()
    images[:, 0] = 0  # as in the corners of handwritten digits
    assert world(images).shape == (35,)


def test_constant_columns_come_back_as_the_constant() -> None:
    half = TABLE.copy()
    half[:, [1, 3]] = 5, -0.1
    made = world(half)
    assert made.notices == ("2 of 4 columns are constant (1, 3), and rebuilt as the constant",)
    back = made.kind.given_back(np.zeros((2, 4), np.float32), (4,))
    np.testing.assert_array_equal(back, np.float32([[0, 5, 0, -0.1]] * 2))


def test_what_is_masked_is_missing() -> None:
    masked = np.ma.masked_greater(TABLE, 1.0)
    np.testing.assert_array_equal(everything(masked), np.where(TABLE > 1.0, np.nan, TABLE).astype(np.float32))
    np.testing.assert_array_equal(everything(np.ma.array(TABLE)), TABLE.astype(np.float32))


def test_records_and_a_column_are_tables(tmp_path: Path) -> None:
    table = pd.DataFrame({"a": [1.5, 2.5, 5.0], "s": ["x", "y", "x"]})
    np.testing.assert_array_equal(everything(table.to_records(index=False)), everything(table))
    np.testing.assert_array_equal(everything(table["a"]), everything(table[["a"]]))


def test_records_in_files_are_the_table_that_they_are_in_memory(tmp_path: Path) -> None:
    kinds = [("a", ">f8"), ("s", "S8"), ("place", [("at", "f4", 2)]), ("label", "i4")]
    x = np.zeros(12, kinds)
    x["a"], x["s"] = np.linspace(0, 3, 12), ["ü".encode(), b"yes"] * 6
    x["place"]["at"], x["label"] = np.random.default_rng(0).normal(size=(12, 2)), np.arange(12) % 3
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "x.npz", X=x, other=np.zeros((12, 2)))
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["group/table"] = x
        file["text"] = x.astype([kinds[0], ("s", h5py.string_dtype()), *kinds[2:]])
    plain = pd.DataFrame(
        {
            "a": x["a"].astype(float),
            "s": ["ü", "yes"] * 6,
            "place/at 1": x["place"]["at"][:, 0],
            "place/at 2": x["place"]["at"][:, 1],
            "label": x["label"],
        }
    )
    expected = world(plain, factors="label", categorical="s")
    for source in (x, "x.npy", "x.npz", "x.h5:group/table", "x.h5:text"):
        given = f"{tmp_path}/{source}" if isinstance(source, str) else source
        made = world(given, factors="label", categorical="s")
        np.testing.assert_array_equal(everything(made), everything(expected))
        assert (made.columns, made.factor_names) == (expected.columns, ("label",))
    np.testing.assert_array_equal(everything(x), everything(plain))
    with pytest.raises(InputError, match=r"x.npy holds records, which are a table, so axes cannot be given"):
        world(tmp_path / "x.npy", axes="hw")


class Lazy:
    def collect(self) -> None:
        """As of polars."""


OTHERS: dict[str, tuple[Any, str]] = {
    "a mapping": (
        {"a": [1.0, 2.0]},
        "dict is no table or array that is read: pandas.DataFrame(x) makes one of it.",
    ),
    "rows as mappings": ([{"a": 1.0}], "pandas.DataFrame(x) makes one of it."),
    "sentences": (
        ["a cat sat", "a dog ran"],
        "write texts into a .txt file, each in a line, and give prismae.world of its path.",
    ),
    "a generator": (iter(TABLE), "numpy.stack(list(x)) makes one of it."),
    "a column of Arrow": (pa.array([1.0, 2.0]), "give a table with it as a column."),
    "tensors": (torch.utils.data.TensorDataset(torch.zeros(3, 2)), "give the tensor of its observations."),
    "what is computed later": (
        Lazy(),
        "Lazy is no table or array that is read: x.collect() makes one of it.",
    ),
}


@pytest.mark.parametrize("case", OTHERS)
def test_objects_that_are_no_data_are_refused_with_what_makes_some(case: str) -> None:
    given, sentence = OTHERS[case]
    for use in (world, Autoencoder("vae", steps=1).fit):
        with pytest.raises(InputError, match=re.escape(sentence)):
            use(given)


def test_missing_values_are_noted_and_kept() -> None:
    gaps = TABLE.copy()
    gaps[3, 2] = gaps[4, 2] = gaps[0, 1] = np.nan
    made = world(gaps)
    assert made.kind.lacking == (1, 2)
    assert made.notices == ("3 of 24 values are missing (NaN)",)
    np.testing.assert_array_equal(everything(gaps), gaps.astype(np.float32))
    assert made.summary.mean == pytest.approx(np.nanmean(gaps), rel=1e-6)
    assert made.summary.std == pytest.approx(np.nanstd(gaps, ddof=1), rel=1e-6)
    assert made.summary.low == pytest.approx(np.nanmin(gaps), rel=1e-6)


BAD_FACTORS: list[tuple[dict[str, Any], str]] = [
    ({"factors": np.arange(5)}, "factors of shape (5, 1), expected [6] or [6, k]."),
    ({"factors": np.ones((6, 2, 2))}, "factors of shape (6, 2, 2), expected [6] or [6, k]."),
    (
        {"factors": np.array(list("abcdef"), "S1")},
        "factors: values of type |S1 cannot be used, expected numbers.",
    ),
    (
        {"factors": np.full(6, np.nan)},
        "factors: 6 values are NaN, infinite or beyond 1e+38, the first at index [0]",
    ),
    ({"factors": np.arange(6), "factor_names": ["a", "b"]}, "with the names a, b and the kinds categorical"),
    ({"factors": np.ones((6, 2)), "factor_names": ["a", "a"]}, "expected 2 different names and 2 kinds."),
    ({"factors": np.arange(6), "factor_kinds": ["ordinal"]}, "kinds ordinal, expected 'categorical' or"),
    ({"factor_names": ["a"]}, "factor names or kinds were given without factors."),
]


@pytest.mark.parametrize(
    ("options", "sentence"), BAD_FACTORS, ids=[sentence[:30] for _, sentence in BAD_FACTORS]
)
def test_bad_factors_get_one_sentence(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=re.escape(sentence)):
        world(TABLE, **options)


@pytest.mark.parametrize("kind", ["Int64", "int32", "Float64", "boolean", "string"])
def test_factors_of_pandas_have_their_values_names_and_kinds(kind: str) -> None:
    column = pd.Series([0, 1, 0, 1, 1, 0], name="side").astype(kind if kind != "string" else str).astype(kind)
    for factors in (column, column.to_frame()):
        made = world(TABLE, factors=factors)
        assert made.factors is not None
        np.testing.assert_array_equal(made.factors[:, 0], [0, 1, 0, 1, 1, 0])
        assert made.factor_names == ("side",)
        assert made.factor_kinds == ("continuous" if kind == "Float64" else "categorical",)
    assert world(TABLE, factors=column.array).factor_names == ("factor 1",)
    with pytest.raises(InputError, match="factor 'side' lacks a value, the first in row 3"):
        world(TABLE, factors=column.mask(np.arange(6) == 2))
    two = world(TABLE, factors=pd.DataFrame({"side": column, "age": np.arange(6) / 4}))
    assert two.factor_names == ("side", "age")
    assert two.factor_kinds[1] == "continuous"


def test_a_missing_path(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=re.escape(f"There is no file or folder {tmp_path / 'mine.npz'}.")):
        world(tmp_path / "mine.npz")


def test_another_format(tmp_path: Path) -> None:
    path = tmp_path / "mine.dat"
    path.write_text("1,2\n")
    with pytest.raises(
        InputError,
        match=r"cannot be read as a world: call it \.csv or .*; expected a \.npy, \.npz",
    ):
        world(str(path))


@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_pickled_files_are_never_loaded(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"mine.{suffix}"
    x = np.array([{"a": 1}, {"b": 2}], dtype=object)
    np.save(path, x) if suffix == "npy" else np.savez(path, x=x)
    with pytest.raises(InputError, match="holds pickled Python objects, which are never loaded"):
        world(path)


@pytest.mark.parametrize("suffix", ["npy", "npz"])
@pytest.mark.parametrize("keep", [0, 0.5])
def test_truncated_files(tmp_path: Path, suffix: str, keep: float) -> None:
    path = tmp_path / f"mine.{suffix}"
    np.save(path, TABLE) if suffix == "npy" else np.savez_compressed(path, x=TABLE)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(InputError, match="is corrupted or no NumPy file"):
        world(path)


def test_a_flipped_byte_in_a_npz(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, x=rng.normal(size=(50, 50)))
    content = bytearray(path.read_bytes())
    content[5000] ^= 255
    path.write_bytes(content)
    with pytest.raises(InputError, match="is corrupted or no NumPy file"):
        world(path)


def test_a_npz_without_clear_observations(tmp_path: Path) -> None:
    np.savez(tmp_path / "two.npz", a=TABLE, b=TABLE)
    with pytest.raises(InputError, match=re.escape("holds 'a' (6, 4), 'b' (6, 4): expected the observ")):
        world(tmp_path / "two.npz")
    np.savez(tmp_path / "none.npz", factors=np.arange(6))
    with pytest.raises(InputError, match="holds no arrays: expected the observations"):
        world(tmp_path / "none.npz")


def test_what_is_masked_of_records_is_missing() -> None:
    rng = np.random.default_rng(0)
    records = np.zeros(20, dtype=[("a", "f4"), ("k", "i4", 2), ("s", "U3")])
    records["a"], records["k"], records["s"] = (
        rng.normal(size=20),
        rng.integers(0, 9, (20, 2)),
        ["x", "yy"] * 10,
    )
    masked = np.ma.array(records)
    masked["a"][3] = masked["k"][4, 1] = masked["s"][5] = np.ma.masked
    made = world(masked)
    assert made.notices == ("3 values are missing, in 'a', 'k 2', 's'",)
    assert any(each.endswith("yy (9), 1 of 20 missing") for each in made.columns)


@pytest.mark.parametrize("value", [-999, -9999, -32768, 1e20])
@pytest.mark.parametrize("shape", [(40, 5), (40, 60), (40, 6, 7), (40, 3, 8, 8)])
def test_a_value_far_from_the_others_that_often_stands_for_a_missing_one_is_told(value, shape):
    draw = np.random.default_rng(0)
    x = draw.normal(20, 3, shape).astype(np.float32)
    x[draw.random(shape) < 0.05] = value
    said = f"{np.float32(value):g} is {(x == np.float32(value)).sum():,} of {x.size:,} values, far from the others"
    assert [said] == [note.partition(":")[0] for note in world(x).notices if "missing" in note]
    x[x == np.float32(value)] = 25
    assert not any("missing" in note for note in world(x).notices)


def test_a_column_of_its_own_unit_is_held_to_its_own_values():
    x = np.random.default_rng(0).normal([1e5, 1], [2e4, 0.2], (60, 2))
    x[3:6, 1] = -999
    assert any(note.startswith("-999 is 3 of 120 values") for note in world(x).notices)
    x[:, 1] = np.arange(60) % 2 * 99  # two values alone: neither is far from the others
    assert not any("missing" in note for note in world(x).notices)


def test_bytes_of_images_that_use_little_of_their_range_are_told():
    x = np.random.default_rng(0).integers(0, 17, (30, 8, 8), np.uint8)
    assert any(note.startswith("the greatest byte is 16, of 255") for note in world(x).notices)
    for other in (x // 16, x * 15, x / 16, x.reshape(30, 64)):
        assert not any("greatest byte" in note for note in world(other).notices)

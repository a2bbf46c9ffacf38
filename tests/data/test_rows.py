"""Sparse matrices, AnnData, Zarr and MATLAB files, and which array of a file is taken: as if they were dense arrays."""

import h5py
import numpy as np
import pytest
import scipy.sparse as sp
import torch
import zarr
from scipy.io import savemat

import prismae as pr
from prismae.data import rows
from prismae.data.moments import Moments
from prismae.data.rows import Held, Npy, Sparse, SparseGroup, as_rows
from prismae.errors import InputError

rng = np.random.default_rng(0)
DENSE = (rng.poisson(0.4, (40, 7)) * rng.integers(1, 9, (40, 7))).astype(np.float32)
DENSE[:, 3] = 0
TYPES = ["T", "B", "NK"]
CODES = rng.integers(0, 3, 40)
FAST = {"n_latents": 2, "steps": 3, "batch": 8, "net": "mlp:width=8", "device": "cpu"}


def values(world):
    return world.data[torch.arange(len(world))].numpy()


def write_sparse(file, name, x, kind="csr"):
    """A sparse matrix as AnnData 0.8 and later writes it."""
    made = getattr(sp, f"{kind}_array")(x)
    group = file.create_group(name)
    group.attrs.update({"encoding-type": f"{kind}_matrix", "encoding-version": "0.1.0", "shape": made.shape})
    for part in ("data", "indices", "indptr"):
        group[part] = getattr(made, part)


def write_anndata(path, x, kind="csr"):
    with h5py.File(path, "w") as file:
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        if kind == "dense":
            file["X"] = x
        else:
            write_sparse(file, "X", x, kind)
        write_sparse(file, "layers/counts", 2 * x)
        file["obsm/X_pca"] = x[:, :5]
        for table, index in (
            ("obs", [f"cell {i}" for i in range(len(x))]),
            ("var", [f"gene {i}" for i in range(7)]),
        ):
            group = file.require_group(table)
            group.attrs.update({"encoding-type": "dataframe", "_index": "_index", "column-order": []})
            group["_index"] = index
        types = file.create_group("obs/cell_type")
        types.attrs["encoding-type"] = "categorical"
        types["codes"], types["categories"] = CODES.astype(np.int8), TYPES
        file["obs/n_genes"] = (x > 0).sum(1)


@pytest.mark.parametrize("kind", ["csr", "csc", "dense"])
def test_anndata_is_read_with_the_names_of_its_cells_and_columns_of_obs(kind, tmp_path):
    path = tmp_path / "cells.h5ad"
    write_anndata(path, DENSE, kind)
    world = pr.world(path, factors=["cell_type"])
    np.testing.assert_array_equal(values(world), DENSE)
    assert world.called[3] == "cell 3"
    order = sorted(TYPES)
    np.testing.assert_array_equal(world.factors[:, 0], [order.index(TYPES[code]) for code in CODES])
    said = "the array 'X' is taken of cells.h5ad, which also holds layers/counts, obsm/X_pca: cells.h5ad:layers/counts"
    assert said in world.notices
    np.testing.assert_array_equal(values(pr.world(f"{path}:layers/counts")), 2 * DENSE)
    np.testing.assert_array_equal(values(pr.world(f"{path}:obsm/X_pca")), DENSE[:, :5])
    with pytest.raises(InputError, match="did you mean 'cell_type'"):
        pr.world(path, factors=["cell_typ"])


def test_a_sparse_group_is_not_passed_over_for_another_array(tmp_path):
    write_anndata(tmp_path / "cells.h5", DENSE)
    assert pr.world(tmp_path / "cells.h5").shape == (7,)


def as_zarr(source, path):
    """A file of HDF5 as a folder of Zarr."""
    made = zarr.open_group(str(path), mode="w")

    def copy(name, item):
        if isinstance(item, h5py.Group):
            made.require_group(name).attrs.update(
                {key: np.asarray(each).tolist() for key, each in item.attrs.items()}
            )
        else:
            texts = h5py.check_string_dtype(item.dtype)
            made.create_array(
                name, data=np.asarray(item.asstr()[()], np.dtypes.StringDType()) if texts else item[()]
            )

    names = []
    with h5py.File(source, "r") as file:
        file.visit(names.append)
        for name in names:  # while `visititems` calls, h5py holds a lock that the thread of Zarr may wait for
            copy(name, file[name])


@pytest.mark.parametrize("kind", ["csr", "csc", "dense"])
def test_anndata_in_zarr_is_read_as_in_hdf5(kind, tmp_path):
    write_anndata(tmp_path / "cells.h5ad", DENSE, kind)
    as_zarr(tmp_path / "cells.h5ad", tmp_path / "cells.zarr")
    world, expected = (
        pr.world(tmp_path / name, factors=["cell_type"]) for name in ("cells.zarr", "cells.h5ad")
    )
    np.testing.assert_array_equal(values(world), values(expected))
    np.testing.assert_array_equal(world.factors, expected.factors)
    assert world.called.tolist() == expected.called.tolist()
    assert [each.replace("zarr", "h5ad") for each in world.notices] == list(expected.notices)


def test_columns_and_names_of_anndata_of_which_some_may_be_missing(tmp_path):
    """As AnnData writes pandas' Int64, boolean and texts."""
    write_anndata(tmp_path / "x.h5ad", DENSE)
    columns = {
        "_index": ("string-array", [f"c {i}" for i in range(40)], np.zeros(40, bool)),
        "depth": ("integer", CODES, np.zeros(40, bool)),
        "lacks": ("integer", CODES, CODES == 1),
        "donor": ("string-array", ["ab"[code % 2] for code in CODES], np.zeros(40, bool)),
    }
    with h5py.File(tmp_path / "x.h5ad", "a") as file:
        del file["obs/_index"]
        for name, (kind, known, missing) in columns.items():
            group = file.create_group(f"obs/{name}")
            group.attrs["encoding-type"] = f"nullable-{kind}"
            group["values"], group["mask"] = known, missing
    world = pr.world(tmp_path / "x.h5ad", factors=["depth", "donor"])
    assert world.called[3] == "c 3"
    np.testing.assert_array_equal(world.factors, np.stack([CODES, CODES % 2], 1))
    with pytest.raises(InputError, match=f"factor 'lacks' lacks {(CODES == 1).sum()} values"):
        pr.world(tmp_path / "x.h5ad", factors=["lacks"])


@pytest.mark.parametrize("key", ["table", "deep/table"])
def test_tables_of_pandas_in_hdf5_are_refused_with_what_reads_them(tmp_path, key):
    with h5py.File(tmp_path / "x.h5", "w") as file:  # as DataFrame.to_hdf writes it
        group = file.create_group(key)
        group.attrs["pandas_type"] = "frame"
        group["block0_values"], group["block1_values"] = DENSE[:, :3], DENSE[:, 3:]
    with pytest.raises(InputError, match=f"give pandas.read_hdf\\('x.h5', '{key}'\\) to pr.world"):
        pr.world(tmp_path / "x.h5")


def test_a_sparse_tensor_is_refused_with_what_makes_numbers_of_it():
    with pytest.raises(InputError, match=r"x\.to_dense\(\)"):
        pr.world(torch.eye(6).to_sparse())


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "bsr", "lil"])
def test_sparse_matrices_train_as_dense_ones(kind, tmp_path):
    dense, given = pr.Autoencoder("vae", **FAST), pr.Autoencoder("vae", **FAST)
    with pytest.warns(pr.errors.DataWarning, match="1 of 7 columns is constant"):
        dense.fit(DENSE)
    x = getattr(sp, f"{kind}_array")(DENSE)
    with pytest.warns(pr.errors.DataWarning):
        given.fit(x)
    np.testing.assert_array_equal(given.transform(x), dense.transform(DENSE))
    assert given.score(x) == dense.score(DENSE)
    with pytest.raises(InputError, match="X has 6 features, but Autoencoder is expecting 7"):
        given.transform(x.tocsr()[:, :6])
    if kind in ("csr", "csc", "coo"):
        sp.save_npz(tmp_path / "x.npz", x)
        np.testing.assert_array_equal(values(pr.world(tmp_path / "x.npz")), DENSE)


@pytest.mark.parametrize("nested", [False, True])
def test_zarr(nested, tmp_path):
    path = tmp_path / "x.zarr"
    if nested:
        group = zarr.open_group(str(path), mode="w")
        group.create_array("raw/images", data=DENSE, chunks=(9, 3))
        group.create_array("kind", data=CODES)
        world = pr.world(f"{path}:raw/images", factors=["kind"])
        np.testing.assert_array_equal(world.factors[:, 0], CODES)
    else:
        zarr.create_array(str(path), data=DENSE, chunks=(9, 3))
        world = pr.world(path)
    np.testing.assert_array_equal(values(world), DENSE)
    again = pr.world(
        zarr.open(str(path), mode="r")["raw/images"] if nested else zarr.open(str(path), mode="r")
    )
    np.testing.assert_array_equal(values(again), DENSE)


def test_matlab(tmp_path):
    savemat(
        tmp_path / "x.mat", {"signals": DENSE, "subject": CODES, "note": "a text", "S": sp.csc_array(DENSE)}
    )
    with pytest.raises(InputError, match=r"holds 'signals' \(40, 7\), 'S' \(40, 7\)"):
        pr.world(tmp_path / "x.mat")
    world = pr.world(f"{tmp_path}/x.mat:signals", factors=["subject"])
    np.testing.assert_array_equal(values(world), DENSE)
    np.testing.assert_array_equal(world.factors[:, 0], CODES)
    np.testing.assert_array_equal(values(pr.world(f"{tmp_path}/x.mat:S")), DENSE)
    with h5py.File(
        tmp_path / "new.mat", "w", userblock_size=512
    ) as file:  # version 7.3: axes in the other order
        file["X"] = DENSE.T
        file["X"].attrs["MATLAB_class"] = np.bytes_("single")
    with open(tmp_path / "new.mat", "r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file".ljust(124) + bytes([0, 2]) + b"IM")
    np.testing.assert_array_equal(values(pr.world(tmp_path / "new.mat")), DENSE)


@pytest.mark.parametrize(
    ("shape", "options", "order"),
    [
        ((28, 28, 100), {}, "3 1 2"),
        ((28, 28, 1000), {"axes": "hw"}, "3 1 2"),
        ((28, 28, 1000), None, "3 1 2"),
        ((16, 16, 3, 100), None, "4 1 2 3"),
        ((28, 28, 1000), {"series": "channels-first"}, None),
        ((100, 28, 28), {}, None),
        ((20, 12, 30), {}, None),
    ],
)
def test_observations_of_matlab_may_come_last(shape, options, order, tmp_path):
    savemat(tmp_path / "x.mat", {"X": rng.normal(size=shape)})
    said = f"the first axis of {'x'.join(map(str, shape))} is taken for {shape[0]} observations; where the last one"
    if options is None:  # it is not clear what such observations are, so nothing is taken
        with pytest.raises(InputError, match=rf"may be .* Besides, {said}.*permute\(x, \[{order}\]\)"):
            pr.world(tmp_path / "x.mat")
        return
    notices = "; ".join(pr.world(tmp_path / "x.mat", **options).notices)
    assert (said in notices) == (order is not None), notices
    assert order is None or f"permute(x, [{order}])" in notices


def test_data_sets_of_h5py(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["X"] = DENSE
        np.testing.assert_array_equal(values(pr.world(file["X"])), DENSE)


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (DENSE.astype(complex), "values of type complex64|complex128 cannot be used"),
        (np.zeros((4, 2), "datetime64[s]"), "values of type datetime64"),
        (np.zeros((4, 2), [("a", float)]), r"records of shape \(4, 2\), expected one for each row, \[n\]"),
        (np.array([["a", "b"]] * 4), "values of type <U1 cannot be used"),
        (np.array(3.0), r"observations of shape \(\) cannot be used"),
        (np.zeros((0, 4)), r"observations of shape \(0, 4\), expected at least two"),
        (np.zeros((2,) * 6), r"observations of shape \(2, 2, 2, 2, 2, 2\) cannot be used"),
    ],
)
def test_odd_types_and_shapes_have_a_sentence(x, said, tmp_path):
    np.save(tmp_path / "x.npy", x)
    with pytest.raises(InputError, match=said):
        pr.world(tmp_path / "x.npy")


@pytest.mark.parametrize("dtype", ["f2", "f8", ">f4", ">i2", "u8", "?", "i1"])
def test_types_of_numbers_of_a_file_are_read(dtype, tmp_path):
    x = DENSE.clip(0, 1 if dtype == "?" else 100).astype(dtype)
    np.save(tmp_path / "x.npy", x)
    np.testing.assert_array_equal(values(pr.world(tmp_path / "x.npy")), x.astype(np.float32))
    np.save(tmp_path / "x.npy", np.asfortranarray(x))
    np.testing.assert_array_equal(values(pr.world(tmp_path / "x.npy")), x.astype(np.float32))


def test_rows_of_a_file_in_any_order(tmp_path):
    x = rng.normal(size=(500, 100))
    np.save(tmp_path / "x.npy", x)
    rows, some = Npy(tmp_path / "x.npy"), rng.integers(0, 500, 60)
    np.testing.assert_array_equal(rows[some], x[some])
    np.testing.assert_array_equal(rows[10:30:7], x[10:30:7])
    np.testing.assert_array_equal(rows[490:900], x[490:])
    assert rows[[]].shape == (0, 100)
    np.testing.assert_array_equal(as_rows(sp.csr_array(x))[some], x[some])


@pytest.mark.parametrize("seed", range(3))
def test_moments_of_a_sparse_matrix_are_those_of_the_array(seed):
    own = np.random.default_rng(seed)
    dense = own.normal(size=(60, 7)) * (own.random((60, 7)) < 0.3)
    dense[:, 2], dense[:, 3], dense[5, 4] = 1.5, np.nan, np.nan
    rows, columns = np.nonzero(dense)
    twice = (np.r_[dense[rows, columns], 2.0, 3.0], (np.r_[rows, 0, 0], np.r_[columns, 6, 6]))
    matrix = sp.csr_array(sp.coo_array(twice, shape=dense.shape))
    dense[0, 6] += 5.0
    found, expected = (Moments.of(each, lambda part: part, "these") for each in (Sparse(matrix), Held(dense)))
    for name in ("count", "mean", "squares", "low", "high"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-12, atol=1e-12)
    matrix.data[0] = np.inf
    with pytest.raises(InputError, match="these, values that are stored: 1 value is infinite"):
        Moments.of(Sparse(matrix), lambda part: part, "these")


@pytest.mark.parametrize("stored", [1, 7, 50, 10**6], ids=lambda n: f"{n} values at a time")
@pytest.mark.parametrize("kind", ["csr", "csc"])
def test_moments_of_a_sparse_matrix_in_a_file_are_taken_of_what_is_stored(
    tmp_path, monkeypatch, kind, stored
):
    dense = rng.normal(size=(60, 9)) * (rng.random((60, 9)) < 0.3)
    dense[[3, 4, 20, 59]] = 0
    x = sp.csr_array(dense)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        write_sparse(file, "X", x, kind)
    found = SparseGroup(tmp_path / "x.h5", "X")
    monkeypatch.setattr(rows, "STORED", stored)
    assert sum(part.shape[0] for part in found.stored()) == 60
    assert found.used() == ((dense != 0).any(1).sum(), 9)
    expected = Moments.of(Held(dense), lambda part: part, "these")
    monkeypatch.setattr(SparseGroup, "spans", None)  # no row is written out
    of_stored = Moments.of(found, lambda part: part, "these")
    for name in ("count", "mean", "squares", "low", "high"):
        np.testing.assert_allclose(
            getattr(of_stored, name), getattr(expected, name), atol=1e-12, err_msg=name
        )


def test_a_sparse_matrix_that_is_nearly_all_empty_space_is_refused(monkeypatch):
    places = np.arange(50)
    empty = sp.csr_array((np.ones(50), (places * 10**5, places * 10**4)), shape=(10**7, 10**6))
    with pytest.raises(
        InputError, match=r"10,000,000 rows and 1,000,000 columns, of which 50 and 50 have values: leave"
    ):
        pr.world(empty)
    kept = empty[np.unique(empty.nonzero()[0])][:, np.unique(empty.nonzero()[1])]
    assert (len(pr.world(kept)), pr.world(kept).shape) == (50, (50,))
    wide = sp.csr_array((np.ones(10**6), (np.arange(10**6), np.arange(10**6))), shape=(10**6, 10**6))
    wide = sp.vstack([wide] * 8)
    monkeypatch.setattr(rows, "memory", lambda: 24e9)
    with pytest.raises(
        InputError, match=r"8,000,000 rows and 1,000,000 columns would take 32 TB if it was written out"
    ):
        rows.refuse_empty_space(Sparse(wide), "World 'wide'")

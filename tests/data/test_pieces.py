"""Arrays that stay in their file: the same world as in memory, trained in blocks, resumed to the bit."""

import signal
import tracemalloc

import h5py
import numpy as np
import pytest
import scipy.sparse as sp
import torch
import zarr

import prismae as pr
from prismae.data import Table
from prismae.data.pieces import Pieces
from prismae.errors import InputError
from prismae.settings import Training
from prismae.train import Hook, Interrupted, train
from prismae.train.batches import batches_of

rng = np.random.default_rng(0)
N = 300
VECTORS = (rng.normal(size=(N, 2)) @ rng.normal(size=(2, 20))).astype(np.float32)
GAPS = np.where(rng.random((N, 20)) < 0.1, np.nan, VECTORS)
GAPS[:, 4] = 2.0
DATA = {
    "vectors": (VECTORS, {}),
    "gaps": (GAPS, {}),
    "far": (VECTORS.astype(np.float64) + 1e7, {}),
    "whole": (rng.integers(-5, 9, (N, 20)), {}),
    "pixels": (rng.integers(0, 256, (N, 8, 9, 3), np.uint8), {}),
    "bits": (rng.integers(0, 2, (N, 8, 9), np.uint8), {}),
    "grey": (rng.random((N, 1, 8, 9)), {}),
    "channels": (rng.normal(size=(N, 40, 3)) * [1, 100, 0] + [0, 5, 7], {"series": "channels-last"}),
    "series": (rng.normal(size=(N, 40)), {"series": "channels-first"}),
}


@pytest.fixture
def small(monkeypatch):
    """What is larger than 1 kB is large, and blocks hold about 2 kB."""
    monkeypatch.setattr("prismae.data.rows.WHOLE", 1000)
    monkeypatch.setattr("prismae.data.pieces.BLOCK", 2000)
    monkeypatch.setattr("prismae.train.batches.TOGETHER", 3)


def written(path, x, how):
    if how == "npy":
        np.save(path / "x.npy", x)
        return path / "x.npy"
    if how == "hdf5":
        with h5py.File(path / "x.h5", "w") as file:
            file.create_dataset("x", data=x, chunks=(7, *x.shape[1:]), compression="gzip")
        return path / "x.h5"
    zarr.create_array(str(path / "x.zarr"), data=x, chunks=(7, *x.shape[1:]))
    return path / "x.zarr"


@pytest.mark.parametrize("what", DATA)
def test_a_world_in_pieces_is_that_in_memory(what, small, tmp_path, monkeypatch):
    x, options = DATA[what]
    path = written(tmp_path, x, "npy")
    world = pr.world(path, **options)
    assert isinstance(world.data, Pieces)
    assert "read in pieces" in world.notices[-1]
    monkeypatch.setattr("prismae.data.rows.WHOLE", 1e9)
    whole = pr.world(path, **options)
    assert world.notices[:-1] == whole.notices
    assert type(world.kind) is type(whole.kind)
    assert world.shape == whole.shape
    if what not in ("far", "channels"):  # their means are taken in another order
        assert world.kind == whole.kind
    rows = torch.from_numpy(rng.permutation(N))
    for data, other in ((world, whole), (world.split(0.3)[1], whole.split(0.3)[1])):
        some = rows[rows < len(data)]
        torch.testing.assert_close(data.data[some], other.data[some], equal_nan=True, rtol=1e-5, atol=1e-5)
        np.testing.assert_array_equal(data.called, other.called)
    for name in ("mean", "std", "low", "high"):
        assert getattr(world.summary, name) == pytest.approx(getattr(whole.summary, name), rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("how", ["npy", "hdf5", "zarr"])
def test_training_is_resumed_to_the_bit(how, small, tmp_path):
    path = written(tmp_path, VECTORS, how)
    world = pr.world(path)
    assert isinstance(world.data, Pieces)
    fast = {"n_latents": 2, "batch": 16, "net": "mlp:width=8", "device": "cpu"}
    model = pr.Autoencoder("beta-tcvae", steps=60, **fast).fit(world)
    short = pr.Autoencoder("beta-tcvae", steps=25, warm_start=True, **fast).fit(pr.world(path))
    again = short.set_params(steps=60).fit(pr.world(path))
    np.testing.assert_array_equal(model.transform(world), again.transform(VECTORS))
    assert model.score(world) == pytest.approx(model.score(VECTORS), abs=1e-6)
    assert 0 < len(world.data.held) <= 3


def test_a_run_that_was_stopped_goes_on_to_the_bit(small, tmp_path):
    world, method = pr.world(written(tmp_path, VECTORS, "npy")), pr.VAE()
    training = Training(n_latents=2, net="mlp:width=8", likelihood="gaussian", steps=60, batch=16, lr=1e-3)
    whole = train(method, world, training, device="cpu").ae
    stop = Hook(on_step=lambda now: signal.raise_signal(signal.SIGINT), at=[37])
    state = tmp_path / "state.safetensors"
    with pytest.raises(Interrupted):
        train(method, world, training, device="cpu", checkpoint=state, hooks=[stop])
    again = pr.world(tmp_path / "x.npy")
    assert isinstance(again.data, Pieces)
    found = train(method, again, training, device="cpu", checkpoint=state).ae.state_dict()
    for name, value in whole.state_dict().items():
        assert torch.equal(value, found[name]), name


def test_every_row_is_drawn_once_in_an_epoch_and_rows_of_a_pool_are_mixed(small, tmp_path):
    kept, held = pr.world(written(tmp_path, VECTORS, "npy")).split(0.2)
    batches = batches_of(kept, 16, 0, 0, torch.device("cpu"))
    drawn = torch.cat([batches[i] for i in range(15)]).numpy()
    assert sorted(drawn) == list(range(240))
    other = torch.cat([batches[i] for i in range(15, 30)]).numpy()
    assert sorted(other) == list(range(240))
    assert not np.array_equal(drawn, other)
    np.testing.assert_array_equal(batches[3], batches_of(kept, 16, 0, 0, torch.device("cpu"))[3])
    assert isinstance(kept.data, Pieces)
    blocks = kept.data.blocks()[drawn]
    assert len(set(blocks[:40])) == 3
    assert not set(held.called) & set(kept.called[drawn])


def test_the_order_of_rows_is_that_of_earlier_versions(monkeypatch):
    monkeypatch.setattr("prismae.data.rows.WHOLE", 100)
    monkeypatch.setattr("prismae.data.pieces.BLOCK", 100)
    monkeypatch.setattr("prismae.train.batches.TOGETHER", 2)
    made = pr.world(sp.csr_matrix(np.arange(1, 105.0).reshape(13, 8)))  # in blocks of 3
    batches = batches_of(made, 13, 0, 0, torch.device("cpu"))
    assert batches[0].tolist() == [6, 12, 8, 7, 2, 11, 1, 0, 10, 9, 3, 5, 4]


def test_rows_one_after_the_other_are_those_of_the_file(small, tmp_path):
    world = pr.world(written(tmp_path, VECTORS, "npy"))
    parts = torch.arange(N).split(11)
    np.testing.assert_array_equal(torch.cat([world.data[part] for part in parts]), VECTORS)
    np.testing.assert_array_equal(
        torch.cat([world.data[part] for part in reversed(parts)]), VECTORS[rows_of(parts)]
    )
    assert len(world.data[torch.arange(0)]) == 0


def rows_of(parts):
    return torch.cat([*reversed(parts)]).numpy()


def test_memory_is_that_of_pools_and_not_of_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr("prismae.data.rows.WHOLE", 1 << 20)
    monkeypatch.setattr("prismae.data.pieces.BLOCK", 1 << 16)
    x = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.float64, (40_000, 64))
    x[:] = rng.normal(size=(40_000, 1)) + 0.1 * rng.normal(size=(1, 64))  # 20 MB
    del x
    pr.world(VECTORS)  # what is imported counts nothing
    tracemalloc.start()
    world = pr.world(tmp_path / "x.npy")
    batches = batches_of(world, 64, 0, 0, torch.device("cpu"))
    for i in range(400):
        assert world.data[batches[i]].shape == (64, 64)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6e6


def test_sparse_matrices_are_written_out_in_parts_only(small):
    counts = rng.poisson(0.1, (N, 40))
    world = pr.world(sp.csr_array(counts))
    assert isinstance(world.data, Pieces)
    assert isinstance(world.kind, Table)
    np.testing.assert_array_equal(world.data[torch.arange(N)].numpy(), counts)


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (
            np.where(np.arange(N)[:, None] == 250, np.inf, VECTORS),
            r"1 value is infinite .* \[250, 0\]|20 values .*\[250, 0\]",
        ),
        (np.ones((N, 20)), "all 300 observations are equal"),
        (np.where(np.arange(20) == 3, np.nan, VECTORS), r"1 of 20 columns have no values \(3\)"),
        (np.asfortranarray(VECTORS), "one column after the other"),
        (VECTORS.astype(complex), "values of type complex"),
        (VECTORS.reshape(N, 1, 1, 1, 4, 5), r"observations of shape \(300, 1, 1, 1, 4, 5\) cannot be used"),
    ],
)
def test_what_cannot_be_used_is_refused(x, said, small, tmp_path):
    with pytest.raises(InputError, match=said):
        pr.world(written(tmp_path, x, "npy"))

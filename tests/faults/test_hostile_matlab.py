"""Variables of .mat files that claim more than their file holds, or lie in each other without end: one sentence."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

import prismae as pr
from prismae import _files
from prismae.data import matlab_claims
from prismae.errors import InputError

HEAD = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H", 0x0100) + b"IM"
CELL, STRUCT = 1, 2


def element(kind: int, content: bytes) -> bytes:
    return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)


def variable(kind: int, sides: tuple[int, int], name: bytes, content: bytes = b"") -> bytes:
    about = element(6, struct.pack("<II", kind, 0)) + element(5, struct.pack("<2i", *sides))
    return element(14, about + element(1, name) + content)


def structure(sides: tuple[int, int], fields: int, content: bytes = b"") -> bytes:
    names = b"".join(b"%07x\0" % i for i in range(fields))
    return variable(STRUCT, sides, b"s", struct.pack("<HHI", 5, 4, 8) + element(1, names) + content)


def nested(depth: int) -> bytes:
    """Cell arrays in each other."""
    made = variable(6, (1, 1), b"", element(9, struct.pack("<d", 1)))
    for i in range(depth):
        made = variable(CELL, (1, 1), b"c" if i == depth - 1 else b"", made)
    return made


@pytest.mark.parametrize("packed", [False, True], ids=["", "packed"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            structure((1, 1), 1, variable(CELL, (1, 1 << 29), b"")),
            "536,870,912 entries are claimed, more than",
        ),
        (structure((1, 1 << 20), 1000), "1,048,576,000 entries are claimed, more than"),
        (structure((1, 1), 1001), "a structure has 1,001 fields, expected at most 1,000"),
        (nested(200), "variables lie in each other more than 100 deep"),
        (
            variable(CELL, (1, 1), b"c", struct.pack("<II", 14, 1 << 20) + bytes(48)),
            "larger than that in which",
        ),
    ],
    ids=["a cell array in a structure", "structures", "fields", "nested", "longer than what it is in"],
)
def test_what_a_variable_claims_is_refused_before_scipy_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, said: str, packed: bool
) -> None:
    path, short = tmp_path / "x.mat", zlib.compress(content)
    path.write_bytes(HEAD + (struct.pack("<II", 15, len(short)) + short if packed else content))
    monkeypatch.setattr(matlab_claims, "_MOST_FIELDS", 1000)
    monkeypatch.setattr("prismae.data.matlab_files.loadmat", lambda *_, **__: pytest.fail("it is read"))
    with pytest.raises(InputError, match=f"x.mat is corrupted or no MATLAB file .*{said}"):
        pr.world(path)


@pytest.mark.parametrize("packed", [False, True], ids=["", "packed"])
def test_what_holds_others_and_claims_no_more_is_read(tmp_path: Path, packed: bool) -> None:
    x = np.random.default_rng(0).normal(size=(20, 3))
    cells = np.array([[np.eye(3), "text", np.array([[1, "a"]], dtype=object)]], dtype=object)
    several = np.zeros(3, dtype=[("a", "f8"), ("b", "O")])
    several["b"] = "t"
    everything = {
        "s": {"x": x, "t": {"cells": cells, "empty": np.zeros((0, 3))}},
        "several": several,
        "cells": cells,
    }
    savemat(tmp_path / "x.mat", everything, do_compression=packed)
    assert len(pr.world(f"{tmp_path / 'x.mat'}:s/x")) == 20


def test_more_arrays_than_anybody_looks_at_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    h5py, zarr = pytest.importorskip("h5py"), pytest.importorskip("zarr")
    arrays = {f"a{i}": np.ones((3, 2)) for i in range(6)}
    savemat(tmp_path / "x.mat", arrays)
    np.savez(tmp_path / "x.npz", **arrays)
    group = zarr.open_group(tmp_path / "x.zarr", mode="w")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for name, each in arrays.items():
            file[name] = each
            group.create_array(name, data=each)
    monkeypatch.setattr(_files, "MOST_ARRAYS", 5)
    monkeypatch.setattr("prismae.data.hdf5_zarr.MOST_ARRAYS", 5)
    for name in ("x.mat", "x.npz", "x.zarr", "x.h5"):
        with pytest.raises(InputError, match=f"{name} holds more than 5 arrays or groups"):
            pr.world(tmp_path / name)

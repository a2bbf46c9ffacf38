"""TIFF files whose pages are channels, as ImageJ and OME write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from prismae.data import world
from prismae.errors import InputError

tifffile = pytest.importorskip("tifffile")
IMAGEJ: dict[str, Any] = {"imagej": True}
OME: dict[str, Any] = {"ome": True}


def write(path: Path, axes: str, how: dict[str, Any]) -> Path:
    """Two files of small images; slices are three, times two, channels two."""
    sizes = {"T": 2, "Z": 3, "C": 2, "Y": 16, "X": 16}
    rng = np.random.default_rng(0)
    for i in range(2):
        values = rng.integers(0, 255, [sizes[each] for each in axes], dtype=np.uint8)
        tifffile.imwrite(path / f"{i}.tif", values, photometric="minisblack", metadata={"axes": axes}, **how)
    return path


@pytest.mark.parametrize(
    ("axes", "how", "given"),
    [
        ("CYX", IMAGEJ, "chw"),
        ("ZCYX", IMAGEJ, "dchw"),
        ("CYX", OME, "chw"),
        ("ZCYX", OME, "dchw"),
        ("CZYX", OME, "cdhw"),
    ],
)
def test_channels_in_pages_are_read_with_axes_alone(
    tmp_path: Path, axes: str, how: dict[str, Any], given: str
) -> None:
    folder = write(tmp_path, axes, how)
    with pytest.raises(InputError, match=rf"channels in pages .* --axes {given} reads them as that"):
        world(folder)
    made = world(folder, axes=given)
    assert (len(made), made.shape[0]) == (2, 2)


@pytest.mark.parametrize(
    ("axes", "given", "n"), [("ZCYX", "chw", 3), ("TCYX", "chw", 2), ("TZCYX", "dchw", 2)]
)
def test_the_first_pages_of_a_file_alone_are_observations(
    tmp_path: Path, axes: str, given: str, n: int
) -> None:
    file = write(tmp_path, axes, IMAGEJ) / "0.tif"
    with pytest.raises(InputError, match=rf"channels in pages .* --axes {given} reads them as that"):
        world(file)
    assert len(world(file, axes=given)) == n


def test_a_file_alone_whose_channels_come_first_is_read_by_its_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="give the folder that it lies in with --axes chw"):
        world(write(tmp_path, "CYX", IMAGEJ) / "0.tif")


@pytest.mark.parametrize("how", [IMAGEJ, OME])
def test_two_depths_beside_channels_are_told(tmp_path: Path, how: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="save it as one array"):
        world(write(tmp_path, "TZCYX", how))


@pytest.mark.parametrize("how", [IMAGEJ, OME])
@pytest.mark.parametrize("axes", ["ZYX", "TYX"])
def test_slices_and_times_are_images(tmp_path: Path, axes: str, how: dict[str, Any]) -> None:
    assert len(world(write(tmp_path, axes, how))) == (6 if axes == "ZYX" else 4)

"""Volumes, and images of other than 1, 3 or 4 channels: how their axes are found or said, and what is drawn of them."""

import re
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image
from skimage.color import lab2xyz

import prismae as pr
from prismae.data import Images, Volumes, stacks
from prismae.data.layout import axes_of
from prismae.errors import InputError
from prismae.nets.conv import Conv
from prismae.nets.conv3d import Conv3d
from prismae.runs.slices import middle_slices

RNG = np.random.default_rng(0)


def drawn(world: pr.World) -> np.ndarray:
    return world.data[torch.arange(len(world))].numpy()


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((7,), None),
        ((8, 9), None),
        ((3, 8, 9), None),
        ((8, 9, 4), None),
        ((5, 16, 20), "chw"),
        ((16, 20, 2), "hwc"),
        ((8, 8, 8), "dhw"),
        ((16, 30, 32), "dhw"),
        ((1, 9, 9, 9), "cdhw"),
        ((9, 9, 9, 1), "dhwc"),
    ],
)
def test_axes_are_found_by_the_shape(shape: tuple[int, ...], expected: str | None) -> None:
    assert axes_of((6, *shape), "x") == expected


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        ((12, 64, 64), "may be images of 12 channels or volumes: say axes='chw'"),
        ((64, 64, 12), "may be images of 12 channels or volumes: say axes='hwc'"),
        ((5, 64, 6), "may be images of 5 channels or volumes"),
        ((2, 9, 9, 9), "may be volumes with channels first or last"),
        ((2, 2, 2, 2, 2), "cannot be used"),
    ],
)
def test_where_two_readings_are_as_likely_it_is_asked(shape: tuple[int, ...], sentence: str) -> None:
    with pytest.raises(InputError, match=re.escape(sentence)):
        pr.world(RNG.normal(size=(2, *shape)))


@pytest.mark.parametrize("axes", ["chw", "hwc", "wch", "dhw", "whd", "cdhw", "dhwc", "wdch", "hw"])
def test_axes_that_are_said_are_followed_there_and_back(axes: str) -> None:
    x = RNG.normal(size=(3, *(4 + i for i in range(len(axes)))))
    world = pr.world(x, axes=axes)
    seen = "ncdhw" if "d" in axes else "nchw"
    expected = np.einsum(f"n{axes}->{seen if 'c' in axes else seen.replace('c', '')}", x)
    expected = expected if "c" in axes else expected[:, None]
    np.testing.assert_array_equal(drawn(world), expected.astype(np.float32))
    assert isinstance(world.kind, Volumes if "d" in axes else Images)
    back = world.kind.given_back(drawn(world), x.shape[1:])
    np.testing.assert_array_equal(back, x.astype(np.float32))
    assert world.kind.given_shape(world.shape) == x.shape[1:]


@pytest.mark.parametrize("axes", ["", "h", "hhw", "hwx", "cd"])
def test_what_are_no_axes_is_refused(axes: str) -> None:
    with pytest.raises(InputError, match="axes should have h and w"):
        pr.world(RNG.normal(size=(3, 8, 8, 8)), axes=axes)


def test_axes_of_other_data_are_refused() -> None:
    with pytest.raises(InputError, match="axes='dhw' is for observations of 3 dimensions"):
        pr.world(RNG.normal(size=(3, 8, 8)), axes="dhw")


def test_a_model_of_volumes_keeps_their_form(tmp_path: Path) -> None:
    x = RNG.random((12, 8, 10, 9))
    with pytest.warns(UserWarning, match="8x10x9 is taken for volumes, axes='dhw'"):
        model = pr.Autoencoder("vae", 2, steps=2, batch=4, device="cpu").fit(x)
    assert (model.about_["net"], model.about_["axes"]) == ("conv3d", "dhw")
    assert model.reconstruct(x[:3]).shape == (3, 8, 10, 9)
    model.save(tmp_path / "run", x)
    again = pr.load(tmp_path / "run")
    np.testing.assert_array_equal(again.transform(x[:1]), model.transform(x[:1]))
    assert again.inverse_transform(again.transform(x[:1])).shape == (1, 8, 10, 9)


def test_conv3d_of_one_slice_pattern_is_conv() -> None:
    """Weights that look at the middle of their depth alone make of a constant depth what `conv` makes of a slice."""
    torch.manual_seed(0)
    flat, _ = Conv().build((1, 8, 8), 3, 2)
    deep, _ = Conv3d().build((1, 8, 8, 8), 3, 2)
    for thin, thick in zip(flat, deep, strict=True):
        if isinstance(thin, torch.nn.Conv2d):
            thick.weight.data.zero_()
            thick.weight.data[:, :, 1] = thin.weight.data  # not at the depth's padding
            thick.bias.data = thin.bias.data
        elif isinstance(thin, torch.nn.Linear) and thin.in_features != thick.in_features:
            wide = thin.weight.data.unflatten(1, (-1, 1, 4, 4)).repeat(1, 1, 4, 1, 1) / 4
            thick.weight.data, thick.bias.data = wide.flatten(1), thin.bias.data
        elif isinstance(thin, torch.nn.Linear):
            thick.load_state_dict(thin.state_dict())
    x = torch.rand(2, 1, 8, 8)
    torch.testing.assert_close(deep(x[:, :, None].repeat(1, 1, 8, 1, 1)), flat(x))


def test_middle_slices() -> None:
    x = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)  # [c, d, h, w]
    found = middle_slices(x)
    assert found.shape == (2, 4, 13)
    np.testing.assert_array_equal(found[:, :4, :5], x[:, 1])
    np.testing.assert_array_equal(found[:, :3, 5:10], x[:, :, 2])
    assert not found[:, 3, 5:10].any()
    for i in range(3):
        np.testing.assert_array_equal(found[:, :, 10 + i], x[:, i, :, 2])


@pytest.mark.parametrize(
    ("axes", "shape", "options"),
    [
        ("chw", (5, 16, 12), {}),
        ("hwc", (16, 12, 5), {"photometric": "minisblack", "planarconfig": "contig"}),
        ("dhw", (9, 16, 12), {"compression": "zlib"}),
        ("dchw", (3, 2, 16, 12), {"imagej": True, "metadata": {"axes": "ZCYX"}}),
    ],
)
def test_a_folder_of_stacks(tmp_path: Path, axes: str, shape: tuple[int, ...], options: dict) -> None:
    x = RNG.integers(0, 60_000, (3, *shape), np.uint16)
    for i, each in enumerate(x):
        tifffile.imwrite(tmp_path / f"{i}.tif", each, **options)
    world = pr.world(tmp_path, axes=axes)
    np.testing.assert_array_equal(drawn(world), drawn(pr.world(x, axes=axes)))
    assert world.called.tolist() == ["0.tif", "1.tif", "2.tif"]


@pytest.mark.parametrize(
    ("axes", "shape", "dtype"),
    [
        ("dhw", (9, 16, 12), np.uint8),
        ("chw", (5, 16, 12), np.uint16),
        ("dhwc", (9, 16, 12, 3), np.uint8),
        ("hw", (16, 12), np.float32),
    ],
)
def test_stacks_packed_by_lzw(tmp_path: Path, axes: str, shape: tuple[int, ...], dtype: type) -> None:
    x = RNG.integers(0, 250, (3, *shape)).astype(dtype)
    for i, each in enumerate(x):
        pages = [Image.fromarray(page) for page in (each if len(shape) > 2 else each[None])]
        pages[0].save(tmp_path / f"{i}.tif", save_all=True, append_images=pages[1:], compression="tiff_lzw")
    np.testing.assert_array_equal(drawn(pr.world(tmp_path, axes=axes)), drawn(pr.world(x, axes=axes)))


def test_what_only_imagecodecs_unpacks_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(2):
        Image.fromarray(RNG.integers(0, 250, (8, 8), np.uint8)).save(
            tmp_path / f"{i}.tif", compression="tiff_lzw"
        )

    def unpack(series: tifffile.TiffPageSeries) -> np.ndarray:
        raise ValueError("<COMPRESSION.LERC: 34887> requires the 'imagecodecs' package")

    monkeypatch.setattr(tifffile.TiffPageSeries, "asarray", unpack)
    monkeypatch.setattr(stacks, "_by_pillow", lambda path, series: None)
    with pytest.raises(InputError, match="packed so that tifffile needs imagecodecs: install it with pip"):
        pr.world(tmp_path, axes="hw")


def test_faults_of_stacks_are_named(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "0.tif", np.zeros((5, 8, 8), np.uint8))
    tifffile.imwrite(tmp_path / "1.tif", np.zeros((6, 8, 8), np.uint8))
    with pytest.raises(InputError, match=r"several shapes or types, 1 of .5, 8, 8. uint8 .0.tif."):
        pr.world(tmp_path, axes="chw")
    (tmp_path / "1.tif").write_bytes(b"II no")
    with pytest.raises(InputError, match=r"1 of 2 images cannot be read: --skip-damaged.*1\.tif is damaged"):
        pr.world(tmp_path, axes="chw")
    tifffile.imwrite(tmp_path / "2.tif", np.ones((5, 8, 8), np.uint8))
    assert pr.world(tmp_path, axes="chw", skip_damaged=True).shape == (5, 8, 8)
    with pytest.raises(InputError, match=r"holds an array of shape .5, 8, 8., and axes='hw' names 2"):
        pr.world(tmp_path, axes="hw", skip_damaged=True)
    (tmp_path / "3.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"3\.png is no TIFF file, for which alone axes"):
        pr.world(tmp_path, axes="chw")


def test_a_file_of_several_stacks(tmp_path: Path) -> None:
    x = RNG.integers(0, 255, (4, 5, 8, 8), np.uint8)
    tifffile.imwrite(tmp_path / "x.tif", x)
    np.testing.assert_array_equal(drawn(pr.world(tmp_path / "x.tif", axes="chw")), x / np.float32(255))


def test_further_samples_of_a_pixel_are_not_left_out_in_silence(tmp_path: Path) -> None:
    for i in range(2):
        x = RNG.integers(0, 255, (8, 8, 6), np.uint8)
        tifffile.imwrite(tmp_path / f"{i}.tif", x, photometric="rgb")
    assert "2 of 2 images: with further samples in each pixel" in " ".join(pr.world(tmp_path).notices)
    assert pr.world(tmp_path, axes="hwc").shape == (6, 8, 8)
    tifffile.imwrite(tmp_path / "2.tif", x[..., :5], photometric="minisblack", planarconfig="contig")
    with pytest.raises(InputError, match="a TIFF of unusual channels is read with --axes"):
        pr.world(tmp_path)


# of XYZ under D50, adapted by Bradford's method: linear RGB of sRGB's primaries (B. Lindbloom's table)
RGB_OF_XYZ = [
    [3.1338561, -1.6168667, -0.4906146],
    [-0.9787684, 1.9161415, 0.0334540],
    [0.0719453, -0.2289914, 1.4052427],
]


def test_lab_becomes_the_srgb_that_looks_alike(tmp_path: Path) -> None:
    lab = np.stack(np.meshgrid(np.arange(40, 80, 8), np.arange(-15, 16, 5), np.arange(-15, 16, 5)), -1)
    for i, each in enumerate(lab):
        raw = np.concatenate([np.round(each[..., :1] * 2.55), each[..., 1:] % 256], -1).astype(np.uint8)
        tifffile.imwrite(tmp_path / f"{i}.tif", raw, photometric="cielab")
        assert Image.open(tmp_path / f"{i}.tif").mode == "LAB"
    linear = (lab2xyz(lab.astype(float), illuminant="D50") @ np.transpose(RGB_OF_XYZ)).clip(0, 1)
    expected = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    np.testing.assert_allclose(np.moveaxis(drawn(pr.world(tmp_path)), 1, -1), expected, atol=3 / 255)

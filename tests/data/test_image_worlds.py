"""Image worlds: official layouts read, splits, decoded once, and what is wrong with a file in one sentence."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import shutil
import struct
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from prismae.data import World, files, world, world_names, world_splits
from prismae.data.idx import read_idx
from prismae.data.storage import Dense
from prismae.data.worlds import celeba, chairs3d, cifar10, fashion_mnist, mnist
from prismae.errors import InputError

rng = np.random.default_rng(0)


def bytes_of(made: World) -> np.ndarray:
    assert isinstance(made.data, Dense)
    assert made.data.values.dtype == torch.uint8
    return made.data.values.numpy()


# Splits


def test_splits_are_named_by_the_loaders() -> None:
    assert world_splits("mnist") == world_splits("cifar10") == ("train", "test", "all")
    assert world_splits("celeba") == ("all", "train", "valid", "test")
    assert world_splits("digits") == world_splits("chairs3d") == ()
    assert set(world_names()) >= {"mnist", "fashion-mnist", "cifar10", "celeba", "chairs3d"}


def test_unknown_splits() -> None:
    with pytest.raises(
        InputError, match=r"World 'mnist' has no split 'tset', expected train or test or all\."
    ):
        world("mnist:tset")
    with pytest.raises(InputError, match=r"World 'digits' has no splits, got 'test': expected "):
        world("digits:test")
    with pytest.raises(InputError, match="Unknown world 'mnits': did you mean 'mnist'"):
        world("mnits:test")


# MNIST and Fashion-MNIST


def idx(values: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    return gzip.compress(header + values.tobytes())


def test_mnist_of_made_up_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "mnist").mkdir(parents=True)
    made = {"train": rng.integers(0, 256, (5, 28, 28), np.uint8), "t10k": np.ones((3, 28, 28), np.uint8)}
    for part, images in made.items():
        labels = np.arange(len(images), dtype=np.uint8)
        for name, values in (("images-idx3", images), ("labels-idx1", labels)):
            path = folder / "mnist" / f"{part}-{name}-ubyte.gz"
            path.write_bytes(idx(values))
            monkeypatch.setitem(mnist.CHECKSUMS, path.name, hashlib.sha256(path.read_bytes()).hexdigest())
    train, test, whole = world("mnist"), world("mnist:test"), world("mnist:all")
    np.testing.assert_array_equal(bytes_of(train)[:, 0], made["train"])
    np.testing.assert_array_equal(bytes_of(whole)[5:, 0], made["t10k"])
    assert (train.name, test.name, len(test), len(whole)) == ("mnist", "mnist:test", 3, 8)
    assert whole.factors is not None
    assert whole.factors[:, 0].tolist() == [0, 1, 2, 3, 4, 0, 1, 2]


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_the_official_files(real_data: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRISMAE_DATA", str(real_data))
    made = world(f"{name}:test")
    assert (len(made), made.shape, made.factor_names) == (10_000, (1, 28, 28), ("class",))
    assert made.factors is not None
    assert set(made.factors[:, 0]) == set(range(10))
    assert made.summary.mean == pytest.approx({"mnist": 0.1325, "fashion-mnist": 0.2868}[name], abs=1e-3)
    assert "1,000 of" not in made.source


@pytest.mark.parametrize(
    "content",
    [b"", gzip.compress(b""), idx(np.zeros((3, 2), np.uint8)), idx(np.zeros((3, 2, 2), np.uint8))[:-9]],
)
def test_damaged_idx_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "some.gz"
    path.write_bytes(content)
    with pytest.raises(
        InputError, match=r"some\.gz is (corrupted or no gzip file|no idx file of 3 dimensions)"
    ):
        read_idx(path, 3)


def test_a_short_idx_file(tmp_path: Path) -> None:
    path = tmp_path / "some.gz"
    path.write_bytes(gzip.compress(gzip.decompress(idx(np.zeros((3, 2, 2), np.uint8)))[:-1]))
    with pytest.raises(InputError, match="is no idx file of 3 dimensions of bytes, or is cut off"):
        read_idx(path, 3)


def test_checksums_are_those_of_the_files(real_data: Path) -> None:
    for module, name in ((mnist, "mnist"), (fashion_mnist, "fashion_mnist")):
        for file, expected in module.CHECKSUMS.items():
            assert hashlib.sha256((real_data / name / file).read_bytes()).hexdigest() == expected


# CIFAR-10


def batches(n: int = 4) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    names = [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]
    return {
        name: (rng.integers(0, 256, (n, 3, 32, 32), np.uint8), rng.integers(0, 10, n).astype(np.uint8))
        for name in names
    }


def records(images: np.ndarray, labels: np.ndarray) -> bytes:
    return b"".join(bytes([label]) + image.tobytes() for image, label in zip(images, labels, strict=True))


def test_cifar10_of_a_folder(folder: Path) -> None:
    made = batches()
    home = folder / "cifar10" / "cifar-10-batches-bin"
    home.mkdir(parents=True)
    for name, (images, labels) in made.items():
        (home / name).write_bytes(records(images, labels))
    train, test = world("cifar10"), world("cifar10:test")
    np.testing.assert_array_equal(bytes_of(train)[4:8], made["data_batch_2.bin"][0])
    np.testing.assert_array_equal(bytes_of(test), made["test_batch.bin"][0])
    assert test.factors is not None
    np.testing.assert_array_equal(test.factors[:, 0], made["test_batch.bin"][1])
    assert train.source == "CIFAR-10, 20 of 50,000 images"


def test_cifar10_of_the_archive(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = batches(2)
    path = folder / "cifar10" / cifar10.FILE
    path.parent.mkdir(parents=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, (images, labels) in made.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content := records(images, labels))
            archive.addfile(member, io.BytesIO(content))
    monkeypatch.setattr(cifar10, "SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(world("cifar10:all")) == 12
    np.testing.assert_array_equal(bytes_of(world("cifar10:test")), made["test_batch.bin"][0])
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(InputError, match="corrupted or no archive of CIFAR-10's binary version"):
        cifar10.read_archive(path, tuple(made))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"1234", "has 4 bytes, expected records of 3073"),
        (bytes([77]) * 3073, "has the label 77, expected 0 to 9"),
    ],
)
def test_damaged_batches(content: bytes, sentence: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"data_batch_1.bin {sentence}")):
        cifar10.read_batch(content, "data_batch_1.bin")


def test_cifar10_offline_says_what_to_put_where(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "urlopen", lambda *_, **__: (_ for _ in ()).throw(OSError("no network")))
    with pytest.raises(InputError, match=re.escape(f"put it at {folder / 'cifar10' / cifar10.FILE}.")):
        world("cifar10")


# CelebA


@pytest.fixture
def faces(folder: Path) -> Path:
    """Six faces, each of one colour in its centre and another outside, with two attributes."""
    home = folder / "celeba"
    (home / "img_align_celeba").mkdir(parents=True)
    lines = ["6", "Smiling Young"]
    for i in range(6):
        pixels = np.zeros((218, 178, 3), np.uint8)
        pixels[35:183, 15:163] = 40 * i + 20  # the centre of 148x148
        Image.fromarray(pixels).save(
            home / "img_align_celeba" / f"{i + 1:06d}.jpg", quality=100, subsampling=0
        )
        lines.append(f"{i + 1:06d}.jpg {1 if i % 2 else -1:2d} {1 if i < 3 else -1:2d}")
    (home / "list_attr_celeba.txt").write_text("\n".join(lines) + "\n")
    return home


def test_celeba_is_cut_and_decoded_once(faces: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = world("celeba")
    assert (made.shape, made.factor_names) == ((3, 64, 64), ("Smiling", "Young"))
    assert made.factors is not None
    assert made.factors.tolist() == [[0, 1], [1, 1], [0, 1], [1, 0], [0, 0], [1, 0]]
    centre = 40 * np.arange(6) + 20
    inside = bytes_of(made)[:, :, 3:-3, 3:-3].reshape(6, -1)  # JPEG blurs the edge of the square
    np.testing.assert_allclose(inside, np.broadcast_to(centre[:, None], inside.shape), atol=2)
    np.testing.assert_allclose(bytes_of(made).mean((1, 2, 3)), centre, atol=3)
    assert made.source == "CelebA, 6 of 202,599 images"
    monkeypatch.setattr("prismae.data.images.decode", lambda *_: pytest.fail("decoded again"))
    np.testing.assert_array_equal(bytes_of(world("celeba")), bytes_of(made))


def test_celeba_is_decoded_again_for_more_images_and_after_damage(faces: Path) -> None:
    before = bytes_of(world("celeba")).copy()
    cache = faces / celeba.DECODED
    cache.write_bytes(cache.read_bytes()[:1000])
    np.testing.assert_array_equal(bytes_of(world("celeba")), before)
    listed = faces / "list_attr_celeba.txt"
    listed.write_text(listed.read_text().replace("6\n", "7\n", 1) + "000007.jpg 1 1\n")
    shutil.copy(faces / "img_align_celeba" / "000001.jpg", faces / "img_align_celeba" / "000007.jpg")
    assert len(world("celeba")) == 7


def test_an_interrupted_decoding_leaves_nothing(faces: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("prismae.data.images.decode", interrupted)
    with pytest.raises(KeyboardInterrupt):
        world("celeba")
    assert sorted(path.name for path in faces.iterdir()) == ["img_align_celeba", "list_attr_celeba.txt"]


def test_celebas_official_partition(faces: Path) -> None:
    with pytest.raises(InputError, match=r"no split 'train' without list_eval_partition\.txt: fetch it from"):
        world("celeba:train")
    partition = faces / "list_eval_partition.txt"
    parts = [0, 0, 0, 1, 2, 2]
    partition.write_text("".join(f"{i + 1:06d}.jpg {part}\n" for i, part in enumerate(parts)))
    sizes = {split: len(world(f"celeba:{split}")) for split in ("train", "valid", "test", "all")}
    assert sizes == {"train": 3, "valid": 1, "test": 2, "all": 6}
    np.testing.assert_array_equal(bytes_of(world("celeba:test")), bytes_of(world("celeba"))[4:])
    partition.write_text("000001.jpg 0\n")
    with pytest.raises(InputError, match="puts 1 images into 'train' and leaves 5 out"):
        world("celeba:train")


BAD_FACES = {
    "none": (
        lambda home: (home / "list_attr_celeba.txt").unlink(),
        "its licence has to be accepted, so fetch",
    ),
    "an image missing": (
        lambda home: (home / "img_align_celeba" / "000003.jpg").unlink(),
        "000003.jpg.",
    ),
    "too few lines": (
        lambda home: (home / "list_attr_celeba.txt").write_text("3\nA B\n000001.jpg 1 1\n"),
        "announces 3 images and lists 1, expected as many",
    ),
    "another file": (
        lambda home: (home / "list_attr_celeba.txt").write_text("hello\n"),
        "is no table of CelebA's attributes",
    ),
}


@pytest.mark.parametrize("case", BAD_FACES)
def test_bad_celeba_gets_one_sentence(faces: Path, case: str) -> None:
    spoil, sentence = BAD_FACES[case]
    spoil(faces)
    with pytest.raises(InputError, match=re.escape(sentence)):
        world("celeba")


# 3D chairs


@pytest.fixture
def chairs(folder: Path) -> Path:
    """Two chairs, two elevations, three azimuths; grey value by them, with a frame that is cut off."""
    home = folder / "chairs3d" / "rendered_chairs"
    for i, model in enumerate(("aa", "bb")):
        (home / model / "renders").mkdir(parents=True)
        for j, (p, t) in enumerate((p, t) for p in (20, 30) for t in (11, 120, 348)):
            pixels = np.zeros((60, 60, 3), np.uint8)
            pixels[10:50, 10:50] = 100 * i + 10 * j + 5
            Image.fromarray(pixels).save(
                home / model / "renders" / f"image_{j:03d}_p{p:03d}_t{t:03d}_r096.png"
            )
    return home


def test_chairs(chairs: Path) -> None:
    made = world("chairs3d")
    assert (len(made), made.shape, made.factor_sizes) == (12, (1, 64, 64), (2, 2, 3))
    assert made.factors is not None
    i, p, t = made.factors.T
    np.testing.assert_array_equal(bytes_of(made)[:, 0, 20, 20], 100 * i + 10 * (3 * p + t) + 5)
    assert bytes_of(made).min() > 0
    assert made.source == "3D chairs, 12 of 86,366 images"


def test_bad_chairs(chairs: Path) -> None:
    extra = chairs / "bb" / "renders" / "image_of_a_chair.png"
    Image.new("L", (9, 9)).save(extra)
    with pytest.raises(InputError, match=r"image_of_a_chair\.png has no angles in its name"):
        world("chairs3d")
    shutil.rmtree(chairs)
    with pytest.raises(InputError, match=re.escape(f"fetch {chairs3d.URL} by hand and unpack it there")):
        world("chairs3d")
    chairs.mkdir()
    with pytest.raises(InputError, match="rendered_chairs holds no images, expected <model>/renders/"):
        world("chairs3d")

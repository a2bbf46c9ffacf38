"""Official files: found, downloaded whole or not at all, and checked; each failure in one sentence."""

from __future__ import annotations

import hashlib
import http.client
import io
import re
import shutil
import sys
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from prismae._files import written_whole
from prismae.data import data_folder, files, world
from prismae.data.files import find, official_file, place
from prismae.data.worlds import beamsynthesis
from prismae.errors import InputError

CONTENT = b"observations " * 300_000  # more than is read at a time
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Where the file is "published": on this disk."""
    published = tmp_path / "published" / "toy.bin"
    published.parent.mkdir()
    published.write_bytes(CONTENT)
    return published.as_uri()


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file()) if folder.exists() else []


def test_a_missing_file_is_downloaded_once(folder: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = official_file("toy-world", "toy.bin", url, SHA256)
    assert path == folder / "toy_world" / "toy.bin"
    assert path.read_bytes() == CONTENT
    assert left_in(folder) == ["toy.bin"]
    monkeypatch.setattr(files, "urlopen", lambda *_, **__: pytest.fail("downloaded again"))
    assert official_file("toy-world", "toy.bin", url, SHA256) == path


def test_a_corrupted_download_names_both_checksums_and_leaves_nothing(folder: Path, url: str) -> None:
    expected = "0" * 64
    sentence = f"The download of {url} is corrupted: expected SHA-256 {expected}, found {SHA256}; try again"
    with pytest.raises(InputError, match=re.escape(sentence)):
        official_file("toy", "toy.bin", url, expected)
    assert left_in(folder) == []


def test_a_corrupted_file_is_named_and_left_alone(folder: Path, url: str) -> None:
    path = folder / "toy" / "toy.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no such thing")
    found = hashlib.sha256(b"no such thing").hexdigest()
    sentence = f"{path} is corrupted: expected SHA-256 {SHA256}, found {found}; delete it, or replace it by"
    with pytest.raises(InputError, match=re.escape(sentence)):
        official_file("toy", "toy.bin", url, SHA256)
    assert path.read_bytes() == b"no such thing"


@pytest.mark.parametrize("where", ["http://127.0.0.1:9/toy.bin", "file:///no/such/folder/toy.bin"])
def test_offline_says_which_file_to_put_where(
    folder: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(InputError) as caught:
        official_file("toy", "toy.bin", where, SHA256)
    message = str(caught.value)
    assert message.startswith(f"toy.bin is not in {folder / 'toy'} and could not be downloaded (")
    assert message.endswith(f"): fetch it by hand from {where} and put it at {folder / 'toy' / 'toy.bin'}.")
    assert left_in(folder) == []


class _Broken(io.BytesIO):
    """An answer that ends with `error` after its first part."""

    headers = Message()

    def __init__(self, error: BaseException) -> None:
        super().__init__(CONTENT)
        self.error = error

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell():
            raise self.error
        return super().read(size)


@pytest.mark.parametrize(
    "error", [http.client.IncompleteRead(b""), TimeoutError("timed out"), ConnectionResetError()]
)
def test_a_broken_download_leaves_nothing(
    folder: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "urlopen", lambda *_, **__: _Broken(error))
    with pytest.raises(InputError, match="could not be downloaded"):
        official_file("toy", "toy.bin", "http://example.invalid/toy.bin", SHA256)
    assert left_in(folder) == []


def test_an_interrupted_download_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "urlopen", lambda *_, **__: _Broken(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        official_file("toy", "toy.bin", "http://example.invalid/toy.bin", SHA256)
    assert left_in(folder) == []


@pytest.fixture
def read_only(folder: Path) -> Path:
    """A data folder in which nothing can be made, not even by an administrator: a file is where its own should be."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "toy").write_text("in the way")
    return folder


def test_a_read_only_data_folder_gives_way_to_the_user_cache(read_only: Path, url: str) -> None:
    path = official_file("toy", "toy.bin", url, SHA256)
    assert path == read_only.parent / "cache" / "toy" / "toy.bin"
    assert find("toy", "toy.bin") == path


def test_nowhere_to_write(read_only: Path, url: str) -> None:
    (read_only.parent / "cache").write_text("in the way too")
    with pytest.raises(
        InputError, match=r"toy\.bin can be written neither to .* nor .*: set PRISMAE_DATA to a folder"
    ):
        place("toy", "toy.bin")


def test_an_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def write_half() -> None:
        with written_whole(path) as part:
            part.write_text("half of the ne")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert (path.read_text(), left_in(tmp_path)) == ("old", ["file"])
    with written_whole(path) as part:
        part.write_text("new")
        assert path.read_text() == "old"
    assert (path.read_text(), left_in(tmp_path)) == ("new", ["file"])


@pytest.mark.skipif(sys.platform != "linux", reason="the folder's place on Linux")
@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"XDG_CACHE_HOME": "/x"}, "/x/prismae"),
        ({"HOME": "/home/me"}, "/home/me/.cache/prismae"),
        ({"XDG_CACHE_HOME": "/x", "PRISMAE_DATA": "/elsewhere"}, "/elsewhere"),
    ],
)
def test_data_folder(variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PRISMAE_DATA", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert data_folder() == Path(expected)


# The same through a world


def test_beamsynthesis_offline(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: Any, **__: Any) -> None:
        raise OSError("Network is unreachable")

    monkeypatch.setattr(files, "urlopen", unreachable)
    path = folder / "beamsynthesis" / "beamsynthesis.zip"
    sentence = (
        f"beamsynthesis.zip is not in {path.parent} and could not be downloaded (Network is unreachable): "
        f"fetch it by hand from {beamsynthesis.URL} and put it at {path}."
    )
    with pytest.raises(InputError, match=re.escape(sentence)):
        world("beamsynthesis")


def test_a_corrupted_beamsynthesis(real_data: Path, folder: Path) -> None:
    path = folder / "beamsynthesis" / beamsynthesis.FILE
    path.parent.mkdir(parents=True)
    shutil.copyfile(real_data / "beamsynthesis" / beamsynthesis.FILE, path)
    with path.open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"\0\0\0\0")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(InputError, match=f"expected SHA-256 {beamsynthesis.SHA256}, found {found}"):
        world("beamsynthesis")

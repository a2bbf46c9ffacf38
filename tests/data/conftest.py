"""Where tests find real data, and folders of their own so that they never touch the user's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).parents[2].parent / "shared" / "data"
_CHOSEN = os.environ.get("PRISMAE_DATA")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the official data files: PRISMAE_DATA, else the one beside the repository."""
    folder = Path(_CHOSEN) if _CHOSEN else _BESIDE
    if not folder.is_dir():
        pytest.skip("no real data: set PRISMAE_DATA to the folder of the official files")
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, and an empty user cache beside it."""
    monkeypatch.setenv("PRISMAE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("prismae.data.files.user_cache", lambda: tmp_path / "cache")
    return tmp_path / "data"

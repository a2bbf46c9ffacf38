"""Folders of their own for tests, so that they never touch the user's."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, and an empty user cache beside it."""
    monkeypatch.setenv("PRISMAE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("prismae.data.files.user_cache", lambda: tmp_path / "cache")
    return tmp_path / "data"

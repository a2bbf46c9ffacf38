"""One run: its job, its folder, its scores; importing this package needs no PyTorch."""

from prismae.runs.run import Run

__all__ = ["Run"]

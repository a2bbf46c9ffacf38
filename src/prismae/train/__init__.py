"""One training loop for all methods, its checkpoints, and the run folder."""

from prismae.train.build import build
from prismae.train.history import NotFinite
from prismae.train.loop import Interrupted, Trained, train
from prismae.train.run_folder import RunFolder

__all__ = ["Interrupted", "NotFinite", "RunFolder", "Trained", "build", "train"]

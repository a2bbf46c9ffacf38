"""One training loop for all methods, and its checkpoints."""

from prismae.errors import Interrupted, NotFinite
from prismae.train.build import build
from prismae.train.loop import Trained, train

__all__ = ["Interrupted", "NotFinite", "Trained", "build", "train"]

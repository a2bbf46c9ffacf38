"""One training loop for all methods, and its checkpoints."""

from prismae.errors import Interrupted, NotFinite
from prismae.train.build import build
from prismae.train.hooks import Hook, Moment
from prismae.train.loop import train
from prismae.train.trained import Trained

__all__ = ["Hook", "Interrupted", "Moment", "NotFinite", "Trained", "build", "train"]

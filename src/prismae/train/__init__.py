"""One training loop for all methods, its checkpoints, and the run folder."""

from prismae.errors import Interrupted, NotFinite
from prismae.train.build import build
from prismae.train.loop import Trained, train
from prismae.train.run_folder import RunFolder

__all__ = ["Interrupted", "NotFinite", "RunFolder", "Trained", "build", "train"]

"""TensorBoard, by the logger of Lightning Fabric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from lightning_fabric.loggers.tensorboard import TensorBoardLogger
from PIL import Image

from prismae.trackers._base import Tracker

FLUSHED = 10  # seconds after which what was sent is on disk at the latest


@dataclass
class TensorBoard(Tracker):
    """Event files in the run's folder ``tensorboard``: ``tensorboard --logdir runs`` shows all runs."""

    packages = ("tensorboard",)

    @classmethod
    def name(cls) -> str:
        """Name on the command line."""
        return "tensorboard"

    def begin(self, step: int) -> None:
        """Open an event file that takes the place of what older ones hold from `step` on."""
        self.logger = TensorBoardLogger(
            self.folder, name="", version="tensorboard", purge_step=step, flush_secs=FLUSHED
        )
        lines = [f"| {name} | {value} |" for name, value in self.settings.items()]
        self.logger.experiment.add_text(
            "settings", "\n".join(["| setting | value |", "|---|---|", *lines]), step
        )

    def numbers(self, values: Mapping[str, float], step: int) -> None:
        """Send scalars."""
        self.logger.log_metrics(values, step)

    def picture(self, name: str, path: Path, step: int) -> None:
        """Send an image, on white."""
        with Image.open(path) as file:
            drawn = file.convert("RGBA")
        white = Image.new("RGBA", drawn.size, "white")
        pixels = np.asarray(Image.alpha_composite(white, drawn).convert("RGB"))
        self.logger.experiment.add_image(name, pixels, step, dataformats="HWC")

    def close(self) -> None:
        """Write what is pending."""
        self.logger.finalize("success")

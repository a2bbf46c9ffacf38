"""What lies between four observations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from prismae import figures as draw
from prismae.errors import InputError
from prismae.fields import Seed
from prismae.views._base import Arrays, View

if TYPE_CHECKING:
    from prismae.data import World
    from prismae.runs.run import Run
    from prismae.views._subject import Subject

SIDE = 8  # of the grid


@dataclass(frozen=True)
class Manifold(View):
    """What lies between four observations: codes interpolated bilinearly between theirs, and decoded.

    The view of HGMVAE's Fig. 5 b ("give four images at corners"); that the interpolation is bilinear in the mean
    codes is our reading.

    Arrays: ``manifold``; ``manifold_corners``, the observations (upper left, upper right, lower left, lower right), and
    ``manifold_rows``, what these are called.

    Parameters
    ----------
    corners
        Four observations by their numbers in the data (see `World.names`; images of a folder, by their place in the
        order of paths); drawn by default.
    seed
        Seed of the corners that are drawn.
    """

    corners: Sequence[int] | None = None
    seed: Seed = 0

    arrays: ClassVar = {"manifold": "g g *shape", "manifold_corners": "4 *shape", "manifold_rows": "4"}
    needs = ("manifold",)
    title = "Between four observations"
    called = "what lies between four observations"
    kinds = ("images", "volumes", "series")
    place = 10

    def compute(self, subject: Subject) -> Arrays:
        import torch

        world, net = subject.world, subject.net
        if self.corners is None:
            rows = np.random.default_rng(self.seed).choice(len(world), 4, replace=len(world) < 4)
        else:
            rows = _places(world, self.corners)
        with torch.no_grad():
            x = world.data[torch.from_numpy(rows)]
            left_right = torch.linspace(0, 1, SIDE)[None, :, None]
            top_bottom = torch.linspace(0, 1, SIDE)[:, None, None]
            a, b, c, d = net.encode(x).mean
            top, bottom = torch.lerp(a, b, left_right), torch.lerp(c, d, left_right)  # [1, g, m]
            frames = net.generate(torch.lerp(top, bottom, top_bottom).flatten(0, 1))
        return {
            "manifold": frames.unflatten(0, (SIDE, SIDE)).numpy(),
            "manifold_corners": x.numpy(),
            "manifold_rows": world.called[rows],
        }

    def draw(self, run: Run) -> Figure:
        return draw.manifold(run.shown.drawn(run.pictures["manifold"]), run.shown.channel_names)

    def sentence(self, run: Run) -> str:
        return (
            "The corners are reconstructions of four observations; between them their codes are mixed in equal steps. "
            "A smooth path of plausible observations means that the codes between are used; a blurred or broken "
            "middle, that they are not."
        )


def _places(world: World, corners: Sequence[int]) -> NDArray:
    """Where the observations of these numbers stand in the world."""
    named = world.called
    numbers = named if np.issubdtype(named.dtype, np.integer) else np.arange(len(world))
    found = [np.flatnonzero(numbers == corner) for corner in corners]
    lacking = [corner for corner, place in zip(corners, found, strict=True) if not len(place)]
    if len(corners) != 4 or lacking:
        held_out = numbers.max() >= len(world) and any(0 <= each <= numbers.max() for each in lacking)
        raise InputError(
            f"Corners should be four numbers of observations between 0 and {numbers.max()}, got "
            f"{', '.join(map(str, corners))}"
            + (f": {', '.join(map(str, lacking))} held out, not trained on." if held_out else ".")
        )
    return np.concatenate(found)

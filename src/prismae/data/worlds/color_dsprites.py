"""The world `color-dsprites`: dSprites, each in a colour of its own that is no factor."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from prismae.data._base import World
from prismae.data.composed import Layers
from prismae.data.kinds import plain_kind
from prismae.data.worlds.dsprites import load as load_dsprites

SEED = 0


def load() -> World:
    """Coloured sprites: dSprites, each in a random colour that is no factor; 737,280 colour images of 64x64 pixels.

    Color-dSprites of Locatello et al. 2019, arXiv:1811.12359: the sprite times three numbers of U(0.5, 1). There they
    are drawn whenever an image is looked at; here once for each observation, so that an image stays the same.
    Observations [737280, 3, 64, 64], composed when they are drawn; factors as those of `dsprites`.
    """
    sprites = load_dsprites()
    rng = np.random.default_rng(SEED)
    colours = np.rint(255 * rng.uniform(0.5, 1, (len(sprites), 1, 3))).astype(np.uint8)
    data = Layers(sprites.data, torch.arange(len(sprites))[:, None], torch.from_numpy(colours))
    source = f"{sprites.source} in colours"
    return replace(sprites, name="color-dsprites", data=data, source=source, kind=plain_kind(data))

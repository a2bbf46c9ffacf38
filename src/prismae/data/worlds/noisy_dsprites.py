"""The world `noisy-dsprites`: dSprites before a background of noise."""

from __future__ import annotations

from dataclasses import replace

import torch

from prismae.data._base import World
from prismae.data.composed import Noisy
from prismae.data.kinds import plain_kind
from prismae.data.worlds.dsprites import load as load_dsprites


def load() -> World:
    """Sprites in noise: dSprites before even noise in three channels; 737,280 colour images of 64x64 pixels.

    Noisy-dSprites of Locatello et al. 2019, arXiv:1811.12359: min(sprite + U(0, 1), 1) for each pixel and channel.
    There the noise is drawn whenever an image is looked at; here it follows from the observation's number, so that an
    image stays the same. Observations [737280, 3, 64, 64], made when they are drawn; factors as those of `dsprites`.
    """
    sprites = load_dsprites()
    data = Noisy(sprites.data, torch.arange(len(sprites)))
    source = f"{sprites.source} in noise"
    return replace(sprites, name="noisy-dsprites", data=data, source=source, kind=plain_kind(data))

"""`prismae.train.train` with a training's settings given one by one beside its options, as most tests want it."""

from dataclasses import fields

import prismae.train as package
from prismae.settings import Training

SETTINGS = {each.name for each in fields(Training)}


def train(method, world, *, controllers=(), **given):
    settings = {name: given.pop(name) for name in SETTINGS & given.keys()}
    return package.train(method, world, Training(controls=tuple(controllers), **settings), **given)

"""Job: one training and its scores, as plain data. Its id is a hash of its content, so it is never run twice."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from functools import cached_property
from typing import Any

from prismae.control import Controller, as_controller
from prismae.data import World
from prismae.data.array_files import ARRAYS
from prismae.data.paths import contents, is_path, split_path
from prismae.data.table_files import is_table
from prismae.methods import method
from prismae.nets import Likelihood, Net
from prismae.settings import HELD_OUT, Reading, Training, as_plain
from prismae.train.attached import check_controllers
from prismae.train.build import choices


@dataclass(frozen=True)
class Job(Training, Reading):
    """What to train on what. Plain data: it can be written, sent to another process, and hashed.

    All settings of a `Training` and of a `Reading` are its own: ``Job("vae", "digits", steps=100)``.

    Parameters
    ----------
    method, fields
        A method's name and its fields; those not given have their defaults.
    world
        A world's name, with a split where it has some (``mnist:test``), or the path of own data.
    """

    method: str
    world: str
    fields: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        Training.__post_init__(self)  # which checks all fields, those of a `Reading` too
        if self.steps == "auto" and not self.holdout:
            object.__setattr__(self, "holdout", HELD_OUT)
        chosen = method(self.method, **(self.fields or {}))
        check_controllers(chosen, self.controllers(), self.likelihood)
        object.__setattr__(self, "fields", chosen.fields())
        object.__setattr__(self, "controls", tuple(each.described() for each in self.controllers()))

    def controllers(self) -> tuple[Controller, ...]:
        """The controllers that `controls` describes."""
        return tuple(as_controller(each) for each in self.controls)

    @cached_property
    def id(self) -> str:
        """Name of the run folder: method, world, and a hash of everything."""
        fields = as_plain(self)
        for name in ("controls", *(each.name for each in dataclass_fields(Reading))):
            if not fields[name]:  # jobs without them keep the id that they had before there were any
                del fields[name]
        if _is_array_or_table(self.world) and (self.likelihood == "auto" or self.lr is None):
            fields["defaults"] = 2  # of tables, which were others once
        digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode())
        digest.update(contents(self.world))  # other data under the same path are another job
        path, part = split_path(self.world)
        world = re.sub(r"[/\\:]+", "-", path.stem + (f"-{part}" if part else ""))
        return f"{self.method}-{world}-{digest.hexdigest()[:8]}"

    def choices(self, data: World) -> tuple[Net, Likelihood]:
        """The network and the likelihood for `data`, also where they are left to "auto"."""
        return choices(method(self.method, **(self.fields or {})), data, self)


def _is_array_or_table(world: str) -> bool:
    """Whether a job's world is a file that may hold a table."""
    path = split_path(world)[0]
    return is_path(world) and (path.suffix.lower() in ARRAYS or is_table(path))

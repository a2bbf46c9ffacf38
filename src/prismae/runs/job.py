"""Job: one training and its scores, as plain data. Its id is a hash of its content, so it is never run twice."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from prismae.control import Controller, as_controller
from prismae.data import World
from prismae.data.own import contents, split_path
from prismae.evaluation import codes_table
from prismae.methods import method
from prismae.nets import Likelihood, Net
from prismae.runs.claim import claim
from prismae.runs.decoder import DECODER, describe_decoder
from prismae.runs.observations import known_by, observations
from prismae.runs.run_folder import JOB, PICTURES, SNAPSHOT, RunFolder, describe, machine
from prismae.settings import Reading, Training, as_plain
from prismae.train import Hook, Moment, train
from prismae.train.attached import check_controllers
from prismae.train.build import choices
from prismae.views import compute

TICKS = 100  # times in a run that a watcher hears of it


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
        for name in ("controls", "factors", "size", "holdout", "series", "channel_names"):
            if not fields[name]:  # jobs without them keep the id that they had before there were any
                del fields[name]
        digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode())
        digest.update(contents(self.world))  # other data under the same path are another job
        path, part = split_path(self.world)
        world = re.sub(r"[/\\:]+", "-", path.stem + (f"-{part}" if part else ""))
        return f"{self.method}-{world}-{digest.hexdigest()[:8]}"

    def choices(self, data: World) -> tuple[Net, Likelihood]:
        """The network and the likelihood for `data`, also where they are left to "auto"."""
        return choices(method(self.method, **(self.fields or {})), data, self)


def run(
    job: Job,
    out: Path | str = "runs",
    *,
    data: World | None = None,
    device: str = "auto",
    checkpoint_every: int = 500,
    progress: bool = False,
    on_step: Callable[[int], None] | None = None,
    wait: bool = False,
) -> RunFolder:
    """Train a job into ``out/<id>``, or return at once if that is done; an interrupted run goes on.

    Parameters
    ----------
    data
        The job's world if it is already loaded.
    on_step
        Called with the number of steps done, a hundred times or so.
    wait
        Wait for another process that computes the same run.

    Raises
    ------
    Claimed
        Without `wait`, when another process computes the same run.
    """
    folder = RunFolder(Path(out) / job.id)
    if folder.finished:
        return folder
    data = observations(as_plain(job)) if data is None else data
    chosen = method(job.method, **(job.fields or {}))
    net, likelihood = job.choices(data)
    about = (
        {"id": job.id}
        | known_by(job.world)
        | describe(chosen, data, **as_plain(job) | {"net": net.described(), "likelihood": likelihood.name()})
    )

    def keep(now: Moment) -> None:
        now.values()  # where a term is NaN, nothing is kept
        folder.write_arrays(SNAPSHOT.format(step=now.step), {"codes": codes_table(now.ae, data)})

    hooks = [Hook(on_step=keep, at=job.snapshots)]
    if on_step is not None:
        every, tell = max(1, job.steps // TICKS), on_step
        hooks.append(Hook(on_step=lambda now: tell(now.step), at=range(every, job.steps, every)))
    with claim(folder, wait=wait):
        if folder.finished:  # by another process, meanwhile
            return folder
        folder.write_json(JOB, about)
        trained = train(
            chosen,
            data,
            replace(job, net=net, likelihood=likelihood),
            device=device,
            checkpoint=folder.checkpoint,
            checkpoint_every=checkpoint_every,
            hooks=hooks,
            progress=progress,
        )
        about |= {
            "seconds": round(trained.seconds, 1),
            "machine": machine(device),
            "updates": job.steps + trained.trial_updates,
            "warnings": list(trained.warnings),
        }
        folder.write_json(JOB, about)
        folder.write_json(DECODER, describe_decoder(trained.ae))
        folder.write_arrays(PICTURES, compute(chosen, trained.ae, data))
        folder.write_trained(trained)
    return folder

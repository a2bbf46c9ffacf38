"""From a run's files to its networks, and back: what of a run needs PyTorch."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from prismae._discovery import class_path, of_package
from prismae._random import Draws
from prismae._version import __version__
from prismae.data import Summary, World
from prismae.data.kinds import kind_of
from prismae.errors import InputError
from prismae.methods import Adversarial, Method, all_methods, method
from prismae.nets import Architecture, Likelihood, Net
from prismae.runs.files import JOB, WEIGHTS, place
from prismae.runs.job_record import NEEDED, JobRecord
from prismae.runs.manifest import check
from prismae.train.build import build, choose_lr
from prismae.train.checkpoint import read_tensors, write_tensors
from prismae.train.trained import Trained

NAMED = 100  # values of a factor, up to which their names are kept with a run


def loaded(
    folder: Path,
    job: JobRecord,
    history: pd.DataFrame,
    method: Method | type[Method] | None,
    net: Net | Architecture | None,
    likelihood: Likelihood | None,
) -> tuple[Method, Trained]:
    """See `Run.load`."""
    missing = [name for name in NEEDED if name not in job]
    if missing:
        raise InputError(f"{str(place(folder, JOB))!r} is damaged: it has no {', '.join(missing)}.")
    chosen = _found(job) if method is None else _given(job, method)
    with Draws(0):  # weights that are written over
        ae = build(
            chosen,
            kind_of(job),
            tuple(job["shape"]),
            Summary(**job["summary"]),
            n_latents=job["n_latents"],
            net=job["net"] if net is None else net,
            likelihood=job["likelihood"] if likelihood is None else likelihood,
        )
        critic = chosen.critic(job["n_latents"]) if isinstance(chosen, Adversarial) else None
    weights = place(folder, WEIGHTS)
    check(weights)
    tensors = read_tensors(weights)
    for name, module in (("ae.", ae), ("critic.", critic)):
        if module is not None:
            own = {k.removeprefix(name): v for k, v in tensors.items() if k.startswith(name)}
            try:
                module.load_state_dict(own)
            except RuntimeError:
                raise InputError(
                    f"{str(weights)!r} is damaged: it does not hold the weights of the network that "
                    f"{place(folder, JOB).name} tells of."
                ) from None
    return chosen, Trained(
        ae.eval(),
        critic and critic.eval(),
        history,
        job["seconds"],
        steps=job["steps"],
        kept=job.get("kept"),
        warm_up=job.get("warm_up", 0.0),
    )


def write_weights(trained: Trained, path: Path) -> None:
    """Write the weights of both players."""
    tensors = {f"ae.{name}": value for name, value in trained.ae.state_dict().items()}
    if trained.critic is not None:
        tensors |= {f"critic.{name}": value for name, value in trained.critic.state_dict().items()}
    write_tensors(path, {name: value.contiguous() for name, value in tensors.items()})


def _found(job: Mapping[str, Any]) -> Method:
    """The method that a run's job.json names, if it is the one that was trained."""
    known, called, path = all_methods(), job["method"], job.get("class")
    same = called in known and path is not None and of_package(known[called], path)
    if path is None or same:  # runs of version 0.1 do not say the class
        return method(called, **job["fields"])
    raise InputError(
        f"The run's method {called!r} is the class {path}, which no installed package declares by that name: "
        f"expected the class, as in load(path, method={path.rpartition('.')[2]})."
    )


def _given(job: Mapping[str, Any], given: Method | type[Method]) -> Method:
    """The method that a user names as that of a run."""
    cls = given if isinstance(given, type) else type(given)
    if not issubclass(cls, Method):
        raise InputError(f"The method of a run should be given as a Method or its class, got {given!r}.")
    chosen = cls(**job["fields"]) if isinstance(given, type) else given
    called = job["method"]
    # else it is a class that version 0.1 named after its file
    known = "class" in job or called in all_methods()
    if (known and chosen.called() != called) or json.loads(json.dumps(chosen.fields())) != job["fields"]:
        raise InputError(f"The run's method is {called!r} with {job['fields']}, got {chosen!r}.")
    return chosen


def describe(method: Method, world: World, /, **run: Any) -> dict[str, Any]:
    """What a run's job.json says: the method with all its fields, the world, and the settings given as `run`.

    `run` needs at least n_latents, net, likelihood, steps, batch, lr, seed and precision.
    """
    few = {name: values for name, values in world.value_names.items() if len(values) <= NAMED}
    named = {name: list(values) for name, values in few.items()}
    return {
        "method": method.called(),
        "fields": method.fields(),
        "reconstruction": method.reconstruction,
        "class": class_path(type(method)),
        **world.kind.to_json(),
        **run,
        "lr": choose_lr(run["lr"], method, world.kind),
        "source": world.source,
        "n": len(world),
        "shape": list(world.shape),
        "summary": asdict(world.summary),
        **({"notices": list(world.notices)} if world.notices else {}),
        **({"value_names": named} if named else {}),
        "version": __version__,
    }


def outcome(trained: Trained, device: str, devices: int = 1) -> dict[str, Any]:
    """What a run's job.json says of a training that is done: how long it took, and on what."""
    return {
        "steps": trained.steps,
        "seconds": round(trained.seconds, 1),
        **({"warm_up": round(trained.warm_up, 1)} if trained.warm_up else {}),
        "machine": machine(device, devices),
        "updates": trained.steps + trained.trial_updates,
        **({} if trained.kept is None else {"kept": trained.kept}),
    }


def machine(device: str, devices: int = 1) -> str:
    """What a run was computed on, as results should name it."""
    if devices > 1:
        return f"{devices} devices: {machine(device)}"
    if device not in ("auto", "cpu") or (device == "auto" and torch.cuda.is_available()):
        return f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
    return f"{platform.machine()} CPU, {torch.get_num_threads()} threads, torch {torch.__version__}"

"""Scores of a finished run, of its final codes and of its snapshots, saved beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from prismae._version import __version__
from prismae.data import World
from prismae.data.storage import spaced
from prismae.errors import Unavailable
from prismae.evaluation import (
    SAMPLES,
    assignments_table,
    codes_table,
    deviations_table,
    evaluate,
    image_scores,
    likelihood_scores,
)
from prismae.methods import Clustering, Method
from prismae.metrics import all_metrics
from prismae.metrics.evaluate import FAMILIES, Scores, by_protocol, posteriors_needed, reasons
from prismae.nets.autoencoder import AutoencoderNet
from prismae.studies.claim import claim
from prismae.studies.observations import observations, unseen
from prismae.train import RunFolder
from prismae.train.run_folder import JOB, SCORES, SNAPSHOT

PROTOCOLS = ("locatello2019", "yeats2023")
YEATS_WORLDS = (
    "beamsynthesis",
    "pulses",
    "dsprites",
)  # whose sizes the constants of "yeats2023" are made for
POINTS = 10_000  # observations that reconstruction errors are measured on

LOCK = ".scores.lock"


def score(
    folder: RunFolder,
    *,
    metrics: str | Sequence[str] = "default",
    protocols: Sequence[str] | None = None,
    bootstrap: int = 0,
    baselines: bool = True,
    seed: int = 0,
    data: World | None = None,
    label: str | None = None,
    samples: int = SAMPLES,
    device: str = "cpu",
    progress: bool = False,
) -> dict[str, Any]:
    """Score a run in each protocol, and write what was found to its scores.json and its model card.

    What is already there and is not asked for again is kept: a run does not change, and its numbers, once said, stay
    the same to the last digit, also where another number of threads would round them otherwise. By default the
    protocols are "locatello2019" and, on the worlds that it is made for, "yeats2023".

    Parameters
    ----------
    metrics
        "default", "all" (of the protocols), or names of metrics and families: "clustering", "classification",
        "generation", "likelihood". Scores of a family stand under its name beside the protocols. Where observations are
        held out or the world has a test split, classifiers are scored, images reconstructed, and likelihoods measured,
        on these.
    bootstrap, baselines, seed, label, samples
        See `prismae.evaluate`.
    data
        The run's world if it is already loaded.
    device
        Where observations are encoded and decoded: "auto", "cpu", "cuda" or "mps". The metrics themselves are computed
        on the CPU.
    progress
        Whether progress bars are shown.

    Returns
    -------
    dict
        ``reconstruction`` {mse, nats} (see `AutoencoderNet.errors`), ``spread`` [m] (standard deviation of each
        code), ``protocols`` {protocol: {metric: score as plain data}}, ``skipped`` {protocol: {metric: reason}},
        ``matrices`` (see `prismae.metrics.Scores`); each score says under ``taken`` its seed, the version of prismae
        and, if it is of a likelihood, its samples; ``snapshots`` {step: {protocol: {metric: score}}} (without
        intervals and baselines, and without families); and, where observations are held out or the world has a test
        split, ``unseen`` {n, reconstruction, protocols}, the same of those (without intervals and baselines).

    Raises
    ------
    Unavailable
        If nothing that was asked for can be had; the reasons are written down all the same.
    """
    job = folder.read_json(JOB)
    method, trained = folder.load()
    data = observations(job) if data is None else data
    model = _Model(method, trained.ae.to(_named(device)), data, unseen(job), progress)
    saved = _Saved(folder)
    found = saved.read()
    if "reconstruction" not in found:
        found["reconstruction"] = reconstruction(model.net, data)
        found["spread"] = model.codes.std(0, ddof=1).tolist()
    if model.test is not None and "unseen" not in found:
        found["unseen"] = {"n": len(model.test), "reconstruction": reconstruction(model.net, model.test)}
    found = saved.add(found)
    if protocols is None:
        protocols = PROTOCOLS if job["world"] in YEATS_WORLDS else PROTOCOLS[:1]
    snapshots = {step: _snapshot(folder, step) for step in job["snapshots"]}
    had, refused = False, []
    for protocol, names in by_protocol(metrics, protocols).items():
        if data.factors is None and protocol not in FAMILIES:
            unknown = dict.fromkeys(
                names if isinstance(names, list) else (), "The world has no known factors."
            )
            found.setdefault("skipped", {}).setdefault(protocol, {}).update(unknown)
            continue
        taken: dict[str, Any] = {"metrics": names, "seed": seed, "progress": progress}
        try:
            final = _final(model, protocol, label, samples, bootstrap, baselines, taken).to_dict()
            had = True
        except Unavailable as error:
            refused.append(error)
            final = Scores({}, reasons(error, protocol, names)).to_dict()
        scored = found.setdefault("protocols", {}).setdefault(protocol, {})
        about: dict[str, Any] = {"seed": seed, "prismae": __version__}
        if protocol == "likelihood":
            about["samples"] = samples
        scored.update({name: each | {"taken": about} for name, each in final["scores"].items()})
        skipped = found.setdefault("skipped", {}).get(protocol, {}) | final["skipped"]
        found["skipped"][protocol] = {
            name: reason for name, reason in skipped.items() if not scores_of(name, scored)
        }
        found["matrices"] = found.get("matrices", {}) | final["matrices"]
        found = saved.add(found)
        if protocol in FAMILIES or not final["scores"]:
            continue
        taken |= {"protocol": protocol, "baselines": False}
        if model.test is not None and model.test.factors is not None:
            stds = model.stds(model.test, protocol, names)
            scores = _as_far_as_there(model.unseen_codes, model.test, stds=stds, **taken)
            found["unseen"].setdefault("protocols", {}).setdefault(protocol, {}).update(scores)
        for step, table in snapshots.items():
            at_step = found.setdefault("snapshots", {}).setdefault(str(step), {})
            at_step.setdefault(protocol, {}).update(_as_far_as_there(table, data, **taken))
    found = saved.add(found)
    if refused and not had:
        raise refused[0]
    return found


def leave_out(folder: RunFolder, protocol: str, reasons: Mapping[str, str]) -> None:
    """Write to a run's scores.json why it has no score by some metrics."""
    saved = _Saved(folder)
    found = saved.read()
    found.setdefault("skipped", {}).setdefault(protocol, {}).update(reasons)
    saved.add(found)


class _Saved:
    """A run's scores.json, to which several processes may add at once.

    What one adds goes into what is there by then, under a lock: nothing that another one wrote meanwhile is lost.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.known: dict[str, Any] = {}

    def read(self) -> dict[str, Any]:
        found = self.folder.read_json(SCORES) if (self.folder.path / SCORES).exists() else {}
        self.known = deepcopy(found)
        return found

    def add(self, found: dict[str, Any]) -> dict[str, Any]:
        """Write what has changed in `found` since it was read or added, and return what is there then."""
        with claim(self.folder, wait=True, lock=LOCK):
            known = self.known
            whole = _with_changes(self.read(), known, found)
            self.folder.write_json(SCORES, whole)
            self.folder.write_card()
        self.known = deepcopy(whole)
        return whole


def _with_changes(now: Any, before: Any, after: Any) -> Any:
    """`now`, with all that differs between `before` and `after`; a score is changed as a whole."""
    if not all(isinstance(each, dict) for each in (now, before, after)) or "score" in after:
        return after
    kept = {key: value for key, value in now.items() if key in after or key not in before}
    for key, value in after.items():
        if key not in before or before[key] != value:
            kept[key] = _with_changes(now.get(key, {}), before.get(key, {}), value)
    return kept


def fits(score: Mapping[str, Any], protocol: str, *, samples: int, seed: int = 0) -> bool:
    """Whether a saved score was taken so.

    Versions before 0.2 did not write it down: their scores count as of seed 0, and their likelihoods as of no known
    number of samples.
    """
    taken = score.get("taken", {"seed": 0})
    return taken["seed"] == seed and (protocol != "likelihood" or taken.get("samples") == samples)


def _as_far_as_there(codes: NDArray, data: World, **taken: Any) -> dict[str, Any]:
    """Scores beside those of the final codes, without those that cannot be had of these codes."""
    try:
        return evaluate(codes, data, **taken).to_dict()["scores"]
    except Unavailable:
        return {}


@dataclass(frozen=True)
class _Model:
    """A trained model with what it has seen and what it has not; each is encoded once, and only if that is needed."""

    method: Method
    net: AutoencoderNet
    data: World
    test: World | None
    progress: bool

    @cached_property
    def codes(self) -> NDArray:
        return codes_table(self.net, self.data, progress=self.progress)

    def stds(self, world: World, protocol: str, metrics: str | list[str]) -> NDArray | None:
        """Deviations of the posteriors, where these metrics look at them."""
        needed = posteriors_needed({protocol: metrics})
        return deviations_table(self.net, world, progress=self.progress) if needed else None

    @cached_property
    def unseen_codes(self) -> NDArray:
        assert self.test is not None
        return codes_table(self.net, self.test, progress=self.progress)


def _final(
    model: _Model,
    protocol: str,
    label: str | None,
    samples: int,
    bootstrap: int,
    baselines: bool,
    taken: dict[str, Any],
) -> Scores:
    """Scores of the trained model by one protocol, from its codes, its images or its likelihood."""
    method, data, test = model.method, model.data, model.test
    if protocol == "likelihood":
        on = data if test is None else test
        return likelihood_scores(model.net, on, method=method, samples=samples, bootstrap=bootstrap, **taken)
    taken = {"bootstrap": bootstrap, "baselines": baselines, "label": label} | taken
    if protocol == "generation":
        return image_scores(model.net, data, test=test, method=method, **taken)
    if protocol == "clustering" and isinstance(method, Clustering):
        taken["assignments"] = assignments_table(method, model.net, data, progress=model.progress)
    if protocol == "classification" and test is not None and test.factors is not None:
        taken["test"] = model.unseen_codes, test.factors
    stds = model.stds(data, protocol, taken["metrics"])
    return evaluate(model.codes, data, protocol=protocol, stds=stds, **taken)


def scores_of(metric: str, keys: Iterable[str]) -> list[str]:
    """The keys of a table of scores that are one metric's: "dci" → "dci-d", "dci-c"; "nmi" → "nmi[k-means]"."""
    others = {each.key for each in all_metrics().values()} - {metric}
    parts = (f"{metric}-", f"{metric}[")
    return [key for key in keys if key == metric or (key.startswith(parts) and key not in others)]


def reconstruction(net: AutoencoderNet, data: World) -> dict[str, float]:
    """Errors of reconstructions over up to 10,000 observations, evenly spaced: {"mse", "nats"}."""
    rows = spaced(len(data), POINTS)
    with torch.no_grad():
        parts = [
            torch.stack(net.errors(data.data[part.to(data.data.device)].to(net.mean.device))) * len(part)
            for part in rows.split(1024)
        ]
    mse, nats = (torch.stack(parts).sum(0) / len(rows)).tolist()
    return {"mse": mse, "nats": nats}


def _named(device: str) -> torch.device:
    """The device that training takes by this name."""
    if device == "cpu":
        return torch.device("cpu")
    from lightning_fabric import Fabric  # here: importing it takes as long as PyTorch itself, twice

    return Fabric(accelerator=device, devices=1).device


def _snapshot(folder: RunFolder, step: int) -> NDArray:
    with np.load(folder.path / SNAPSHOT.format(step=step), allow_pickle=False) as arrays:
        return arrays["codes"]

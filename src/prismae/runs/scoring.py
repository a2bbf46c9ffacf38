"""Scores of a finished run, of its final codes and of its snapshots, saved beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from math import prod
from typing import Any

import torch

from prismae._version import __version__
from prismae.data import World
from prismae.data.storage import spaced
from prismae.errors import Unavailable
from prismae.evaluation import (
    SAMPLES,
    Options,
    Protocol,
    Scores,
    Subject,
    Wanted,
    by_protocol,
    scores_of,
    take,
    walk,
)
from prismae.evaluation.baselines import baselines_of, beside
from prismae.evaluation.encode import codes_table
from prismae.evaluation.protocols import Metrics
from prismae.nets.autoencoder import AutoencoderNet
from prismae.runs.claim import claim
from prismae.runs.codes import WIDE, in_parts, looked_at
from prismae.runs.files import SCORES
from prismae.runs.judge import judged
from prismae.runs.measured import untrained
from prismae.runs.observations import parted, unseen
from prismae.runs.run import Run

PROTOCOLS = ("locatello2019", "yeats2023")
YEATS_WORLDS = (
    "beamsynthesis",
    "pulses",
    "dsprites",
)  # whose sizes the constants of "yeats2023" are made for
POINTS = 10_000  # observations that reconstruction errors are measured on

LOCK = ".scores.lock"
UNFINISHED = "unfinished"  # protocol → metrics whose scores are there, but not yet all that comes with them


def score(
    run: Run,
    *,
    metrics: Metrics = "default",
    protocols: Sequence[str | Protocol] | None = None,
    bootstrap: int = 0,
    baselines: bool = True,
    others: bool = True,
    seed: int = 0,
    data: World | None = None,
    held: World | None = None,
    label: str | None = None,
    samples: int = SAMPLES,
    device: str = "cpu",
    progress: bool = False,
    tolerant: bool = False,
) -> dict[str, Any]:
    """Score a run in each protocol, and write each score to its scores.json and its model card as it comes.

    What is already there and is not asked for again is kept: a run does not change, and its numbers, once said, stay
    the same to the last digit, also where another number of threads would round them otherwise. By default the
    protocols are "locatello2019" and, on the worlds that it is made for, "yeats2023".

    Parameters
    ----------
    metrics
        "default", "all" (of the protocols), names of metrics and families ("clustering", "classification",
        "generation", "likelihood"), or functions declared by `prismae.metrics.metric`. Scores of a family stand under
        its name beside the protocols. Where observations are held out or the world has a test split, classifiers are
        scored, images reconstructed, and likelihoods measured, on these.
    bootstrap, baselines, seed, label, samples
        See `prismae.evaluate`.
    others
        Whether the same scores are taken of PCA, ICA and the network untrained.
    data, held
        The run's world, and what is held out of it, if they are already loaded.
    device
        Where observations are encoded and decoded: "auto", "cpu", "cuda" or "mps". The metrics themselves are computed
        on the CPU.
    progress
        Whether progress bars are shown.
    tolerant
        Leave out a metric that breaks, with the reason, whatever it raises.

    Returns
    -------
    dict
        ``reconstruction`` {mse, nats} (see `AutoencoderNet.errors`), ``spread`` [m] (standard deviation of each
        code), ``protocols`` {protocol: {metric: score as plain data}}, ``skipped`` {protocol: {metric: reason}},
        ``matrices`` (see `prismae.evaluation.Scores`); each score says under ``taken`` its seed, the version of prismae
        and, if it is of a likelihood, its samples, and under ``beside`` the same score of principal and independent
        components, as many as live latents, and of the network untrained; ``snapshots`` {step: {protocol: {metric:
        score}}} (without intervals and baselines, and without families); and, where observations are held out or the
        world has a test split, ``unseen`` {n, reconstruction, protocols}, the same of those (without intervals and
        baselines).

    Raises
    ------
    Unavailable
        If nothing that was asked for can be had; the reasons are written down all the same.
    """
    job = run.job
    options = Options(bootstrap, baselines, seed, label, samples, progress, tolerant)
    if protocols is None:
        protocols = PROTOCOLS if job["world"] in YEATS_WORLDS else PROTOCOLS[:1]
    wanted = by_protocol(metrics, protocols)
    method, trained = run.load()
    if data is None:
        data, held = parted(job)
    net = trained.ae.to(_named(device))
    model = Subject(net, data, test=unseen(job) if held is None else held, method=method, progress=progress)
    saved = _Saved(run)
    found = saved.read()
    if "reconstruction" not in found:
        found["reconstruction"] = reconstruction(net, data)
        found["spread"] = spread(model, net, data)
    if isinstance(model.test, World) and "unseen" not in found:
        found["unseen"] = {"n": len(model.test), "reconstruction": reconstruction(net, model.test)}
    found = saved.add(found)
    if data.factors is None:
        for name in [name for name, each in wanted.items() if not each.family.alone]:
            unknown = dict.fromkeys(wanted.pop(name).named, "The world has no known factors.")
            found.setdefault("skipped", {}).setdefault(name, {}).update(unknown)
    tables = {step: run.snapshot(step) for step in job["snapshots"]}
    snapshots = {str(step): Subject(codes, data) for step, codes in tables.items()}
    compared = _others(run, model, data, seed) if others and wanted else {}
    refusals = []

    def keep(name: str, scores: Scores) -> None:
        nonlocal found
        _keep(found, name, scores.to_dict(), options)
        found = saved.add(found)

    def heard(name: str, scores: Scores) -> None:
        found.setdefault(UNFINISHED, {}).setdefault(name, {}).update(
            dict.fromkeys(wanted[name].metrics, True)
        )
        keep(name, scores)

    for name, scores, refused in walk(model, wanted, options, heard):
        refusals += [] if refused is None else [refused]
        scores = beside(scores, wanted[name], compared, options)
        keep(name, scores)
        if scores and not wanted[name].family.alone:
            _beside(
                found, wanted[name], model.unseen, snapshots, replace(options, bootstrap=0, baselines=False)
            )
    found = saved.add(found)
    for name, each in wanted.items():
        _finish(found, name, each.metrics)
    found = saved.add(found)  # now that all of it is there, and the card says so
    if refusals and len(refusals) == len(wanted):
        raise refusals[0]
    return found


def _others(run: Run, model: Subject, data: World, seed: int) -> dict[str, Subject]:
    """Baselines of a run: as many components as it has live latents, and its network untrained."""
    if model.world.factors is None:
        return {}
    assert model.method is not None
    start = untrained(model.method, data, run.job, run.job["net"], run.job["likelihood"])
    return baselines_of(model, seed=seed, m=int(judged(run, data).live.sum()) or None, start=start)


class _Saved:
    """A run's scores.json, to which several processes may add at once.

    What one adds goes into what is there by then, under a lock: nothing that another one wrote meanwhile is lost.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.known: dict[str, Any] = {}

    def read(self) -> dict[str, Any]:
        found = Run(self.run.path).scores or {}  # as it is now
        self.known = deepcopy(found)
        return found

    def add(self, found: dict[str, Any]) -> dict[str, Any]:
        """Write what has changed in `found` since it was read or added, and return what is there then."""
        with claim(self.run, wait=True, lock=LOCK):
            known = self.known
            whole = _with_changes(self.read(), known, found)
            self.run.write_card(whole)
            self.run.write_json(SCORES, whole)  # last: whoever finds it asks for nothing more
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


def _keep(found: dict[str, Any], name: str, scores: dict[str, Any], options: Options) -> None:
    """Put the scores of a protocol, as plain data, among those that were found before."""
    taken: dict[str, Any] = {"seed": options.seed, "prismae": __version__}
    if name == "likelihood":
        taken["samples"] = options.samples
    table = found.setdefault("protocols", {}).setdefault(name, {})
    table.update({key: each | {"taken": taken} for key, each in scores["scores"].items()})
    skipped = found.setdefault("skipped", {}).get(name, {}) | scores["skipped"]
    found["skipped"][name] = {key: reason for key, reason in skipped.items() if not scores_of(key, table)}
    found["matrices"] = found.get("matrices", {}) | scores["matrices"]


def _finish(found: dict[str, Any], name: str, metrics: Iterable[str]) -> None:
    """Take from what is unfinished the metrics of a protocol whose scores are all there."""
    unfinished = found.get(UNFINISHED, {})
    rest = {key: True for key in unfinished.pop(name, {}) if key not in metrics}
    unfinished |= {name: rest} if rest else {}
    if not unfinished:
        found.pop(UNFINISHED, None)


def _beside(
    found: dict[str, Any],
    wanted: Wanted,
    unseen: Subject | None,
    snapshots: Mapping[str, Subject],
    options: Options,
) -> None:
    """Scores of a protocol on what was held out and at each snapshot, as far as they can be had."""

    def scores(subject: Subject) -> dict[str, Any]:
        try:
            return take(subject, wanted, options).to_dict()["scores"]
        except Unavailable:
            return {}

    if unseen is not None and unseen.world.factors is not None:
        found["unseen"].setdefault("protocols", {}).setdefault(wanted.name, {}).update(scores(unseen))
    for step, codes in snapshots.items():
        at_step = found.setdefault("snapshots", {}).setdefault(step, {})
        at_step.setdefault(wanted.name, {}).update(scores(codes))


def reconstruction(net: AutoencoderNet, data: World) -> dict[str, float]:
    """Errors of reconstructions over up to 10,000 observations, fewer of wide ones, evenly spaced: {"mse", "nats"}."""
    rows = spaced(len(data), looked_at(data, POINTS))
    with torch.no_grad():
        parts = [
            torch.stack(net.errors(data.data[part.to(data.data.device)].to(net.mean.device))) * len(part)
            for part in in_parts(data, rows)
        ]
    mse, nats = (torch.stack(parts).sum(0) / len(rows)).tolist()
    return {"mse": mse, "nats": nats}


def spread(model: Subject, net: AutoencoderNet, data: World) -> list[float]:
    """[m] standard deviation of each code; of wide observations that no score needs, over those of `reconstruction`."""
    if prod(data.shape) <= WIDE or data.factors is not None:
        return model.codes.std(0, ddof=1).tolist()
    some = data.take(spaced(len(data), looked_at(data, POINTS)).numpy())
    return codes_table(net, some).std(0, ddof=1).tolist()


def _named(device: str) -> torch.device:
    """The device that training takes by this name."""
    if device == "cpu":
        return torch.device("cpu")
    from lightning_fabric import Fabric  # here: importing it takes as long as PyTorch itself, twice

    return Fabric(accelerator=device, devices=1).device

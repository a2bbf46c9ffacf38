"""Scores of a finished run, of its final codes and of its snapshots, saved beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from prismae.data import World
from prismae.evaluation import assignments_table, codes_table, evaluate, image_scores
from prismae.methods import Clustering, Method
from prismae.metrics.evaluate import FAMILIES, Scores, by_protocol
from prismae.nets.autoencoder import AutoencoderNet
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
    progress: bool = False,
) -> dict[str, Any]:
    """Score a run in each protocol, and write what was found to its scores.json and its model card.

    Scores that are already there and are not asked for again are kept. By default the protocols are
    "locatello2019" and, on the worlds that it is made for, "yeats2023".

    Parameters
    ----------
    metrics
        "default", "all" (of the protocols), or names of metrics and families: "clustering", "classification",
        "generation". Scores of a family stand under its name beside the protocols. Where the world has a test split,
        classifiers are scored, and images reconstructed, on that.
    bootstrap, baselines, seed, label
        See `prismae.evaluate`.
    data
        The run's world if it is already loaded.
    progress
        Whether progress bars are shown.

    Returns
    -------
    dict
        ``reconstruction`` {mse, nats} (see `AutoencoderNet.errors`), ``spread`` [m] (standard deviation of each
        code), ``protocols`` {protocol: {metric: score as plain data}}, ``skipped`` {protocol: {metric: reason}},
        ``matrices`` (see `prismae.metrics.Scores`), and ``snapshots`` {step: {protocol: {metric: score}}} (without
        intervals and baselines, and without families); and, where observations are held out or the world has a test
        split, ``unseen`` {n, reconstruction, protocols}, the same of those (without intervals and baselines).
    """
    job = folder.read_json(JOB)
    method, trained = folder.load()
    net = trained.ae
    data = observations(job) if data is None else data
    found = folder.read_json(SCORES) if (folder.path / SCORES).exists() else {}
    codes = codes_table(net, data, progress=progress)
    found["reconstruction"] = reconstruction(net, data)
    found["spread"] = codes.std(0, ddof=1).tolist()
    if protocols is None:
        protocols = PROTOCOLS if job["world"] in YEATS_WORLDS else PROTOCOLS[:1]
    snapshots = {step: _snapshot(folder, step) for step in job["snapshots"]}
    wanted = by_protocol(metrics, protocols)
    test = unseen(job)
    if test is not None:
        found.setdefault("unseen", {}).update(n=len(test), reconstruction=reconstruction(net, test))
    for protocol, names in wanted.items():
        if data.factors is None and protocol not in FAMILIES:
            continue
        taken: dict[str, Any] = {"metrics": names, "seed": seed, "progress": progress}
        final = _final(net, method, data, test, codes, protocol, label, bootstrap, baselines, taken).to_dict()
        found.setdefault("protocols", {}).setdefault(protocol, {}).update(final["scores"])
        found.setdefault("skipped", {}).setdefault(protocol, {}).update(final["skipped"])
        found["matrices"] = found.get("matrices", {}) | final["matrices"]
        if test is not None and test.factors is not None and protocol not in FAMILIES:
            unseen_codes = codes_table(net, test, progress=progress)
            scores = evaluate(unseen_codes, test, protocol=protocol, baselines=False, **taken).to_dict()[
                "scores"
            ]
            found["unseen"].setdefault("protocols", {}).setdefault(protocol, {}).update(scores)
        for step, table in snapshots.items() if protocol not in FAMILIES else ():
            at_step = found.setdefault("snapshots", {}).setdefault(str(step), {})
            scores = evaluate(table, data, protocol=protocol, baselines=False, **taken).to_dict()["scores"]
            at_step.setdefault(protocol, {}).update(scores)
    folder.write_json(SCORES, found)
    folder.write_card()
    return found


def _final(
    net: AutoencoderNet,
    method: Method,
    data: World,
    test: World | None,
    codes: NDArray,
    protocol: str,
    label: str | None,
    bootstrap: int,
    baselines: bool,
    taken: dict[str, Any],
) -> Scores:
    """Scores of the trained model by one protocol, from its codes or its images."""
    taken = {"bootstrap": bootstrap, "baselines": baselines, "label": label} | taken
    if protocol == "generation":
        return image_scores(net, data, test=test, method=method, **taken)
    if protocol == "clustering" and isinstance(method, Clustering):
        taken["assignments"] = assignments_table(method, net, data, progress=taken["progress"])
    if protocol == "classification" and test is not None and test.factors is not None:
        taken["test"] = codes_table(net, test, progress=taken["progress"]), test.factors
    return evaluate(codes, data, protocol=protocol, **taken)


def reconstruction(net: AutoencoderNet, data: World) -> dict[str, float]:
    """Errors of reconstructions over up to 10,000 observations, evenly spaced: {"mse", "nats"}."""
    rows = torch.linspace(0, len(data) - 1, min(POINTS, len(data))).long()
    with torch.no_grad():
        parts = [torch.stack(net.errors(data.data[part])) * len(part) for part in rows.split(1024)]
    mse, nats = (torch.stack(parts).sum(0) / len(rows)).tolist()
    return {"mse": mse, "nats": nats}


def _snapshot(folder: RunFolder, step: int) -> NDArray:
    with np.load(folder.path / SNAPSHOT.format(step=step), allow_pickle=False) as arrays:
        return arrays["codes"]

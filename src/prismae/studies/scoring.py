"""Scores of a finished run, of its final codes and of its snapshots, saved beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from prismae.data import World, world
from prismae.evaluation import codes_table, evaluate
from prismae.nets.autoencoder import AutoencoderNet
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
) -> dict[str, Any]:
    """Score a run in each protocol, and write what was found to its scores.json and its model card.

    Scores that are already there and are not asked for again are kept. By default the protocols are
    "locatello2019" and, on the worlds that it is made for, "yeats2023".

    Returns
    -------
    dict
        ``reconstruction`` {mse, nats} (see `AutoencoderNet.errors`), ``spread`` [m] (standard deviation of each
        code), ``protocols`` {protocol: {metric: score as plain data}}, ``skipped`` {protocol: {metric: reason}},
        ``matrices`` (see `prismae.metrics.Scores`), and ``snapshots`` {step: {protocol: {metric: score}}} (without
        intervals and baselines).
    """
    job = folder.read_json(JOB)
    net = folder.load()[1].ae
    data = world(job["world"]) if data is None else data
    found = folder.read_json(SCORES) if (folder.path / SCORES).exists() else {}
    codes = codes_table(net, data)
    found["reconstruction"] = reconstruction(net, data)
    found["spread"] = codes.std(0, ddof=1).tolist()
    if protocols is None:
        protocols = PROTOCOLS if job["world"] in YEATS_WORLDS else PROTOCOLS[:1]
    snapshots = {step: _snapshot(folder, step) for step in job["snapshots"]}
    for protocol in protocols if data.factors is not None else ():
        given: dict[str, Any] = {"metrics": metrics, "protocol": protocol, "seed": seed}
        final = evaluate(codes, data, bootstrap=bootstrap, baselines=baselines, **given).to_dict()
        found.setdefault("protocols", {}).setdefault(protocol, {}).update(final["scores"])
        found.setdefault("skipped", {}).setdefault(protocol, {}).update(final["skipped"])
        found["matrices"] = found.get("matrices", {}) | final["matrices"]
        for step, table in snapshots.items():
            at_step = found.setdefault("snapshots", {}).setdefault(str(step), {})
            scores = evaluate(table, data, baselines=False, **given).to_dict()["scores"]
            at_step.setdefault(protocol, {}).update(scores)
    folder.write_json(SCORES, found)
    folder.write_card()
    return found


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

"""Stability: which latents come back when only the seed of a training changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from prismae.data import World
from prismae.errors import InputError
from prismae.metrics._inputs import standardised
from prismae.metrics.disentanglement.udr import UDR, udr_spearman
from prismae.runs.codes import MEASURED, drawn_rows, encoded
from prismae.runs.files import STABILITY
from prismae.runs.judge import judged
from prismae.runs.run import Run
from prismae.runs.verdict import Verdict


def stability(runs: Sequence[Run], data: World, *, points: int = MEASURED) -> dict[str, Any]:
    """Compare runs that differ in their seed, and write what was found to stability.json of the first.

    Each latent of the first run is matched with one of every other run, one to one, so that the absolute Pearson
    correlations of the matched mean codes add up to the most.

    Parameters
    ----------
    runs
        At least two finished runs of the same method, data and settings.
    data
        What they were trained on.
    points
        Observations that codes are compared on, drawn with a fixed seed.

    Returns
    -------
    dict
        ``seeds`` and ``runs`` (ids); ``points``; ``live`` and ``explained``, for each run how many latents are live and
        what share of the variance they explain; ``latents``, for each of the first run its ``name``, whether it is
        ``live``, ``mean`` of the absolute correlations, and ``matches``, a ``name`` and ``r`` for each other run;
        ``udr`` of the first run over live latents (see `prismae.metrics.udr_spearman`), None if a run has collapsed.

    Raises
    ------
    InputError
        For fewer than two runs, or runs that differ in more than their seed.
    """
    if len(runs) < 2:
        raise InputError(f"Stability compares at least 2 runs, got {len(runs)}.")
    jobs: list[dict[str, Any]] = [
        {**run.job, **({"steps": "auto"} if "kept" in run.job else {})}  # each seed stops by itself
        for run in runs
    ]
    for key in ("method", "fields", "world", "n", "n_latents", "steps", "batch"):
        if any(job.get(key) != jobs[0].get(key) for job in jobs):
            raise InputError(
                f"Stability compares runs that differ in their seed only, but these differ in {key!r}."
            )
    rows = drawn_rows(data, points)
    verdicts = [judged(run, data) for run in runs]
    codes = [encoded(run.load()[1].ae, data, rows).numpy() for run in runs]
    matched = [match(codes[0], other) for other in codes[1:]]
    latents: list[dict[str, Any]] = [
        {
            "name": f"z{i}",
            "live": bool(verdicts[0].live[i]),
            "mean": float(np.mean([r[i] for _, r in matched])),
            "matches": [{"name": f"z{partner[i]}", "r": float(r[i])} for partner, r in matched],
        }
        for i in range(codes[0].shape[1])
    ]
    content = {
        "seeds": [job["seed"] for job in jobs],
        "runs": [job["id"] for job in jobs],
        "points": len(rows),
        "live": [int(each.live.sum()) for each in verdicts],
        "explained": [each.explained for each in verdicts],
        "latents": sorted(latents, key=lambda latent: (not latent["live"], -latent["mean"])),
        "udr": None if any(each.collapsed for each in verdicts) else float(live_udr(codes, verdicts)),
    }
    runs[0].write_json(STABILITY, content)
    return content


def live_udr(
    codes: Sequence[NDArray], verdicts: Sequence[Verdict], by: Callable[..., UDR] = udr_spearman
) -> UDR:
    """UDR of several runs, over the live latents of each."""
    return by(codes, kl=[each.live.astype(float) for each in verdicts], least_kl=1.0)


def match(codes: NDArray, other: NDArray) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Which latent of another run says what each latent of this one does.

    Parameters
    ----------
    codes, other
        [n, m] codes of the same observations.

    Returns
    -------
    The index [m] of each latent's partner, and the absolute correlation [m] with it (0 for constant codes).
    """
    correlation = np.abs(standardised(codes).T @ standardised(other)) / len(codes)
    _, partner = linear_sum_assignment(correlation, maximize=True)
    return partner, np.minimum(correlation[np.arange(len(partner)), partner], 1.0)

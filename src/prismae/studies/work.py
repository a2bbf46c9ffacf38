"""What a worker of a study does with one job: train, score, and say how it went."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from prismae.errors import InputError, Unavailable
from prismae.metrics.evaluate import reasons
from prismae.metrics.generation.official import PACKAGES, lacking
from prismae.studies.claim import Claimed, claim
from prismae.studies.job import Job, run
from prismae.studies.scoring import score, scores_of
from prismae.studies.status import Reporter, Status
from prismae.train import Interrupted, NotFinite, RunFolder
from prismae.train.run_folder import SCORES

ERROR = "error.txt"
Metrics = Mapping[str, Sequence[str]]  # protocol → metrics


def perform(
    job: Job,
    out: Path,
    metrics: Metrics,
    status: Path,
    *,
    samples: int,
    threads: int,
    device: str = "auto",
    checkpoint_every: int = 500,
    wait: bool = False,
) -> None:
    """Train a job and score it, as far as that is not done; what goes wrong is written down, not raised.

    Parameters
    ----------
    out
        Where run folders are kept.
    status
        File to write the progress and the outcome to.
    samples
        Of each posterior, behind a likelihood.
    threads
        Of this process while it works.
    wait
        Wait for another process that computes the same run; else its status is "elsewhere".

    Raises
    ------
    Interrupted, KeyboardInterrupt
        By Ctrl-C.
    """
    report = Reporter(status)
    folder = RunFolder(out / job.id)
    try:
        with limited_threads(threads):
            report(Status("training"))
            run(
                job,
                out,
                device=device,
                checkpoint_every=checkpoint_every,
                on_step=lambda step: report(Status("training", step), always=False),
                wait=wait,
            )
            report(Status("scoring", job.steps))
            with claim(folder, wait=wait):
                score_missing(folder, metrics, samples, device)
            (folder.path / ERROR).unlink(missing_ok=True)
        report(Status("done", job.steps))
    except Claimed:
        report(Status("elsewhere"))
    except Interrupted:
        raise
    except Exception as error:  # of whatever kind: the other jobs of the study go on
        folder.path.mkdir(parents=True, exist_ok=True)
        (folder.path / ERROR).write_text(traceback.format_exc())
        said = str(error) if isinstance(error, InputError | NotFinite) else f"{type(error).__name__}: {error}"
        report(Status("failed", error=f"{said} (The traceback is in {folder.path / ERROR}.)"))


def score_missing(folder: RunFolder, metrics: Metrics, samples: int, device: str) -> None:
    """Score a finished run with those metrics that its scores.json does not have."""
    for protocol, names in missing(folder, metrics).items():
        try:
            score(folder, metrics=names, protocols=(protocol,), samples=samples, device=device)
        except Unavailable as error:  # where nothing else was asked for
            found = score(folder, protocols=())
            left_out = {
                name: lacking(name) or reason for name, reason in reasons(error, protocol, names).items()
            }
            found.setdefault("skipped", {}).setdefault(protocol, {}).update(left_out)
            folder.write_json(SCORES, found)
    if not (folder.path / SCORES).exists():
        score(folder, protocols=())


def missing(folder: RunFolder, metrics: Metrics) -> dict[str, list[str]]:
    """For each protocol the metrics that a run still has to be scored with.

    What was left out is not tried again, except a score whose network has been installed since.
    """
    found = _found(folder)
    wanted = {
        protocol: [
            name
            for name in names
            if not scores_of(name, found.get("protocols", {}).get(protocol, {}))
            and (
                name not in found.get("skipped", {}).get(protocol, {})
                or (name in PACKAGES and not lacking(name))
            )
        ]
        for protocol, names in metrics.items()
    }
    return {protocol: names for protocol, names in wanted.items() if names}


def left_out(folder: RunFolder, metrics: Metrics) -> dict[str, str]:
    """Why a run has no score by some of these metrics: "protocol:metric" → the reason in one sentence."""
    skipped = _found(folder).get("skipped", {})
    return {
        f"{protocol}:{name}": skipped[protocol][name]
        for protocol, names in metrics.items()
        for name in names
        if name in skipped.get(protocol, {})
    }


def complete(folder: RunFolder, metrics: Metrics) -> bool:
    """Whether a run is trained and scored."""
    return folder.finished and (folder.path / SCORES).exists() and not missing(folder, metrics)


def _found(folder: RunFolder) -> dict[str, Any]:
    return folder.read_json(SCORES) if (folder.path / SCORES).exists() else {}


@contextmanager
def limited_threads(n: int) -> Iterator[None]:
    """Give torch and the numerical libraries n threads, so that workers do not crowd each other's cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        with threadpool_limits(n):
            yield
    finally:
        torch.set_num_threads(before)

"""What a worker of a study does with one job: train, score, and say how it went."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from threadpoolctl import threadpool_limits

from prismae.errors import InputError
from prismae.metrics import all_metrics
from prismae.studies.claim import Claimed, claim
from prismae.studies.job import Job, run
from prismae.studies.scoring import score
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
        with _threads(threads):
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
                score_missing(folder, metrics)
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


def score_missing(folder: RunFolder, metrics: Metrics) -> None:
    """Score a finished run with those metrics that its scores.json does not have."""
    for protocol, names in missing(folder, metrics).items():
        score(folder, metrics=names, protocols=(protocol,))
    if not (folder.path / SCORES).exists():
        score(folder, protocols=())


def missing(folder: RunFolder, metrics: Metrics) -> dict[str, list[str]]:
    """For each protocol the metrics that a run has not been scored with."""
    found = folder.read_json(SCORES) if (folder.path / SCORES).exists() else {"protocols": {}}
    if "protocols" not in found:  # scored on a world without factors
        return {}
    lacking = {
        protocol: [name for name in names if not scores_of(name, found["protocols"].get(protocol, {}))]
        for protocol, names in metrics.items()
    }
    return {protocol: names for protocol, names in lacking.items() if names}


def complete(folder: RunFolder, metrics: Metrics) -> bool:
    """Whether a run is trained and scored."""
    return folder.finished and (folder.path / SCORES).exists() and not missing(folder, metrics)


def scores_of(metric: str, keys: Mapping[str, object]) -> list[str]:
    """The keys of a table of scores that are one metric's: "dci" → "dci-d", "dci-c"; "nmi" → "nmi[k-means]"."""
    others = {each.key for each in all_metrics().values()} - {metric}
    parts = (f"{metric}-", f"{metric}[")
    return [key for key in keys if key == metric or (key.startswith(parts) and key not in others)]


@contextmanager
def _threads(n: int) -> Iterator[None]:
    """Give torch and the numerical libraries n threads, so that workers do not crowd each other's cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        with threadpool_limits(n):
            yield
    finally:
        torch.set_num_threads(before)

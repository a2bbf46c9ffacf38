"""What a reader must know before the figures: warnings that follow from the saved results."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from prismae.runs.doubts import doubts
from prismae.runs.run import Run
from prismae.views.effects import Effects


@dataclass(frozen=True)
class Finding:
    """A sentence for the reader: a warning puts the results in doubt, a note says what is not there."""

    kind: Literal["warning", "note"]
    text: str
    command: str = ""  # that would help, if there is one


def findings(run: Run) -> list[Finding]:
    """All findings on a run, warnings first."""
    found = [
        *_outcome(run),
        *_terms(run),
        *_codes(run),
        *map(_warning, doubts(run.scores or {})),
        *_missing(run),
    ]
    return sorted(found, key=lambda finding: finding.kind != "warning")


def _outcome(run: Run) -> Iterator[Finding]:
    """What the verdict says, or what a training of an earlier version said of itself when it ended; and of the data."""
    yield from (_note(f"Of the data: {sentence}.") for sentence in run.job.get("notices", ()))
    if given := run.job.get("given"):
        yield _note(
            f"Given: {', '.join(given)}. Traversals and samples show what is usual, the mean of numbers and the "
            "commonest category; so do sliders, unless they start from an observation."
        )
    if run.verdict is None:
        yield from map(_warning, run.job.get("warnings", ()))
        return
    for each in run.verdict.findings:
        yield _warning(f"{each.text} {each.advice}") if each.fault else _note(f"{each.text} {each.advice}")


def _terms(run: Run) -> Iterator[Finding]:
    for name, values in run.logged.terms.items():
        bad = ~np.isfinite(values)
        if bad.all():
            yield _warning(f"The term {name} never had a finite value.")
        elif bad.any():
            first = int(run.logged.steps[bad.argmax()])
            yield _warning(f"The term {name} is not finite in {bad.sum()} rows, first at step {first:,}.")
        elif _stuck(values):
            yield _warning(
                f"The term {name} has stood at {values[-1]:.4g} for the last quarter of the steps: "
                "it may be saturated at a bound."
            )


def _codes(run: Run) -> Iterator[Finding]:
    pictures = run.pictures
    if run.latents is None:
        return
    piled = run.latents.saturated(pictures["at_ends"]) if "at_ends" in pictures else []
    if piled:
        each = ", ".join(f"z{i} ({100 * pictures['at_ends'][i]:.0f}\u00a0%)" for i in piled)
        yield _warning(
            f"At an end of their range for most observations: {each}. Each is a switch, or saturated. If the data have "
            "no factor of two values, lower the learning rate or scale the data."
        )


def _missing(run: Run) -> Iterator[Finding]:
    if run.scores is None:
        yield _note("The run is not evaluated yet.", f"prismae evaluate {shlex.quote(str(run.path))}")
    full = f"prismae report {shlex.quote(str(run.path))} --full"
    if not run.pictures and run.from_python:
        yield _note(
            "The run was saved from Python without observations, so none can be shown: save it with them, "
            "model.save(folder, X)."
        )
    elif not run.pictures:
        yield _note("The run folder holds no pictures.npz, so no observation can be shown.", full)
    elif not Effects.refusal(run.shown.kind) and lacks_new(run):
        yield _note(
            "The run is from an earlier version, which kept less: without the rest this page cannot say what each "
            "latent changes, which observations are rebuilt badly, or combine the sliders.",
            full,
        )
    elif run.verdict is None:
        yield _note("The run is from an earlier version, which gave no verdict.", full)
    if run.pictures and "mutual_information" not in run.pictures and not (run.scores or {}).get("protocols"):
        yield _note(
            "No factors are known for this data: disentanglement cannot be scored, so judge by the "
            "traversals and by how well seeds agree."
        )


def lacks_new(run: Run) -> bool:
    """Whether a run on data that have effects of latents lacks what runs of this version keep."""
    return "effects" not in run.pictures or not (run.path / "decoder.json").exists()


def _warning(text: str) -> Finding:
    return Finding("warning", text)


def _note(text: str, command: str = "") -> Finding:
    return Finding("note", text, command)


def _stuck(values: NDArray) -> bool:
    """Whether a term [n] that moved before keeps one value, to seven digits, over its last quarter."""
    if len(values) < 20:
        return False
    tail = values[-(len(values) // 4) :]
    return bool(np.ptp(tail) <= 1e-7 * max(abs(tail[-1]), 1e-12) < np.ptp(values))

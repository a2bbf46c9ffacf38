"""What a reader must know before the figures: warnings that follow from the saved results."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from prismae._better import Better
from prismae._text import finite, number
from prismae.runs.run import Run
from prismae.runs.verdict import BASELINE_NAMES
from prismae.views.effects import Effects


@dataclass(frozen=True)
class Finding:
    """A sentence for the reader: a warning puts the results in doubt, a note says what is not there."""

    kind: Literal["warning", "note"]
    text: str
    command: str = ""  # that would help, if there is one


def findings(run: Run) -> list[Finding]:
    """All findings on a run, warnings first."""
    found = [*_outcome(run), *_terms(run), *_codes(run), *_chance(run), *_without(run), *_missing(run)]
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
    for name, values in run.terms.items():
        bad = ~np.isfinite(values)
        if bad.all():
            yield _warning(f"The term {name} never had a finite value.")
        elif bad.any():
            first = int(run.steps[bad.argmax()])
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


def _chance(run: Run) -> Iterator[Finding]:
    for protocol, scores in (run.scores or {}).get("protocols", {}).items():
        level = [name for name, score in scores.items() if _no_better_than_chance(score)]
        if level:
            yield _warning(f"No better than chance under the protocol {protocol}: {', '.join(level)}.")


def _without(run: Run) -> Iterator[Finding]:
    """What scores better without the training."""
    for protocol, scores in (run.scores or {}).get("protocols", {}).items():
        ahead = [f"{name} {said}" for name, score in scores.items() if (said := _better_without(score))]
        if ahead:
            yield _warning(f"Better without this training under the protocol {protocol}: {', '.join(ahead)}.")


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
    elif not Effects.refusal(run.kind) and lacks_new(run):
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


def _better_without(score: dict[str, Any]) -> str:
    """The score, and that of the best of what costs nothing, "0.252 (PCA 0.372)", where it lies beyond the score's
    interval; without one, where it is ahead by more than a twentieth of the way from chance to the ceiling."""
    better, mine = Better.of(score), finite(score.get("score"))
    others = {
        name: found for name, other in score.get("beside", {}).items() if (found := finite(other)) is not None
    }
    if mine is None or not others or better is Better.NEITHER:
        return ""
    higher = better is Better.HIGHER
    best = (max if higher else min)(others, key=lambda name: others[name])
    end = finite(score.get("upper" if higher else "lower"))
    if end is None:
        way = (finite(score.get("ceiling")) or 0.0) - (finite(score.get("chance")) or 0.0)
        end = mine + (1 if higher else -1) * abs(way) / 20
    return (
        f"{number(mine)} ({BASELINE_NAMES[best]} {number(others[best])})"
        if better.beats(others[best], end)
        else ""
    )


def _no_better_than_chance(score: dict[str, Any]) -> bool:
    """Whether the end of the interval that is worse, or the score if it has none, does not beat chance."""
    better = Better.of(score)
    worst = finite(score.get("upper" if better is Better.LOWER else "lower"))
    worst = finite(score.get("score")) if worst is None else worst
    chance = finite(score.get("chance"))
    if worst is None or chance is None or better is Better.NEITHER:
        return False
    if finite(score.get("ceiling")) == chance:  # nothing lies between, so a score says nothing
        return False
    return not better.beats(worst, chance)

"""What a reader must know before the figures: warnings that follow from the saved results."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from prismae._better import Better
from prismae._text import finite
from prismae.runs.run import Run
from prismae.views.effects import Effects

EXPLAINED = 0.5  # share of the variance below which more pressure cannot be what helps


@dataclass(frozen=True)
class Finding:
    """A sentence for the reader: a warning puts the results in doubt, a note says what is not there."""

    kind: Literal["warning", "note"]
    text: str
    command: str = ""  # that would help, if there is one


def findings(run: Run) -> list[Finding]:
    """All findings on a run, warnings first."""
    found = [*_outcome(run), *_terms(run), *_latents(run), *_codes(run), *_chance(run), *_missing(run)]
    return sorted(found, key=lambda finding: finding.kind != "warning")


def _outcome(run: Run) -> Iterator[Finding]:
    """What the training said of itself when it ended."""
    yield from map(_warning, run.job.get("warnings", ()))


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
    if run.reconstruction is not None and _still_falls(run.reconstruction):
        yield _note(
            "The reconstruction term still fell by more than 5\u00a0% in the last tenth: train longer."
        )


def _latents(run: Run) -> Iterator[Finding]:
    if run.latents is None:
        return
    dead = run.latents.dead
    if dead.all():
        yield _warning(
            f"All latents are dead: none has a {run.latents.live_from}, so the codes tell as good as nothing of the "
            "data. The posterior has collapsed: the weight of the KL or of the dependence is too heavy. Lower it, "
            "raise it slowly (--control kl=ramp:steps=5000), or train longer."
        )
    elif dead.any():
        names = ", ".join(f"z{i}" for i in run.latents.order if dead[i])
        are = "is" if dead.sum() == 1 else "are"
        yield _note(
            f"{dead.sum()} of {len(dead)} latents {are} dead ({names}): live ones have a {run.latents.live_from}. "
            "Unused latents are welcome when the live ones rebuild the data well."
        )


def _codes(run: Run) -> Iterator[Finding]:
    pictures = run.pictures
    if run.latents is None:
        return
    if "correlation" in pictures:
        for group in grouped(run.latents.twins(pictures["correlation"])):
            names = ", ".join(f"z{i}" for i in group[:-1]) + f" and z{group[-1]}"
            each = (
                "their correlation is" if len(group) == 2 else "each has a correlation with another of them"
            )
            yield _warning(
                f"{names} say the same: {each} above 0.95 in absolute value. {_against_twins(run)}"
            )
    if "at_ends" in pictures:
        for i in run.latents.saturated(pictures["at_ends"]):
            yield _warning(
                f"z{i} lies at an end of its range for {100 * pictures['at_ends'][i]:.0f}\u00a0% of the observations: "
                "it is a switch, or saturated. If the data have no factor of two values, lower the learning rate or "
                "scale the data."
            )


def _against_twins(run: Run) -> str:
    """What helps: under too heavy a weight all latents share one faint signal, and more weight leaves none of it."""
    if run.explained is None or run.explained >= EXPLAINED:
        return "Take fewer latents, or a method or weight that presses harder for independence."
    return (
        f"The reconstructions explain {100 * max(run.explained, 0):.0f}\u00a0% of the data's variance, so the weight "
        "of the KL or of the dependence is too heavy, or the training too short: lower the weight first."
    )


def grouped(pairs: Iterable[tuple[int, int, float]]) -> list[list[int]]:
    """The latents of pairs (i, j, r), those that are joined by pairs in one ascending group."""
    groups: list[set[int]] = []
    for i, j, _ in pairs:
        apart = [group for group in groups if not group & {i, j}]
        joined = {i, j}.union(*(group for group in groups if group & {i, j}))
        groups = [*apart, joined]
    return sorted(sorted(group) for group in groups)


def _chance(run: Run) -> Iterator[Finding]:
    for protocol, scores in (run.scores or {}).get("protocols", {}).items():
        level = [name for name, score in scores.items() if _no_better_than_chance(score)]
        if level:
            yield _warning(f"No better than chance under the protocol {protocol}: {', '.join(level)}.")


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


def _still_falls(values: NDArray) -> bool:
    """Whether a term [n] has a mean in its last tenth that is 5 % below that of the tenth before."""
    tenth = len(values) // 10
    if tenth < 5 or not np.isfinite(values[-2 * tenth :]).all():
        return False
    before, last = values[-2 * tenth : -tenth].mean(), values[-tenth:].mean()
    return bool(before - last > 0.05 * abs(before))


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

"""What the scores of a run put in doubt: those that codes reach by chance, or without the training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prismae._better import Better
from prismae._text import finite, number
from prismae.runs.verdict import BASELINE_NAMES, GOOD, Verdict

NAMED = 3  # scores, in a headline


def headline(verdict: Verdict, scores: Mapping[str, Any] | None) -> str:
    """The verdict in a word; "good, but not by mig" where a score is in doubt. `scores` are those of scores.json."""
    found = [score for protocol in (scores or {}).get("protocols", {}).values() for score in protocol.items()]
    doubted = list(dict.fromkeys(name for name, score in found if _doubted(score)))
    if verdict.word != GOOD or not doubted:
        return verdict.word.replace("-", " ")
    if len(doubted) > NAMED:
        return f"{GOOD}, but not by {len(doubted)} of {len(dict(found))} scores"
    *first, last = doubted
    return f"{GOOD}, but not by {', '.join(first)}{' and ' if first else ''}{last}"


def doubts(scores: Mapping[str, Any]) -> list[str]:
    """A sentence for each protocol on what is no better than chance, then on what is better without the training."""
    level, ahead = [], []
    for protocol, found in scores.get("protocols", {}).items():
        at_chance = [name for name, score in found.items() if no_better_than_chance(score)]
        if at_chance:
            level.append(f"No better than chance under the protocol {protocol}: {', '.join(at_chance)}.")
        without = [f"{name} {said}" for name, score in found.items() if (said := better_without(score))]
        if without:
            ahead.append(f"Better without this training under the protocol {protocol}: {', '.join(without)}.")
    return level + ahead


def better_without(score: Mapping[str, Any]) -> str:
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
        f"{number(mine)} ({BASELINE_NAMES.get(best, best)} {number(others[best])})"
        if better.beats(others[best], end)
        else ""
    )


def no_better_than_chance(score: Mapping[str, Any]) -> bool:
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


def _doubted(score: Mapping[str, Any]) -> bool:
    return no_better_than_chance(score) or bool(better_without(score))

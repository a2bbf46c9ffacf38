"""How a training went wrong: it diverged, or learned nothing; and how many of its clusters are in use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, log

import pandas as pd

from prismae._text import percent

ROWS = 5  # of the history, whose median is what a loss "stands at": one odd batch is nothing
FAR = 10.0  # times the larger of where a loss began and the least that it reached: so far above that it diverged
BOTTOMLESS = 100.0  # times where it began: so far below 0 that it has no minimum
BEYOND = 1.05  # times the error of the mean: a little above it is within what a few observations show
NEAR = 0.99  # times the error of the mean: as much as this is no more than the mean itself
SETBACK, OF_FALL = (
    0.05,
    0.02,
)  # rise of the error, in the mean's, and of the loss, in its fall: not where they had been
EIGHTH = 8  # part of a training whose median an error or a loss "stands at", where a trend is asked for
SHORT = 100  # steps below which an error like the mean's says nothing


def divergence(history: pd.DataFrame, weights: Mapping[str, float], error_of_mean: float = 1.0) -> str | None:
    """A sentence if a training diverged, else None.

    It diverged if its loss ended far from all that it had been, or if its error ended above the mean's and had been
    half of that. The loss is that of the weights at the end, whatever they were before: a weight that is raised is no
    rise of the loss; it is taken as its running median over five rows. Far is above the lowest median by more than ten
    times that or where the loss began (the largest size in its first five rows), whichever is larger; or below 0 by
    more than a hundred times where it began. It also diverged if its error is ten times the mean's: after a hundred
    steps or more, or after fewer if the loss ended above where it began. An error about the mean's is no divergence:
    see `times_the_mean`.

    Parameters
    ----------
    history
        As `prismae.train.history.History.frame` describes it.
    weights
        Weights of the method's terms, where the history has none.
    error_of_mean
        The monitored error of a model that knows the data's mean and nothing else.
    """
    loss = _loss(history, weights)
    return _far_away(loss) or _worse_than_mean(history, loss, error_of_mean)


def setback(history: pd.DataFrame, weights: Mapping[str, float], error_of_mean: float = 1.0) -> str | None:
    """A sentence if a training was thrown back from where it had been and had not recovered at its end, else None.

    So it is if the error over the last eighth of the steps is above the least that it was over an eighth by 5 % of the
    error of the mean or more, and the loss above its least by 2 % of what it had fallen. Where an error rises because
    another term is paid for, the loss does not. Parameters as of `divergence`.
    """
    seen = history[history["monitor:mse"].notna()]
    if len(seen) < 2 * EIGHTH or len(history) < 2 * EIGHTH:
        return None
    loss = _loss(history, weights)
    errors = (seen["monitor:mse"] / error_of_mean).rolling(len(seen) // EIGHTH).median()
    losses = loss.rolling(len(loss) // EIGHTH).median()
    fall = loss.iloc[:ROWS].abs().max() - losses.min()
    if errors.iloc[-1] < errors.min() + SETBACK or losses.iloc[-1] < losses.min() + OF_FALL * fall:
        return None
    then = int(seen["step"].iloc[int(errors.argmin())]) + 1
    return (
        f"The training was thrown back and has not recovered: reconstructions left {percent(errors.min())} of the "
        f"variance after {then:,} steps and {percent(errors.iloc[-1])} at the end."
    )


def _loss(history: pd.DataFrame, weights: Mapping[str, float]) -> pd.Series:
    """The loss of each step by the weights at the end."""
    loss = pd.Series(0.0, index=history.index)
    for name, weight in weights.items():
        loss += history.get(f"weight:{name}", pd.Series([weight])).iloc[-1] * history[name]
    return loss


def _far_away(loss: pd.Series) -> str | None:
    if len(loss) < 2 * ROWS:
        return None
    medians = loss.rolling(ROWS).median()
    now, best = medians.iloc[-1], medians.iloc[ROWS - 1 : -ROWS].min()
    start = loss.iloc[:ROWS].abs().max()
    if now > best + FAR * max(start, abs(best)):
        return f"The training diverged: its loss ended at {now:.3g}, far above the {best:.3g} that it had reached."
    if now < -BOTTOMLESS * start:
        began = loss.iloc[0]
        return f"The training diverged: its loss fell from {began:.3g} to {now:.3g}, so a term has no lower bound."
    return None


def _worse_than_mean(history: pd.DataFrame, loss: pd.Series, error_of_mean: float) -> str | None:
    seen = history[history["monitor:mse"].notna()]
    errors, steps = seen["monitor:mse"].to_numpy() / error_of_mean, seen["step"].to_numpy() + 1
    if not len(errors) or errors[-1] <= BEYOND:
        return None
    short = history["step"].iloc[-1] + 1 < SHORT
    now, best, then = errors[-1], errors.min(), int(steps[errors.argmin()])
    said = (
        f"The training diverged: reconstructions ended with {now:.3g} times the error of the mean observation"
    )
    if now > 2 * best and (best < 1 or not short):
        return f"{said}, and had {best:.3g} times that after {then:,} steps."
    if now <= FAR:
        return None
    if not short:
        return f"{said}."
    if loss.iloc[-ROWS:].median() <= loss.iloc[0]:
        return None
    return f"{said}, and the loss at {loss.iloc[-ROWS:].median():.3g}, above the {loss.iloc[0]:.3g} of its first step."


def times_the_mean(history: pd.DataFrame, error_of_mean: float = 1.0) -> float | None:
    """The monitored error at the end, in times that of the mean observation, where it is no better than that, to one
    percent; else None: something was learned. Parameters as of `divergence`."""
    errors = history["monitor:mse"].dropna()
    now = float(errors.iloc[-1] / error_of_mean) if len(errors) else 0.0
    return now if now >= NEAR else None


def effective_number(sizes: Sequence[int]) -> float:
    """How many components are in use, where `sizes` are the observations of each: exp of the entropy of their shares.

    K for K equal shares, about 1 where one holds almost all.
    """
    held, total = [n for n in sizes if n > 0], sum(sizes)
    return exp(-sum(n / total * log(n / total) for n in held))

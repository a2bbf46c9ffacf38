"""Summary of a study's rows: mean and deviation over seeds, the best, tests against it, published numbers."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean  # exact, so that ties are ties with every version of pandas
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.stats import t as student
from scipy.stats import ttest_rel, wilcoxon

from prismae._better import Better
from prismae._text import listed
from prismae.errors import InputError
from prismae.evaluation.baselines import BASELINES
from prismae.metrics import metric_of
from prismae.studies.plan import Plan
from prismae.studies.plan_parts import in_rows
from prismae.studies.rows import SETTINGS

NATS = "nats"
ERRORS = ("mse", NATS)
TEST_FROM = 3  # seeds: two have one difference of differences, and its p says next to nothing
WILCOXON_FROM = 10  # seeds: fewer, and its smallest p is too near to 0.05 (2 / 2^n: 1/16 for five)
SURE = 0.05  # p of a difference that is not put down to chance
Test = Literal["paired t", "Wilcoxon signed-rank"]


@dataclass(frozen=True)
class Comparison:
    """Scores of one arm against those of another one by the same seeds.

    Parameters
    ----------
    difference, half
        Mean of the pairs' differences, and half of its 95 % interval by Student's t.
    effect
        The difference in units of the deviation of differences (Cohen's d of pairs); infinite where they are all the
        same.
    p
        Two-sided; in a summary corrected after Holm for all comparisons with the best.
    test, pairs
        Which test p is of, and over how many seeds.
    """

    difference: float
    half: float
    effect: float
    p: float
    test: Test
    pairs: int


@dataclass(frozen=True)
class Cell:
    """One score of one arm.

    Parameters
    ----------
    mean, deviation, n
        Over seeds; the deviation is that of a sample (n - 1), NaN for one seed.
    best
        Whether its mean is the best among the rows that it is compared with.
    surely
        Whether it is, and the test tells each of the others, and each baseline, from it: p below `SURE`.
    not_above
        Names of the baselines that the best of the methods is not better than; empty for the others.
    against
        How it compares with the best; None for the best itself, for scores without a direction, and for fewer than
        three seeds that both have.
    published
        Mean and deviation (None where the paper gives none) to stand beside.
    """

    mean: float
    deviation: float
    n: int
    best: bool = False
    surely: bool = False
    not_above: tuple[str, ...] = ()
    published: tuple[float, float | None] | None = None
    against: Comparison | None = None

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the mean over seeds, by Student's t; NaN for one seed."""
        half = half_width(self.deviation, self.n)
        return self.mean - half, self.mean + half


@dataclass(frozen=True)
class Summary:
    """A study's scores, one line for each arm and setting.

    Parameters
    ----------
    keys
        What tells lines apart: "arm", and of world, grids and steps those that vary.
    lines
        Values of the keys → cells by score ("yeats2023:mig", "mse").
    chance
        World → mean score of shuffled codes by score, where it is known.
    notes
        What tells rows apart that stand in one line or column and should not: versions, numbers of samples.
    warned
        How many trainings went wrong, by their verdicts, and which.
    """

    keys: tuple[str, ...]
    lines: dict[tuple[Any, ...], dict[str, Cell]]
    chance: dict[str, dict[str, float]]
    notes: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()

    @property
    def scores(self) -> tuple[str, ...]:
        """The scores' names, in their order."""
        return tuple(dict.fromkeys(score for cells in self.lines.values() for score in cells))


def summarise(plan: Plan, frame: pd.DataFrame) -> Summary:
    """Mean ± deviation over the seeds of a study's rows (see `prismae.studies.rows.rows`).

    Lines of one world are compared with each other, by what is of a likelihood (`of_a_likelihood`) only where they have
    one. Baselines are compared with the best of the methods alone.
    The test is paired by seed: the t test, and from ten common seeds on Wilcoxon's, which cannot give a p below 2 / 2^n
    and so is of no use with five seeds (1/16).

    Raises
    ------
    InputError
        Where a line has one seed more than once, or rows of several settings.
    """
    scores = [str(c) for c in frame if is_score(str(c))]
    keys = ["arm", *setting_columns(frame)]
    lines: dict[tuple[Any, ...], dict[str, Cell]] = {}
    seeds: dict[tuple[Any, ...], pd.DataFrame] = {}
    for values, group in grouped(frame, keys):
        _check_same(values, group)
        seeds[values] = group.set_index("seed")
        known = {score: group[score].dropna() for score in scores}
        lines[values] = {
            score: Cell(fmean(column), float(column.std()), len(column))
            for score, column in known.items()
            if len(column)
        }
    for world in frame["world"].unique():
        of_world = [v for v in lines if (seeds[v]["world"] == world).all()]
        baselines = [v for v in of_world if seeds[v]["method"].isin(BASELINES).any()]
        compared = [v for v in of_world if v not in baselines]
        likelihoods = {
            name for v in compared for name in seeds[v].get("likelihood", pd.Series(dtype=object)).dropna()
        }
        for score in scores:
            if len(likelihoods) < 2 or not of_a_likelihood(score):
                _compare(score, compared, baselines, lines, seeds)
    for values, cells in lines.items():
        row = seeds[values].iloc[0].to_dict()
        for score, cell in cells.items():
            cells[score] = replace(cell, published=published(plan, row, score))
    chance: dict[str, dict[str, float]] = {}
    for world, group in frame.groupby("world", sort=False):
        levels = {s: group[f"{s}:chance"].dropna() for s in scores if f"{s}:chance" in frame}
        chance[str(world)] = {s: fmean(level) for s, level in levels.items() if len(level)}
    return Summary(tuple(keys), lines, chance, tuple(_notes(frame)), tuple(_verdicts(frame, keys)))


def _check_same(values: tuple[Any, ...], group: pd.DataFrame) -> None:
    twice = group[group["seed"].duplicated(keep=False)]
    if len(twice):
        about = ", ".join(str(value) for value in values if value is not None)
        raise InputError(
            f"{about} has seed {', '.join(map(str, sorted(set(twice['seed']))))} more than once, by runs "
            f"{', '.join(sorted(set(twice['run'])))}: expected each seed once, so leave out the rows of one of them."
        )
    told = group[SETTINGS].dropna().unique() if SETTINGS in group else ()
    if len(told) > 1:
        about = ", ".join(str(value) for value in values if value is not None)
        several = [json.loads(each) for each in told]
        differing = sorted({key for each in several for key in each if each[key] != several[0].get(key)})
        raise InputError(
            f"{about} has rows of several settings, which differ in {', '.join(differing)}: expected those of one "
            "plan, or another name for one arm."
        )


def _verdicts(frame: pd.DataFrame, keys: Sequence[str]) -> Iterator[str]:
    """How many trainings their verdicts warn of, by the first warning of each, which is the gravest.

    A training that broke may have the highest score: one latent that is left tells more than all others.
    """
    if "warnings" not in frame:
        return
    trained = frame[~frame["method"].isin(BASELINES)].drop_duplicates("run", keep="last")
    wrong = [isinstance(said, str) and said != "" for said in trained["warnings"]]
    if not any(wrong):
        return
    warned = trained[wrong]
    what = warned["warnings"].map(lambda said: re.split(r"[:,]|\.$|\. ", said)[0])
    for said, runs in warned.groupby(what, sort=False):
        where = [
            f"{line_name(keys, v)} (seed{'s' * (len(g) > 1)} {listed([*g['seed']])})"
            for v, g in grouped(runs, keys)
        ]
        yield f"{said} in {len(runs)} of {len(trained)} runs: {listed(where)}."


def plain(value: object) -> str:
    """A key's value; nothing for a grid that the arm does not have."""
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def line_name(keys: Sequence[str], values: Sequence[object]) -> str:
    """What a line is called: the arm, and the values of the other keys that it has."""
    about = [f"{k} {plain(v)}" for k, v in zip(keys, values, strict=True) if v is not None and k != "arm"]
    return ", ".join([*(plain(v) for k, v in zip(keys, values, strict=True) if k == "arm"), *about])


def _notes(frame: pd.DataFrame) -> Iterator[str]:
    for column, what in (
        ("prismae", "versions of prismae"),
        ("scored", "versions of prismae that took the scores"),
        ("samples", "numbers of samples behind likelihoods"),
    ):
        if column in frame and frame[column].nunique() > 1:
            found = ", ".join(f"{value} ({n} rows)" for value, n in frame[column].value_counts().items())
            yield f"These rows are of several {what}: {found}. Numbers may differ for that alone."


def grouped(frame: pd.DataFrame, keys: Sequence[str]) -> Iterator[tuple[tuple[Any, ...], pd.DataFrame]]:
    """Rows by the values of some columns, in their order; None where a row has no value (an arm without that grid)."""
    for values, group in frame.groupby(list(keys), sort=False, dropna=False):
        yield tuple(None if value != value else value for value in values), group  # NaN is not itself


def setting_columns(frame: pd.DataFrame) -> list[str]:
    """The columns of world, grids and steps that tell the rows of one arm and seed apart, or trained rows.

    Baselines have no steps, which tells them from no other row, but may have more values of a grid than trainings.
    """
    columns = [str(c) for c in frame]
    settings = ["world", *columns[columns.index("seed") + 1 : columns.index("mse")]]
    trained = frame[~frame["method"].isin(BASELINES)] if "method" in frame else frame
    of_one = [rows for _, rows in frame.groupby(["arm", "seed"], dropna=False)]
    return [c for c in settings if any(rows[c].nunique(dropna=False) > 1 for rows in (trained, *of_one))]


def direction(score: str) -> Better:
    """Which end of a column of rows is better; neither where no metric is known by its name."""
    protocol, key = divided(score)
    if not protocol:
        return Better.LOWER
    metric = metric_of(protocol, key)
    return Better.NEITHER if metric is None else metric.better


def holm(p: Sequence[float]) -> list[float]:
    """p values corrected for their number after Holm 1979: the k-th smallest times n - k + 1, never falling."""
    order = np.argsort(p)
    scaled = np.asarray(p)[order] * np.arange(len(p), 0, -1)
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return corrected.tolist()


def paired(a: Sequence[float], b: Sequence[float]) -> Comparison | None:
    """The scores a of some seeds against b of the same seeds; None for fewer than three, or none that differ.

    From ten seeds on p is Wilcoxon's, which with fewer cannot fall near to 0.05.
    """
    differences = np.subtract(a, b)
    n = len(differences)
    if n < TEST_FROM or not differences.any():
        return None
    test: Test = "Wilcoxon signed-rank" if n >= WILCOXON_FROM else "paired t"
    with warnings.catch_warnings():  # of differences that are all the same, which are as clear as can be
        warnings.simplefilter("ignore", RuntimeWarning)
        p = (wilcoxon(a, b) if n >= WILCOXON_FROM else ttest_rel(a, b)).pvalue
    mean, deviation = float(differences.mean()), float(differences.std(ddof=1))
    effect = mean / deviation if deviation else float(np.copysign(np.inf, mean))
    return Comparison(mean, half_width(deviation, n), effect, float(p), test, n)


def half_width(deviation: float, n: int) -> float:
    """Half of the 95 % interval of a mean of n values by Student's t; NaN for one."""
    return float(student.ppf(0.975, n - 1) * deviation / n**0.5) if n > 1 else float("nan")


def _compare(
    score: str,
    compared: list[tuple[Any, ...]],
    baselines: list[tuple[Any, ...]],
    lines: dict[tuple[Any, ...], dict[str, Cell]],
    seeds: dict[tuple[Any, ...], pd.DataFrame],
) -> None:
    """Mark the best of the lines in one score, test the others against it, and it against the baselines.

    The best is an arm of which no training failed: the rest of its seeds would stand alone.
    """
    better = direction(score)
    having = [values for values in compared if score in lines[values]]
    whole = [values for values in having if seeds[values]["mse"].notna().all()]
    if better is Better.NEITHER or not whole:
        return
    upper = better is Better.HIGHER
    best = (max if upper else min)(whole, key=lambda values: lines[values][score].mean)
    top = lines[best][score]
    beside = [values for values in baselines if score in lines[values]]
    ahead = [v for v in beside if top.mean == (level := lines[v][score].mean) or (top.mean > level) != upper]
    top = replace(top, best=len(having) > 1, not_above=tuple(dict.fromkeys(str(v[0]) for v in ahead)))
    tested: dict[tuple[Any, ...], Comparison] = {}
    enough = [values for values in having if lines[values][score].n >= TEST_FROM]
    for values in enough if best in enough else ():
        found = _by_seed(seeds[values][score], seeds[best][score])
        if values != best and found is not None:
            tested[values] = found
    corrected = holm([each.p for each in tested.values()])
    # PCA is the same for every seed, and has one line for all of them
    levels = [
        pd.Series(seeds[v][score].iloc[0], seeds[best].index)
        if seeds[v]["method"].eq("pca").all() and len(seeds[v]) == 1
        else seeds[v][score]
        for v in beside
    ]
    against = [_by_seed(seeds[best][score], level) for level in levels]
    told = [each.p for each in against if each is not None]
    clear = len(tested) == len(having) - 1 and max([*corrected, 0.0]) < SURE
    beats = not ahead and len(told) == len(beside) and max([*holm(told), 0.0]) < SURE
    lines[best][score] = replace(top, surely=top.best and clear and beats)
    for (values, found), p in zip(tested.items(), corrected, strict=True):
        lines[values][score] = replace(lines[values][score], against=replace(found, p=p))


def _by_seed(a: pd.Series, b: pd.Series) -> Comparison | None:
    both = a.index.intersection(b.index, sort=False)
    pair = np.column_stack([a.loc[both].to_numpy(float), b.loc[both].to_numpy(float)])
    return paired(*pair[~np.isnan(pair).any(axis=1)].T.tolist())


def published(plan: Plan, row: Mapping[Any, Any], score: str) -> tuple[float, float | None] | None:
    """The paper's number for a row, if a plan has it: the arm, and everything in `at`, must agree."""
    for each in plan.published:
        fits = all(_same(row.get(key), value) for key, value in each.at.items())
        if fits and score in each.scores and row["arm"] in each.rows:
            value = each.rows[row["arm"]][each.scores.index(score)]
            if value is not None:
                return (value, None) if isinstance(value, int | float) else (value[0], value[1])
    return None


def _same(found: Hashable, wanted: Any) -> bool:
    return bool(found == wanted) or str(found) == str(in_rows(wanted))


def divided(score: str) -> tuple[str, str]:
    """Protocol of a column of scores, and the score's name there; an error of reconstruction has no protocol."""
    if score in ERRORS:
        return "", score
    protocol, _, key = score.partition(":")
    return protocol, key


def of_a_likelihood(score: str) -> bool:
    """Whether a column of rows is in nats of the data, whose unit each likelihood has for itself."""
    return score == NATS or divided(score)[0] == "likelihood"


def is_score(column: str) -> bool:
    """Whether a column of rows is a score (and no chance level)."""
    return column in ERRORS or (":" in column and not column.endswith(":chance"))

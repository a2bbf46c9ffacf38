"""What holds for every metric of codes, clusters and images: what it declares, and that bad input is one sentence."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from prismae.errors import InputError, Unavailable
from prismae.metrics import Metric, Result
from prismae.metrics._base import vars_of
from prismae.testing._hold import TOLERANCE, Check, Scores, close, declared, hold, run_checks
from prismae.testing.image_metrics import (
    IMAGE_CHANGES,
    blurred_images_are_worse,
    identical_images_have_the_declared_value,
    images_have_scores_within_the_bounds,
    images_may_be_changed_as_declared,
    the_same_images_have_the_same_score,
)

SIZES = (3, 4, 5)  # values of the factors
FEW = {"votes": 500, "test_votes": 500, "train_size": 500, "test_size": 500}
OF_FACTORS = ("points", "split", "table")
OF_IMAGES = ("pairs", "images", "features")


def _grid(copies: int = 20) -> NDArray[np.int32]:
    """A full grid of three factors, every point `copies` times, in random order."""
    factors = np.stack(np.unravel_index(np.arange(np.prod(SIZES)), SIZES), axis=1).astype(np.int32)
    return np.random.default_rng(0).permutation(np.repeat(factors, copies, axis=0))


FACTORS = _grid()
IDENTITY = ((FACTORS - FACTORS.mean(axis=0)) / FACTORS.std(axis=0)).astype(np.float32)
KNOWN = {
    "identity": IDENTITY,
    "constant": np.zeros_like(IDENTITY),
    "duplicated": np.hstack([IDENTITY, IDENTITY]),
}
_rng = np.random.default_rng(1)
NOISY = np.hstack([IDENTITY @ np.linalg.qr(_rng.normal(size=(3, 3)))[0], 0.3 * IDENTITY[:, :1]])
NOISY = (NOISY + 0.3 * _rng.normal(size=NOISY.shape)).astype(np.float32)
SOME = slice(0, 300)
Pair = tuple[NDArray, NDArray]
USUAL: dict[str, Pair] = {
    **{name: (codes, FACTORS) for name, codes in KNOWN.items()},
    "noisy": (NOISY, FACTORS),
    "some": (NOISY[SOME], FACTORS[SOME]),
}
_KEPT: dict[tuple[Callable[..., Any], str], Scores] = {}
CONSTANTS = (0.1, 0.3, -7.7, 1 / 3, 1e8 + 0.1, -1e-9)
RELABELLED = ([2, 0, 1], [3, 0, 2, 1], [1, 4, 0, 2, 3])
CHANGES: dict[str, Callable[[NDArray, NDArray], Pair]] = {
    "permute_codes": lambda z, v: (z[:, [2, 0, 3, 1]], v),
    "scale_codes": lambda z, v: (z * np.array([0.5, 2.0, 1.0, 4.0], dtype=np.float32), v),
    "shift_codes": lambda z, v: (z + np.array([1.0, -2.0, 0.0, 4.0], dtype=np.float32), v),
    "flip_codes": lambda z, v: (z * np.array([-1, 1, -1, 1], dtype=np.float32), v),
    "relabel_clusters": lambda z, v: (z[:, [2, 0, 3, 1]], v),  # the largest code has another number
    "permute_factors": lambda z, v: (z, v[:, [2, 0, 1]]),
    "relabel_factors": lambda z, v: (
        z,
        np.column_stack([np.array(new)[v[:, k]] for k, new in enumerate(RELABELLED)]),
    ),
}
INTEGERS = {  # of three, four and five values as far apart as the type allows
    "int8": [-128, -50, 0, 99, 127],
    "int16": [-32_768, -7, 0, 1, 32_767],
    "uint8": [0, 3, 100, 254, 255],
    "int32": [-(2**31), -5, 3, 2**30, 2**31 - 1],
    "uint32": [0, 1, 2**20, 2**31, 2**32 - 1],
    "int64": [-(2**62), -(2**40), 0, 2**41, 2**62],
    "uint64": [0, 2**20, 2**60, 2**62, 2**63],
}
EXTREMES = {  # what single and double precision must not notice
    "scale_codes": ([1e-7, 1e7, 1.0, 1e-3], [1e7] * 4, [1e-7] * 4, [1e40, 1e-40, 1.0, 1e-200]),
    "shift_codes": ([1e8, 0.0, -1e8, 1e8],),
}


def check_metric(given: Metric | Callable[..., Any]) -> None:
    """Check that a metric is one: what every metric of codes, clusters, factors and images in prismae is held to.

    It keeps what its decorator declares: bounds, values on known codes, invariances (also for codes of any size), which
    end is better. Its scores are plain numbers, the same for the same seed and from any framework. Few points, and
    codes that no number can be computed of, are a number or one sentence.

    Parameters
    ----------
    given
        The function that `prismae.metrics.metric` decorates, or its `Metric`.

    Raises
    ------
    AssertionError
        A sentence that says what does not hold.
    InputError
        For a metric of densities, which has tables of its own, and for a function that is none.
    """
    metric = given if isinstance(given, Metric) else vars_of(given)
    if not isinstance(metric, Metric):
        raise InputError(
            f"{given!r} is no metric: expected a function with the decorator prismae.metrics.metric."
        )
    run_checks(metric_checks, metric)


def metric_checks(metric: Metric) -> tuple[Check[Metric], ...]:
    """The checks for a metric, by what it needs and declares: `check(metric)` each."""
    if metric.needs == "densities":
        raise InputError(f"{metric.name} is a metric of densities, for which there are no common checks.")
    if metric.needs in OF_IMAGES:
        return (
            images_have_scores_within_the_bounds,
            the_same_images_have_the_same_score,
            *([identical_images_have_the_declared_value] if metric.known else []),
            *([blurred_images_are_worse] if metric.better != "neither" else []),
            *_each(IMAGE_CHANGES, metric, images_may_be_changed_as_declared),
        )
    checks: tuple[Check[Metric], ...] = (
        declarations_are_complete,
        *(_named(codes_that_are_known_have_the_declared_value, each) for each in metric.known),
        scores_are_plain_numbers_within_the_bounds,
        *_each(CHANGES, metric, codes_may_be_changed_as_declared),
        *_each(EXTREMES, metric, codes_of_any_size_may_be_changed_as_declared),
        codes_of_any_constant_are_those_of_zero,
        the_same_seed_gives_the_same_scores,
        *([] if metric.needs == "runs" else [the_order_of_rows_does_not_matter]),
        tensors_and_lists_are_accepted,
        few_points_give_numbers_or_one_sentence,
        parameters_out_of_range_are_one_sentence,
        codes_of_any_magnitude_give_numbers,
    )
    if metric.needs != "assignments":
        checks += (codes_beyond_any_number_are_one_sentence,)
        if "shift_codes" in metric.invariant:
            checks += (a_constant_beside_living_codes_is_like_zero,)
    if metric.needs in OF_FACTORS:
        checks += (
            integers_of_any_type_are_those_numbers,
            truth_values_are_classes,
            missing_values_drop_rows,
            continuous_factors_are_cut_into_bins,
        )
    return checks


def _named(check: Callable[[Metric, str], None], name: str) -> Check[Metric]:
    found: Any = partial(check, name=name)  # type: ignore[call-arg]
    found.__name__ = f"{check.__name__}[{name}]"
    return found


def _each(
    changes: dict[str, Any], metric: Metric, check: Callable[[Metric, str], None]
) -> list[Check[Metric]]:
    return [_named(check, name) for name in changes if name in metric.invariant]


def scores(metric: Metric, codes: Any, factors: Any = FACTORS, **options: Any) -> Scores:
    """Scores of a metric of codes by short name, with fewer draws than by default."""
    options = {name: value for name, value in FEW.items() if name in metric.parameters} | options
    if "factor_kinds" in metric.parameters and _of_continuous_factors(metric.function):
        options["factor_kinds"] = ("continuous",) * np.shape(factors)[-1]
    result = _result(metric, codes, factors, options)
    return result.scores if isinstance(result, Result) else {"": result}


@cache
def _of_continuous_factors(function: Callable[..., Any]) -> bool:
    """Whether a metric that is told the factors' kinds can be had of continuous ones only."""
    try:
        function(NOISY, FACTORS)
    except Unavailable:
        return True
    return False


def _result(metric: Metric, codes: Any, factors: Any, options: dict[str, Any]) -> Any:
    if metric.needs == "codes":
        return metric(codes, **options)
    if metric.needs == "runs":
        return metric([codes, NOISY[: len(codes)]], **options)
    if metric.needs == "clusters":
        return metric(codes, np.asarray(factors)[:, 0], **options)
    if metric.needs == "assignments":  # each point belongs to the code that is largest
        array = codes.detach().numpy() if isinstance(codes, torch.Tensor) else np.asarray(codes)
        return metric(array.argmax(axis=1), np.asarray(factors)[:, 0], **options)
    return metric(codes, factors, **options)


def _usual(metric: Metric, name: str) -> Scores:
    """Scores of codes that several checks look at, computed once."""
    key = metric.function, name
    if key not in _KEPT:
        _KEPT[key] = scores(metric, *USUAL[name])
    return _KEPT[key]


def _tolerance(metric: Metric) -> float:
    """How far a change that is declared to do nothing may move a score: more where points are drawn anew."""
    return 0.05 if FEW.keys() & metric.parameters.keys() else TOLERANCE


def declarations_are_complete(metric: Metric) -> None:
    """Known codes and invariances have names that the checks know."""
    strange = sorted(set(metric.known) - set(KNOWN))
    hold(not strange, f"Codes that are not known: {', '.join(strange)}; expected some of {', '.join(KNOWN)}.")
    strange = sorted(set(metric.invariant) - set(CHANGES))
    hold(not strange, f"Unknown invariances: {', '.join(strange)}; expected some of {', '.join(CHANGES)}.")
    hold(metric.bounds[0] < metric.bounds[1], f"The bounds {metric.bounds} are no range.")


def codes_that_are_known_have_the_declared_value(metric: Metric, name: str) -> None:
    """The factors themselves, constants, and every factor twice have the declared scores."""
    expected = declared(metric, name)
    close(_usual(metric, name), expected, f'Codes "{name}"')


def scores_are_plain_numbers_within_the_bounds(metric: Metric) -> None:
    """Scores are Python floats within the declared bounds, for codes of several kinds."""
    for found in (*(_usual(metric, name) for name in USUAL), scores(metric, np.eye(len(FACTORS), 4))):
        for value in found.values():
            hold(type(value) is float, f"A score is {type(value).__name__}, expected float.")
            hold(
                metric.bounds[0] <= value <= metric.bounds[1],
                f"A score is {value:.6g}, outside the declared bounds {metric.bounds}.",
            )


def codes_may_be_changed_as_declared(metric: Metric, name: str) -> None:
    """What is declared to leave the score as it is does so."""
    close(
        scores(metric, *CHANGES[name](NOISY, FACTORS)),
        _usual(metric, "noisy"),
        f"After {name}",
        _tolerance(metric),
    )


def codes_of_any_size_may_be_changed_as_declared(metric: Metric, name: str) -> None:
    """So it is for scales and shifts that leave few digits."""
    codes, expected = NOISY[SOME].astype(np.float64), _usual(metric, "some")
    for by in EXTREMES[name]:
        changed = codes * np.array(by) if name == "scale_codes" else codes + np.array(by)
        found = scores(metric, changed, FACTORS[SOME])
        close(found, expected, f"After {name} by {by}", _tolerance(metric))


def codes_of_any_constant_are_those_of_zero(metric: Metric) -> None:
    """A code that is 0.1 everywhere says as little as one that is 0: its deviation is above 0 by rounding only."""
    zeros = np.zeros_like(IDENTITY[SOME])
    expected = scores(metric, zeros, FACTORS[SOME])
    for constant in CONSTANTS:
        for dtype in (np.float64, np.float32):
            found = scores(metric, np.full_like(zeros, constant, dtype=dtype), FACTORS[SOME])
            close(found, expected, f"Codes that are {constant} everywhere, {dtype.__name__}", 1e-12)


def a_constant_beside_living_codes_is_like_zero(metric: Metric) -> None:
    """The value of a constant code does not matter beside codes that vary."""
    for dtype in (np.float64, np.float32):
        codes = NOISY[SOME].astype(dtype)
        codes[:, 2] = 0
        expected = scores(metric, codes, FACTORS[SOME])
        for constant in (0.3, -7.7, 1e8 + 0.1):
            codes[:, 2] = constant
            close(scores(metric, codes, FACTORS[SOME]), expected, f"With a code that is {constant}", 1e-4)


def the_same_seed_gives_the_same_scores(metric: Metric) -> None:
    """Scores are the same when asked again, and no generator of the process is moved."""
    numpy, pytorch = np.random.get_state()[1].copy(), torch.get_rng_state()  # type: ignore[index] # noqa: NPY002
    hold(
        scores(metric, NOISY) == _usual(metric, "noisy"), "The same codes have other scores when asked again."
    )
    hold((np.random.get_state()[1] == numpy).all(), "It moves NumPy's global generator.")  # type: ignore[index] # noqa: NPY002
    hold(torch.equal(pytorch, torch.get_rng_state()), "It moves PyTorch's global generator.")


def the_order_of_rows_does_not_matter(metric: Metric) -> None:
    """Points in another order, each with its factors, have the same score."""
    rows = np.random.default_rng(2).permutation(len(NOISY))
    close(
        scores(metric, NOISY[rows], FACTORS[rows]),
        _usual(metric, "noisy"),
        "With rows in another order",
        0.05,
    )


def tensors_and_lists_are_accepted(metric: Metric) -> None:
    """Tensors with a graph, and lists of lists, are read as arrays are."""
    expected = _usual(metric, "some")
    tensor = torch.tensor(NOISY[SOME], requires_grad=True)
    found = scores(metric, tensor, torch.tensor(FACTORS[SOME]))
    hold(found == expected, f"Of tensors the scores are {found}, expected {expected} as of arrays.")
    close(scores(metric, NOISY[SOME].tolist(), FACTORS[SOME].tolist()), expected, "Of lists")


def few_points_give_numbers_or_one_sentence(metric: Metric) -> None:
    """For two to forty points there is a finite score or an InputError of one line; for 300 there is a score."""
    for n in (2, 5, 12, 25, 40, 300):
        try:
            found = scores(metric, NOISY[:n], FACTORS[:n])
        except InputError as error:
            hold(n < 300, f"300 points are refused: {error}")
            hold("\n" not in str(error), f"With {n} points the error is longer than a line: {error}")
        else:
            hold(np.isfinite(list(found.values())).all(), f"With {n} points the scores are {found}.")


def parameters_out_of_range_are_one_sentence(metric: Metric) -> None:
    """Numbers that are none for a parameter are an InputError of one line which names it; 0 and 1 may give a score."""
    for name, default in metric.parameters.items():
        if default is None:  # arrays
            continue
        for value in (-1, 0, 1, 2.5, "x", None, float("nan"), [], [0]):
            try:
                found = scores(metric, NOISY[SOME], FACTORS[SOME], **{name: value})
            except InputError as error:
                hold(
                    name in str(error) and "\n" not in str(error),
                    f"The error for {name}={value!r} is not one line that names {name}: {error}",
                )
            else:
                hold(np.isfinite(list(found.values())).all(), f"{name}={value!r} gives the scores {found}.")
                hold(
                    isinstance(value, int | float),
                    f"{name}={value!r} is taken, expected an InputError, as an annotation gives it: {name}: "
                    "prismae.fields.Count, or another range.",
                )


def codes_of_any_magnitude_give_numbers(metric: Metric) -> None:
    """Tiny and huge codes have scores that are numbers."""
    for unit in (1e-100, 1e-30, 1e30, 1e40):
        found = scores(metric, NOISY[SOME].astype(np.float64) * unit, FACTORS[SOME])
        hold(not np.isnan(list(found.values())).any(), f"Codes times {unit:g} have the scores {found}.")


def codes_beyond_any_number_are_one_sentence(metric: Metric) -> None:
    """Codes whose squares are no numbers, and codes that are none themselves, are refused in one line."""
    z = NOISY[SOME].astype(np.float64)
    for bad, what in ((z * 1e200, "of 1e200"), (np.where(z > 1, np.nan, z), "with NaN")):
        try:
            scores(metric, bad, FACTORS[SOME])
        except InputError as error:
            hold("\n" not in str(error), f"For codes {what} the error is longer than a line: {error}")
        else:
            raise AssertionError(
                f"Codes {what} should be refused with an InputError, as by prismae.metrics.as_codes."
            )


def integers_of_any_type_are_those_numbers(metric: Metric) -> None:
    """Factors of integers are those numbers, also where differences leave the type."""
    for dtype, numbers in INTEGERS.items():
        values = np.array(numbers, dtype=dtype)
        factors = values[FACTORS[SOME]]
        expected = scores(metric, NOISY[SOME], factors.astype(np.float64))
        close(scores(metric, NOISY[SOME], factors), expected, f"Factors of {dtype}", 1e-12)


def truth_values_are_classes(metric: Metric) -> None:
    """Factors of truth values are two classes."""
    factors = FACTORS[SOME] > 1
    expected = scores(metric, NOISY[SOME], factors.astype(np.int64))
    close(scores(metric, NOISY[SOME], factors), expected, "Factors of truth values", 0.0)


def missing_values_drop_rows(metric: Metric) -> None:
    """A factor that is NaN somewhere is scored on the other rows."""
    factors = FACTORS.astype(np.float64)
    factors[np.random.default_rng(2).random(len(factors)) < 0.3, 1] = np.nan
    found = scores(metric, NOISY, factors)
    hold(np.isfinite(list(found.values())).all(), f"With missing values of a factor the scores are {found}.")


def continuous_factors_are_cut_into_bins(metric: Metric) -> None:
    """Factors that are no classes have scores too."""
    found = scores(metric, NOISY, IDENTITY.astype(np.float64))
    hold(np.isfinite(list(found.values())).all(), f"With continuous factors the scores are {found}.")

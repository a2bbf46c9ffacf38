"""What a metric is: a function of arrays with declared properties, found by scanning this package."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, wraps
from math import inf
from typing import Any, Literal, ParamSpec, TypeVar, get_args

from numpy.random import Generator

from prismae._better import Better
from prismae._discovery import distribution, kebab, left_out, modules, plugins
from prismae.errors import InputError
from prismae.fields import check_arguments
from prismae.metrics._columns import check_rows

Needs = Literal[
    "points",
    "split",
    "table",
    "codes",
    "runs",
    "clusters",
    "assignments",
    "pairs",
    "features",
    "images",
    "densities",
]

ARRAYS = {"codes": 1, "runs": 1} | dict.fromkeys(  # that a function is given
    ("points", "split", "table", "clusters", "pairs", "features", "images"), 2
)
P = ParamSpec("P")
T = TypeVar("T")


class Result:
    """A named result: one `score`, or several `scores`, beside the matrix or the votes that they come from."""

    score: float

    @property
    def scores(self) -> dict[str, float]:
        """The scores by short name; the key "" is a metric's only score."""
        return {"": self.score}

    def __float__(self) -> float:
        scores = self.scores
        if len(scores) != 1:
            raise InputError(f"This result has {len(scores)} scores, choose one: {', '.join(scores)}.")
        return next(iter(scores.values()))


class Learned(Result, ABC):
    """A result that keeps what was learned, so that points can be drawn again without learning again."""

    @abstractmethod
    def resample(self, rng: Generator) -> dict[str, float]:
        """The scores on points (or votes) drawn again with replacement, as far as they can be had."""


@dataclass(frozen=True)
class Metric:
    """A metric and what it declares; the common tests check every declaration.

    Parameters
    ----------
    name
        Kebab-case name, as the command line gives it.
    function
        The function itself; calling the metric calls it.
    needs
        "points": any sample of (codes, factors). "split": learns on (codes, factors), scored on `test`.
        "table": the whole table, of which it draws rows that share a factor's value. "codes": codes alone.
        "runs": the codes of several trained models on the same points. "clusters": codes and the cluster of
        each. "assignments": the cluster and the class of each point. "pairs": images and their reconstructions.
        "features", "images": features of real and of generated images, or the images themselves. "densities": what
        a model says of each observation, in tables that are named as the function's arguments.
    bounds
        Least and greatest score.
    better
        Which end is better.
    known
        Score on known codes: "identity" (codes are the factors), "constant" (all zero), "duplicated"
        (every factor coded twice), for each score that the function gives. Of images: "identity" (the
        generated images are the real ones). Of assignments: "constant" (all in one cluster).
    invariant
        What leaves the score as it is: "permute_codes", "scale_codes", "shift_codes", "flip_codes",
        "permute_factors", "relabel_factors"; "relabel_clusters"; "permute_images" (another order of both
        sets), "flip_images" (all mirrored), "swap_images" (real for generated); "permute_observations",
        "permute_samples".
    protocols
        The protocols whose definition the function follows, among them "clustering", "classification", "generation"
        and "likelihood" → what it is called in a table of their scores.
    """

    name: str
    function: Callable[..., Any]
    needs: Needs
    bounds: tuple[float, float]
    better: Better
    known: Mapping[str, float | Mapping[str, float]]
    invariant: tuple[str, ...]
    protocols: Mapping[str, str]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def __str__(self) -> str:
        return self.name

    def key(self, protocol: str) -> str:
        """Name in a table of scores of a protocol, also of a variant of it: "yeats2023/dsprites"."""
        return self.protocols[protocol.partition("/")[0]]

    @property
    def arguments(self) -> tuple[str, ...]:
        """Names of the arrays that the function is given."""
        given = inspect.signature(self.function).parameters.values()
        return tuple(p.name for p in given if p.kind is p.POSITIONAL_OR_KEYWORD)

    @property
    def parameters(self) -> dict[str, Any]:
        """Keyword parameters of the function with their defaults."""
        given = inspect.signature(self.function).parameters.values()
        return {p.name: p.default for p in given if p.kind is p.KEYWORD_ONLY}

    @property
    def summary(self) -> str:
        """First line of the function's docstring."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]


def metric(
    *,
    needs: Needs = "points",
    bounds: tuple[float, float] = (0.0, 1.0),
    better: Literal["higher", "lower", "neither"] = "higher",
    known: Mapping[str, float | Mapping[str, float]] | None = None,
    invariant: tuple[str, ...] = (),
    protocol: str | Iterable[str] | Mapping[str, str] = "locatello2019",
    key: str | None = None,
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Declare a function to be a metric (see `Metric` for the declarations).

    Parameters
    ----------
    protocol
        One protocol or several, of prismae or of one's own; with a mapping, also what the metric is called in each.
    key
        What it is called in all of them; by default its own name.

    Notes
    -----
    Numbers, truth values and texts that it takes as keywords are checked against their annotations, which may be
    ranges: ``bins: prismae.fields.AtLeastTwo = 20``.
    """

    def declare(given: Callable[P, T]) -> Callable[P, T]:
        name = kebab(given.__name__)
        if faults := _declared(given, needs, bounds, better, known, invariant, protocol):
            raise InputError(f"Metric {name}: {'; '.join(faults)}.")
        function = _within_its_ranges(given, name)
        named = [protocol] if isinstance(protocol, str) else protocol
        protocols = dict(named) if isinstance(named, Mapping) else dict.fromkeys(named, key or name)
        function.__metric__ = Metric(  # type: ignore[attr-defined]
            name, function, needs, bounds, Better(better), known or {}, invariant, protocols
        )
        return function

    return declare


def _declared(
    function: Callable, needs: Any, bounds: Any, better: Any, known: Any, invariant: Any, protocol: Any
) -> list[str]:
    """What of a declaration cannot be."""
    faults = []
    if needs not in get_args(Needs):
        faults.append(f"needs is {needs!r}, expected one of {', '.join(get_args(Needs))}")
    if not (isinstance(bounds, tuple | list) and len(bounds) == 2 and bounds[0] < bounds[1]):
        faults.append(f"bounds are {bounds!r}, expected the least and the greatest score")
    if better not in [each.value for each in Better]:
        faults.append(f"better is {better!r}, expected {' or '.join(each.value for each in Better)}")
    if known is not None and not isinstance(known, Mapping):
        faults.append(f"known is {known!r}, expected a dictionary of codes and scores")
    for name, given in (("invariant", invariant), ("protocol", protocol)):
        several = [given] if name == "protocol" and isinstance(given, str) else given
        if (
            isinstance(several, str)
            or not isinstance(several, Iterable)
            or not all(isinstance(each, str) for each in several)
        ):
            faults.append(f"{name} is {given!r}, expected a tuple of texts")
    places = [p for p in inspect.signature(function).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    least, any_number = ARRAYS.get(needs, 0), needs in ("densities", "assignments")
    required = [p.name for p in places if p.default is p.empty and p.name != "stds"]
    if not any_number and (len(places) < least or len(required) > max(least, 1)):
        faults.append(
            f"its function takes {', '.join(required) or 'no array'}, and is given {least} array{'s' * (least > 1)}: "
            "what else it takes stands behind a * and has a default"
        )
    return faults


def _within_its_ranges(function: Callable[P, T], name: str) -> Callable[P, T]:
    """The function, after a look at its plain keyword parameters: all but arrays, which have no default."""
    plain = {
        each.name
        for each in inspect.signature(function).parameters.values()
        if each.kind is each.KEYWORD_ONLY
        and each.annotation is not each.empty
        and isinstance(each.default, (bool, int, float, str, tuple))
    }

    arrays = list(inspect.signature(function).parameters)

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> T:
        check_rows(dict(zip(arrays, args, strict=False)))
        given = {each: value for each, value in kwargs.items() if each in plain}
        kwargs.update(check_arguments(name, function, given))
        return function(*args, **kwargs)

    return checked


@lru_cache(maxsize=1)
def all_metrics() -> dict[str, Metric]:
    """Every metric of this package and of the entry points `prismae.metrics`, by kebab-case name."""
    own = [vars_of(value) for module in modules("prismae.metrics") for value in vars(module).values()]
    found = {each.name: each for each in own if isinstance(each, Metric)}
    declared = dict.fromkeys(found, "prismae itself")
    for point, value in plugins("prismae.metrics"):
        each = vars_of(value)
        if not isinstance(each, Metric):
            left_out(point, f"is no metric but {value!r}")
        elif each.name in found and found[each.name].function is not value:
            raise InputError(
                f"The metric {each.name!r} of {distribution(point)} has the name of one of {declared[each.name]}: "
                "expected another name, or one of the two uninstalled."
            )
        else:
            found[each.name], declared[each.name] = each, distribution(point)
    return dict(sorted(found.items()))


def metric_of(protocol: str, key: str) -> Metric | None:
    """The metric behind a name in a table of scores: "dci-d" of "locatello2019", "nmi[k-means]" of "clustering"."""
    home = protocol.partition("/")[0]
    keys = {each.key(home): each for each in all_metrics().values() if home in each.protocols}
    fitting = [k for k in keys if key == k or key.startswith((f"{k}-", f"{k}["))]
    return keys[max(fitting, key=len)] if fitting else None


def as_metric(function: object) -> Metric:
    """The metric that a function is declared to be."""
    found = function if isinstance(function, Metric) else vars_of(function)
    if not isinstance(found, Metric):
        raise InputError(
            f"Expected a metric's name, or a function that @prismae.metrics.metric(...) declares to be one, got "
            f"{function!r}."
        )
    return found


def vars_of(function: object) -> object:
    """What `metric` has declared about a function, if anything."""
    return getattr(function, "__metric__", None)


UNBOUNDED = (0.0, inf)
AFFINE = ("permute_codes", "scale_codes", "shift_codes", "flip_codes")  # order and units of codes

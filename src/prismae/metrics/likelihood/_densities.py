"""What a model says of each observation, and what of it a metric sees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from prismae.errors import InputError, Unavailable
from prismae.metrics._base import Metric
from prismae.metrics._calls import Call, Inputs

TABLES = {
    "log_weights": "needs importance weights at posterior samples, and none are given",
    "losses": "needs reconstruction terms at posterior samples, and none are given",
    "mean": "needs the posteriors' means and log-variances, and these are not given",
    "log_var": "needs the posteriors' means and log-variances, and these are not given",
    "words": "counts the words of texts, and these observations have none",
}


@dataclass(frozen=True)
class Densities:
    """Arrays of n rows by the names that metrics call them; see `prismae.metrics.evaluate.evaluate_likelihood`.

    Parameters
    ----------
    tables
        "log_weights" [n, k], "losses" [n, k], "mean" and "log_var" [n, m], "words" [n], as far as they are there.
    seed
        Seed of the metrics.
    """

    tables: Mapping[str, Any]
    seed: int

    def calls(self, metric: Metric) -> Iterator[Call]:
        """The tables that are the metric's arguments. Nothing can be said of a ceiling or of chance."""
        for name in metric.arguments:
            if name not in self.tables:
                raise Unavailable(f"The metric {TABLES[name]}.")
        args = tuple(self.tables[name] for name in metric.arguments)
        options = {"seed": self.seed} if "seed" in metric.parameters else {}
        said = metric.parameters | options | {"n_observations": len(args[0])}
        yield Call(metric.key, Inputs(args, options), said)


def given_tables(**tables: ArrayLike | None) -> dict[str, Any]:
    """Those that are there, all of as many rows."""
    given: dict[str, Any] = {name: each for name, each in tables.items() if each is not None}
    rows = {name: len(each) for name, each in given.items()}
    if len(set(rows.values())) > 1:
        said = ", ".join(f"{name} {n}" for name, n in rows.items())
        raise InputError(
            f"The tables have different numbers of rows ({said}), expected one of each observation."
        )
    return given

"""What a model says of each observation as a density, and what of it a metric sees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from prismae._progress import Bar
from prismae._random import Draws
from prismae.data import World
from prismae.data.storage import spaced
from prismae.errors import InputError, Unavailable
from prismae.evaluation.families._base import Call, Family, Given, Inputs
from prismae.evaluation.options import Options
from prismae.evaluation.protocol import Protocol
from prismae.evaluation.sampling import at_samples, posteriors
from prismae.evaluation.subjects import Subject
from prismae.methods import Method
from prismae.metrics import Metric

OBSERVATIONS = 2_000  # whose likelihood is measured
FEW_SAMPLES = 10  # of each posterior, behind a reconstruction term
LIKELIHOOD = Protocol(
    "likelihood",
    default=(
        "nll",
        "reconstruction",
        "kl",
        "mutual-information",
        "active-units-posterior",
        "perplexity",
        "perplexity-bound",
        "nll-per-word",
    ),
)
TABLES = {
    "log_weights": "needs importance weights at posterior samples, and none are given",
    "losses": "needs reconstruction terms at posterior samples, and none are given",
    "mean": "needs the posteriors' means and log-variances, and these are not given",
    "log_var": "needs the posteriors' means and log-variances, and these are not given",
    "words": "counts the words of texts, and these observations have none",
}


class Densities(Family):
    """Likelihood: what a model with a Gaussian posterior says of each observation."""

    protocols = (LIKELIHOOD,)
    needs = ("densities", "codes")

    def given(self, subject: Any, plan: Protocol, metrics: Sequence[Metric], options: Options) -> Tables:
        if isinstance(subject, Subject) and subject.trained is not None:
            net, world, method = subject.trained
            on = subject.test if isinstance(subject.test, World) else world
            subject = measured(net, on, method, metrics, options)
        if not isinstance(subject, Measured):
            raise InputError(
                "Likelihood is measured on a model and a World, and codes are given: see evaluate_likelihood."
            )
        return Tables(subject.tables, options.seed)


@dataclass(frozen=True)
class Measured:
    """Arrays of n rows by the names that metrics call them; see `prismae.evaluation.evaluate_likelihood`."""

    tables: Mapping[str, Any]
    size: int = 0

    @classmethod
    def of(cls, **tables: ArrayLike | Tensor | None) -> Measured:
        """Those that are there, all of as many rows."""
        given: dict[str, Any] = {name: each for name, each in tables.items() if each is not None}
        rows = {name: len(each) for name, each in given.items()}
        if len(set(rows.values())) > 1:
            said = ", ".join(f"{name} {n}" for name, n in rows.items())
            raise InputError(
                f"The tables have different numbers of rows ({said}), expected one of each observation."
            )
        return cls(given, next(iter(rows.values()), 0))


def measured(
    net: Any, world: World, method: Method | None, metrics: Sequence[Metric], options: Options
) -> Measured:
    """What an autoencoder says of up to 2,000 observations, evenly spaced.

    The likelihood by `options.samples` importance samples each, reconstructions by 10, and the posteriors.

    Raises
    ------
    Unavailable
        If the method's prior is not N(0, I), the posterior no Gaussian, or the likelihood not in nats.
    """
    if method is not None and type(method).prior_sample is not Method.prior_sample:
        raise Unavailable(
            f"Likelihood is measured against the prior N(0, I), and that of {method.called()} is another."
        )
    if not net.likelihood.nats:
        raise Unavailable(
            f"Likelihood is measured in nats, and {net.likelihood.name()!r} is none: train with 'bernoulli', "
            "'gaussian' or 'gaussian-learned'."
        )
    lengths = world.kind.lengths(world.data)
    of_these = [each for each in metrics if lengths is not None or "words" not in tables_of(each)]
    draws = {"log_weights": options.samples, "losses": FEW_SAMPLES}
    draws = {name: k for name, k in draws.items() if name in tables_needed(of_these)}
    rows = spaced(len(world), OBSERVATIONS)
    total = len(rows) * (1 + sum(draws.values()))
    training = net.training
    tables: dict[str, Tensor] = {}
    with torch.no_grad(), Bar("likelihood", total, enabled=options.progress) as bar:
        try:
            net.eval()
            q = posteriors(net, world.data, rows, bar)
            for name, k in draws.items():
                with Draws(options.seed):  # anew, so that a score does not depend on which others are taken
                    tables[name] = at_samples(
                        net,
                        world.data,
                        rows,
                        q,
                        k,
                        weighted=name == "log_weights",
                        outputs=world.kind.outputs,
                        bar=bar,
                    )
        finally:
            net.train(training)
    return Measured.of(
        **tables,
        words=None if lengths is None else lengths[rows],
        mean=q.mean,
        log_var=q.log_var,
    )


def tables_needed(metrics: Iterable[Metric]) -> set[str]:
    """Which tables these metrics are functions of."""
    return {name for each in metrics for name in tables_of(each)}


def tables_of(metric: Metric) -> tuple[str, ...]:
    """The tables that are a metric's arguments: of one of codes the posteriors' means."""
    return ("mean",) if metric.needs == "codes" else metric.arguments


@dataclass(frozen=True)
class Tables(Given):
    """Arrays of n rows by the names that metrics call them; see `prismae.evaluation.evaluate_likelihood`.

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
        missing = [name for name in tables_of(metric) if name not in self.tables]
        if missing:  # where there are no words, nothing else is taken for it
            raise Unavailable(f"The metric {TABLES['words' if 'words' in missing else missing[0]]}.")
        args = tuple(self.tables[name] for name in tables_of(metric))
        options = {"seed": self.seed} if "seed" in metric.parameters else {}
        said = metric.parameters | options | {"n_observations": len(args[0])}
        yield Call(Inputs(args, options), said)

"""Scoring codes, images and densities: which metrics are taken, of which points."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from prismae.errors import InputError, Unavailable, unknown_name
from prismae.metrics._base import Metric, all_metrics
from prismae.metrics._calls import Given, take_scores
from prismae.metrics._information import mutual_information_matrix
from prismae.metrics._inputs import Test, as_clusters, as_codes, as_deviations, as_factors, as_kinds
from prismae.metrics._points import Points
from prismae.metrics._protocols import FAMILIES, Protocol, find_protocol
from prismae.metrics._scores import Score, Scores
from prismae.metrics.clustering._clusters import Clusters, as_assignments, class_labels
from prismae.metrics.generation._images import as_images, as_pairs, as_sets
from prismae.metrics.generation._sets import Images
from prismae.metrics.likelihood._densities import Densities, given_tables

__all__ = [
    "FAMILIES",
    "Score",
    "Scores",
    "by_parts",
    "by_protocol",
    "evaluate_codes",
    "evaluate_images",
    "evaluate_likelihood",
    "posteriors_needed",
    "reasons",
    "tables_needed",
]


def evaluate_codes(
    codes: ArrayLike,
    factors: ArrayLike | None = None,
    *,
    factor_names: Sequence[str] | None = None,
    factor_kinds: Sequence[str] | None = None,
    metrics: str | Sequence[str] = "default",
    protocol: str = "locatello2019",
    bootstrap: int = 0,
    baselines: bool = True,
    seed: int = 0,
    other_runs: Sequence[ArrayLike] = (),
    stds: ArrayLike | None = None,
    other_stds: Sequence[ArrayLike] = (),
    test: Test | None = None,
    assignments: ArrayLike | None = None,
    label: str | int | None = None,
    progress: bool = False,
) -> Scores:
    """Score codes by several metrics, each beside its ceiling, its chance level and a bootstrap interval.

    Parameters
    ----------
    codes
        [n, m] codes of all points of a world: its codes table.
    factors
        [n, k] class indices or values, NaN where unknown; None: only metrics that need no factors are taken.
    factor_names, factor_kinds
        k names (for messages) and k kinds, "categorical" or "continuous".
    metrics
        "default", "all" (of the protocol), "clustering", "classification", or names. What a world does not
        allow is left out, with the reason; if nothing is left of the metrics and families that were named, that is an
        error.
    protocol
        "locatello2019" or "yeats2023"; the latter's numbers follow from n (at most 1,000 points:
        "beamsynthesis") unless named: "yeats2023/dsprites", "yeats2023/beamsynthesis". Metrics of clustering and
        classification have one definition, whatever the protocol.
    bootstrap
        How many replicates the 95 % intervals rest on; 0: no intervals. The spread of the replicates is put
        around the score, because drawing points again shifts information measures. A metric that learns
        keeps what it learned.
    baselines
        Whether ceiling and chance level are computed (three times the work).
    seed
        Seed of all draws: same seed, same scores.
    other_runs
        Codes tables of other seeds of the same model, on the same points, for metrics that compare runs.
    stds, other_stds
        [n, m] standard deviations of the posteriors whose means `codes` are, and of those of `other_runs`; 0 where
        codes have no density. RMIG is taken of the whole posterior, and UDR leaves out codes whose posteriors hardly
        differ from the prior: without them these scores are left out.
    test
        (codes, factors) of points apart, to score classifiers on that learn on the others. Other protocols draw
        their test points themselves.
    assignments
        Clusters that the method itself gives: [n], or the components' shares [n, K].
    label
        Name or index of the factor that clusters are compared with; None: the only categorical one.
    progress
        Whether a progress bar is shown.

    Returns
    -------
    Scores
        A mapping of name → Score.

    Notes
    -----
    Points are drawn without replacement: 10,000, and 5,000 more for scoring where something is learned. A
    world with fewer points gives all of them, or two thirds for learning and one third for scoring. Classifiers learn
    on up to 60,000 points and are scored on those of `test`, or else on up to 10,000.
    """
    z = as_codes(codes)
    kinds = None
    if factors is not None:
        factors = as_factors(factors, n=len(z))
        kinds = as_kinds(factor_kinds, factors)
        _check_factors(factors, factor_names)
    runs = tuple(as_codes(run) for run in other_runs)
    deviations = None if stds is None else as_deviations(stds, z)
    if other_stds and len(other_stds) != len(runs):
        raise InputError(f"There are {len(runs)} other runs but deviations of {len(other_stds)}.")
    others = tuple(as_deviations(*each) for each in zip(other_stds, runs, strict=True)) if other_stds else ()

    def take(name: str, wanted: str | list[str]) -> Scores:
        plan = find_protocol(name, len(z))
        chosen, named = _choose(wanted, plan)
        if plan.name == "generation":
            raise InputError("Generation is scored on images, and codes are given: see evaluate_images.")
        if plan.name == "likelihood":
            raise InputError(
                "Likelihood is scored on densities, and codes are given: see evaluate_likelihood."
            )
        given: Given
        if plan.name == "clustering":
            names = tuple(factor_names or ())
            given = _clusters(z, factors, kinds, names, label, assignments, plan, baselines, seed)
        else:
            apart = None
            if plan.name == "classification" and test is not None:
                apart = as_codes(test[0]), as_factors(test[1], n=len(as_codes(test[0])))
            given = Points(z, factors, kinds, runs, deviations, others, apart, plan, baselines, seed)
        scores = _scores(given, chosen, plan, named, bootstrap, seed, progress)
        if isinstance(given, Points) and plan.name not in FAMILIES and factors is not None:
            rows = given.rows(plan.n_points)
            information = mutual_information_matrix(z[rows], factors[rows]).tolist()
            scores = Scores({}, {}, {"mutual-information": information}) | scores
        return scores

    return by_parts(by_protocol(metrics, (protocol,)), take)


def evaluate_images(
    images: ArrayLike | Tensor,
    *,
    reconstructions: ArrayLike | Tensor | None = None,
    samples: ArrayLike | Tensor | None = None,
    others: ArrayLike | Tensor | None = None,
    labels: ArrayLike | None = None,
    name: str = "own",
    metrics: str | Sequence[str] = "generation",
    bootstrap: int = 0,
    baselines: bool = True,
    seed: int = 0,
    progress: bool = False,
) -> Scores:
    """Score reconstructions and samples as images.

    Parameters
    ----------
    images
        Real ones [n, c, h, w] in [0, 1].
    reconstructions
        Reconstructions of these, in the same order, [n, c, h, w].
    samples
        From the prior, [n', c, h, w].
    others
        More real images [2 n'', c, h, w]: with the first half features are learned, and the distance of the second half
        from `images` is the ceiling of that of samples. None: features are learned with `images`, and there is no
        ceiling.
    labels
        [2 n''] class of each of the others: with them, features of a classifier are taken as well.
    name
        Name of the world: a classifier's features are called ``classifier:NAME``.
    metrics
        "generation" or names. Of "generation" is left out what needs a network that is not installed.
    bootstrap, baselines, seed, progress
        As for `evaluate_codes`. Chance: the reconstructions shuffled over the images.

    Returns
    -------
    Scores
        A mapping of name → Score: ``ssim``, ``frechet[pixels-pca]-samples`` and so on.
    """
    x = as_images(images, least=2)
    if reconstructions is None and samples is None:
        raise InputError("There are neither reconstructions nor samples to compare with the images.")
    if labels is not None and others is None:
        raise InputError("Labels belong to the other real images, and these are missing.")
    further = taught = classes = None
    if others is not None:
        taught, further = as_sets(x, others)[1].tensor_split(2)
        if labels is not None:
            classes = as_clusters(labels, n=len(taught) + len(further))[: len(taught)]
    given = Images(
        x,
        None if reconstructions is None else as_pairs(x, reconstructions)[1],
        None if samples is None else as_sets(x, samples)[1],
        further,
        taught,
        classes,
        name,
        baselines,
        seed,
    )
    plan = find_protocol("generation", len(x))
    (wanted,) = by_protocol(metrics, ("generation",)).values()
    chosen, named = _choose(wanted, plan)
    return _scores(given, chosen, plan, named, bootstrap, seed, progress)


def evaluate_likelihood(
    *,
    log_weights: ArrayLike | Tensor | None = None,
    losses: ArrayLike | Tensor | None = None,
    mean: ArrayLike | Tensor | None = None,
    log_var: ArrayLike | Tensor | None = None,
    words: ArrayLike | Tensor | None = None,
    metrics: str | Sequence[str] = "likelihood",
    bootstrap: int = 0,
    seed: int = 0,
    progress: bool = False,
) -> Scores:
    """Score a model with a Gaussian posterior and the prior N(0, I) as a density of n observations, in nats.

    Parameters
    ----------
    log_weights
        [n, k], log p(x, z) - log q(z|x) at k samples of each posterior.
    losses
        [n, k'], -log p(x|z) at k' samples of each posterior.
    mean, log_var
        [n, m] of the posteriors.
    words
        [n] predicted words of each text, the end of the sentence among them.
    metrics
        "likelihood" or names. Of "likelihood" is left out what is not given.
    bootstrap, seed, progress
        As for `evaluate_codes`. The intervals cover the choice of observations, and the noise of their samples.

    Returns
    -------
    Scores
        A mapping of name → Score. There are no baselines: a likelihood is read beside another model's.
    """
    tables = given_tables(log_weights=log_weights, losses=losses, mean=mean, log_var=log_var, words=words)
    plan = find_protocol("likelihood", 0)
    (wanted,) = by_protocol(metrics, ("likelihood",)).values()
    chosen, named = _choose(wanted, plan)
    return _scores(Densities(tables, seed), chosen, plan, named, bootstrap, seed, progress)


def tables_needed(metrics: str | Sequence[str]) -> set[str]:
    """Which arguments of `evaluate_likelihood` these metrics (as there) are functions of."""
    (wanted,) = by_protocol(metrics, ("likelihood",)).values()
    return {name for each in _choose(wanted, find_protocol("likelihood", 0))[0] for name in each.arguments}


def posteriors_needed(wanted: Mapping[str, str | list[str]]) -> bool:
    """Whether any of these metrics (as `by_protocol` gives them) looks at the deviations of posteriors."""
    chosen = [
        each for name, metrics in wanted.items() for each in _choose(metrics, find_protocol(name, 0))[0]
    ]
    return any("stds" in each.arguments or "kl" in each.parameters for each in chosen)


def by_parts(wanted: Mapping[str, str | list[str]], take: Callable[[str, str | list[str]], Scores]) -> Scores:
    """The scores of several protocols, of which one that has none here is left out, unless there is no other.

    Parameters
    ----------
    wanted
        As `by_protocol` gives it.
    take
        The scores of a protocol, given its name and its metrics.

    Raises
    ------
    Unavailable
        If nothing can be had.
    """
    found, refused = Scores({}), []
    for name, metrics in wanted.items():
        try:
            found = found | take(name, metrics)
        except Unavailable as error:
            refused.append(error)
            found = found | Scores({}, reasons(error, name, metrics))
    if refused and not found:
        raise refused[0]
    return found


def reasons(error: Unavailable, protocol: str, metrics: str | list[str]) -> dict[str, str]:
    """Why each of these metrics of a protocol cannot be had: its own reason, or the common one."""
    chosen, _ = _choose(metrics, find_protocol(protocol, 0))
    return {each.key: error.reasons.get(each.key, str(error)) for each in chosen}


def by_protocol(metrics: str | Sequence[str], protocols: Sequence[str]) -> dict[str, str | list[str]]:
    """Which metrics are taken by which protocol: {protocol: "default", "all" or names}.

    Parameters
    ----------
    metrics
        Names of metrics and families, "default", "all". A family brings its default metrics; a metric is taken by
        each of the protocols that have it, or else by its family.
    protocols
        The protocols that are evaluated.
    """
    keys = {protocol: _keys(protocol) for protocol in (*protocols, *FAMILIES)}
    chosen: dict[str, str | list[str]] = {}
    for name in [metrics] if isinstance(metrics, str) else metrics:
        owners = [each for each in protocols if name in keys[each]]
        owners = owners or [each for each in FAMILIES if name in keys[each]]
        if name in ("default", "all"):
            chosen |= dict.fromkeys(protocols, name)
        elif name in FAMILIES:
            chosen[name] = "default"
        elif not owners:
            valid = {*FAMILIES, *(key for each in keys.values() for key in each)}
            raise unknown_name(f"metric of {' or '.join(protocols)}", name, valid)
        for owner in owners:
            taken = chosen.setdefault(owner, [])
            if isinstance(taken, list):
                taken.append(name)
    return chosen


def _keys(protocol: str) -> dict[str, Metric]:
    """The metrics of a protocol by the names that they have there."""
    plan = find_protocol(protocol, 0)
    return {each.key: each for each in all_metrics().values() if each.protocol == plan.name}


def _choose(metrics: str | list[str], plan: Protocol) -> tuple[list[Metric], bool]:
    """The metrics to take, and whether they were named."""
    valid = _keys(plan.label)
    if isinstance(metrics, list):
        return [valid[name] for name in metrics], True
    return [valid[name] for name in (valid if metrics == "all" else plan.default)], False


def _scores(
    given: Given,
    chosen: list[Metric],
    plan: Protocol,
    named: bool,
    bootstrap: int,
    seed: int,
    progress: bool,
) -> Scores:
    if bootstrap < 0:
        raise InputError(f"There can be no {bootstrap} bootstrap replicates, expected 0 or more.")
    scores = take_scores(
        given, chosen, label=plan.label, named=named, bootstrap=bootstrap, seed=seed, progress=progress
    )
    if scores.skipped and not scores and (named or plan.name in FAMILIES):
        name, reason = next(iter(scores.skipped.items()))
        said = "" if named else f"Nothing of {plan.name} can be scored; "
        raise Unavailable(f"{said}{name}: {reason}", scores.skipped)
    return scores


def _clusters(
    codes: NDArray,
    factors: NDArray | None,
    kinds: tuple[str, ...] | None,
    names: tuple[str, ...],
    label: str | int | None,
    assignments: ArrayLike | None,
    plan: Protocol,
    baselines: bool,
    seed: int,
) -> Clusters:
    """What is clustered: up to 10,000 points, those whose class is known where there are classes."""
    assigned = None if assignments is None else as_assignments(assignments, len(codes))
    labels = None
    rows = np.random.default_rng(seed).permutation(len(codes))
    if factors is not None and kinds is not None:
        labels = class_labels(factors, kinds, names, label)
        rows = rows[~np.isnan(labels[rows])] if labels.dtype.kind == "f" else rows
    rows = rows[: plan.n_points]
    return Clusters(
        codes[rows],
        None if labels is None else as_clusters(labels[rows]),
        None if assigned is None else as_clusters(assigned[rows]),
        baselines,
        seed,
    )


def _check_factors(factors: NDArray, names: Sequence[str] | None) -> None:
    if names is not None and len(names) != factors.shape[1]:
        raise InputError(f"There are {factors.shape[1]} factors but {len(names)} factor names.")
    for k, column in enumerate(factors.T):
        known = column[~np.isnan(column)] if column.dtype.kind == "f" else column
        if not len(known) or known.min() == known.max():
            name = repr(names[k]) if names is not None else str(k)
            raise Unavailable(
                f"Factor {name} has only one value, so nothing can be said about it: leave it out."
            )

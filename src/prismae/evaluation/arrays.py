"""Scoring arrays: codes, images, or what a model says of observations."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.typing import ArrayLike
from torch import Tensor

from prismae.evaluation.families.densities import Measured
from prismae.evaluation.families.images import Pictures
from prismae.evaluation.options import Options
from prismae.evaluation.protocol import Protocol
from prismae.evaluation.protocols import Metrics, by_protocol
from prismae.evaluation.scores import Scores
from prismae.evaluation.subjects import Factors, Subject
from prismae.evaluation.take import joined, walk
from prismae.metrics._inputs import Test


def evaluate_codes(
    codes: ArrayLike,
    factors: ArrayLike | None = None,
    *,
    factor_names: Sequence[str] | None = None,
    factor_kinds: Sequence[str] | None = None,
    metrics: Metrics = "default",
    protocol: str | Protocol = "locatello2019",
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
        [n, k] class indices or values, NaN where unknown; None: only metrics that need no factors are taken. Texts and
        pandas categories are classes. Rows of tables belong together by their names, where both have some.
    factor_names, factor_kinds
        k names (for messages; by default a table's) and k kinds, "categorical" or "continuous". Whole numbers are
        classes in "locatello2019", whatever their kind.
    metrics
        "default", "all" (of the protocol), "clustering", "classification", names, or functions that are declared by
        `prismae.metrics.metric`. What a world does not allow is left out, with the reason; if nothing is left of the
        metrics and families that were named, that is an error.
    protocol
        "locatello2019" or "yeats2023"; the latter's numbers follow from n (at most 1,000 points:
        "beamsynthesis") unless named: "yeats2023/dsprites", "yeats2023/beamsynthesis". Metrics of clustering and
        classification have one definition, whatever the protocol. One that metrics of one's own declare, by its name;
        or with numbers of points of its own, as a `prismae.evaluation.Protocol`.
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
    world = Factors(factors, factor_names, factor_kinds)
    subject = Subject(codes, world, other_runs, stds, other_stds, test, assignments, progress=progress)
    options = Options(bootstrap, baselines, seed, label, progress=progress)
    wanted = by_protocol(metrics, (protocol,))
    subject.check()
    return joined(walk(subject, wanted, options))


def evaluate_images(
    images: ArrayLike | Tensor,
    *,
    reconstructions: ArrayLike | Tensor | None = None,
    samples: ArrayLike | Tensor | None = None,
    others: ArrayLike | Tensor | None = None,
    labels: ArrayLike | None = None,
    name: str = "own",
    metrics: Metrics = "generation",
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
    pictures = Pictures(images, reconstructions, samples, others, labels, name)
    options = Options(bootstrap, baselines, seed, progress=progress)
    return joined(walk(pictures, by_protocol(metrics, ("generation",)), options))


def evaluate_likelihood(
    *,
    log_weights: ArrayLike | Tensor | None = None,
    losses: ArrayLike | Tensor | None = None,
    mean: ArrayLike | Tensor | None = None,
    log_var: ArrayLike | Tensor | None = None,
    words: ArrayLike | Tensor | None = None,
    metrics: Metrics = "likelihood",
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
    tables = Measured.of(log_weights=log_weights, losses=losses, mean=mean, log_var=log_var, words=words)
    options = Options(bootstrap, seed=seed, progress=progress)
    return joined(walk(tables, by_protocol(metrics, ("likelihood",)), options))

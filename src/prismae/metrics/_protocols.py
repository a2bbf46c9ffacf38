"""Named protocols: how many points a metric is given, and which parameters differ from its defaults.

The families of metrics that have one definition each (clustering, classification, generation, likelihood) are
protocols of their own: they differ in what a metric is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from prismae.errors import unknown_name


@dataclass(frozen=True)
class Protocol:
    """How scores are taken.

    Parameters
    ----------
    name
        The name that metrics declare as their protocol.
    default
        Keys of the metrics that are taken when none is named.
    variant
        Which bundle of numbers, where the protocol has several.
    n_points
        Points that a metric is given, at most.
    n_test
        Points kept for scoring what was learned on the others.
    ceiling
        Whether the factors themselves, as codes, say what can be had. (Class indices in one line are no aim for
        a classifier that draws hyperplanes.)
    points, test_points
        `n_points` and `n_test` of single metrics that have their own.
    parameters
        Parameters of single metrics that differ from their defaults.
    """

    name: str
    default: tuple[str, ...]
    variant: str = ""
    n_points: int = 10_000
    n_test: int = 5_000
    ceiling: bool = True
    points: Mapping[str, int] = field(default_factory=dict)
    test_points: Mapping[str, int] = field(default_factory=dict)
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Name and variant, as tables show them."""
        return f"{self.name}/{self.variant}" if self.variant else self.name


LOCATELLO2019 = Protocol("locatello2019", default=("mig", "factor-vae-score", "dci", "sap"))
_YEATS2023 = ("mig", "fac", "dci", "sap")
YEATS2023_DSPRITES = Protocol(
    "yeats2023",
    variant="dsprites",
    default=_YEATS2023,
    points={"dci-yeats2023": 1_000, "sap-yeats2023": 5_000},
    test_points={"sap-yeats2023": 1_000},
)
YEATS2023_BEAMSYNTHESIS = Protocol(
    "yeats2023",
    variant="beamsynthesis",
    default=_YEATS2023,
    parameters={
        "mig-yeats2023": {"bins": 50},
        "fac-yeats2023": {"votes": 1_000, "test_votes": 200},
        "dci-yeats2023": {"constant_factor": False},
        "sap-yeats2023": {"constant_factor": False},
    },
)
CLUSTERING = Protocol(
    "clustering",
    default=("silhouette", "calinski-harabasz", "davies-bouldin", "clustering-accuracy", "nmi", "ari"),
)
CLASSIFICATION = Protocol(
    "classification",
    default=(
        "linear-svm-accuracy",
        "rbf-svm-accuracy",
        "logistic-regression-accuracy",
        "knn-accuracy",
    ),
    n_points=60_000,
    n_test=10_000,
    ceiling=False,
)
GENERATION = Protocol(
    "generation",
    default=("ssim", "ms-ssim", "psnr", "pixel-mse", "frechet", "kernel-distance", "fid", "kid", "lpips"),
)
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
FAMILIES = ("clustering", "classification", "generation", "likelihood")
PROTOCOLS = {
    each.label: each
    for each in (
        LOCATELLO2019,
        YEATS2023_DSPRITES,
        YEATS2023_BEAMSYNTHESIS,
        CLUSTERING,
        CLASSIFICATION,
        GENERATION,
        LIKELIHOOD,
    )
}
SMALL_WORLD = 1_000


def find_protocol(name: str, n: int) -> Protocol:
    """The protocol of that name; "yeats2023" alone takes the variant that fits a table of n rows."""
    if name == "yeats2023":
        return YEATS2023_BEAMSYNTHESIS if n <= SMALL_WORLD else YEATS2023_DSPRITES
    if name not in PROTOCOLS:
        raise unknown_name("protocol", name, (*PROTOCOLS, "yeats2023"))
    return PROTOCOLS[name]

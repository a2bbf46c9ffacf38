"""Classifiers that learn factors from codes, and are scored on points apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from prismae.evaluation.families._base import Family
from prismae.evaluation.families.codes import Points, points_of
from prismae.evaluation.options import Options
from prismae.evaluation.protocol import Protocol
from prismae.evaluation.subjects import coded
from prismae.metrics import Metric

CLASSIFICATION = Protocol(
    "classification",
    default=("linear-svm-accuracy", "rbf-svm-accuracy", "logistic-regression-accuracy", "knn-accuracy"),
    n_points=60_000,
    n_test=10_000,
    ceiling=False,
)


class Classifiers(Family):
    """Classification: codes and factors to learn on, and those of the test world, or some kept apart, to score on."""

    protocols = (CLASSIFICATION,)
    needs = ("split",)

    def given(self, subject: object, plan: Protocol, metrics: Sequence[Metric], options: Options) -> Points:
        codes = coded(subject, plan)
        return replace(points_of(codes, plan, metrics, options), test=codes.test_points)

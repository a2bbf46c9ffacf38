"""Scoring models and arrays: protocols, families of metrics, and what each of these gives a metric."""

from prismae.evaluation.arrays import evaluate_codes, evaluate_images, evaluate_likelihood
from prismae.evaluation.encode import assignments_table, codes_table, deviations_table
from prismae.evaluation.evaluate import evaluate
from prismae.evaluation.options import SAMPLES, Options
from prismae.evaluation.protocol import Protocol
from prismae.evaluation.protocols import FAMILIES, PROTOCOLS, Wanted, by_protocol, find_protocol, metrics_of
from prismae.evaluation.scores import Score, Scores, metric_behind, scores_of
from prismae.evaluation.subjects import Factors, Subject
from prismae.evaluation.take import take, walk

__all__ = [
    "FAMILIES",
    "PROTOCOLS",
    "SAMPLES",
    "Factors",
    "Options",
    "Protocol",
    "Score",
    "Scores",
    "Subject",
    "Wanted",
    "assignments_table",
    "by_protocol",
    "codes_table",
    "deviations_table",
    "evaluate",
    "evaluate_codes",
    "evaluate_images",
    "evaluate_likelihood",
    "find_protocol",
    "metric_behind",
    "metrics_of",
    "scores_of",
    "take",
    "walk",
]

"""Metrics: functions of arrays, from any framework, for codes and the factors behind them."""

from prismae.metrics._base import Metric, Result, all_metrics, metric
from prismae.metrics._information import mutual_information_matrix
from prismae.metrics.disentanglement.dci import DCI, dci
from prismae.metrics.disentanglement.factor_vae_score import factor_vae_score
from prismae.metrics.disentanglement.mig import mig
from prismae.metrics.disentanglement.sap import sap, sap_continuous, sap_mixed
from prismae.metrics.disentanglement.yeats2023 import (
    dci_yeats2023,
    fac_yeats2023,
    mig_yeats2023,
    sap_yeats2023,
)
from prismae.metrics.evaluate import Score, Scores, evaluate_codes

__all__ = [
    "DCI",
    "Metric",
    "Result",
    "Score",
    "Scores",
    "all_metrics",
    "dci",
    "dci_yeats2023",
    "evaluate_codes",
    "fac_yeats2023",
    "factor_vae_score",
    "metric",
    "mig",
    "mig_yeats2023",
    "mutual_information_matrix",
    "sap",
    "sap_continuous",
    "sap_mixed",
    "sap_yeats2023",
]

"""Metrics: functions of arrays, from any framework, for codes, their factors, clusters, images and likelihoods."""

from prismae._better import Better
from prismae.metrics._base import Learned, Metric, Result, all_metrics, as_metric, metric, metric_of
from prismae.metrics._information import mutual_information_matrix
from prismae.metrics._inputs import as_codes, as_factors, as_labels
from prismae.metrics.clustering.agreement import ari, clustering_accuracy, nmi
from prismae.metrics.clustering.calinski_harabasz import calinski_harabasz
from prismae.metrics.clustering.davies_bouldin import davies_bouldin
from prismae.metrics.clustering.silhouette import silhouette
from prismae.metrics.disentanglement.active_units import active_units
from prismae.metrics.disentanglement.beta_vae_score import beta_vae_score
from prismae.metrics.disentanglement.code_mutual_information import code_mutual_information
from prismae.metrics.disentanglement.dci import DCI, dci
from prismae.metrics.disentanglement.dci_mig import dci_mig
from prismae.metrics.disentanglement.explicitness import explicitness
from prismae.metrics.disentanglement.factor_vae_score import factor_vae_score
from prismae.metrics.disentanglement.factorised_support import factorised_support
from prismae.metrics.disentanglement.gaussian_total_correlation import gaussian_total_correlation
from prismae.metrics.disentanglement.gaussian_wasserstein_correlation import gaussian_wasserstein_correlation
from prismae.metrics.disentanglement.infomec import infomec
from prismae.metrics.disentanglement.irs import irs
from prismae.metrics.disentanglement.jemmig import jemmig
from prismae.metrics.disentanglement.mcc import mcc
from prismae.metrics.disentanglement.mig import mig
from prismae.metrics.disentanglement.mig_sup import mig_sup
from prismae.metrics.disentanglement.minimality import minimality, sufficiency
from prismae.metrics.disentanglement.modularity import modularity
from prismae.metrics.disentanglement.rmig import rmig
from prismae.metrics.disentanglement.sap import sap, sap_continuous, sap_mixed
from prismae.metrics.disentanglement.udr import udr_lasso, udr_spearman
from prismae.metrics.disentanglement.yeats2023 import (
    dci_yeats2023,
    fac_yeats2023,
    mig_yeats2023,
    sap_yeats2023,
)
from prismae.metrics.disentanglement.z_max_variance import z_max_variance
from prismae.metrics.disentanglement.z_min_variance import z_min_variance
from prismae.metrics.downstream.accuracy import boosted_accuracy, logistic_accuracy
from prismae.metrics.downstream.classifiers import (
    knn_accuracy,
    linear_svm_accuracy,
    logistic_regression_accuracy,
    rbf_svm_accuracy,
)
from prismae.metrics.downstream.factor_r2 import factor_r2
from prismae.metrics.downstream.unfairness import unfairness
from prismae.metrics.generation.frechet import frechet
from prismae.metrics.generation.kernel_distance import kernel_distance
from prismae.metrics.generation.official import fid, kid, lpips
from prismae.metrics.generation.pixels import pixel_mse, psnr
from prismae.metrics.generation.ssim import ms_ssim, ssim
from prismae.metrics.likelihood.kl import kl
from prismae.metrics.likelihood.mutual_information import mutual_information
from prismae.metrics.likelihood.nll import nll
from prismae.metrics.likelihood.perplexity import nll_per_word, perplexity, perplexity_bound
from prismae.metrics.likelihood.reconstruction import reconstruction

__all__ = [
    "DCI",
    "Better",
    "Learned",
    "Metric",
    "Result",
    "active_units",
    "all_metrics",
    "ari",
    "as_codes",
    "as_factors",
    "as_labels",
    "as_metric",
    "beta_vae_score",
    "boosted_accuracy",
    "calinski_harabasz",
    "clustering_accuracy",
    "code_mutual_information",
    "davies_bouldin",
    "dci",
    "dci_mig",
    "dci_yeats2023",
    "explicitness",
    "fac_yeats2023",
    "factor_r2",
    "factor_vae_score",
    "factorised_support",
    "fid",
    "frechet",
    "gaussian_total_correlation",
    "gaussian_wasserstein_correlation",
    "infomec",
    "irs",
    "jemmig",
    "kernel_distance",
    "kid",
    "kl",
    "knn_accuracy",
    "linear_svm_accuracy",
    "logistic_accuracy",
    "logistic_regression_accuracy",
    "lpips",
    "mcc",
    "metric",
    "metric_of",
    "mig",
    "mig_sup",
    "mig_yeats2023",
    "minimality",
    "modularity",
    "ms_ssim",
    "mutual_information",
    "mutual_information_matrix",
    "nll",
    "nll_per_word",
    "nmi",
    "perplexity",
    "perplexity_bound",
    "pixel_mse",
    "psnr",
    "rbf_svm_accuracy",
    "reconstruction",
    "rmig",
    "sap",
    "sap_continuous",
    "sap_mixed",
    "sap_yeats2023",
    "silhouette",
    "ssim",
    "sufficiency",
    "udr_lasso",
    "udr_spearman",
    "unfairness",
    "z_max_variance",
    "z_min_variance",
]

"""Families of metrics: one file each, with its protocols and what it gives a metric of a model or of arrays."""

from prismae.evaluation.families._base import Call, Family, Given, Inputs
from prismae.evaluation.families.classifiers import Classifiers
from prismae.evaluation.families.clusters import Clusters
from prismae.evaluation.families.codes import Codes
from prismae.evaluation.families.densities import Densities
from prismae.evaluation.families.images import Images

ALL: tuple[Family, ...] = (Codes(), Clusters(), Classifiers(), Images(), Densities())

__all__ = ["ALL", "Call", "Family", "Given", "Inputs"]

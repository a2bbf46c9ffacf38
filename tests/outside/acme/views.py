"""A view: what is computed of a model, how it is drawn, and what the report says above it."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from matplotlib.figure import Figure

from prismae.views import View


@dataclass(frozen=True)
class CodeQuantiles(View):
    """The median of each code."""

    arrays: ClassVar = {"code_quantiles": "m"}  # in pictures.npz: m latents
    title: ClassVar = "Quantiles of the codes"

    def compute(self, subject):  # torch is imported in here, if at all
        return {"code_quantiles": np.median(subject.codes.numpy(), axis=0)}

    def draw(self, run):
        figure = Figure()
        figure.subplots().bar(range(len(run.pictures["code_quantiles"])), run.pictures["code_quantiles"])
        return figure

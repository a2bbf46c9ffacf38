"""The page of a discovery: one HTML file."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import torch
from jinja2 import ChoiceLoader, Environment, PackageLoader, select_autoescape
from matplotlib.figure import Figure
from numpy.typing import NDArray

from prismae._files import write_file
from prismae._text import brief, signed, together_on_page
from prismae.data import Images, World
from prismae.data.kinds import Volumes
from prismae.discovery.result import Discovery
from prismae.figures.canvas import new_figure, png
from prismae.figures.pictures import to_pixels
from prismae.runs.slices import middle_slices

PAGE = "page.html"
AT = (-1.5, -0.75, 0.0, 0.75, 1.5)  # deviations of a factor that pictures are drawn at
TITLE = 12.0  # points: nine pixels on a phone, where the picture is as wide as its page


def write_page(found: Discovery, data: World) -> Path:
    """Write page.html of a discovery; returns its path."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("prismae.discovery"), PackageLoader("prismae.report")]),
        autoescape=select_autoescape(default=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["brief"] = brief
    text = environment.get_template("page.html.j2").render(
        found=found,
        data=data,
        pictures=_pictures(found, data) if len(data.shape) > 1 or data.kind.name() == "series" else {},
    )
    return write_file(found.folder / PAGE, together_on_page(text).encode())


def _pictures(found: Discovery, data: World) -> dict[str, str]:
    """For each factor, observations along it; base64 of a PNG."""
    k = len(found.factors)
    drawn = {}
    for i, factor in enumerate(found.factors):
        codes = np.zeros((len(AT), k))
        codes[:, i] = AT
        x = np.asarray(found.inverse_transform(codes))
        if isinstance(data.kind, Images):
            x = torch.cat([*data.kind.parts(x, data.shape)]).numpy()
            x = middle_slices(x) if isinstance(data.kind, Volumes) else x
            row = _row(to_pixels((x - x.min()) / (np.ptp(x) or 1.0)))
        else:
            row = _row(x)
        drawn[factor.name] = base64.b64encode(png(row)).decode()
    return drawn


def _row(x: NDArray) -> Figure:
    figure = new_figure(1.3, 6.4)
    for i, (axes, each) in enumerate(zip(figure.subplots(1, len(x), sharey=True), x, strict=True)):
        if each.ndim == 3:  # an image
            axes.imshow(each)
        else:
            axes.plot(each.T if each.ndim == 2 and each.shape[0] < each.shape[1] else each, lw=1)
        axes.set_title(signed(AT[i]), fontsize=TITLE)
        axes.set_xticks([])
        axes.set_yticks([])
    return figure

"""Pages whose figures are blank, for tests of all else on them: what takes longest about a page is its figures."""

import pytest
from matplotlib.figure import Figure

from prismae.figures.canvas import new_figure
from prismae.report.drawing import can_be_drawn, plain_name
from prismae.runs.run import Run
from prismae.views import all_views


def blank_figures(patch: pytest.MonkeyPatch) -> None:
    """Leave blank figures of views and scores on pages of runs, and none of the training."""

    def draw_all(run: Run) -> dict[str, Figure]:
        views = [name for name, each in all_views().items() if can_be_drawn(each, run)]
        return {
            name: new_figure(1.0) for name in (*views, *(f"scores-{plain_name(p)}" for p in run.protocols))
        }

    patch.setattr("prismae.report.html.draw_all", draw_all)

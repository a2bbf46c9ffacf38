"""Texts that no option means, in each option of each command that takes a text: one sentence, and no traceback."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import command as said
from commands import options_of

from prismae.errors import InputError

RUN = "gcae-digits-077e13ba"
PLAN = "{title: t, worlds: digits, methods: {vae: {}}, seeds: [0], budget: {steps: 1}, metrics: {}}"
GIVEN = {
    "fit": ["vae", "own.npy", "--steps", "9"],
    "discover": ["own.npy"],
    "interpolate": [RUN, "a", "b"],
    "rows": ["merge", "a.csv"],
    "list": ["methods"],
}
ODD = {
    "empty": "",
    "blank": "  ",
    "two lines": "a\nb",
    "long": "x" * 100_000,
    "folder": "inside",
    "markup": "[red]<b>[/x]",
    "zero byte": "a\0b",
}
FAST = ("long",)
WORK = (
    "studies.fit.train",
    "cli.evaluate.score",
    "cli.study.study",
    "cli.study.search",
    "cli.discover.discover",
)


def odd():
    """The texts; in the default suite one of them, and all with the slow tests."""
    return [pytest.param(ODD[each], id=each, marks=() if each in FAST else pytest.mark.slow) for each in ODD]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of packages that others use
@pytest.mark.parametrize("value", odd())
@pytest.mark.parametrize(("command", "option"), [each[:2] for each in options_of(str, Path)])
def test_a_text_that_no_option_means_is_one_sentence(command, option, value, tmp_path, monkeypatch, capfd):
    def begun(*given, **more):
        raise InputError("All that was given may mean something.")

    monkeypatch.chdir(tmp_path)
    np.save("own.npy", np.random.default_rng(0).normal(size=(20, 4)))
    Path("inside").mkdir()
    Path("plan.yaml").write_text(PLAN)
    shutil.copytree(Path(__file__).parents[1] / "runs" / "0.1" / RUN, RUN)
    for work in WORK:
        monkeypatch.setattr(f"prismae.{work}", begun)
    of_plan = command in ("study", "table", "plot", "select")
    code, told = said(
        capfd, command, *GIVEN.get(command, ["plan.yaml"] if of_plan else [RUN]), f"{option}={value}"
    )
    assert code in (0, 1, 2)
    assert "Traceback" not in told
    assert len(told) < 10_000

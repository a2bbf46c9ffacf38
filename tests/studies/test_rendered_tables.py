"""Tables in Markdown, LaTeX and CSV: what is bold, what stands beside, and names that are markup."""

from __future__ import annotations

import csv
import html
import io
import re
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from markdown_it import MarkdownIt
from scipy.stats import ttest_rel
from small_plan import MIG, PLAN, SCORES, frame

from prismae.errors import InputError
from prismae.studies.plan import Plan
from prismae.studies.plan_parts import Arm
from prismae.studies.summary import summarise
from prismae.studies.tables import number, render


def test_markdown_has_the_published_numbers_beside_tests_and_notes():
    text = render(PLAN, summarise(PLAN, frame()))
    assert "| arm | β | seeds | mig | published |" in text
    assert "| good | 2 | 3 | **0.600 ± 0.100** | 0.550 ± 0.020 |" in text
    assert "| bad |  | 3 | 0.200 ± 0.100 | – |" in text
    assert "| bad |  | −0.400 ± 0.248, d −4, p 0.020 (t, 3) |" in text
    assert "Published: a paper." in text
    assert "Mind the step." in text


def test_latex_is_bold_only_where_the_test_tells_the_best_from_all_others():
    clear = {"good": [0.5, 0.6, 0.7], "bad": [0.1, 0.21, 0.3]}
    assert ttest_rel(clear["good"], clear["bad"]).pvalue < 0.05
    unclear = {"good": [0.5, 0.6, 0.7], "bad": [0.1, 0.75, 0.3]}
    assert ttest_rel(unclear["good"], unclear["bad"]).pvalue > 0.05
    two = {"good": [0.5, 0.6], "bad": [0.1, 0.21]}  # too few seeds for a test
    for scores, bold in ((clear, True), (unclear, False), (two, False)):
        summary = summarise(PLAN, frame(scores))
        assert summary.lines["good", 2.0][MIG].best
        assert (r"\textbf" in render(PLAN, summary, "latex").split("% Reconstruction")[0]) == bold


@pytest.mark.parametrize(
    ("pca", "untrained", "bold", "sure", "remark"),
    [
        (0.1, [0.1, 0.2, 0.3], True, True, ""),
        (0.65, [0.1, 0.2, 0.3], False, False, "No method is better than PCA by mig."),
        (0.7, [0.9, 0.6, 0.8], False, False, "No method is better than PCA and than untrained by mig."),
        (0.58, [0.1, 0.2, 0.3], True, False, ""),  # not by the test
        (0.1, [0.1, 0.75, 0.3], True, False, ""),
    ],
)
def test_the_best_is_bold_only_where_it_is_better_than_the_baselines(pca, untrained, bold, sure, remark):
    rows_ = frame({"good": [0.5, 0.6, 0.7], "bad": [0.1, 0.21, 0.3], "PCA": [pca], "untrained": untrained})
    rows_["method"] = rows_["arm"].map({"PCA": "pca", "untrained": "untrained"}).fillna("vae")
    rows_.loc[rows_["method"] != "vae", ["mse", "nats"]] = np.nan
    rows_["β"] = None
    summary = summarise(PLAN, rows_)
    markdown, latex = (render(PLAN, summary, form).replace("###", "%") for form in ("markdown", "latex"))
    scores_of, latex_of = (text.split("% Reconstruction")[0] for text in (markdown, latex))
    assert ("**0.600" in scores_of, r"\textbf" in latex_of) == (bold, sure)
    assert remark in scores_of
    assert remark in latex_of
    assert ("No method" in markdown) == bool(remark)
    assert "**" in markdown.split("% Reconstruction")[1]  # which baselines have not


def test_of_one_method_it_is_said_that_it_is_not_better_than_a_baseline():
    rows_ = frame({"good": [0.5, 0.6, 0.7], "PCA": [0.8]})
    rows_["method"] = ["vae"] * 3 + ["pca"]
    text = render(PLAN, summarise(PLAN, rows_))
    assert "No method is better than PCA by mig." in text
    assert "**" not in text


def test_latex_and_csv():
    summary = summarise(PLAN, frame())
    latex = render(PLAN, summary, "latex")
    assert r"good & 2 & 3 & \textbf{0.600 $\pm$ 0.100} & 0.550 $\pm$ 0.020 \\" in latex
    assert r"shuffled codes (chance) &  &  & 0.050 &  \\" in latex
    assert r"bad &  & $-$0.400 $\pm$ 0.248, d $-$4, p 0.020 (t, 3) \\" in latex
    assert (
        latex.count(r"\toprule") == latex.count(r"\bottomrule") == 4
    )  # the scores and the errors, and their tests
    assert "% Mind the step." in latex
    lines = list(csv.DictReader(io.StringIO(render(PLAN, summary, "csv"))))
    assert {(line["arm"], line["score"]) for line in lines} == {
        (arm, score) for arm in SCORES for score in (MIG, "mse", "nats")
    }
    assert next(line for line in lines if line["score"] == MIG)["published"] == "0.55"
    with pytest.raises(InputError, match="Unknown format 'latx': did you mean 'latex'"):
        render(PLAN, summary, "latx")


LETTERS = (
    "a_b",
    "50 %",
    "σ and β_x",
    "[x]",
    "*",
    "d{0}\\&#~^$",
    "ąę «Þ» |r| ½",
    "名前 ẞ 🙂",
    "Ё e\u0301 \u202e →",
)


def test_latex_names_letters_that_pdflatex_has_not_by_their_numbers():
    shown = render(PLAN, summarise(PLAN, frame({name: [0.1, 0.2] for name in LETTERS})), "latex")
    assert r"\ifdefined\Umathcode 名\else U+540D\fi{}" in shown
    assert r"{[}x{]} & " not in shown
    assert r"{[}x] & " in shown
    assert "U+202E" in shown
    assert "\u202e" not in shown
    assert "é" in shown  # composed


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_latex_compiles_whatever_things_are_called(tmp_path):
    rng = np.random.default_rng(0)
    scores = {name: list(0.1 * i + rng.normal(0, 0.01, 3)) for i, name in enumerate(LETTERS)}
    plan = replace(PLAN, title="50 % of a_b\\", notes=["β_1 & 名前 \\ % {"])
    written = render(plan, summarise(plan, frame(scores).rename(columns={"β": "β_0 %"})), "latex")
    page = rf"\documentclass{{article}}\usepackage{{booktabs}}\begin{{document}}{written}\end{{document}}"
    (tmp_path / "page.tex").write_text(page, encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"],
        cwd=tmp_path, capture_output=True, text=True, errors="replace",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-1500:]


@pytest.mark.parametrize(
    ("mean", "deviation", "text"),
    [
        (0.3694, 0.0404, "0.369 ± 0.040"),
        (4e-4, 1e-4, "0.00040 ± 0.00010"),
        (12.3, 0.012, "12.300 ± 0.012"),
        (1081.62, 4.04, "1081.6 ± 4.0"),
        (4e-8, 1e-8, "4e-08 ± 1e-08"),
        (0.9, 1e-9, "0.900 ± 1e-09"),
        (0.5, 0.0, "0.500 ± 0.000"),
        (0.0, 0.0, "0.000 ± 0.000"),
        (-1e-17, 0.07, "0.000 ± 0.070"),
        (2.5e-4, None, "0.00025"),
        (0.0, None, "0.000"),
        (float("inf"), None, "inf"),
    ],
)
def test_small_numbers_keep_their_digits(mean, deviation, text):
    assert number(mean, deviation) == text


def test_latex_and_markdown_take_any_name():
    plan = Plan("t\n\\input{x}", {"digits": {}}, {"a": Arm("vae")}, [0])
    summary = summarise(plan, frame({"A_{1}^2 ~ \\x & τ ≥ Ω|b\n| new": [0.5]}))
    latex = render(plan, summary, "latex")
    assert (
        r"A\_\{1\}\textasciicircum{}2 \textasciitilde{} \textbackslash{}x \& $\tau$ $\geq$ $\Omega$$|$b $|$ new"
        in latex
    )
    assert latex.startswith("% t \\input{x}; needs")
    assert "| A_{1}^2 ~ \\\\x & τ ≥ Ω\\|b \\| new |" in render(plan, summary)


MARKUP = r"""<b>bold</b>
&lt;i&gt;
<!-- x
a|b
*a* **b**
_a_ b_c_ _
`c`
[x](javascript:y)
![x](y)
\|a\
\*
a < b > c & d
[x][y]
davies-bouldin[k-means]
n_latents
</td></tr>"""


@pytest.mark.parametrize("name", MARKUP.splitlines())
def test_a_name_is_read_in_markdown_as_it_is(name):
    plan = Plan("t", {"digits": {}}, {"a": Arm("vae")}, [0])
    text = render(plan, summarise(plan, frame({name: [0.5, 0.6, 0.7], "other": [0.1, 0.2, 0.4]})))
    page = MarkdownIt("commonmark").enable("table").render(text)
    cells = [html.unescape(cell) for cell in re.findall(r"<td>(.*?)</td>", page)]
    assert cells.count(name) == 4  # two tables, each with its tests
    assert not set(re.findall(r"<(\w+)", page)) - {
        "h3",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "p",
        "strong",
    }

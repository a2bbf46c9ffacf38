"""Tables: means, tests and published numbers against values computed by hand."""

from __future__ import annotations

import csv
import html
import io
import re
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from markdown_it import MarkdownIt
from scipy.stats import ttest_1samp, ttest_rel, wilcoxon
from typer.testing import CliRunner

from prismae.cli import app
from prismae.errors import InputError
from prismae.studies.plan import Plan
from prismae.studies.plan_parts import Arm, Published, in_rows
from prismae.studies.rows import read_rows, write_rows
from prismae.studies.selection import select
from prismae.studies.summary import direction, divided, holm, paired, summarise
from prismae.studies.tables import number, render

MIG = "yeats2023:mig"
RNG = np.random.default_rng(0)
SCORES = {"good": [0.5, 0.6, 0.7], "bad": [0.1, 0.3, 0.2]}
PLAN = Plan(
    title="t",
    worlds={"digits": {}},
    methods={"good": Arm("vae"), "bad": Arm("ae")},
    seeds=[0, 1, 2],
    published=[Published("a paper", [MIG, "mse"], {"good": [(0.55, 0.02), None]}, {"world": "digits"})],
    notes=["Mind the step."],
)


def frame(scores=SCORES) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "arm": arm, "method": "vae", "world": "digits", "seed": seed, "β": {"good": 2.0}.get(arm),
            "steps": 10, "mse": 1 - value, "nats": 3.0, MIG: value, f"{MIG}:chance": 0.05, "seconds": 1.0,
            "machine": "m", "precision": "32", "prismae": "0", "run": f"{arm}{seed}",
        }
        for arm, values in scores.items()
        for seed, value in enumerate(values)
    )  # fmt: skip


def test_means_deviations_the_best_and_published_numbers():
    summary = summarise(PLAN, frame())
    assert summary.keys == ("arm", "β")
    good, bad = summary.lines["good", 2.0][MIG], summary.lines["bad", None][MIG]
    assert (good.mean, good.deviation, good.n) == pytest.approx((0.6, 0.1, 3))
    assert good.best
    assert not bad.best
    assert good.published == (0.55, 0.02)
    assert bad.published is None
    assert summary.lines["good", 2.0]["mse"].published is None
    assert summary.lines["good", 2.0]["mse"].best  # the smaller is better
    assert summary.chance == {"digits": {MIG: pytest.approx(0.05)}}
    assert bad.against.p == pytest.approx(ttest_rel(SCORES["good"], SCORES["bad"]).pvalue)
    assert good.against is None


def test_nats_of_several_likelihoods_are_not_compared():
    rows = frame().assign(
        nats=[1.0, 2.0, 3.0, 4.0, 5.0, 7.0], **{"likelihood:nll": [2.0, 3.0, 5.0, 6.0, 8.0, 9.0]}
    )
    for likelihoods, compared in ((["mse", "mse"], True), (["mse", "bernoulli"], False)):
        summary = summarise(PLAN, rows.assign(likelihood=np.repeat(likelihoods, 3)))
        good, bad = summary.lines["good", 2.0], summary.lines["bad", None]
        for score in ("nats", "likelihood:nll"):
            assert (good[score].best, bad[score].against is not None) == (compared, compared)
        assert good["mse"].best
        assert bad["mse"].against is not None


def test_the_test_fits_the_number_of_seeds():
    a, b = RNG.normal(size=(2, 12))
    assert paired(a, b).p == pytest.approx(wilcoxon(a, b).pvalue)
    assert paired(a[:5], b[:5]).p == pytest.approx(ttest_rel(a[:5], b[:5]).pvalue)
    assert paired(a[:5] + 9 + 0.1 * b[:5], a[:5]).p < 2 / 2**5  # below what Wilcoxon's could be
    assert paired([1.0, 2.0], [2.0, 4.0]) is None  # two seeds are too few
    assert paired([1.0, 2.0, 4.0], [1.0, 2.0, 4.0]) is None


def test_differences_have_intervals_and_effect_sizes():
    a, b = RNG.normal(size=(2, 6))
    found = paired(a, b)
    low, high = ttest_rel(a, b).confidence_interval(0.95)
    assert (found.difference - found.half, found.difference + found.half) == pytest.approx((low, high))
    assert found.effect == pytest.approx(ttest_rel(a, b).statistic / 6**0.5)  # t is d times the root of n
    assert paired([1.0, 2.0, 4.0], [2.0, 3.0, 4.5]).effect < -1
    cell = summarise(PLAN, frame()).lines["bad", None][MIG]
    assert cell.interval == pytest.approx(ttest_1samp(SCORES["bad"], 0).confidence_interval(0.95))
    assert cell.against.difference == pytest.approx(np.mean(SCORES["bad"]) - np.mean(SCORES["good"]))
    assert np.isnan(summarise(PLAN, frame({"good": [0.5]})).lines["good",][MIG].interval).all()


def test_seeds_are_paired_by_their_number_and_not_by_their_place():
    scores = {"good": [0.5, 0.6, 0.7, 0.9], "bad": [0.1, 0.3, 0.2, 0.2]}
    rows = frame(scores)
    summary = summarise(PLAN, rows[(rows["arm"] == "good") | (rows["seed"] > 0)].iloc[::-1])
    expected = ttest_rel(scores["good"][1:], scores["bad"][1:]).pvalue
    assert summary.lines["bad", None][MIG].against.p == pytest.approx(expected)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


@pytest.mark.parametrize(
    ("score", "better"),
    [
        ("mse", "lower"),
        ("locatello2019:dci-d", "higher"),
        ("yeats2023:sap", "neither"),
        ("locatello2019:sap-mixed", "higher"),
    ],
)
def test_direction_of_a_score(score, better):
    assert direction(score) == better


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
    scores = {name: list(0.1 * i + RNG.normal(0, 0.01, 3)) for i, name in enumerate(LETTERS)}
    plan = replace(PLAN, title="50 % of a_b\\", notes=["β_1 & 名前 \\ % {"])
    written = render(plan, summarise(plan, frame(scores).rename(columns={"β": "β_0 %"})), "latex")
    page = rf"\documentclass{{article}}\usepackage{{booktabs}}\begin{{document}}{written}\end{{document}}"
    (tmp_path / "page.tex").write_text(page, encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"],
        cwd=tmp_path, capture_output=True, text=True, errors="replace",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-1500:]


def test_one_seed_has_no_deviation_and_no_test():
    summary = summarise(PLAN, frame({"good": [0.5], "bad": [0.1]}))
    text = render(PLAN, summary)
    assert "| **0.500** |" in text
    assert "test against the best" not in text


def test_settings_are_ranked_by_a_score():
    ranked = select(PLAN, frame(), "mig")
    assert list(ranked["arm"]) == ["good", "bad"]
    assert list(select(PLAN, frame(), "mse")["arm"]) == ["good", "bad"]
    with pytest.raises(InputError, match="Unknown score 'mgi': expected one of mse, nats, udr"):
        select(PLAN, frame(), "mgi")


def test_a_setting_of_which_a_training_failed_is_ranked_last():
    rows = frame()
    rows.loc[rows["run"] == "good2", ["mse", "nats", MIG]] = np.nan
    ranked = select(PLAN, rows, MIG)
    assert ranked["arm"].tolist() == ["bad", "good"]
    assert ranked[MIG].isna().tolist() == [False, True]


def test_baselines_without_a_score_are_not_ranked(tmp_path, monkeypatch):
    pca = frame({"PCA": [0.65]}).assign(method="pca", mse=np.nan, nats=np.nan, run="pca")
    rows = pd.concat([frame(), pca], ignore_index=True)
    assert select(PLAN, rows, "mig")["arm"].tolist() == ["PCA", "good", "bad"]
    assert select(PLAN, rows, "mse")["arm"].tolist() == ["good", "bad"]
    asked = []
    monkeypatch.setattr(
        "prismae.studies.selection.agreement",
        lambda runs, *_: (asked.extend(runs), (np.array([0.5]), {}))[1],
    )
    select(PLAN, rows, "udr", tmp_path)
    assert asked == rows["run"].tolist()[:-1]  # an encoding is no run whose seeds could agree
    with pytest.raises(InputError, match="No rows of trainings have 'udr': expected a plan of which some"):
        select(PLAN, pca, "udr", tmp_path)


def test_each_p_says_its_test_and_how_many_seeds_both_arms_have():
    a, b = RNG.normal(size=(2, 12))
    rows = frame({"good": a + 5, "bad": b[:5]})
    cell = summarise(PLAN, rows).lines["bad", None][MIG]
    assert (cell.against.test, cell.against.pairs) == ("paired t", 5)
    assert cell.against.p == pytest.approx(ttest_rel(a[:5] + 5, b[:5]).pvalue)
    plan = Plan("t", {"digits": {}}, {n: Arm("vae") for n in ("good", "bad", "third")}, [0])
    text = render(plan, summarise(plan, frame({"good": a + 5, "bad": b[:5], "third": b})))
    assert "p of the paired t test (t) or the Wilcoxon signed-rank test (W)" in text
    assert "(t, 5)" in text
    assert "(W, 12)" in text


def test_each_world_has_its_own_chance_level():
    rows = pd.concat([frame(), frame().assign(world="pulses", **{f"{MIG}:chance": 0.01})])
    text = render(PLAN, summarise(PLAN, rows))
    assert "| shuffled codes (chance) | digits |  |  | 0.050 |" in text
    assert "| shuffled codes (chance) | pulses |  |  | 0.010 |" in text


def test_worlds_and_likelihoods_are_ranked_apart():
    better = frame().assign(world="pulses", mse=0.01, nats=1000.0)
    ranked = select(PLAN, pd.concat([better, frame()], ignore_index=True), "mse")
    assert ranked[["world", "arm"]].values.tolist() == [
        ["pulses", "good"], ["pulses", "bad"], ["digits", "good"], ["digits", "bad"],
    ]  # fmt: skip
    values = [9.0, 9.0, 9.0, 1.0, 1.0, 1.0]
    rows = frame().assign(nats=values, **{"likelihood:nll": values})
    for by in ("nats", "nll"):
        ranked = select(PLAN, rows.assign(likelihood=np.repeat(["gaussian", "bernoulli"], 3)), by)
        assert ranked[["likelihood", "arm"]].values.tolist() == [["gaussian", "good"], ["bernoulli", "bad"]]


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


def test_rows_of_several_machines_count_each_run_once(tmp_path):
    rows = frame().assign(
        precision="bf16", prismae="0.1.0", lr=[1e-6] * 3 + [2e-6] * 3, mse=RNG.random(6) / 1e7
    )
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    write_rows(rows.iloc[:4], one)
    write_rows(rows.iloc[2:].assign(machine="another", seconds=9.0), two)
    found = read_rows([one, two])
    pd.testing.assert_frame_equal(
        found.drop(columns=["machine", "seconds"]), rows.drop(columns=["machine", "seconds"])
    )
    assert found["seconds"].tolist() == [1.0] * 4 + [9.0] * 2
    done = CliRunner().invoke(app, ["rows", "merge", str(one), str(two), "--to", str(tmp_path / "all.csv")])
    assert done.exit_code == 0
    pd.testing.assert_frame_equal(read_rows([tmp_path / "all.csv"]), found, check_exact=True)
    write_rows(rows.iloc[2:].assign(**{MIG: 0.5}), two)
    with pytest.raises(InputError, match=f"Rows of one run differ in {MIG}: bad0, good2"):
        read_rows([one, two])
    with pytest.raises(InputError, match=r"There is no file of rows .*three.csv"):
        read_rows([one, tmp_path / "three.csv"])
    for content, said in (
        (b"", "No columns"),
        (b"a,b\n1,2\n", "no column arm, method"),
        (b"\xff\xfe\x00", "utf-8"),
    ):
        two.write_bytes(content)
        with pytest.raises(InputError, match=rf"two.csv is no file of rows.*{said}"):
            read_rows([one, two])


def test_rows_of_two_plans_whose_arms_have_one_name_are_refused():
    rows = frame()
    rows["settings"] = [
        '{"lr": 0.001}',
        '{"lr": 0.001}',
        None,
        None,
        None,
        None,
    ]  # earlier rows do not say them
    assert summarise(PLAN, rows).lines["good", 2.0][MIG].n == 3
    rows.loc[2, "settings"] = '{"lr": 0.0010000000000000002}'
    with pytest.raises(
        InputError, match=r"good, 2.0 has rows of several settings, which differ in lr: expected"
    ):
        summarise(PLAN, rows)


STRANGE = ["=1+1", "+a", "-b", "@c", "\t=d", "'=e", " =f", "-2.5", "'quoted'", 'a,"b"', "ends <b>\\input{x}"]


def test_no_spreadsheet_finds_a_formula_in_a_file_of_rows_or_a_table_and_names_stay(tmp_path):
    rows = pd.concat([frame({"good": [0.5]}).assign(arm=name, run=name, mse=-1.5) for name in STRANGE])
    rows = rows.reset_index(drop=True).rename(columns={"β": "=β"})
    rows["=β"] = -2.5
    write_rows(rows, tmp_path / "rows.csv")
    plan = Plan("t", {"digits": {}}, {name: Arm("vae") for name in STRANGE}, [0])
    for text in ((tmp_path / "rows.csv").read_text(), render(plan, summarise(plan, rows), "csv")):
        cells = [cell for line in csv.reader(io.StringIO(text)) for cell in line]
        numbers = [cell for cell in cells if re.fullmatch(r"-?[\d.]+", cell)]
        assert "-1.5" in numbers
        texts = [cell.lstrip(" ") for cell in cells if cell.strip() and cell not in numbers]
        assert not [text for text in texts if text[0] in "=+-@\t\r"]
    found = read_rows([tmp_path / "rows.csv"])
    assert found["arm"].tolist() == STRANGE
    assert found["=β"].tolist() == [-2.5] * len(STRANGE)


def test_texts_of_rows_are_what_they_were_whatever_they_look_like(tmp_path):
    names = ["010", "NA", "None", "1e3", "nan"]
    rows = pd.concat([frame({"good": [0.5]}).assign(arm=name, run=name) for name in names], ignore_index=True)
    rows["β"] = ["null", "0.10", None, "NA", "auto"]
    write_rows(rows, tmp_path / "rows.csv")
    found = read_rows([tmp_path / "rows.csv"])
    assert found["arm"].tolist() == names
    assert [None if value != value else value for value in found["β"]] == ["null", "0.10", None, "NA", "auto"]
    plan = Plan("t", {"digits": {}}, {name: Arm("vae") for name in names}, [0])
    assert render(plan, summarise(plan, found)) == render(plan, summarise(plan, rows))


def test_values_of_a_grid_may_be_lists_and_mappings(tmp_path):
    given = [[], ["a", "b"], {"kl": 2}]
    plan = Plan("t", {"digits": {}}, {"V": Arm("vae", grid={"drop": given[:2]})}, [0])
    assert [each.swept["drop"] for each in plan.jobs()] == ["[]", '["a", "b"]']
    rows = pd.concat(
        [frame({"V": [0.5]}).assign(β=in_rows(value), run=str(value)) for value in given], ignore_index=True
    )
    plan = replace(plan, published=[Published("a paper", [MIG], {"V": [0.7]}, {"β": ["a", "b"]})])
    summary = summarise(plan, rows)
    assert [*summary.lines] == [("V", "[]"), ("V", '["a", "b"]'), ("V", '{"kl": 2}')]
    assert [cells[MIG].published for cells in summary.lines.values()] == [None, (0.7, None), None]
    write_rows(rows, tmp_path / "rows.csv")
    assert summarise(plan, read_rows([tmp_path / "rows.csv"])).lines.keys() == summary.lines.keys()


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


def test_a_seed_counts_once():
    rows = frame()
    rows = pd.concat([rows, rows.iloc[[1]].assign(run="other")])
    with pytest.raises(InputError, match=r"good, 2\.0 has seed 1 more than once, by runs good1, other"):
        summarise(PLAN, rows)


def test_baselines_may_have_more_values_of_a_grid_than_trainings():
    trained = frame()
    one = trained.iloc[[0]].assign(arm="PCA", method="pca", n_latents=2)
    rows = pd.concat([trained.assign(method="vae", n_latents=8), one, one.assign(n_latents=8, run="pca8")])
    columns = [c for c in rows if c != "n_latents"]
    columns.insert(columns.index("mse"), "n_latents")
    found = summarise(PLAN, rows[columns])
    assert found.keys[-1] == "n_latents"
    assert [values[-1] for values in found.lines if values[0] == "PCA"] == [2, 8]


def test_rows_of_several_versions_are_told():
    rows = frame().assign(prismae=["0.1", "0.2", "0.2"] * 2)
    text = render(PLAN, summarise(PLAN, rows))
    assert "several versions of prismae: 0.2 (4 rows), 0.1 (2 rows)" in text
    assert "several" not in render(PLAN, summarise(PLAN, frame()))


def test_trainings_that_went_wrong_are_told_once_with_their_seeds():
    broke, short = "The training was thrown back and has not recovered: 4 % then, 13 % now.", "Too short."
    rows = frame({"*good*": [0.5, 0.6, 0.9], "bad": [0.1, 0.2, 0.3]}).assign(
        warnings=["", "", broke, None, "", short]
    )
    early = rows.assign(steps=5)  # what the same runs were like half-way
    pca = rows[:1].assign(arm="PCA", method="pca", run="p", warnings=broke)
    text = render(PLAN, summarise(PLAN, pd.concat([early, rows, pca])))
    assert "has not recovered in 1 of 6 runs: \\*good\\*, steps 10 (seed 2)." in text
    assert "Too short in 1 of 6 runs: bad, steps 10 (seed 2)." in text
    assert text.count("in 1 of 6 runs") == 2
    for none in (rows.assign(warnings=""), pca):
        assert " runs: " not in render(PLAN, summarise(PLAN, none))


def test_a_column_is_its_protocol_and_the_score_s_name_there():
    assert divided("generation:frechet[classifier:digits]-samples") == (
        "generation",
        "frechet[classifier:digits]-samples",
    )
    assert divided("mse") == ("", "mse")


def test_merged_and_saved_rows_are_not_written_over_others(tmp_path):
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    write_rows(frame({"good": [0.5]}), one)
    write_rows(frame({"bad": [0.1, 0.2]}), two)
    before = two.read_bytes()
    refused = CliRunner().invoke(app, ["rows", "merge", str(one), "--to", str(two)])
    assert isinstance(refused.exception, InputError)
    assert "holds rows of 2 runs not among these (bad0, bad1), which would be lost" in str(refused.exception)
    (tmp_path / "plan.yaml").write_text(
        "{title: t, worlds: digits, methods: {good: {method: vae}}, seeds: [0]}"
    )
    words = ["table", str(tmp_path / "plan.yaml"), "--rows", str(one), "--save-rows", str(two)]
    assert isinstance(CliRunner().invoke(app, words).exception, InputError)
    assert two.read_bytes() == before
    done = CliRunner().invoke(app, ["rows", "merge", str(one), str(two), "--to", str(two)])  # nothing is lost
    assert done.exit_code == 0
    assert read_rows([two])["run"].tolist() == ["good0", "bad0", "bad1"]

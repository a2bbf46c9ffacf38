from __future__ import annotations

import base64
import json
import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from blank import blank_figures
from made_up import SPREAD, made_up_run
from typer.testing import CliRunner

from prismae._files import write_file
from prismae.cli import app
from prismae.errors import InputError
from prismae.evaluation import Scores, evaluate_codes
from prismae.figures import score_bars, svg
from prismae.report import write_report
from prismae.report.findings import findings
from prismae.report.html import _page, sentence, setting
from prismae.report.study_page import prose
from prismae.runs.doubts import better_without, headline, no_better_than_chance
from prismae.runs.files import VERDICT, WEIGHTS
from prismae.runs.model_card import _verdict
from prismae.runs.run import Run
from prismae.runs.verdict import Finding, Verdict

VOID = {"meta", "link", "input", "br", "img", "path", "use", "image"}


class Page(HTMLParser):
    """Collects what the tests ask of a page, and fails on tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.words: list[str] = []
        self.scripts: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self._note(attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        (self.scripts if self.open and self.open[-1] in ("script", "style") else self.words).append(data)

    def _note(self, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "srcset", "action"):
                self.links.append(value or "")
            if name == "id":
                self.ids.append(value or "")

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))


def read_page(path: Path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def full_runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("runs")
    folders = {kind: made_up_run(root / kind, kind) for kind in ("series", "images")}
    for folder in folders.values():
        write_report(folder)
    return folders


@pytest.mark.parametrize("kind", ["series", "images"])
def test_page_stands_alone(full_runs: dict[str, Path], kind: str) -> None:
    path = full_runs[kind] / "report.html"
    page = read_page(path)
    assert all(link.startswith(("#", "data:")) for link in page.links)
    assert not re.search(r"url\(\s*['\"]?(https?:)?//", path.read_text(encoding="utf-8"))
    assert not re.search(r"@import|fetch\(|XMLHttpRequest", "".join(page.scripts))
    assert path.stat().st_size < 5e6
    anchors = {link[1:] for link in page.links if link.startswith("#")}
    assert anchors <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert not list(full_runs[kind].rglob("*.part*"))


@pytest.mark.parametrize("kind", ["series", "images"])
def test_page_says_what_matters(full_runs: dict[str, Path], kind: str) -> None:
    text = read_page(full_runs[kind] / "report.html").text
    world = {"series": "pulses", "images": "squares"}[kind]
    for words in (
        f"ed-gcae trained on {world}",
        "with 10 latents, trained for 20,000 steps in batches of 64 on 360 observations",
        "Protocol locatello2019",
        "Protocol yeats2023",
        "a larger SAP of this protocol means worse codes",
        "0.0213",
        "413",
        "0.372 to 0.447",
        "5 of 10",
        "z5 · dead",
        "a_new_key",
        "1, —, yes",
        "sigma_max",
    ):
        assert words in text.replace("\u00a0", " ")
    assert "Not evaluated" not in text


def test_figures_are_saved(full_runs: dict[str, Path]) -> None:
    common = {
        "terms.svg", "sigma.svg", "entropy.svg", "spread.svg", "information.svg", "scores-locatello2019.svg",
        "scores-yeats2023.svg",
    }  # fmt: skip
    assert {p.name for p in (full_runs["series"] / "figures").iterdir()} == common | {
        "reconstructions.svg",
        "traversals.svg",
    }
    assert {p.name for p in (full_runs["images"] / "figures").iterdir()} == common | {
        "reconstructions.png",
        "traversals.png",
    }


def test_same_results_same_bytes(full_runs: dict[str, Path]) -> None:
    path = full_runs["images"] / "report.html"
    before = path.read_bytes()
    assert write_report(full_runs["images"]) == path
    assert path.read_bytes() == before


def test_a_report_of_a_run_that_is_read_only_goes_elsewhere(
    full_runs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, allowed = tmp_path / "run", os.access
    shutil.copytree(full_runs["series"], run)
    (run / WEIGHTS).touch()
    monkeypatch.setattr(
        os, "access", lambda path, mode: (Path(path) != run or not mode & os.W_OK) and allowed(path, mode)
    )
    blank_figures(monkeypatch)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    refused = CliRunner().invoke(app, ["report", str(run)]).exception
    assert str(refused) == (
        f"Nothing can be written in {run}, where the report would lie: --to FOLDER writes it elsewhere."
    )
    refused = CliRunner().invoke(app, ["report", str(run), "--full", "--to", str(tmp_path)]).exception
    assert "what --full computes would be kept: copy the run" in str(refused)
    done = CliRunner().invoke(app, ["report", str(run), "--to", str(tmp_path / "a" / "page")])
    assert done.exit_code == 0
    page = tmp_path / "a" / "page"
    assert {"scores-yeats2023.svg", "traversals.svg"} <= {path.name for path in (page / "figures").iterdir()}
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    assert (page / "report.html").read_bytes() == write_report(run).read_bytes()


def test_a_score_with_nothing_between_chance_and_ceiling_is_no_warning() -> None:
    assert not no_better_than_chance({"score": 1.0, "chance": 1.0, "ceiling": 1.0, "better": "higher"})
    assert no_better_than_chance({"score": 0.1, "chance": 0.1, "ceiling": 1.0, "better": "higher"})


def test_reports_of_one_run_at_once_do_not_meet(tmp_path: Path) -> None:
    """Each writes the same page; a shared temporary name would be taken away under one of them."""
    content = b"x" * 1_000_000
    with ThreadPoolExecutor(8) as pool:
        written = [pool.submit(write_file, tmp_path / "report.html", content) for _ in range(100)]
    assert {each.result() for each in written} == {tmp_path / "report.html"}
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert (tmp_path / "report.html").read_bytes() == content


def slider_data(path: Path) -> dict:
    text = path.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="player-data">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_sliders_hold_every_frame(full_runs: dict[str, Path]) -> None:
    series = slider_data(full_runs["series"] / "report.html")
    assert [latent["name"] for latent in series["latents"]][:5] == ["z1", "z9", "z3", "z6", "z4"]
    assert [latent["dead"] for latent in series["latents"]] == [False] * 5 + [True] * 5
    levels = np.frombuffer(base64.b64decode(series["data"]), dtype=np.uint8).reshape(10, 11, 1000)
    assert series["channels"] == len(series["low"]) == 1
    frames = np.load(full_runs["series"] / "pictures.npz")["traversals"][np.argsort(-SPREAD)]
    shown = series["low"][0] + levels / 255 * (series["high"][0] - series["low"][0])
    assert np.abs(shown - frames).max() <= (series["high"][0] - series["low"][0]) / 255
    images = slider_data(full_runs["images"] / "report.html")
    assert (images["steps"], images["width"], images["height"]) == (11, 64, 64)
    assert images["sheet"].startswith("data:image/png;base64,")


def test_parts_that_are_missing_leave_a_sentence(tmp_path: Path) -> None:
    folder = made_up_run(tmp_path / "bare run", "images", scores=False, factors=False, sigma=False)
    text = read_page(write_report(folder)).text
    for words in (
        f"Not evaluated yet. Run prismae evaluate '{folder}'",
        "No factors are known",
        "No channel noise was logged",
        "last monitored",
    ):
        assert words in text
    assert "Protocol" not in text
    assert not (folder / "figures" / "sigma.svg").exists()


def test_no_pictures_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blank_figures(monkeypatch)
    folder = made_up_run(tmp_path / "run", length=50, factors=False)
    (folder / "pictures.npz").unlink()
    text = read_page(write_report(folder)).text
    for words in (
        "no pictures.npz",
        "No reconstructions were saved",
        "No traversals were saved",
        "need known factors",
    ):
        assert words in text


def test_least_run(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text('{"steps": 7, "machine": "<i>"}')
    history = {"step": [1], "loss <b> $x^$ $": [0.5], "remark": ["of words"]}
    pd.DataFrame(history).to_parquet(tmp_path / "history.parquet")
    page = read_page(write_report(tmp_path))
    assert "An autoencoder, trained for 7 steps." in page.text
    assert "loss <b> $x^$ $" in page.text
    assert "<i>" in page.text


def test_a_record_of_other_types_is_refused_naming_all_of_them(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text('{"steps": "many", "shape": 3, "machine": "<i>"}')
    with pytest.raises(InputError, match=r"job.json is damaged.*steps: should.*'many'; shape: should.*got 3"):
        write_report(tmp_path)


def write_history(folder: Path, **columns: object) -> None:
    history = pd.read_parquet(folder / "history.parquet")
    history.assign(**columns).to_parquet(folder / "history.parquet")


def test_warnings(tmp_path: Path) -> None:
    folder = made_up_run(tmp_path / "run", length=50, sigma=False)
    history = pd.read_parquet(folder / "history.parquet")
    holes = history["dependence"].where(history["step"] < 15000)
    clamped = history["bce"].clip(lower=history["bce"].max())
    clamped[:20] += 1
    write_history(folder, dependence=holes, bce=clamped)
    scores = json.loads((folder / "scores.json").read_text())
    scores["protocols"]["yeats2023"]["fac"] |= {"lower": 0.495}
    scores["protocols"]["locatello2019"]["mig"] |= {"lower": 0.01}
    ahead = {"score": 0.252, "upper": 0.3, "beside": {"pca": 0.372, "ica": 0.31, "untrained": 0.1}}
    scores["protocols"]["locatello2019"]["dci-d"] |= ahead
    (folder / "scores.json").write_text(json.dumps(scores))
    texts = [finding.text for finding in findings(Run(folder).read()) if finding.kind == "warning"]
    assert any("dependence is not finite in 51 rows, first at step 15,000" in text for text in texts)
    assert any("bce has stood at" in text for text in texts)
    assert "No better than chance under the protocol yeats2023: fac." in texts
    assert "No better than chance under the protocol locatello2019: mig." in texts
    assert "Better without this training under the protocol locatello2019: dci-d 0.252 (PCA 0.372)." in texts


@pytest.mark.parametrize(
    ("score", "said"),
    [
        ({"beside": {"pca": 0.31}}, ""),
        ({"beside": {"pca": 0.31, "untrained": 0.4}}, "0.300 (untrained 0.400)"),
        ({"beside": {"pca": 0.4}, "lower": 0.2, "upper": 0.5}, ""),
        ({"beside": {"pca": 0.4}, "better": "neither"}, ""),
        ({"beside": {"pca": 0.4}, "better": "lower"}, ""),
        ({"beside": {"ica": 0.1, "pca": None}, "better": "lower"}, "0.300 (ICA 0.100)"),
        ({"beside": {}}, ""),
        ({"beside": {"of-a-later-version": 0.4}}, "0.300 (of-a-later-version 0.400)"),
    ],
)
def test_what_costs_nothing_is_ahead_only_beyond_the_interval(score, said):
    given = {"score": 0.3, "chance": 0.0, "ceiling": 1.0, "better": "higher"} | score
    assert better_without(given) == said


def test_the_verdict_does_not_say_good_above_scores_that_are_in_doubt() -> None:
    score = {"score": 0.3, "chance": 0.0, "ceiling": 1.0, "better": "higher"}
    ahead, level = score | {"beside": {"pca": 0.4}}, score | {"chance": 0.3}
    found = {
        "protocols": {
            "locatello2019": {"mig": ahead, "sap": score},
            "yeats2023": {"fac": level, "mig": ahead},
        }
    }
    good, bad = (
        Verdict([1.0], [1.0]),
        Verdict([0.0], [0.0], findings=[Finding("few-clusters", "Two of ten.")]),
    )
    assert headline(good, None) == headline(good, {"protocols": {"a": {"sap": score}}}) == "good"
    assert headline(good, found) == "good, but not by mig and fac"
    assert headline(good, {"protocols": {"a": {**dict.fromkeys("wxyz", level), "v": score}}}) == (
        "good, but not by 4 of 5 scores"
    )
    assert headline(bad, found) == "few clusters"  # which says enough
    card = _verdict(good, found)
    assert "**good, but not by mig and fac.**" in card
    assert "- Better without this training under the protocol locatello2019: mig 0.300 (PCA 0.400)." in card


def test_perfect_codes_are_not_called_no_better_than_chance() -> None:
    """Codes that are the factors of dSprites: their yeats2023 SAP is below that of shuffled ones, and not worse."""
    rng = np.random.default_rng(0)
    factors = np.column_stack([rng.integers(k, size=2000) for k in (3, 6, 40, 32, 32)])
    kinds = ("categorical",) + ("continuous",) * 4
    scores = evaluate_codes(
        factors + 0.0, factors, factor_kinds=kinds, metrics=["sap", "mig"], protocol="yeats2023/dsprites"
    ).to_dict()["scores"]
    assert scores["sap"]["score"] < scores["sap"]["chance"]
    assert not any(no_better_than_chance(score) for score in scores.values())
    assert no_better_than_chance(scores["mig"] | {"score": scores["mig"]["chance"]})


@pytest.mark.parametrize(
    ("earlier", "says"), [(True, "higher"), (False, "lower"), (None, "–")], ids=["true", "false", "null"]
)
def test_scores_of_earlier_versions_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, earlier: bool | None, says: str
) -> None:
    blank_figures(monkeypatch)
    folder = made_up_run(tmp_path / "run", length=50)
    scores = json.loads((folder / "scores.json").read_text())
    score = {"score": 0.5, "lower": None, "upper": None, "ceiling": None, "chance": 0.7, "parameters": {}}
    score |= {"protocol": "locatello2019", "higher_is_better": earlier}
    scores["protocols"] = {"locatello2019": {"mig": score}}
    (folder / "scores.json").write_text(json.dumps(scores))
    page = write_report(folder).read_text()
    row = re.search(r'<tr><th scope="row" title="([^"]*)">mig</th>(.*?)</tr>', page, re.DOTALL)
    assert row
    assert row[1] == ""  # what a metric is, they did not keep
    assert row[2].endswith(f"<td>{says}</td>")
    assert ("No better than chance" in page) == (earlier is True)
    bars = svg(score_bars(Run(folder).read().protocols["locatello2019"]))
    assert ("higher is better" in bars, "lower is better" in bars) == (earlier is True, earlier is False)
    assert (
        Scores.from_dict({**scores["protocols"], "scores": {"mig": score}, "skipped": {}, "matrices": {}})[
            "mig"
        ].better.word
        == says
    )


def test_a_direction_that_is_none_has_its_sentence(tmp_path: Path) -> None:
    folder = made_up_run(tmp_path / "run", length=50)
    scores = {"protocols": {"locatello2019": {"mig": {"score": 0.5, "better": "larger"}}}}
    (folder / "scores.json").write_text(json.dumps(scores))
    with pytest.raises(InputError, match="is not a table of scores by protocol"):
        write_report(folder)


def test_every_score_has_its_own_metrics_words_and_direction(full_runs: dict[str, Path]) -> None:
    page = full_runs["series"].joinpath("report.html").read_text()
    for key, title, better in (
        ("factor-vae-score", "FactorVAE score:", "higher"),
        ("dci-d", "DCI: does each code", "higher"),
        ("modularity", "Modularity:", "higher"),
        ("fac", "FAC of the yeats2023 protocol", "higher"),
    ):
        assert re.search(rf'title="{title}[^"]*">{key}</th>.*?<td>{better}</td></tr>', page, re.DOTALL)
    usual, yeats = re.findall(r'title="([^"]*)">sap</th>.*?<td>([^<]*)</td></tr>', page, re.DOTALL)
    assert usual[0].startswith("SAP, discrete")
    assert usual[1] == "higher"
    assert "not the usual SAP" in yeats[0]
    assert yeats[1] == "–"


def test_a_verdict_stands_first_and_decides_which_latents_are_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blank_figures(monkeypatch)
    folder = made_up_run(tmp_path / "run", length=50, sigma=False)
    findings_ = [
        Finding("collapsed", "The codes have collapsed.", "Lighten them.", {"beta": 1.0}, {"lr": 1e-3})
    ]
    verdict = Verdict([1e-3] * 10, [0.5] * 10, 0.02, findings=findings_)
    (folder / VERDICT).write_text(json.dumps(verdict.to_json()))
    run = Run(folder).read()
    assert run.latents is not None
    assert run.latents.dead.all()
    assert run.explained == 0.02
    text = read_page(write_report(folder)).text.replace("\u00a0", " ")
    for words in (
        "Verdict: collapsed. Reconstructions explain 2.0 % of the data's variance",
        "None of 10 latents is live",
        "Fit again with --lr 0.001 -p beta=1.",
        "0 of 10",
    ):
        assert words in text
    assert text.index("Verdict: collapsed") < text.index("live latents")


def test_a_damaged_verdict_has_its_sentence(tmp_path: Path) -> None:
    folder = made_up_run(tmp_path / "run", length=50)
    for content, words in (
        ('{"information": ["a"], "effect": [1]}', r"verdict.json is damaged \(information.0: "),
        ('{"information": [1.0], "effect": []}', "tells of 1 latents and 0"),
        ("{", "verdict.json is damaged"),
    ):
        (folder / VERDICT).write_text(content)
        with pytest.raises(InputError, match=words):
            Run(folder).read()


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("job.json", None, "is missing: give the folder that `prismae fit` wrote"),
        ("job.json", b"{", "cannot be read as JSON"),
        ("job.json", b"[]", "expected a JSON object"),
        ("job.json", b"\xff\xfe\x00", "cannot be read as JSON"),
        ("history.parquet", None, "is missing: the run has logged no step yet"),
        ("history.parquet", b"PAR1 and no more", "is damaged"),
        ("scores.json", b'{"protocols": {"a": {"mig": 0.5}}}', "is not a table of scores by protocol"),
        (
            "scores.json",
            b'{"protocols": {"a": {"mig": {"beside": 1}}}}',
            "is not a table of scores by protocol",
        ),
        ("scores.json", b"{", "remove it and evaluate the run again"),
        ("pictures.npz", b"PK\x03\x04 cut off", "is damaged"),
        ("pictures.npz", b"", "is damaged"),
    ],
)
def test_bad_file_gives_its_sentence(tmp_path: Path, file: str, content: bytes | None, words: str) -> None:
    folder = made_up_run(tmp_path / "run", length=20, logged=20)
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_bytes(content)
    with pytest.raises(InputError) as error:
        write_report(folder)
    message = str(error.value)
    assert str(folder / file) in message
    assert words in message
    assert message.endswith(".")
    assert "\n" not in message
    assert not (folder / "report.html").exists()


def test_cut_archive(tmp_path: Path) -> None:
    folder = made_up_run(tmp_path / "run", length=20, logged=20)
    whole = (folder / "pictures.npz").read_bytes()
    (folder / "pictures.npz").write_bytes(whole[:2000] + b"\0" * 500 + whole[2500:])
    with pytest.raises(InputError, match=r"pictures\.npz is damaged"):
        write_report(folder)


def test_bad_shapes_and_histories(tmp_path: Path) -> None:
    folder = made_up_run(tmp_path / "run", length=20, logged=20)
    arrays = dict(np.load(folder / "pictures.npz"))
    np.savez(folder / "pictures.npz", **arrays | {"reconstructions": arrays["reconstructions"][:3]})
    with pytest.raises(InputError, match="does not fit originals"):
        write_report(folder)
    np.savez(folder / "pictures.npz", **arrays | {"spread": np.ones(9)})
    with pytest.raises(InputError, match="has 10 latents, but the spread is that of 9"):
        write_report(folder)
    for columns, words in (({"recon": [1.0]}, "no column `step` of numbers"), ({"step": []}, "no rows")):
        pd.DataFrame(columns).to_parquet(folder / "history.parquet")
        with pytest.raises(InputError, match=words):
            write_report(folder)
    with pytest.raises(InputError, match="There is no run folder"):
        write_report(tmp_path / "nowhere")


def test_continued_run_counts_the_later_row(tmp_path: Path) -> None:
    folder = made_up_run(tmp_path / "run", length=20)
    pd.DataFrame({"step": [10, 20, 20, 30, 15], "recon": [5.0, 4.0, 3.0, 2.0, 4.5]}).to_parquet(
        folder / "history.parquet"
    )
    run = Run(folder).read()
    assert run.logged.steps.tolist() == [10, 15, 20, 30]
    assert run.logged.terms["recon"].tolist() == [5.0, 4.5, 3.0, 2.0]


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (None, "—"), ([], "—"), ({}, "—"), ("", "—"), (False, "no"), (True, "yes"), (0, "0"), (5e-05, "5e-05"),
        (0.31163268780894005, "0.311633"), ([8, None, "a"], "8, —, a"), ([[1, 2], [3]], "(1, 2), (3)"),
        ({"controller": "pi", "target": 18.0}, "controller = pi, target = 18"),
        ("x86_64 CPU, 1 threads", "x86_64 CPU, 1 thread"),
    ],
)  # fmt: skip
def test_settings_are_read_without_signs_of_json(value: object, read: str) -> None:
    assert setting(value) == read


def test_what_was_not_given_is_named_in_one_row(tmp_path: Path) -> None:
    run = made_up_run(tmp_path / "run", scores=False)
    job = json.loads((run / "job.json").read_text()) | {
        "axes": None,
        "drop": [],
        "controls": [],
        "holdout": 0,
    }
    (run / "job.json").write_text(json.dumps(job))
    page = _page(Run(run).read(), {}, {}, {})
    assert '<th scope="row">not given</th><td class="value">axes, drop, controls</td>' in page


def test_code_in_a_sentence_is_set_as_code() -> None:
    assert prose("Take `a <b>`, or c.") == "Take <code>a &lt;b&gt;</code>, or c."
    assert prose("one ` alone") == "one ` alone"


def test_the_first_sentence_says_which_slices_of_volumes_are_drawn() -> None:
    job = {"kind": "volumes", "n": 1500, "shape": [1, 16, 16, 16], "source": "own file balls.npy"}
    assert sentence(job) == (
        "An autoencoder on 1,500 observations of shape 1 × 16 × 16 × 16, of which the middle slices are drawn: across "
        "the first, second and third side: own file balls.npy."
    )

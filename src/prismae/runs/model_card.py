"""The model card of a run: what it is, what it was trained on, how well it does, and how to load it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from prismae._better import Better
from prismae._text import fixed, in_markdown, one
from prismae.data.kinds import kind_of
from prismae.data.summary import Summary
from prismae.runs.doubts import doubts, headline
from prismae.runs.verdict import Verdict

LIMITS = """\
- It knows the data above and nothing else: observations of another kind get codes too, without a warning.
- Which latent holds which factor differs from seed to seed; this is one training with one seed.
- Methods without labels find factors only as far as their assumptions fit the data: a code that looks disentangled
  here need not be so elsewhere."""


def model_card(
    job: Mapping[str, Any], scores: Mapping[str, Any] | None, verdict: Verdict | None = None
) -> str:
    """A README.md in the form of Hugging Face model cards, from what job.json and scores.json say and nothing else.

    The YAML header has no license: that is the author's to choose.

    Parameters
    ----------
    job
        Content of a finished run's job.json.
    scores
        Content of its scores.json; None if it was not evaluated.
    verdict
        Its verdict; None for a run of a version that gave none.
    """
    method, world = in_markdown(job["method"]), in_markdown(job["world"])
    header = {
        "library_name": "prismae",
        "tags": ["prismae", "disentanglement", "representation-learning", "autoencoder", job["method"]],
    }
    parts = [
        f"---\n{yaml.safe_dump(header, sort_keys=False)}# license: the author's to choose\n---",
        f"# {method} on {world}",
        f"An autoencoder with {_count(job['n_latents'], 'latent')}, trained by {_code(job['method'])} with "
        f"prismae {in_markdown(job['version'])}.",
        f"## Data\n\n{in_markdown(_data(job))}",
        f"## Training\n\n{_training(job)}",
        *([] if verdict is None else [f"## Verdict\n\n{_verdict(verdict, scores)}"]),
        f"## Scores\n\n{_scores(job, scores)}",
        f"## Limits\n\n{LIMITS}",
        f"## How to load it\n\n{_loading(job)}",
    ]
    return "\n\n".join(parts) + "\n"


def _data(job: Mapping[str, Any]) -> str:
    low, high, mean, std = Summary(**job["summary"]).said(job.get("offset", 0.0))
    shape = "x".join(map(str, job["shape"]))
    kind = kind_of(job)
    text = (
        f"{job['source'] or job['world']}: {job['n']:,} observations of shape {shape}, with "
        f"{'scaled ' * kind.scaled}values from {low} to {high}, mean {mean} and standard deviation {std}."
    )
    text += "".join(f" {sentence}" for sentence in kind.sentences())
    columns = kind.columns or job.get("feature_names")
    if columns:
        text += f" Columns: {', '.join(columns)}."
    return text


def _training(job: Mapping[str, Any]) -> str:
    budget = f"{job['steps']:,} updates of {_count(job['batch'], 'observation')}"
    epochs = job["steps"] * job["batch"] / job["n"]
    rows = {
        "method": _code(job["method"]),
        **{
            _code(name): in_markdown(value) if isinstance(value, str) else _code(value)
            for name, value in job["fields"].items()
        },
        "network": in_markdown(job["net"]),
        "likelihood": in_markdown(job["likelihood"]),
        "budget": f"{budget}, {epochs:.3g} times through the data",
        **(
            {"kept": f"what it was after {job['kept']:,} updates: the held-out loss was lowest then"}
            if "kept" in job
            else {}
        ),
        "learning rate": f"{job['lr']:g}",
        "seed": job["seed"],
        "precision": {"32": "float32", "bf16": "bfloat16 matrix products"}[job["precision"]],
    }
    for each in job.get("controls", ()):
        fields = ", ".join(f"{k} = {v}" for k, v in each.items() if k not in ("controller", "moves"))
        rows[f"controller of {in_markdown(each['moves'])}"] = in_markdown(f"{each['controller']} ({fields})")
    trials = job.get("updates", job["steps"]) - job["steps"]  # earlier versions did not count them
    if trials:
        rows["trials"] = f"{trials:,} updates more, of copies that a controller compared"
    if "seconds" in job:
        rows["time"] = in_markdown(f"{job['seconds']:g} s on {one(job['machine'])}")
    return _table(("setting", "value"), rows.items())


def _verdict(verdict: Verdict, scores: Mapping[str, Any] | None) -> str:
    sentences = in_markdown(" ".join(verdict.sentences))
    said = [
        f"**{in_markdown(headline(verdict, scores))}.** {sentences}",
        *(f"- {in_markdown(each)}" for each in (*verdict.findings, *doubts(scores or {}))),
    ]
    return "\n\n".join(said)


def _scores(job: Mapping[str, Any], scores: Mapping[str, Any] | None) -> str:
    if scores is None:
        return "Not evaluated: `prismae evaluate` adds them here."
    errors = scores["reconstruction"]
    parts = [
        f"Reconstruction error: {fixed(errors['mse'], 4)} of the data's variance per element, "
        f"{fixed(errors['nats'], 1)} nats per observation."
    ]
    for protocol, found in scores.get("protocols", {}).items():
        columns = (
            f"metric, protocol {in_markdown(protocol)}",
            "score",
            "95 % interval",
            "ceiling",
            "chance",
            "better",
        )
        parts.append(_table(columns, ((_code(name), *_score(each)) for name, each in found.items())))
    if not scores.get("protocols"):
        parts.append(
            f"The factors of variation of {in_markdown(job['world'])} are not known, so disentanglement was not scored."
        )
    return "\n\n".join(parts)


def _score(each: Mapping[str, Any]) -> tuple[str, ...]:
    interval = "–" if each["lower"] is None else f"{_number(each['lower'])} to {_number(each['upper'])}"
    return (
        _number(each["score"]),
        interval,
        _number(each["ceiling"]),
        _number(each["chance"]),
        Better.of(each).word,
    )


def _loading(job: Mapping[str, Any]) -> str:
    shape = ", ".join(map(str, job.get("given_shape", kind_of(job).given_shape(tuple(job["shape"])))))
    kind = "a table with the columns above" if kind_of(job).columns else f"[n, {shape}]"
    if kind_of(job).elements == "words":
        kind = 'pr.world("sentences.txt"), a sentence in each line'
    return (
        "```python\n"
        "import prismae as pr\n\n"
        'model = pr.load("the folder of this file")  # safetensors and JSON, nothing is unpickled\n'
        f"codes = model.transform(X)  # X is {kind}; codes are [n, {job['n_latents']}]\n"
        f"X_hat = model.inverse_transform(codes{', given=X' if kind_of(job).given else ''})\n"
        "```\n\n"
        'From a hub of models: `pr.load(huggingface_hub.snapshot_download("OWNER/NAME"))`.'
    ) + _packages(job)


def _packages(job: Mapping[str, Any]) -> str:
    """Which classes have to be installed beside prismae, as the end of a paragraph."""
    paths = [job.get("class"), *(job.get("control_classes") or ())]
    foreign = sorted({path for path in paths if path and not path.startswith("prismae.")})
    if not foreign:
        return ""
    classes = ", ".join(map(_code, foreign))
    return f" The package that declares {classes} has to be installed."


def _table(columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> str:
    lines = [columns, ("---",) * len(columns), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def _code(text: object) -> str:
    """A text in one line as code, which cannot end within it."""
    line = " ".join(str(text).split()).replace("`", "'").replace("|", r"\|")
    return f"`{line}`"


def _number(value: float | str | None) -> str:
    return "–" if value is None else f"{float(value):.3f}"


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}" + ("s" if n != 1 else "")

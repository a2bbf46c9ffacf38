"""What an evaluation gives: scores by name, as a table, as data, as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any

import numpy as np
import pandas as pd

from prismae._better import Better
from prismae.metrics import metric_of


@dataclass(frozen=True)
class Score:
    """One score and what it has to be read against.

    Parameters
    ----------
    score
        The score.
    lower, upper
        95 % interval by bootstrap over points or votes; None if none was asked for or none can be had.
    ceiling
        Score of the ideal codes of this world: its factors, standardised, and dead codes for the rest.
    chance
        Score of the same codes, shuffled over the points.
    better
        Which end is better.
    parameters
        Every parameter of the metric, and how many points it was given.
    protocol
        The protocol that the parameters belong to.
    metric
        What the metric is called in the protocol: "dci".
    short
        Which of the metric's scores it is, if it has several: "d".
    summary
        What the metric says of itself in one line.
    beside
        The same score of what a training is to be better than, as far as there is any: "pca", "ica", "untrained".
    """

    score: float
    lower: float | None
    upper: float | None
    ceiling: float | None
    chance: float | None
    better: Better
    parameters: dict[str, Any]
    protocol: str
    metric: str = ""
    short: str = ""
    summary: str = ""
    beside: dict[str, float] = field(default_factory=dict)

    def __float__(self) -> float:
        return self.score


@dataclass(frozen=True)
class Scores(Mapping[str, Score]):
    """Scores by name.

    Parameters
    ----------
    scores
        The scores.
    skipped
        Metrics that this world does not allow, with the reason.
    matrices
        What lies behind scores: "mutual-information" [m, k] in nats, "dci" importance [m, k], "sap" [m, k].
    """

    scores: dict[str, Score]
    skipped: dict[str, str] = field(default_factory=dict)
    matrices: dict[str, list[list[float]]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Score:
        return self.scores[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.scores)

    def __len__(self) -> int:
        return len(self.scores)

    def __or__(self, other: Scores) -> Scores:
        """These and the others."""
        return Scores(
            self.scores | other.scores, self.skipped | other.skipped, self.matrices | other.matrices
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per score; parameters are left to `to_dict`."""
        rows = {name: asdict(score) for name, score in self.scores.items()}
        columns = ["score", "lower", "upper", "ceiling", "chance", "better", "protocol"]
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=list(Score.__dataclass_fields__))
        for at, name in enumerate(self.baselines, columns.index("better")):
            frame[name] = [score.beside.get(name) for score in self.scores.values()]
            columns.insert(at, name)
        return frame[columns]

    @property
    def baselines(self) -> list[str]:
        """Which baselines any of the scores stands beside."""
        return list(dict.fromkeys(name for score in self.scores.values() for name in score.beside))

    def to_dict(self) -> dict[str, Any]:
        """Plain data that JSON can hold; an infinite score is the text "inf"."""
        return {
            "scores": {name: _plain(asdict(score)) for name, score in self.scores.items()},
            "skipped": dict(self.skipped),
            "matrices": dict(self.matrices),
        }

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Scores:
        """Read what `to_dict` gave, also that of earlier versions."""
        numbers = ("score", "lower", "upper", "ceiling", "chance")
        scores = {}
        for name, given in saved["scores"].items():
            values: dict[str, Any] = {
                key: float(given[key]) if given[key] is not None else None for key in numbers
            }
            said: dict[str, Any] = {key: given[key] for key in ("parameters", "protocol")}
            behind: dict[str, Any] = {"metric": metric_behind(name, given), "short": given.get("short", "")}
            behind |= {"summary": given.get("summary", ""), "beside": dict(given.get("beside", {}))}
            scores[name] = Score(**values, **said, **behind, better=Better.of(given))
        return cls(scores, dict(saved["skipped"]), dict(saved["matrices"]))

    def __str__(self) -> str:
        width = max([len(name) for name in self.scores] + [6])
        protocols = sorted({score.protocol for score in self.scores.values()})
        heads = "".join(f"  {name:>9}" for name in self.baselines)
        lines = [
            f"protocol {', '.join(protocols)}",
            f"{'':{width}}  {'score':>7}  {'95 % interval':>15}  {'ceiling':>7}  {'chance':>7}{heads}  better",
        ]
        for name, each in self.scores.items():
            interval = f"{_number(each.lower)} - {_number(each.upper)}" if each.lower is not None else ""
            beside = "".join(f"  {_number(each.beside.get(other)):>9}" for other in self.baselines)
            lines.append(
                f"{name:{width}}  {_number(each.score):>7}  {interval:>15}  {_number(each.ceiling):>7}  "
                f"{_number(each.chance):>7}{beside}  {each.better.word}"
            )
        lines += [f"{name:{width}}  left out: {reason}" for name, reason in self.skipped.items()]
        return "\n".join(lines)

    __repr__ = __str__


def metric_behind(name: str, saved: Mapping[str, Any]) -> str:
    """What the metric of a saved score is called in its protocol.

    Versions before 0.2 did not write it down: there it is read from the score's name, "nmi[k-means]" or "dci-d".
    """
    if saved.get("metric"):
        return saved["metric"]
    metric = metric_of(saved["protocol"], name)
    return name if metric is None else metric.key(saved["protocol"])


def scores_of(metric: str, table: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The names of those scores in a table of saved ones that are one metric's: "dci" → "dci-d", "dci-c", "dci-i"."""
    return [name for name, saved in table.items() if metric_behind(name, saved) == metric]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    return value

"""The verdict on a run: what it is worth, what is wrong with it, and what to do next. As it is kept and read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from prismae._text import percent
from prismae.errors import InputError
from prismae.latent.live import live

GOOD = "good"
NOTES = ("linear", "short")  # findings that put nothing in doubt
BASELINE_NAMES = {"pca": "PCA", "ica": "ICA", "untrained": "untrained"}  # as tables and pages write them


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a run, or that must be known of it.

    Parameters
    ----------
    name
        What it is called: "diverged", "collapsed", "unlearned", "weak", "few-clusters", "memorised", "set-back",
        "improving", "duplicated", "dead-critic", "told"; or what is no fault, "linear": principal components do as
        well, and "short": nothing is judged.
    text
        A sentence or two: what was seen.
    reason
        Why the changes help; what to do where there is none that can be named.
    fields
        Fields of the method to change, and their new values.
    settings
        Settings of the training to change: `likelihood`, `lr`, `steps`, `n_latents` …
    """

    name: str
    text: str
    reason: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def fault(self) -> bool:
        """Whether it puts the results in doubt."""
        return self.name not in NOTES

    @property
    def options(self) -> str:
        """The changes as options of `prismae fit`; the parameters of `Autoencoder` have the same names."""
        settings = [f"--{OPTIONS.get(name, name)} {_plain(value)}" for name, value in self.settings.items()]
        return " ".join([*settings, *(f"-p {name}={_plain(value)}" for name, value in self.fields.items())])

    @property
    def advice(self) -> str:
        """What to do next."""
        parts = [self.reason, f"Fit again with {self.options}." if self.options else ""]
        return " ".join(part for part in parts if part)

    def __str__(self) -> str:
        return " ".join(part for part in (self.text, self.advice) if part)


OPTIONS = {"n_latents": "latents"}  # of `fit`, where it is not the setting's name


@dataclass(frozen=True)
class Baseline:
    """What principal or independent components, or the network untrained, are beside the live latents.

    Parameters
    ----------
    components
        How many there are: as many as live latents, where the data have so many.
    explained, held_out
        Share of the variance that they explain, of what was trained on and of what was held out; None where there is
        none, and for the network untrained.
    agreement
        Mean absolute correlation of the live latents with them, matched one to one; None where there are none.
    """

    components: int
    explained: float | None = None
    held_out: float | None = None
    agreement: float | None = None


@dataclass(frozen=True)
class ReadOut:
    """How much of what is given can still be read of the codes: by linear regression, of observations that it has not
    seen, as a share of the variance; and the same of codes that are shuffled over the observations."""

    share: float
    chance: float


@dataclass(frozen=True)
class Verdict:
    """What a run is worth.

    Parameters
    ----------
    information, effect
        [m] of each latent: see `prismae.latent.information`. The former in nats, the latter in standard deviations.
    explained, held_out
        Share of the variance that reconstructions explain, of what was trained on and of what was not; None for texts,
        and where nothing was held out.
    n_held_out
        Observations that were held out; 0 for none.
    baselines
        By name: "pca", "ica", "untrained".
    told
        Column that is given → how much of it the codes still tell.
    findings
        What is wrong, the worst first.
    version
        Version of prismae that judged.
    """

    information: list[float]
    effect: list[float]
    explained: float | None = None
    held_out: float | None = None
    n_held_out: int = 0
    baselines: dict[str, Baseline] = field(default_factory=dict)
    told: dict[str, ReadOut] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    version: str = ""

    @cached_property
    def live(self) -> NDArray[np.bool_]:
        """[m] which latents are live."""
        return live(self.information, self.effect)

    @property
    def word(self) -> str:
        """The verdict in a word: the worst fault; else "not judged" for a training that is too short for it, "linear"
        where components do as well, or "good"."""
        named = sorted(
            self.findings, key=lambda each: not each.fault
        )  # the worst first; what is no fault last
        word = named[0].name if named else GOOD
        return "not judged" if word == "short" else word

    def __str__(self) -> str:
        return " ".join([f"{self.word}.", *self.sentences, *map(str, self.findings)])

    @property
    def collapsed(self) -> bool:
        """Whether no latent is live, so that codes are worth nothing, however alike those of several seeds are."""
        return not self.live.any()

    @property
    def warnings(self) -> list[str]:
        """The faults, each with what to do next."""
        return [str(each) for each in self.findings if each.fault]

    @property
    def sentences(self) -> list[str]:
        """What it is worth, in numbers."""
        said = (self._rebuilt(), self._carried(), self._told(), self._linear(), self._untrained())
        return [each for each in said if each]

    def _rebuilt(self) -> str:
        if self.explained is None:
            return ""
        seen = f"Reconstructions explain {percent(self.explained)} of the data's variance"
        if self.held_out is None:
            return f"{seen}; whether that holds for new data is not known (--holdout 0.2 says)."
        return (
            f"{seen}, and {percent(self.held_out)} of that of the {self.n_held_out:,} observations held out."
        )

    def _carried(self) -> str:
        alive = [i for i in np.argsort(self.information)[::-1].tolist() if self.live[i]]
        total = sum(self.information[i] for i in alive)
        if not alive:
            return f"None of {len(self.information)} latents is live."
        each = ", ".join(f"z{i} {self.information[i]:.1f}" for i in alive[:10]) + (" …" if alive[10:] else "")
        several = "latent" if len(self.information) == 1 else "latents"
        said = f"{several} is live and tells" if len(alive) == 1 else f"{several} are live and tell"
        return f"{len(alive)} of {len(self.information)} {said} {total:.1f} nats: {each}."

    def _told(self) -> str:
        each = [
            f"{percent(max(found.share, 0))} of {name} (shuffled {percent(max(found.chance, 0))})"
            for name, found in self.told.items()
        ]
        return f"Of what is given the codes tell, read linearly, {', '.join(each)}." if each else ""

    def _linear(self) -> str:
        pca, ica = self.baselines.get("pca"), self.baselines.get("ica")
        if pca is None or pca.explained is None or ica is None:
            return ""
        also = "" if pca.held_out is None else f", {percent(pca.held_out)} held out"
        k = (
            "1 principal component explains"
            if pca.components == 1
            else f"{pca.components} principal components explain"
        )
        text = f"{k} {percent(pca.explained)}{also}"
        if pca.agreement is not None and ica.agreement is not None:
            text += (
                f"; the codes agree with them at |r| = {pca.agreement:.2f}, and with independent components at "
                f"{ica.agreement:.2f}"
            )
        return f"{text}."

    def _untrained(self) -> str:
        start = self.baselines.get("untrained")
        if start is None or start.agreement is None:
            return ""
        return f"The same network untrained has codes that agree with them at |r| = {start.agreement:.2f}."

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any], where: str) -> Verdict:
        """From the content of a verdict.json.

        Raises
        ------
        InputError
            Naming the file and the first thing that is wrong in it.
        """
        try:
            found = TypeAdapter(cls).validate_python(content)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise InputError(
                f"{where} is damaged ({place}: {first['msg']}): remove it and evaluate the run again."
            ) from None
        if len(found.information) != len(found.effect):
            raise InputError(
                f"{where} is damaged: it tells of {len(found.information)} latents and {len(found.effect)}."
            )
        return found


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)

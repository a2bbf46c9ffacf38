"""Judging a run when its training has ended: what it is worth, what is wrong with it, and what would help."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch

from prismae._text import percent
from prismae._version import __version__
from prismae.data import World
from prismae.errors import InputError
from prismae.methods import Adversarial, Clustering, Method
from prismae.runs.files import VERDICT
from prismae.runs.measured import Measured, untrained
from prismae.runs.observations import unseen
from prismae.runs.run import Run
from prismae.runs.verdict import Finding, Verdict
from prismae.train.outcome import SHORT, divergence, setback, times_the_mean

WEAK = 0.5  # share of what `telling` principal components explain, below which a run is weak
# it memorised where held-out rows have so many times the error, and so much less of their variance explained, which is
# so many standard errors: of few rows a gap may be chance
WORSE, GAP, SURE = 1.5, 0.1, 2.0
CLOSE = 0.01  # share of the variance within which principal components do as well
DEPENDENT = 0.3  # absolute correlation of live latents that a critic must see
NAMED = 10  # latents that say the same, and groups of them
TOLD = 0.1  # share of a given column's variance that is read of the codes, beyond chance
AT_CHANCE = 0.99  # of a critic's loss on independent codes
LONGER, SLOWER, SHORTER = 4, 10, 3  # times as many steps, times as small a rate, after a setback
USUAL_RATE = 1e-3
BRIEF = 1_000  # steps below which nothing may be learned yet where no weight is heavy


class Judge(Measured):
    """What is wrong with a training that has ended, by what is measured of it, and what would help."""

    def verdict(self) -> Verdict:
        """The verdict."""
        with torch.no_grad():
            return Verdict(
                information=self.information.tolist(),
                effect=self.effect.tolist(),
                explained=None if self.words else self.explained,
                held_out=self.held_out,
                n_held_out=0 if self.unseen is None else len(self.unseen),
                baselines={} if self.words else self.baselines,
                told=self.told,
                findings=list(self.findings()),
                version=__version__,
            )

    def findings(self) -> Iterator[Finding]:
        """What is wrong, the worst first. What follows from a worse fault is not said beside it."""
        said = divergence(self.history, self.method.weights(), self.error_of_mean())
        if said is not None:
            yield self._diverged(said)
            return
        if isinstance(self.method, Clustering):
            yield from self._few_clusters()
        if self.about["steps"] < SHORT:
            text = f"Fewer than {SHORT} steps are only looked at for divergence."
            yield Finding("short", text, settings={"steps": 10 * SHORT})
            return
        times = times_the_mean(self.history, self.error_of_mean())
        early = self.about["steps"] < BRIEF and not any(self._heavy())
        if not self.live.any() and not early:
            yield self._collapsed(times)
            return
        if times is not None or not self.live.any():
            yield self._unlearned(times)
            return
        weak = not self.words and self.explained < WEAK * self.linear_share(self.telling)
        if weak:
            yield self._weak()
        if isinstance(self.method, Adversarial):
            yield from self._dead_critic()
        if not weak:
            yield from self._memorised()
            yield from self._set_back() or self._improving()
            yield from self._duplicated()
            yield from self._told()
        if not weak and not self.words:
            yield from self._linear()

    def _diverged(self, said: str) -> Finding:
        rate = min(self.about["lr"] / SLOWER, USUAL_RATE)
        reason = (
            "Steps that are too long throw the weights about: a smaller learning rate keeps them together."
        )
        return Finding("diverged", said, reason, settings={"lr": rate})

    def _set_back(self) -> list[Finding]:
        if self.words or self.trained.kept is not None:  # else the best state was kept
            return []
        said = setback(self.history, self.method.weights(), self.error_of_mean())
        if said is None:
            return []
        reason = "Steps that are too long throw the weights about; `--steps auto` keeps the best state."
        rate = float(f"{self.about['lr'] / SHORTER:.2g}")
        return [Finding("set-back", said, reason, settings={"lr": rate})]

    def _collapsed(self, times: float | None) -> Finding:
        text = (
            "The codes have collapsed: no latent tells as much as 0.1 nats and moves the data, so they are worth "
            "nothing, whatever their scores."
        )
        if times is not None:
            text += " Every observation is rebuilt as the mean, or worse."
        return Finding("collapsed", text, **self._lighter())

    def _unlearned(self, times: float | None) -> Finding:
        """A plateau: nothing is learned, and nothing presses on the codes that could have hindered it."""
        text = "The training has learned nothing yet: "
        if times is None:
            text += "no latent tells as much as 0.1 nats and moves the data."
        else:
            text += f"reconstructions have {times:.3g} times the error of the mean observation."
        return Finding(
            "unlearned",
            text,
            "It needs more time; if that does not help, another learning rate, or a look at the data's range.",
            settings=self._more_time(),
        )

    def _weak(self) -> Finding:
        m = self.telling
        as_many = (
            "as many principal components as latents" if m == len(self.live) else f"{m} principal components"
        )
        text = (
            f"The codes hold little of the data: reconstructions explain {percent(max(self.explained, 0))} of the "
            f"variance, where {as_many if m > 1 else 'a principal component'} explain{'s' * (m == 1)} "
            f"{percent(self.linear_share(m))}."
        )
        if self.still_falls() is not None:
            reason = "The error still fell when the training ended."
            return Finding("weak", text, reason, settings={"steps": LONGER * self.about["steps"]})
        return Finding("weak", text, **self._lighter())

    def _heavy(self) -> tuple[dict[str, float], dict[str, Any]]:
        """Fields and settings that give reconstruction less weight than it would have by itself, mended."""
        fixed = (
            self.method.likelihood == "auto"
            and not self.words
            and self.about["likelihood"] != "gaussian-learned"
        )
        return lighter(self.method, at_most=1.0), {"likelihood": "gaussian-learned"} if fixed else {}

    def _lighter(self) -> dict[str, Any]:
        """What gives reconstruction more weight against the other terms, or else more time."""
        fields, settings = self._heavy()
        if not fields and not settings:
            fields = lighter(self.method, by=LONGER)
        if fields or settings:
            return {
                "reason": "The terms that press on the codes are too heavy beside the reconstruction: lighten them"
                + (", and let the model learn how exact its reconstructions are." if settings else "."),
                "fields": fields,
                "settings": settings,
            }
        return {
            "reason": "No weight presses on the codes, so the training was too short or too slow.",
            "settings": self._more_time(),
        }

    def _more_time(self) -> dict[str, Any]:
        return {"steps": LONGER * self.about["steps"]} | (
            {"lr": USUAL_RATE} if self.about["lr"] < USUAL_RATE else {}
        )

    def _memorised(self) -> Iterator[Finding]:
        if self.held_out is None:
            return
        worse = (1 - self.held_out) / max(1 - self.explained, 1e-9)
        gap = self.explained - self.held_out
        if worse < WORSE or gap < GAP or gap < SURE * self.gap_error:
            return
        half = int(self.live.sum()) // 2
        if self.trained.kept is None:
            change: dict[str, Any] = {"steps": "auto"}
            reason = "Stop as soon as the held-out observations no longer gain, or give it more of them."
        else:
            change = {"n_latents": half} if half else {}
            reason = (
                "Take fewer latents, or give it more observations." if half else "Give it more observations."
            )
        yield Finding(
            "memorised",
            f"The training memorised its observations: it explains {percent(self.explained)} of their variance, and "
            f"{percent(self.held_out)} of that of the observations held out.",
            reason,
            settings=change,
        )

    def _improving(self) -> Iterator[Finding]:
        by = self.still_falls()
        if by is not None:
            yield Finding(
                "improving",
                f"The training was still improving: its error fell by {percent(by)} of the variance over the last "
                "tenth of its steps.",
                settings={"steps": LONGER * self.about["steps"]},
            )

    def _duplicated(self) -> Iterator[Finding]:
        if not self.duplicates:
            return
        named = [
            ", ".join(f"z{i}" for i in group[: min(NAMED, len(group) - 1)])
            + (f" and {len(group) - NAMED} more" if len(group) > NAMED + 1 else f" and z{group[-1]}")
            for group in self.duplicates[:NAMED]
        ] + ["…"] * (len(self.duplicates) > NAMED)
        yield Finding(
            "duplicated",
            f"Latents say the same as others, with absolute correlations above 0.95: {'; '.join(named)}.",
            f"The data fill {self.distinct} latent{'s' if self.distinct != 1 else ''}.",
            settings={"n_latents": self.distinct},
        )

    def _told(self) -> Iterator[Finding]:
        names = [name for name, found in self.told.items() if found.share - max(found.chance, 0) > TOLD]
        if names:
            yield Finding(
                "told",
                f"The codes are not free of what is given: {', '.join(names)} can be read of them.",
                "The term that draws them apart needs more time.",
                settings=self._more_time(),
            )

    def _few_clusters(self) -> Iterator[Finding]:
        if self.clusters >= len(self.sizes) / 2:
            return
        lighter = self._lighter()
        yield Finding(
            "few-clusters",
            f"Few components are in use: {sum(n > 0 for n in self.sizes)} of {len(self.sizes)} hold any of "
            f"{sum(self.sizes):,} observations, and by their shares they count as {self.clusters:.1f}.",
            "The data may have fewer clusters than were asked for, or the codes hold too little to tell them apart.",
            lighter.get("fields", {}),
            lighter.get("settings", {}),
        )

    def _dead_critic(self) -> Iterator[Finding]:
        """A critic that is at chance although the codes depend on each other."""
        codes = self.posterior.mean[:, torch.from_numpy(self.live)]
        if self.trained.critic is None or codes.shape[1] < 2:
            return
        correlation = self.correlation(codes)
        most = float(np.abs(correlation - np.eye(len(correlation))).max())
        if most < DEPENDENT:
            return
        now, chance = self.critic_loss
        if now < AT_CHANCE * chance:
            return
        yield Finding(
            "dead-critic",
            f"The critic sees nothing: its loss is {now:.3g} on these codes and {chance:.3g} on the same ones made "
            f"independent, although live latents correlate up to {most:.2f}, so nothing presses them apart.",
            "Train the critic faster, or more often for each step.",
            fields=faster_critic(cast(Adversarial, self.method)),
        )

    def _linear(self) -> Iterator[Finding]:
        pca = self.baselines["pca"]
        own, other = self.explained, pca.explained
        if self.held_out is not None:
            own, other = self.held_out, pca.held_out
        if other is None or other < own - CLOSE:
            return
        k, m = pca.components, int(self.live.sum())
        parts = "principal component explains" if k == 1 else "principal components explain"
        yield Finding(
            "linear",
            f"Principal components do as well: {k} {parts} {percent(other)}, {m} live latent{'s' * (m > 1)} "
            f"{percent(own)}.",
            "Unless the latents mean more to you than components do, take PCA, or FastICA for independent ones: they "
            "are simpler, faster and the same every time.",
        )


def lighter(method: Method, *, at_most: float | None = None, by: float = 1.0) -> dict[str, float]:
    """Fields of a method whose smaller values make other terms than the reconstruction lighter, with such values.

    Those above `at_most` come down to it; without it each is divided by `by`.
    """
    own = method.weights()
    found = {}
    for name, value in method.fields().items():
        if not isinstance(value, float) or value <= (at_most or 0.0):
            continue
        less = at_most if at_most is not None else value / by
        try:
            weights = replace(cast(Any, method), **{name: less}).weights()
        except InputError:
            continue
        if any(weights.get(term, 0.0) < own[term] for term in own if term != method.reconstruction):
            found[name] = less
    return found


def faster_critic(method: Adversarial) -> dict[str, Any]:
    """Fields that let a critic learn faster: its own rate, at least its default; else more updates for each step."""
    fields = method.fields()
    if "critic_lr" in fields:
        usual = type(method)().fields()["critic_lr"]
        return {"critic_lr": usual if fields["critic_lr"] < usual else LONGER * fields["critic_lr"]}
    return {"critic_steps": LONGER * method.critic_steps}


def judged(run: Run, data: World) -> Verdict:
    """The verdict on a run; for one of a version that gave none it is made now, and kept in its folder.

    `data` is what the run was trained on.
    """
    if run.verdict is not None:
        return run.verdict
    method, trained = run.load()
    start = untrained(method, data, run.job, run.job["net"], run.job["likelihood"])
    verdict = Judge(method, trained, start, run.job, data, unseen(run.job)).verdict()
    run.write_json(VERDICT, verdict.to_json())
    return verdict

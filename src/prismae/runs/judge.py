"""Judging a run when its training has ended: what it is worth, what is wrong with it, and what would help."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, cast

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from prismae._random import Draws
from prismae._text import percent
from prismae._version import __version__
from prismae.data import World
from prismae.data.storage import spaced
from prismae.errors import InputError
from prismae.evaluation.baselines import (
    Components,
    agreement,
    explained,
    fitted_rows,
    flat,
    independent,
    principal,
)
from prismae.latent.gaussian import Discrete, Gaussian
from prismae.latent.information import (
    channel_information,
    decoded_information,
    discrete_information,
    effect,
    posterior_information,
    variance_of_each,
)
from prismae.latent.live import live
from prismae.methods import Adversarial, Clustering, Context, Method
from prismae.nets.autoencoder import AutoencoderNet
from prismae.runs.files import VERDICT
from prismae.runs.latents import Latents, grouped
from prismae.runs.observations import unseen
from prismae.runs.run import Run
from prismae.runs.verdict import Baseline, Finding, Verdict
from prismae.train.build import build
from prismae.train.loop import Trained
from prismae.train.outcome import SHORT, divergence, effective_number

LOOKED_AT = 2_000  # observations that are encoded, and rebuilt
MOVED, LEAST_MOVED, DECODED = (
    256,
    32,
    4_096,
)  # observations whose latents are moved, so that so many are decoded
TOGETHER = 256  # observations that go through a network at once
MOST = 99.0  # nats, which stand for more than can be told

WEAK = (
    0.5  # share of what as many principal components as there are latents explain, below which a run is weak
)
FALLS = 0.05  # of the error over the last tenth of the steps, and
BY = 0.002  # of the data's variance, from which an error still falls
WORSE, GAP = (
    1.5,
    0.1,
)  # times the error, and share of the variance, by which held-out rows are worse where it memorised
CLOSE = 0.01  # share of the variance within which principal components do as well
DEPENDENT = 0.3  # absolute correlation of live latents that a critic must see
AT_CHANCE = 0.99  # of a critic's loss on independent codes
LONGER, SLOWER = 4, 10  # times as many steps, times as small a rate
USUAL_RATE = 1e-3


@dataclass(frozen=True)
class Judge:
    """A training that has ended, and what it is judged by.

    Parameters
    ----------
    method, trained
        What was trained, and what came of it.
    start
        The same network, as it was before the first step.
    about
        What job.json says: `n_latents`, `likelihood`, `lr`, `steps`, `batch`.
    data, unseen
        What was trained on, and what was held out, if anything.
    """

    method: Method
    trained: Trained
    start: AutoencoderNet
    about: Mapping[str, Any]
    data: World
    unseen: World | None = None

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
                findings=list(self.findings()),
                version=__version__,
            )

    @property
    def net(self) -> AutoencoderNet:
        """The trained network."""
        return self.trained.ae

    @property
    def history(self) -> pd.DataFrame:
        """The training up to the step whose weights were kept."""
        whole, kept = self.trained.history, self.trained.kept
        return whole if kept is None else whole[whole["step"] < kept]

    @property
    def words(self) -> bool:
        """Whether observations are sentences: they have no variance that could be explained."""
        return self.data.kind.elements == "words"

    @cached_property
    def rows(self) -> Tensor:
        """[n] indices of the observations that are looked at."""
        return fitted_rows(self.data, LOOKED_AT)

    @cached_property
    def posterior(self) -> Any:
        """Posteriors of `rows`."""
        found = [self.net.encode(self.data.data[part]) for part in self.rows.split(TOGETHER)]
        mean = torch.cat([each.mean for each in found])
        if isinstance(found[0], Discrete):
            return replace(found[0], mean=mean, index=torch.cat([each.index for each in found]))
        if not isinstance(found[0], Gaussian):
            return replace(found[0], mean=mean)
        return Gaussian(mean, torch.cat([each.log_var for each in found]))

    @cached_property
    def x(self) -> NDArray:
        """[n, d] observations of `rows`."""
        return flat(self.data, self.rows)

    @cached_property
    def again(self) -> NDArray:
        """[n, d] what is rebuilt of them."""
        return self._rebuilt(self.posterior.mean)

    def _rebuilt(self, codes: Tensor) -> NDArray:
        return torch.cat([self.net.generate(part) for part in codes.split(TOGETHER)]).flatten(1).numpy()

    @cached_property
    def explained(self) -> float:
        """Share of the variance that reconstructions explain."""
        return explained(self.x, self.again)

    @cached_property
    def x_unseen(self) -> NDArray | None:
        """[n, d] observations that were held out."""
        return (
            None
            if self.unseen is None or self.words
            else flat(self.unseen, fitted_rows(self.unseen, LOOKED_AT))
        )

    @cached_property
    def held_out(self) -> float | None:
        """The same of those held out: their variance is about the mean of these, as that of the others about theirs."""
        if self.x_unseen is None:
            return None
        assert self.unseen is not None
        rows = fitted_rows(self.unseen, LOOKED_AT)
        codes = torch.cat([self.net.encode(self.unseen.data[part]).mean for part in rows.split(TOGETHER)])
        return explained(self.x_unseen, self._rebuilt(codes))

    @cached_property
    def _variances(self) -> Tensor:
        """[m, *elements] the variance in the decoded data that is due to each latent, in units of the world's."""
        m = self.posterior.mean.shape[1]
        n = min(len(self.rows), max(LEAST_MOVED, min(MOVED, DECODED // m)))
        chosen = spaced(len(self.rows), n)
        x = self.data.data[self.rows[chosen]]

        def change(z: Tensor, other: Tensor) -> Tensor:
            return torch.cat(
                [self.net.change(*each) for each in zip(*(a.split(64) for a in (x, z, other)), strict=True)]
            )

        order = torch.from_numpy(np.random.default_rng(0).permutation(n))
        return variance_of_each(change, self.posterior.mean[chosen], order)

    @cached_property
    def effect(self) -> NDArray:
        """[m] how far each latent moves the decoded data."""
        if self.words:
            return effect(self._variances, 1.0).numpy().astype(float)
        variance = float(_variance(self.x) / self.net.std.square())
        return effect(self._variances, variance).numpy().astype(float)

    @cached_property
    def information(self) -> NDArray:
        """[m] what each latent tells, nats."""
        noise = channel_noise(self.trained.history)
        if isinstance(self.posterior, Gaussian):
            found = posterior_information(self.posterior)
        elif isinstance(self.posterior, Discrete):
            found = discrete_information(self.posterior)
        elif noise is not None:
            found = channel_information(self.posterior.mean.std(0, correction=0), torch.tensor(noise))
        else:
            found = decoded_information(self._variances.flatten(1).sum(1), self._error())
        return np.nan_to_num(found.numpy().astype(float), nan=0.0, posinf=MOST).clip(max=MOST)

    def _error(self) -> Tensor:
        """The mean squared error of an element, or of a word, in units of the world's variance."""
        parts = [self.net.errors(self.data.data[part])[0] * len(part) for part in self.rows.split(TOGETHER)]
        return torch.stack(parts).sum() / len(self.rows)

    @cached_property
    def live(self) -> NDArray[np.bool_]:
        """[m] which latents are live."""
        return live(self.information, self.effect)

    @cached_property
    def components(self) -> Components:
        """As many principal components of `x` as there are latents, or as these have."""
        return principal(self.x, self.posterior.mean.shape[1])

    @cached_property
    def baselines(self) -> dict[str, Baseline]:
        """Principal and independent components, as many as live latents, and the network before its training."""
        k = int(self.live.sum())
        first = self.components.first(k or self.components.into.shape[1])
        n = first.into.shape[1]
        seen, new = (
            None if x is None else explained(x, first.decoded(first.codes(x)))
            for x in (self.x, self.x_unseen)
        )
        if not k:
            return {"pca": Baseline(n, seen, new)}
        codes = self.posterior.mean.numpy()[:, self.live]
        start = torch.cat(
            [self.start.encode(self.data.data[part]).mean for part in self.rows.split(TOGETHER)]
        )
        return {
            "pca": Baseline(n, seen, new, agreement(codes, first.codes(self.x))),
            "ica": Baseline(n, seen, new, agreement(codes, independent(self.x, first).codes(self.x))),
            "untrained": Baseline(start.shape[1], agreement=agreement(codes, start.numpy())),
        }

    def findings(self) -> Iterator[Finding]:
        """What is wrong, the worst first. What follows from a worse fault is not said beside it."""
        said = divergence(self.history, self.method.weights(), self._error_of_mean())
        if said is not None:
            yield self._diverged(said)
            return
        if isinstance(self.method, Clustering):
            yield from self._few_clusters()
        if self.about["steps"] < SHORT:
            text = f"Fewer than {SHORT} steps are only looked at for divergence."
            yield Finding("short", text, settings={"steps": 10 * SHORT})
            return
        if not self.live.any():
            yield self._collapsed()
            return
        weak = not self.words and self.explained < WEAK * self._linear_share(len(self.live))
        if weak:
            yield self._weak()
        if isinstance(self.method, Adversarial):
            yield from self._dead_critic()
        if not weak:
            yield from self._memorised()
            yield from self._improving()
            yield from self._duplicated()
        if not weak and not self.words:
            yield from self._linear()

    def _error_of_mean(self) -> float:
        return self.net.error_of_mean(self.data.data[self.rows[:TOGETHER]])

    def _linear_share(self, k: int) -> float:
        first = self.components.first(k)
        return explained(self.x, first.decoded(first.codes(self.x)))

    def _diverged(self, said: str) -> Finding:
        rate = min(self.about["lr"] / SLOWER, USUAL_RATE)
        reason = (
            "Steps that are too long throw the weights about: a smaller learning rate keeps them together."
        )
        return Finding("diverged", said, reason, settings={"lr": rate})

    def _collapsed(self) -> Finding:
        text = (
            "The codes have collapsed: no latent tells as much as 0.1 nats and moves the data, so they are worth "
            "nothing, whatever their scores."
        )
        return Finding("collapsed", text, **self._lighter())

    def _weak(self) -> Finding:
        m = len(self.live)
        text = (
            f"The codes hold little of the data: reconstructions explain {percent(max(self.explained, 0))} of the "
            f"variance, where as many principal components as latents explain {percent(self._linear_share(m))}."
        )
        if self._falls() is not None:
            reason = "The error still fell when the training ended."
            return Finding("weak", text, reason, settings={"steps": LONGER * self.about["steps"]})
        return Finding("weak", text, **self._lighter())

    def _lighter(self) -> dict[str, Any]:
        """What gives reconstruction more weight against the other terms, or else more time."""
        fields = lighter(self.method, at_most=1.0)
        settings: dict[str, Any] = {}
        if (
            self.method.likelihood == "auto"
            and not self.words
            and self.about["likelihood"] != "gaussian-learned"
        ):
            settings["likelihood"] = "gaussian-learned"
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
            "settings": {"steps": LONGER * self.about["steps"], "lr": max(self.about["lr"], USUAL_RATE)},
        }

    def _memorised(self) -> Iterator[Finding]:
        if self.held_out is None:
            return
        worse = (1 - self.held_out) / max(1 - self.explained, 1e-9)
        if worse < WORSE or self.explained - self.held_out < GAP:
            return
        yield Finding(
            "memorised",
            f"The training memorised its observations: it explains {percent(self.explained)} of their variance, and "
            f"{percent(self.held_out)} of that of the observations held out.",
            "Stop as soon as the held-out observations no longer gain, or give it more of them."
            if self.trained.kept is None
            else "Take fewer latents, or give it more observations.",
            settings={"steps": "auto"}
            if self.trained.kept is None
            else {"n_latents": max(len(self.live) // 2, 1)},
        )

    def _falls(self) -> float | None:
        """By how much the error fell over the last tenth of the steps, if it still falls; in units of the variance."""
        seen = self.history["monitor:mse"].dropna().to_numpy(dtype=float)
        tenth = len(seen) // 10
        if (
            tenth < 3 or self.words or self.trained.kept is not None
        ):  # else it stopped when others no longer gained
            return None
        before, last = seen[-2 * tenth : -tenth].mean(), seen[-tenth:].mean()
        by = before - last
        return by if by > FALLS * before and by > BY else None

    def _improving(self) -> Iterator[Finding]:
        by = self._falls()
        if by is not None:
            yield Finding(
                "improving",
                f"The training was still improving: its error fell by {percent(by)} of the variance over the last "
                "tenth of its steps.",
                settings={"steps": LONGER * self.about["steps"]},
            )

    @cached_property
    def duplicates(self) -> list[list[int]]:
        """Groups of live latents that say the same."""
        latents = Latents(self.posterior.mean.std(0).numpy(), self.information, self.effect)
        return grouped(latents.twins(self._correlation(self.posterior.mean)))

    @property
    def distinct(self) -> int:
        """How many live latents there are, those that say the same counted as one."""
        return int(self.live.sum()) - sum(len(group) - 1 for group in self.duplicates)

    def _correlation(self, codes: Tensor) -> NDArray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.atleast_2d(np.nan_to_num(np.corrcoef(codes.numpy().T)))

    def _duplicated(self) -> Iterator[Finding]:
        if not self.duplicates:
            return
        named = [", ".join(f"z{i}" for i in group[:-1]) + f" and z{group[-1]}" for group in self.duplicates]
        yield Finding(
            "duplicated",
            f"Latents say the same as others, with absolute correlations above 0.95: {'; '.join(named)}.",
            f"The data fill {self.distinct} latent{'s' if self.distinct != 1 else ''}.",
            settings={"n_latents": self.distinct},
        )

    @cached_property
    def sizes(self) -> list[int]:
        """How many observations each component of a method that clusters is the largest share of."""
        method = cast(Clustering, self.method)
        shares = [
            method.responsibilities(self.net, self.data.data[part]) for part in self.rows.split(TOGETHER)
        ]
        return torch.cat(shares).argmax(1).bincount(minlength=method.n_components).tolist()

    @property
    def clusters(self) -> float:
        """How many components are in use, by their shares."""
        return effective_number(self.sizes)

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

    @cached_property
    def critic_loss(self) -> tuple[float, float]:
        """A critic's loss on codes as they are, and on the same ones whose latents are shuffled apart."""
        method = cast(Adversarial, self.method)
        noise = channel_noise(self.trained.history)
        sigma = torch.empty(0) if noise is None else torch.from_numpy(noise).float()
        context = Context(len(self.data), method.weights(), sigma, None, self.about["steps"])
        rows = self.rows[:TOGETHER]
        q = self.net.encode(self.data.data[rows])
        orders = np.tile(np.arange(len(rows)), (len(self.live), 1))
        order = torch.from_numpy(np.random.default_rng(0).permuted(orders, axis=1).T)
        apart = replace(q, **{each.name: getattr(q, each.name).gather(0, order) for each in fields(q)})
        found = []
        for codes in (q, apart):
            with Draws(0):
                terms = method.critic_terms(self.trained.critic, codes, context)
            found.append(sum(float(each.detach().mean()) for each in terms.values()))
        return found[0], found[1]

    def _dead_critic(self) -> Iterator[Finding]:
        """A critic that is at chance although the codes depend on each other."""
        codes = self.posterior.mean[:, torch.from_numpy(self.live)]
        if self.trained.critic is None or codes.shape[1] < 2:
            return
        correlation = self._correlation(codes)
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
        k = pca.components
        parts = "principal component explains" if k == 1 else "principal components explain"
        yield Finding(
            "linear",
            f"Principal components do as well: {k} {parts} {percent(other)}, {int(self.live.sum())} live latents "
            f"{percent(own)}.",
            "Unless the latents mean more to you than components do, take PCA, or FastICA for independent ones: they "
            "are simpler, faster and the same every time.",
        )


def channel_noise(history: pd.DataFrame) -> NDArray | None:
    """[m] the noise that was last added to each code; None for methods without a channel."""
    names = [name for name in history.columns if name.startswith("sigma[")]
    if not names:
        return None
    return cast(NDArray, history[names].dropna().iloc[-1].to_numpy(dtype=float, copy=True))


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


def untrained(
    method: Method, data: World, about: Mapping[str, Any], net: Any, likelihood: Any
) -> AutoencoderNet:
    """The network of a training before its first step: the same weights to the bit."""
    with Draws(about["seed"]):
        ae = build(
            method,
            data.kind,
            data.shape,
            data.summary,
            n_latents=about["n_latents"],
            net=net,
            likelihood=likelihood,
        )
    return ae.eval()


def _variance(x: NDArray) -> float:
    """Mean variance of the elements of observations [n, d], of those that are not missing."""
    return float((np.nanvar if np.isnan(x).any() else np.var)(x, 0, dtype=np.float64).mean())

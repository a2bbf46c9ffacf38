"""What can be measured of a training that has ended, each thing once: its verdict is made of these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, cast

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from prismae._random import Draws
from prismae.data import World
from prismae.data.storage import spaced
from prismae.evaluation.baselines import (
    Components,
    agreement,
    explained,
    explained_error,
    fitted_rows,
    flat,
    independent,
    means,
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
from prismae.runs.latents import alike, grouped
from prismae.runs.verdict import Baseline, ReadOut
from prismae.train.build import build
from prismae.train.outcome import effective_number
from prismae.train.trained import Trained

LOOKED_AT = 2_000  # observations that are encoded, and rebuilt
# observations whose latents are moved, between these, so that at most so many are decoded
LEAST_MOVED, MOVED, DECODED = 32, 256, 4_096
TOGETHER = 256  # observations that go through a network at once
FOLDS = 5  # that observations are parted into, for a regression to be tried on what it has not seen
MOST = 99.0  # nats, which stand for more than can be told
# an error still falls that fell, over the last tenth of the steps, by this share of itself and this of the variance
FALLS, BY = 0.05, 0.002


@dataclass(frozen=True)
class Measured:
    """A training that has ended, and what is measured of it.

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
        """[n, d] what is to be rebuilt of the observations of `rows`."""
        return self._flat(self.data, self.rows)

    @cached_property
    def again(self) -> NDArray:
        """[n, d] what is rebuilt of them."""
        return self._rebuilt(self.posterior.mean, self.data.data[self.rows])

    def _rebuilt(self, codes: Tensor, x: Tensor) -> NDArray:
        pairs = zip(codes.split(TOGETHER), x.split(TOGETHER), strict=True)
        return self._kept(torch.cat([self.net.generate(*pair) for pair in pairs]).flatten(1).numpy())

    def _flat(self, data: World, rows: Tensor) -> NDArray:
        return self._kept(flat(data, rows))

    def _kept(self, x: NDArray) -> NDArray:
        """[n, d] without the elements that are given."""
        return np.delete(x, self.net.given, axis=1) if self.net.given else x

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
            else self._flat(self.unseen, fitted_rows(self.unseen, LOOKED_AT))
        )

    @cached_property
    def again_unseen(self) -> NDArray:
        """[n, d] what is rebuilt of them."""
        assert self.unseen is not None
        rows = fitted_rows(self.unseen, LOOKED_AT)
        codes = torch.cat([self.net.encode(self.unseen.data[part]).mean for part in rows.split(TOGETHER)])
        return self._rebuilt(codes, self.unseen.data[rows])

    @cached_property
    def held_out(self) -> float | None:
        """The same of those held out: their variance is about the mean of these, as that of the others about theirs."""
        return None if self.x_unseen is None else explained(self.x_unseen, self.again_unseen)

    @property
    def gap_error(self) -> float:
        """Standard error of the difference of both shares, as far as it is chance which observations were held out."""
        assert self.x_unseen is not None
        return float(
            np.hypot(explained_error(self.x, self.again), explained_error(self.x_unseen, self.again_unseen))
        )

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
    def told(self) -> dict[str, ReadOut]:
        """Column that is given → how much of it the codes still tell."""
        x, codes = flat(self.data, self.rows), self.posterior.mean.numpy()
        shuffled = np.random.default_rng(0).permutation(codes)
        return {
            name: ReadOut(*(read_linearly(each, x[:, list(places)]) for each in (codes, shuffled)))
            for name, places in self.data.kind.given_places.items()
        }

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

    def error_of_mean(self) -> float:
        return self.net.error_of_mean(self.data.data[self.rows[:TOGETHER]])

    @cached_property
    def telling(self) -> int:
        """How many principal components, at most as many as latents, explain more than an element does by itself
        (Kaiser 1960): further ones may be noise, which it is no fault to leave out."""
        squares = np.square(self.components.codes(self.x)).sum(0)
        whole = np.nansum(np.square(self.x - means(self.x)))
        return max(1, min(len(self.live), int((squares > whole / self.x.shape[1]).sum())))

    def linear_share(self, k: int) -> float:
        first = self.components.first(k)
        return explained(self.x, first.decoded(first.codes(self.x)))

    def still_falls(self) -> float | None:
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

    @cached_property
    def duplicates(self) -> list[list[int]]:
        """Groups of live latents that say the same."""
        alive = np.flatnonzero(self.live)  # of these alone: among thousands of latents few live
        if not len(alive):
            return []
        groups = grouped(alike(self.correlation(self.posterior.mean[:, torch.from_numpy(alive)])))
        return [alive[group].tolist() for group in groups]

    @property
    def distinct(self) -> int:
        """How many live latents there are, those that say the same counted as one."""
        return int(self.live.sum()) - sum(len(group) - 1 for group in self.duplicates)

    def correlation(self, codes: Tensor) -> NDArray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.atleast_2d(np.nan_to_num(np.corrcoef(codes.numpy().T)))

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


def read_linearly(codes: NDArray, known: NDArray) -> float:
    """Share of the variance of what is known [n, k] that a linear regression on codes [n, m] explains of rows that it
    has not seen, in five folds; 0 is their mean, and below it is worse."""
    x = np.column_stack([codes, np.ones(len(codes))]).astype(np.float64)
    fold = np.random.default_rng(0).permutation(len(x)) % FOLDS
    missed = np.empty(known.shape)
    for i in range(min(FOLDS, len(x))):
        learnt, asked = fold != i, fold == i
        missed[asked] = known[asked] - x[asked] @ np.linalg.lstsq(x[learnt], known[learnt], rcond=None)[0]
    return 1 - float(np.square(missed).sum() / np.square(known - known.mean(0)).sum())


def channel_noise(history: pd.DataFrame) -> NDArray | None:
    """[m] the noise that was last added to each code; None for methods without a channel."""
    names = [name for name in history.columns if name.startswith("sigma[")]
    if not names:
        return None
    return cast(NDArray, history[names].dropna().iloc[-1].to_numpy(dtype=float, copy=True))


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
    if not (gaps := np.isnan(x)).any():
        return float(np.var(x, 0, dtype=np.float64).mean())
    return float(np.nanvar(x[:, ~gaps.all(0)], 0, dtype=np.float64).mean())

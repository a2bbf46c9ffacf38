"""What a search comes to: a model's factors, components of the data that do as well, or columns by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from prismae._text import percent
from prismae.data import World
from prismae.data.kinds import Table
from prismae.discovery import axes
from prismae.discovery.alone import alone, varied, varying
from prismae.discovery.curves import bent, unrolled
from prismae.discovery.described import described
from prismae.discovery.result import Discovery, mean_codes, observed, rebuilt
from prismae.discovery.search import LATENTS, PARSIMONY, Tried
from prismae.estimator import Autoencoder, load
from prismae.evaluation.baselines import Components, agreement, explained, gain_error, means, principal
from prismae.runs.run import Run
from prismae.runs.verdict import Verdict

LOOKED_AT = 5_000  # observations that are encoded
CLOSE = 0.75  # times what components leave unexplained of what is held out: a model has to leave less
SURE = 2  # standard errors by which a model of counts has to explain more
STABLE = 0.8  # agreement of independent components of two halves, from which they are no accident
ENOUGH = 0.9  # share of the variance that components explain where no model says how many there are
SAME = (
    0.975  # correlation of each factor of a model with an independent component, from which they are the same
)


@dataclass(frozen=True)
class Evidence:
    """What an answer is made of.

    Parameters
    ----------
    tried
        All candidates.
    run, verdict, model
        The training that is kept; where none is worth a recommendation, one to read the data and give them back.
    data
        The data, without what was held out.
    x, unseen
        [n, d] observations as the network sees them, and those that were held out.
    home
        The folder of the answer.
    """

    tried: Sequence[Tried]
    run: Run
    verdict: Verdict
    model: Autoencoder
    data: World
    x: NDArray
    unseen: NDArray
    home: Path

    @cached_property
    def apart(self) -> list[tuple[int, ...]]:
        """The columns that go with no other, each as its elements."""
        return alone(self.x, self.data.kind)

    @property
    def lone(self) -> list[int]:
        """The elements of these columns."""
        return [i for each in self.apart for i in each]

    @cached_property
    def rest(self) -> NDArray[np.intp]:
        """The elements of the other columns."""
        return np.setdiff1d(np.arange(self.x.shape[1]), self.lone)

    def lines(self, kept: Tried | None) -> list[dict[str, Any]]:
        """A line for each candidate."""
        return [
            {
                "name": each.name,
                "steps": each.steps,
                "seeds": len(each.runs),
                "live": each.live,
                "held_out": each.held_out if each.recommendable else None,
                "spread": each.spread if each.recommendable and len(each.usable) > 1 else None,
                "verdicts": sorted({verdict.word for _, verdict in each.runs}),
                "kept": each is kept,
            }
            for each in self.tried
        ]


def concluded(tried: Sequence[Tried], best: Tried | None, data: World, held: World, home: Path) -> Discovery:
    """The answer: components of the data where they do as well as the best model, else the model's."""
    best, run, verdict = chosen(tried, best, data)
    model = load(run.path)
    x, unseen = observed(model, data, LOOKED_AT), observed(model, held, LOOKED_AT)
    found = Evidence(tried, run, verdict, model, data, x, unseen, home)
    rest = found.rest
    if not len(varied(x[:, rest])):
        return _of_columns(found)
    first, new = principal(x[:, rest], len(rest)), unseen[:, rest]
    if best:
        again = rebuilt(model, held, LOOKED_AT)
        own = explained(new, again[:, rest])
        taken = sum(
            max(1, len(each) - 1)
            for each in found.apart
            if len(varied(unseen[:, each])) and explained(unseen[:, each], again[:, each]) > axes.HELD**2
        )
        live = max(1, int(verdict.live.sum()) - taken)
    else:
        shares = np.square(first.codes(x[:, rest])).sum(0)
        live = min(LATENTS, int(np.searchsorted(shares.cumsum() / shares.sum(), ENOUGH) + 1))
    counts = isinstance(data.kind, Table) and data.kind.of_counts
    k = axes.as_many(first, new, live)
    if counts:
        k = min(max(k, axes.above_noise(x[:, rest])), len(rest))
    most = len(verdict.live)
    more = ""
    if best and int(verdict.live.sum()) == most < x.shape[1]:
        more = f" All {most} latents of the models are live, so there may be more factors."
    first = first.first(k)
    straight = first.decoded(first.codes(new))
    linear = explained(new, straight)
    better = bool(best) and 1 - own < CLOSE * axes.FURTHER ** (k - live) * (1 - linear)
    if best and counts:  # noise is most of what is left of these
        better = own - linear > SURE * gain_error(new, again[:, rest], straight)
    if best and better:
        why = (
            f"{best.name} explains {percent(own)} of the variance of observations that it was not trained on, where "
            f"{_principal(k)} {percent(linear)}."
        )
        return _of_model(found, best, why + more)
    why = f"{_principal(k)} {percent(linear)} of the variance of observations that were held out" + (
        f", and the best model {percent(own)} with "
        + ("as many live latents." if k == live else f"{live} live latent{'s' * (live > 1)}.")
        if best
        else ", and no model that was trained is worth a recommendation."
    )
    few = axes.steady(axes.fewest(first, x[:, rest], live if best else 1), x[:, rest])
    kept = few.into.shape[1]
    if kept < k:
        share = explained(new, few.decoded(few.codes(new)))
        why += (
            f" Of these {kept} {'is' if kept == 1 else 'are'} kept, with {percent(share)}: further ones explain less "
            "than 2 % each, are functions of these, or do not come back in halves of the observations."
        )
    return _of_data(found, few, why + more)


def chosen(tried: Sequence[Tried], best: Tried | None, data: World) -> tuple[Tried | None, Run, Verdict]:
    """The candidate and the seed of it that are kept: of those worth as much as the best to within 2 % of the variance,
    the one whose latents have independent components that are best determined."""

    if best is None:
        every = ((each.worth(verdict), run, verdict) for each in tried for run, verdict in each.runs)
        return None, *max(every, key=lambda found: found[0])[1:]
    alike = [
        each
        for each in tried
        if each is best or (each.recommendable and each.steps == best.steps and each.several == best.several)
    ]
    usable = [(each, run, verdict) for each in alike for run, verdict in each.usable]
    least = max(each.worth(verdict) for each, _, verdict in usable) - PARSIMONY
    as_good = [found for found in usable if found[0].worth(found[2]) >= least]

    def sure(found: tuple[Tried, Run, Verdict]) -> float:
        return axes.determined(_live(found[1], found[2], data)[0])

    return max(as_good, key=sure) if len(as_good) > 1 else as_good[0]


def _live(run: Run, verdict: Verdict, data: World) -> tuple[NDArray, NDArray]:
    """[n, k] codes of a run's live latents, and [k] what each tells, in nats."""
    return mean_codes(load(run.path), data, LOOKED_AT)[:, verdict.live], np.asarray(verdict.information)[
        verdict.live
    ]


def _of_model(found: Evidence, best: Tried, why: str) -> Discovery:
    """The answer of a model: its live latents, turned where they have axes of their own."""
    x, data, lone = found.x, found.data, found.lone
    codes = {run.path: _live(run, verdict, data) for run, verdict in best.usable}
    (own, told), all_codes = codes[found.run.path], mean_codes(found.model, data, LOOKED_AT)
    live = np.flatnonzero(found.verdict.live).tolist()
    plain = axes.plain(own)
    turned = axes.turned(own, told, x, lone)
    seen = np.delete(x, lone, 1)
    factors = axes.others(_unrolled(turned, own), x, lone)
    if (same := axes.likeness(factors, seen)) >= SAME:
        why += (
            f" But its factors are independent components of the data, each at |r| = {same:.2f} or more, and these are "
            "simpler, the same every time, and exact."
        )
        return _of_data(found, principal(seen, factors.shape[1]), why)
    others = [each for path, each in codes.items() if path != found.run.path]
    sure = {
        "turned": [_unrolled(axes.turned(each, nats, x, lone), each) for each, nats in others],
        "plain": [_unrolled(axes.plain(each), each) for each, _ in others],
    }
    agreed = {
        name: np.mean([axes.agreements(_unrolled(components, own), each) for each in sure[name]], 0)
        if others
        else np.full(own.shape[1], np.nan)
        for name, components in (("turned", turned), ("plain", plain))
    }
    groups = axes.groups(told)
    own_axes = min(axes.determined(own[:, each]) for each in groups)
    name = "turned"
    if others and agreed["plain"].mean() > agreed["turned"].mean() + 0.05:
        name = "plain"
    components, curves = bent(turned if name == "turned" else plain, own)
    halves = f"those of two halves of the observations agree at |r| = {own_axes:.2f}"
    alike = ", those together that tell about as much" if len(groups) > 1 else ""
    why += (
        f" Its live latents were turned to independent components{alike}; {halves}."
        if name == "turned"
        else " Its live latents are as they were trained: they come back in other seeds, independent components less; "
        f"{halves}."
    )
    if curves:
        pairs = "A pair of them lies" if len(curves) == 1 else f"{len(curves)} pairs of them lie"
        why += f" {pairs} on a curve, which makes one factor: the place on it."
    made = Discovery(
        found.home,
        "autoencoder",
        why,
        [],
        found.run.path,
        live,
        components,
        all_codes.mean(0),
        found.lines(best),
        curves,
    )
    return described(made, unrolled(components.codes(own), curves), agreed[name], x, lone)


def _unrolled(components: Components, codes: NDArray) -> NDArray:
    """[n, k] factors of codes, pairs of which that lie on a curve are one."""
    found, curves = bent(components, codes)
    return unrolled(found.codes(codes), curves)


def _of_data(found: Evidence, first: Components, why: str) -> Discovery:
    """The answer of the data themselves: independent components in the space of principal ones, or these."""
    lone, rest = found.lone, found.rest
    whole = np.concatenate([found.x, found.unseen])  # nothing is chosen by what was held out any more
    x, k = whole[:, rest], first.into.shape[1]
    stable = {
        "ica": [axes.independent_of(half, first) for half in axes.halves(x)],
        "pca": [principal(half, k) for half in axes.halves(x)],
    }
    sure = {name: agreement(*(each.codes(x) for each in both)) for name, both in stable.items()}
    components = axes.ordered(axes.independent_of(x, first), x)
    loose = axes.adrift(components.codes(x))
    kind: Literal["ica", "pca"] = (
        "ica" if sure["ica"] >= min(STABLE, sure["pca"]) and not loose.all() else "pca"
    )
    halves = f" Independent components of two halves of them agree at |r| = {sure['ica']:.2f}"
    if kind == "ica":
        why += f"{halves}, so they are taken."
        if n := int(loose.sum()):
            why += f" But {n} of them are no farther from Gaussian than chance makes them: only the space that these "
            why += "span is known, not their axes."
    elif loose.all():
        why += " Independent components are no farther from Gaussian than those of Gaussian numbers, so that only the "
        why += "space that they span is known, not the factors' axes; its principal components are taken."
    else:
        why += (
            f"{halves} only: factors may be Gaussian, and then only the space that they span is known; its "
        )
        why += "principal components are taken."
    if kind == "pca":
        components, loose = axes.scaled(first, x), np.full(k, k > 1)
    agreed = np.mean([axes.agreements(components.codes(x), each.codes(x)) for each in stable[kind]], 0)
    apart = _columns(whole, found.apart)
    mean, into, back = apart.mean, np.zeros((whole.shape[1], k)), np.zeros((k, whole.shape[1]))
    mean[rest], into[rest], back[:, rest] = components.mean, components.into, components.back
    both = Components(mean, np.hstack([into, apart.into]), np.vstack([back, apart.back]))
    made = Discovery(found.home, kind, why, [], found.run.path, [], both, np.zeros(0), found.lines(None))
    n = apart.into.shape[1]
    agreed, loose = np.concatenate([agreed, np.ones(n)]), np.concatenate([loose, np.zeros(n, bool)])
    return described(made, both.codes(whole), agreed, whole, lone, loose)


def _of_columns(found: Evidence) -> Discovery:
    """The answer where no two columns go together."""
    whole = np.concatenate([found.x, found.unseen])
    several = varying(whole, found.data.kind)
    why = (
        "No column tells as much as 5 % of the variance of another, so nothing that was found is behind several: "
        "each is noise, or a factor of its own."
    )
    components = _columns(whole, several)
    n, lone = components.into.shape[1], [i for each in several for i in each]
    made = Discovery(
        found.home, "columns", why, [], found.run.path, [], components, np.zeros(0), found.lines(None)
    )
    return described(made, components.codes(whole), np.ones(n), whole, lone)


def _columns(x: NDArray, which: list[tuple[int, ...]]) -> Components:
    """Columns of x [n, d], given as their elements, each a component by itself; of a category one for each value but
    the commonest, which the others leave."""
    mean, scale = means(x), np.nanstd(x, axis=0)
    into, back = [], []
    for places in which:
        commonest = max(places, key=lambda i: mean[i])
        for i in places:
            if scale[i] > 0 and (i != commonest or len(places) == 1):
                into.append(np.eye(x.shape[1])[i] / scale[i])
                back.append(np.eye(x.shape[1])[i] * scale[i])
                if len(places) > 1:
                    back[-1][commonest] = -scale[i]
    d = x.shape[1]
    return Components(mean, np.reshape(into, (-1, d)).T, np.reshape(back, (-1, d)))


def _principal(k: int) -> str:
    return f"{k} principal component" + ("s explain" if k > 1 else " explains")

"""`discover`: what varies in data, without labels, under a time budget."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prismae._text import percent
from prismae.data import World, world, world_names
from prismae.data.kinds import Table
from prismae.data.paths import is_path
from prismae.discovery import axes
from prismae.discovery.alone import alone
from prismae.discovery.curves import bent, unrolled
from prismae.discovery.described import described
from prismae.discovery.page import write_page
from prismae.discovery.result import Discovery, mean_codes, observed, rebuilt
from prismae.discovery.search import HELD_OUT, LATENTS, PARSIMONY, Search, Tried
from prismae.errors import InputError, Interrupted
from prismae.estimator import Autoencoder, load
from prismae.evaluation.baselines import Components, agreement, explained, gain_error, means, principal
from prismae.fields import Count, Positive, check_arguments
from prismae.runs.job import Job
from prismae.runs.observations import everything
from prismae.runs.run import Run
from prismae.runs.verdict import Verdict
from prismae.settings import Layout, as_plain

FEWEST = 40  # observations, of which a tenth is held out
LOOKED_AT = 5_000  # observations that are encoded
CLOSE = 0.75  # times what components leave unexplained of what is held out: a model has to leave less
SURE = 2  # standard errors by which a model of counts has to explain more
STABLE = 0.8  # agreement of independent components of two halves, from which they are no accident
ENOUGH = 0.9  # share of the variance that components explain where no model says how many there are
SAME = (
    0.975  # correlation of each factor of a model with an independent component, from which they are the same
)


def discover(
    X: NDArray | pd.DataFrame | str | os.PathLike[str],
    *,
    minutes: Positive = 10.0,
    seeds: Count = 5,
    factors: Sequence[str] = (),
    size: int | None = None,
    series: Layout | None = None,
    axes: str | None = None,
    out: str | os.PathLike[str] = "runs",
    jobs: Count | None = None,
    progress: bool = True,
) -> Discovery:
    """Find what varies in data: how many factors, what each one moves, and how sure that is.

    Candidates that fit the kind of data are trained for a short time, the promising ones longer and with several
    seeds. That which explains most of what is held out is kept, where each nat of its code has to explain 0.5 % (of
    images 1 %); its factors are its live latents, those that tell about as much turned together to independent
    components, and as near as can be to those of the data where their own are all but Gaussian. Where as many principal
    components explain as much, or the factors are independent components of the data, these are the answer. Columns of
    a table that go with no other stand apart: noise, or factors by themselves. For why, see
    docs/results/known_answers.md.

    Parameters
    ----------
    X
        A table, array, or path of own data, or a world's name, as `prismae.world` takes them.
    minutes
        Time that it may take.
    seeds
        Trainings of each promising candidate.
    factors, size, series, axes
        How own data are read: see `prismae.world`. What is named as a factor is left out.
    out
        Where run folders are kept, and beside them ``discover-<name>`` with page.html.
    jobs
        Trainings at once, of one thread each; None: as many as there are processors.
    progress
        Whether what is done is said on standard error.

    Raises
    ------
    InputError
        For data that cannot be used, fewer than 40 observations, and texts.

    Examples
    --------
    >>> found = discover(X, minutes=5)  # doctest: +SKIP
    >>> found.transform(X)  # doctest: +SKIP
    """
    check_arguments("discover", discover, {"minutes": minutes, "seeds": seeds, "jobs": jobs})
    say: Callable[[str], None] = (
        (lambda text: print(text, file=sys.stderr)) if progress else (lambda text: None)
    )
    folder = Path(out)
    source = _source(X, folder, series, axes)
    reading: dict[str, Any] = {
        "holdout": HELD_OUT,
        "factors": tuple(factors),
        "size": size,
        "series": series,
        "axes": axes,
    }
    job = Job("vae", source, steps=1, **reading)
    whole = everything(as_plain(job))
    if whole.kind.elements == "words":
        raise InputError("discover finds what varies in numbers, and the observations are sentences.")
    if len(whole) < FEWEST:
        raise InputError(f"discover needs at least {FEWEST} observations, got {len(whole)}.")
    data, held = whole.split(HELD_OUT)
    search = Search(
        source, reading, data, folder, 60 * minutes, seeds, jobs or os.cpu_count() or 1, say, progress
    )
    best = search.go()
    if best is None and not any(each.runs for each in search.tried):
        raise Interrupted("Stopped before any training was finished; the same command goes on from there.")
    home = folder / f"discover-{Path(data.name.replace(':', '-')).name}"
    found = _concluded(search.tried, best, data, held, home)
    found.save()
    codes = found.transform(whole).set_axis(pd.Index(whole.called, name="name"))
    codes.to_parquet(home / "codes.parquet")
    say(f"page: {write_page(found, data)}")
    return found


def _source(X: Any, folder: Path, series: Layout | None, axes: str | None) -> str:
    """The data as a job has them; those in memory are written to a file, so that jobs find them."""
    if isinstance(X, str | os.PathLike):
        text = os.fspath(X)
        return (
            text
            if text.partition(":")[0] in world_names() or is_path(text) or not Path(text).is_dir()
            else f"{text}/"
        )
    if isinstance(X, World):
        if X.name.partition(":")[0] not in world_names():
            raise InputError(
                "discover takes data, not a World made of own data: give the array, table or path."
            )
        return X.name
    world(X, series=series, axes=axes)  # refuses what cannot be used, in the words for data in memory
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(X, pd.DataFrame):
        digest = hashlib.sha256(pd.util.hash_pandas_object(X, index=False).to_numpy().tobytes())
        path = folder / f"table-{digest.hexdigest()[:8]}.parquet"
        X.to_parquet(path, index=False)
    else:
        x = np.asarray(X)
        path = folder / f"array-{hashlib.sha256(np.ascontiguousarray(x).tobytes()).hexdigest()[:8]}.npy"
        np.save(path, x)
    return str(path)


def _concluded(tried: Sequence[Tried], best: Tried | None, data: World, held: World, home: Path) -> Discovery:
    """The answer: components of the data where they do as well as the best model, else the model's."""
    best, chosen, verdict = _chosen(tried, best, data)
    model = load(chosen.path)
    x, unseen = observed(model, data, LOOKED_AT), observed(model, held, LOOKED_AT)
    lone = alone(x, data.kind)
    rest = np.setdiff1d(np.arange(x.shape[1]), lone)
    first, new = principal(x[:, rest], len(rest)), unseen[:, rest]
    if best:
        again = rebuilt(model, held, LOOKED_AT)
        own = explained(new, again[:, rest])
        taken = sum(explained(unseen[:, [i]], again[:, [i]]) > axes.HELD**2 for i in lone)
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
        return _of_model(tried, best, chosen, model, data, (x, unseen), lone, why + more, home)
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
    return _of_data(tried, few, chosen, (x, unseen), lone, why + more, home)


def _chosen(tried: Sequence[Tried], best: Tried | None, data: World) -> tuple[Tried | None, Run, Verdict]:
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


def _of_model(
    tried: Sequence[Tried],
    best: Tried,
    chosen: Run,
    model: Autoencoder,
    data: World,
    rows: tuple[NDArray, NDArray],
    lone: list[int],
    why: str,
    home: Path,
) -> Discovery:
    x = rows[0]
    codes = {run.path: _live(run, verdict, data) for run, verdict in best.usable}
    (own, told), all_codes = codes[chosen.path], mean_codes(model, data, LOOKED_AT)
    live = np.flatnonzero(
        next(verdict for run, verdict in best.usable if run.path == chosen.path).live
    ).tolist()
    plain = axes.plain(own)
    turned = axes.turned(own, told, x, lone)
    seen = np.delete(x, lone, 1)
    factors = axes.others(_unrolled(turned, own), x, lone)
    if (same := axes.likeness(factors, seen)) >= SAME:
        why += (
            f" But its factors are independent components of the data, each at |r| = {same:.2f} or more, and these are "
            "simpler, the same every time, and exact."
        )
        return _of_data(tried, principal(seen, factors.shape[1]), chosen, rows, lone, why, home)
    others = [each for path, each in codes.items() if path != chosen.path]
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
        home,
        "autoencoder",
        why,
        [],
        chosen.path,
        live,
        components,
        all_codes.mean(0),
        _lines(tried, best),
        curves,
    )
    return described(made, unrolled(components.codes(own), curves), agreed[name], x, lone)


def _unrolled(components: Components, codes: NDArray) -> NDArray:
    """[n, k] factors of codes, pairs of which that lie on a curve are one."""
    found, curves = bent(components, codes)
    return unrolled(found.codes(codes), curves)


def _of_data(
    tried: Sequence[Tried],
    first: Components,
    chosen: Run,
    rows: tuple[NDArray, NDArray],
    lone: list[int],
    why: str,
    home: Path,
) -> Discovery:
    whole = np.concatenate(rows)  # nothing is chosen by what was held out any more
    rest = np.setdiff1d(np.arange(whole.shape[1]), lone)
    x, k = whole[:, rest], first.into.shape[1]
    stable = {
        "ica": [axes.independent_of(half, first) for half in axes.halves(x)],
        "pca": [principal(half, k) for half in axes.halves(x)],
    }
    sure = {name: agreement(*(each.codes(x) for each in both)) for name, both in stable.items()}
    kind: Any = "ica" if sure["ica"] >= min(STABLE, sure["pca"]) else "pca"
    components = axes.ordered(axes.independent_of(x, first), x) if kind == "ica" else axes.scaled(first, x)
    why += (
        f" Independent components of two halves of them agree at |r| = {sure['ica']:.2f}, so they are taken."
        if kind == "ica"
        else f" Independent components of two halves of them agree at |r| = {sure['ica']:.2f} only: factors may be "
        "Gaussian, and then only the space that they span is known; its principal components are taken."
    )
    agreed = np.mean([axes.agreements(components.codes(x), each.codes(x)) for each in stable[kind]], 0)
    mean, scale = means(whole), np.nanstd(whole[:, lone], axis=0)
    into = np.zeros((whole.shape[1], k + len(lone)))
    mean[rest], into[rest, :k] = components.mean, components.into
    back = np.zeros_like(into.T)
    back[:k, rest] = components.back
    for j, i in enumerate(lone):  # each of these columns is a component by itself
        into[i, k + j], back[k + j, i] = 1 / scale[j], scale[j]
    components = Components(mean, into, back)
    made = Discovery(home, kind, why, [], chosen.path, [], components, np.zeros(0), _lines(tried, None))
    agreed = np.concatenate([agreed, np.ones(len(lone))])
    return described(made, components.codes(whole), agreed, whole, lone)


def _principal(k: int) -> str:
    return f"{k} principal component" + ("s explain" if k > 1 else " explains")


def _lines(tried: Sequence[Tried], best: Tried | None) -> list[dict[str, Any]]:
    return [
        {
            "name": each.name,
            "steps": each.steps,
            "seeds": len(each.runs),
            "live": each.live,
            "held_out": each.held_out if each.recommendable else None,
            "spread": each.spread if each.recommendable and len(each.usable) > 1 else None,
            "verdicts": sorted({verdict.word for _, verdict in each.runs}),
            "kept": each is best,
        }
        for each in tried
    ]

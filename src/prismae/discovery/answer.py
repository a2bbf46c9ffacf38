"""`discover`: what varies in data, without labels, under a time budget."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prismae._text import percent
from prismae.data import World, world, world_names
from prismae.data.interchange import as_pandas
from prismae.data.kinds import Table
from prismae.data.layout import numbers
from prismae.data.paths import is_path, split_path
from prismae.data.rows import Rows
from prismae.discovery import axes
from prismae.discovery.alone import alone, varied
from prismae.discovery.curves import bent, unrolled
from prismae.discovery.described import described
from prismae.discovery.page import write_page
from prismae.discovery.result import Discovery, load_discovery, mean_codes, observed, rebuilt
from prismae.discovery.search import HELD_OUT, LATENTS, PARSIMONY, Search, Tried
from prismae.errors import InputError, Interrupted
from prismae.estimator import Autoencoder, load
from prismae.evaluation.baselines import Components, agreement, explained, gain_error, means, principal
from prismae.fields import Count, Positive, check_arguments
from prismae.runs.job import Job
from prismae.runs.observations import everything
from prismae.runs.run import Run
from prismae.runs.verdict import Verdict
from prismae.settings import as_plain, reading_of

FEWEST = 40  # observations, of which a tenth is held out
LOOKED_AT = 5_000  # observations that are encoded
AT_ONCE = 1_024  # rows of an array that are written together
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
    out: str | os.PathLike[str] = "runs",
    jobs: Count | None = None,
    progress: bool = True,
    **reading: Any,
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
        A table, array, or path of own data, or a world's name, as `prismae.world` takes them. What lies in memory is
        written beside the run folders, so that trainings find it.
    minutes
        Time that it may take.
    seeds
        Trainings of each promising candidate.
    out
        Where run folders are kept, and beside them ``discover-<name>`` with page.html.
    jobs
        Trainings at once, of one thread each; None: as many as there are processors.
    progress
        Whether what is done is said on standard error, and before it how the data are understood.
    reading
        How own data are read: ``factors`` (names of what is left out, as known), ``size``, ``series``, ``drop``,
        ``categorical``, ``missing`` … as `prismae.settings.Reading` describes them, but for ``holdout``, ``given`` and
        ``tokens``.

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
    read = {
        **vars(reading_of(reading, "discover", without=("holdout", "given", "tokens"))),
        "holdout": HELD_OUT,
    }
    source = _source(X, folder, read)
    job = Job("vae", source, steps=1, **read)
    whole = everything(as_plain(job))
    if whole.kind.elements == "words":
        raise InputError("discover finds what varies in numbers, and the observations are sentences.")
    if len(whole) < FEWEST:
        raise InputError(f"discover needs at least {FEWEST} observations, got {len(whole)}.")
    say(whole.describe())
    data, held = whole.split(HELD_OUT)
    search = Search(
        source, read, data, folder, 60 * minutes, seeds, jobs or os.cpu_count() or 1, say, progress
    )
    best = search.go()
    if best is None and not any(each.runs for each in search.tried):
        raise Interrupted("Stopped before any training was finished; the same command goes on from there.")
    where = str(Path(split_path(source)[0]).resolve()) if is_path(source) else source
    home = _home(folder / f"discover-{Path(data.name.replace(':', '-')).name}", where)
    found = replace(_concluded(search.tried, best, data, held, home), source=where)
    found.save()
    codes = found.transform(whole).set_axis(pd.Index(whole.called, name="name"))
    codes.to_parquet(home / "codes.parquet")
    say(f"page: {write_page(found, whole)}")
    return found


def _home(plain: Path, source: str) -> Path:
    """The folder of an answer: another than the plain one where that has the answer for other data of the same name."""
    with suppress(InputError):
        if load_discovery(plain).source not in ("", source):
            return plain.with_name(f"{plain.name}-{hashlib.sha256(source.encode()).hexdigest()[:8]}")
    return plain


def _source(X: Any, folder: Path, reading: Mapping[str, Any]) -> str:
    """The data as a job has them; those in memory are written to a file, so that jobs find them."""
    X = as_pandas(X)
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
    some = {name: value for name, value in reading.items() if value and name != "holdout"}
    world(X, **some)  # refuses what cannot be used, in the words for data in memory
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(X, pd.DataFrame):
        values = pd.util.hash_pandas_object(X, index=False).to_numpy().tobytes()
        digest = hashlib.sha256(repr([*X.dtypes.items()]).encode() + values)
        path = folder / f"table-{digest.hexdigest()[:8]}.parquet"
        X.to_parquet(path, index=False)
        return str(path)
    x = X if isinstance(X, Rows) else numbers(X, "World 'array'", gaps=True)
    part, digest = folder / "array.part.npy", hashlib.sha256(f"{x.dtype} {x.shape}".encode())
    written = np.lib.format.open_memmap(part, "w+", x.dtype, x.shape)
    for start in range(0, len(x), AT_ONCE):
        written[start : start + AT_ONCE] = rows = np.ascontiguousarray(x[start : start + AT_ONCE])
        digest.update(rows.tobytes())
    written.flush()
    return str(part.replace(folder / f"array-{digest.hexdigest()[:8]}.npy"))


def _concluded(tried: Sequence[Tried], best: Tried | None, data: World, held: World, home: Path) -> Discovery:
    """The answer: components of the data where they do as well as the best model, else the model's."""
    best, chosen, verdict = _chosen(tried, best, data)
    model = load(chosen.path)
    x, unseen = observed(model, data, LOOKED_AT), observed(model, held, LOOKED_AT)
    lone = alone(x, data.kind)
    rest = np.setdiff1d(np.arange(x.shape[1]), lone)
    if not len(varied(x[:, rest])):
        return _of_columns(tried, chosen, np.concatenate([x, unseen]), home)
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
    components = axes.ordered(axes.independent_of(x, first), x)
    loose = axes.adrift(components.codes(x))
    kind: Any = "ica" if sure["ica"] >= min(STABLE, sure["pca"]) and not loose.all() else "pca"
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
    apart = _columns(whole, lone)
    mean, into, back = apart.mean, np.zeros((whole.shape[1], k)), np.zeros((k, whole.shape[1]))
    mean[rest], into[rest], back[:, rest] = components.mean, components.into, components.back
    both = Components(mean, np.hstack([into, apart.into]), np.vstack([back, apart.back]))
    made = Discovery(home, kind, why, [], chosen.path, [], both, np.zeros(0), _lines(tried, None))
    agreed = np.concatenate([agreed, np.ones(len(lone))])
    loose = np.concatenate([loose, np.zeros(len(lone), bool)])
    return described(made, both.codes(whole), agreed, whole, lone, loose)


def _of_columns(tried: Sequence[Tried], chosen: Run, whole: NDArray, home: Path) -> Discovery:
    """The answer where no two columns go together."""
    lone = varied(whole).tolist()
    why = (
        "No column tells as much as 5 % of the variance of another, so nothing that was found is behind several: "
        "each is noise, or a factor of its own."
    )
    components = _columns(whole, lone)
    made = Discovery(home, "columns", why, [], chosen.path, [], components, np.zeros(0), _lines(tried, None))
    return described(made, components.codes(whole), np.ones(len(lone)), whole, lone)


def _columns(x: NDArray, which: list[int]) -> Components:
    """Columns of x [n, d], each a component by itself."""
    scale, k = np.nanstd(x[:, which], axis=0), range(len(which))
    into, back = np.zeros((x.shape[1], len(which))), np.zeros((len(which), x.shape[1]))
    into[which, k], back[k, which] = 1 / scale, scale
    return Components(means(x), into, back)


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

"""`discover`: what varies in data, without labels, under a time budget."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prismae.data import World, world, world_names
from prismae.data.interchange import as_pandas
from prismae.data.layout import numbers
from prismae.data.paths import is_path, split_path
from prismae.data.rows import Rows
from prismae.discovery.conclusion import concluded
from prismae.discovery.page import write_page
from prismae.discovery.result import Discovery, load_discovery
from prismae.discovery.search import HELD_OUT, Search
from prismae.errors import InputError, Interrupted
from prismae.fields import Count, Positive, check_arguments
from prismae.runs.job import Job
from prismae.runs.observations import everything
from prismae.settings import as_plain, reading_of

FEWEST = 40  # observations, of which a tenth is held out
AT_ONCE = 1_024  # rows of an array that are written together


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
    found = replace(concluded(search.tried, best, data, held, home), source=where)
    found.save()
    codes = found.transform(whole).set_axis(pd.Index(whole.called, name="name"))
    codes.to_parquet(home / "codes.parquet")
    write_page(found, whole)
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

"""What was discovered: independent components of a model's live latents, or of the data themselves."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NotRequired

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from prismae._files import write_file, written_whole
from prismae.data import World
from prismae.data.layout import numbers
from prismae.discovery.curves import Curve, rolled, unrolled
from prismae.errors import InputError
from prismae.estimator import Autoencoder, Observations, load
from prismae.evaluation.baselines import Components
from prismae.runs.files import read_arrays

ABOUT, COMPONENTS = "discovery.json", "components.npz"


@dataclass(frozen=True)
class Factor:
    """One factor that was found.

    Parameters
    ----------
    name
        "f0", "f1" …, those that explain most first.
    share
        The share of the variance of what is rebuilt that is due to it, alone and with others (its total effect).
    agreement
        Absolute correlation with its counterpart in the other seeds, or in components of halves of the data; the mean.
    moves
        For a table, columns in the order of how far they move, with their values at -1.5 and 1.5 deviations.
    column
        The column that it is, where that goes with no other column: noise, or a factor of which nothing else tells. A
        category of k values is k - 1 factors of its name.
    loose
        Whether it has no axis of its own: it and others are as near to Gaussian as chance, so that they may be turned.
    """

    name: str
    share: float
    agreement: float
    moves: list[tuple[str, Any, Any]]
    column: str = ""
    loose: bool = False

    @property
    def sure(self) -> str:
        """How sure it is, in a word."""
        if self.loose:
            return "unsure"
        return "sure" if self.agreement >= 0.9 else "likely" if self.agreement >= 0.7 else "unsure"


@dataclass(frozen=True)
class Discovery:
    """What was found in data; it encodes new ones.

    Parameters
    ----------
    folder
        Where it is kept: page.html, discovery.json, components.npz, codes.parquet; run folders lie beside it.
    kind
        "autoencoder": factors are independent components of a model's live latents (or these themselves); "ica",
        "pca": components of the data, which do as well here; "columns": no two columns of a table go together.
    why
        Why that kind, in a sentence.
    factors
        The factors.
    run
        The run folder of the model that is kept; of "ica" and "pca" it reads the data and gives them back.
    live
        Indices of its latents that factors are made of; none for "ica" and "pca".
    components
        Factors from these latents, or from the data as vectors.
    resting
        [m] mean codes of the model.
    tried
        A line for each candidate.
    curves
        Factors that take two components: the place on a curve through them.
    source
        What it was made of: a world's name, or the whole path of own data.
    """

    folder: Path
    kind: Literal["autoencoder", "ica", "pca", "columns"]
    why: str
    factors: list[Factor]
    run: Path
    live: list[int]
    components: Components
    resting: NDArray[np.floating]
    tried: list[dict[str, Any]]
    curves: list[Curve] = field(default_factory=list)
    source: str = ""

    @property
    def count(self) -> str:
        """How many factors there are, in words."""
        columns = [*dict.fromkeys(each.column for each in self.factors if each.column)]
        n = sum(not each.column for each in self.factors)
        said = f"{n} factor{'s' * (n != 1)}"
        if not columns:
            return said
        if not n:
            return f"No column goes with another: {', '.join(columns)}"
        each = "a column that goes" if len(columns) == 1 else f"{len(columns)} columns that go"
        return f"{said}, and {each} with no other: {', '.join(columns)}"

    @cached_property
    def model(self) -> Autoencoder:
        """The model that is kept."""
        return load(self.run)

    def transform(self, X: Observations) -> pd.DataFrame:
        """Factors [n, k] of observations, each of about mean 0 and deviation 1 on the data of the discovery; a table
        keeps its index."""
        model = self.model
        if self.kind == "autoencoder":
            inner = model.transform(X)[:, self.live]
        else:
            inner = model.read(X, sys.maxsize).flatten(1).numpy()
        found = unrolled(self.components.codes(inner), self.curves)
        index = X.index if isinstance(X, pd.DataFrame) else None
        return pd.DataFrame(found, index, [each.name for each in self.factors])

    def inverse_transform(self, factors: Any) -> Any:
        """Expected observations of factors [n, k], in the user's units; what is no factor stays at its mean.

        Columns that are named as the factors may stand in any order, and the index of such a table is kept.
        """
        names = [each.name for each in self.factors]
        if isinstance(factors, pd.DataFrame) and sorted(map(str, factors.columns)) == sorted(names):
            factors = factors[names]
        given = np.asarray(factors)
        if given.ndim != 2 or given.shape[1] != len(names):
            raise InputError(f"Factors have shape {given.shape}, expected [n, {len(names)}].")
        given = numbers(given, "Factors")
        form = self.model._form
        back = form.given_back(self.seen(given.astype(float)).reshape(len(given), *form.seen))
        if isinstance(back, pd.DataFrame) and isinstance(factors, pd.DataFrame):
            return back.set_axis(factors.index)
        return back

    def seen(self, factors: NDArray) -> NDArray[np.float32]:
        """[n, d] the same as vectors, in the network's units."""
        inner = self.components.decoded(rolled(factors, self.curves)).astype(np.float32)
        if self.kind != "autoencoder":
            return inner
        codes = np.tile(self.resting, (len(factors), 1)).astype(np.float32)
        codes[:, self.live] = inner
        return generated(self.model, codes)

    def save(self) -> None:
        """Write discovery.json and components.npz."""
        self.folder.mkdir(parents=True, exist_ok=True)
        about = {
            "kind": self.kind,
            "why": self.why,
            "factors": [asdict(each) for each in self.factors],
            "run": str(self.run),
            "live": self.live,
            "tried": self.tried,
            "curves": [asdict(each) for each in self.curves],
            "source": self.source,
        }
        write_file(self.folder / ABOUT, (json.dumps(about, indent=1, default=_plain) + "\n").encode())
        own = self.components
        with written_whole(self.folder / COMPONENTS) as part:
            np.savez(part, mean=own.mean, into=own.into, back=own.back, resting=self.resting)


@with_config(ConfigDict(extra="allow"))
class Record(TypedDict):
    """What discovery.json says."""

    kind: Literal["autoencoder", "ica", "pca", "columns"]
    why: str
    factors: list[Factor]
    run: str
    live: list[int]
    tried: list[dict[str, Any]]
    curves: NotRequired[list[Curve]]
    source: NotRequired[str]


def load_discovery(folder: Path | str) -> Discovery:
    """What `discover` left in a folder.

    Raises
    ------
    InputError
        If there is none, or a file of it is damaged: the sentence names the file and what is wrong.
    """
    path = Path(folder)
    if not all(os.path.isfile(path / name) for name in (ABOUT, COMPONENTS)):
        raise InputError(f"{str(path)!r} holds no discovery: give the folder that `prismae discover` wrote.")
    try:
        about = TypeAdapter(Record).validate_json((path / ABOUT).read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "it"
        raise InputError(
            f"{path / ABOUT} is damaged ({place}: {first['msg']}): run `prismae discover` again."
        ) from None
    arrays, factors = read_arrays(path / COMPONENTS), about["factors"]
    if missing := {"mean", "into", "back", "resting"} - arrays.keys():
        raise InputError(f"{path / COMPONENTS} is damaged: it has no {', '.join(sorted(missing))}.")
    components = Components(arrays["mean"], arrays["into"], arrays["back"])
    curves = about.get("curves", [])
    resting, d, k = arrays["resting"], arrays["mean"].size, len(factors) + len(curves)
    shapes = {"mean": (d,), "into": (d, k), "back": (k, d), "resting": (resting.size,)}
    wrong = [
        name
        for name, shape in shapes.items()
        if arrays[name].shape != shape or arrays[name].dtype.kind != "f"
    ]
    live = about["live"]
    if wrong or not all(0 <= each < resting.size for each in live):
        what = f"{', '.join(wrong)} {'does' if len(wrong) == 1 else 'do'}" if wrong else "its live latents do"
        raise InputError(
            f"{path / COMPONENTS} is damaged: {what} not fit the {len(factors)} factors of {ABOUT}."
        )
    faults = [fault for each in curves if (fault := each.fault(k))]
    firsts = sorted(each.first for each in curves)
    if any(after - before < 2 for before, after in pairwise(firsts)):
        faults.append("two curves take the same component")
    if len({each.name for each in factors}) < len(factors):
        faults.append("two factors have one name")
    if about["kind"] == "autoencoder" and len(live) != d:
        faults.append(f"live names {len(live)} latents, and components are made of {d}")
    if faults:
        raise InputError(f"{path / ABOUT} is damaged ({'; '.join(faults)}): run `prismae discover` again.")
    run = Path(about["run"])
    run = run if os.path.exists(run) else path.parent / run.name
    return Discovery(
        path,
        about["kind"],
        about["why"],
        factors,
        run,
        live,
        components,
        resting,
        about["tried"],
        curves,
        about.get("source", ""),
    )


def observed(model: Autoencoder, world: World, n: int) -> NDArray:
    """Up to n evenly spaced observations as vectors [n, d], as the network sees them."""
    return model.read(world, n).flatten(1).numpy()


def mean_codes(model: Autoencoder, world: World, n: int) -> NDArray:
    """[n, m] their mean codes."""
    with torch.no_grad():
        return torch.cat([model.net_.encode(x).mean for x in model.read(world, n).split(256)]).numpy()


def rebuilt(model: Autoencoder, world: World, n: int) -> NDArray:
    """[n, d] what is rebuilt of up to n observations, as vectors."""
    return generated(model, mean_codes(model, world, n))


def generated(model: Autoencoder, codes: NDArray) -> NDArray[np.float32]:
    """[n, d] what codes [n, m] are decoded to, as vectors."""
    with torch.no_grad():
        parts = [model.net_.generate(z).flatten(1) for z in torch.from_numpy(codes).split(256)]
        return torch.cat(parts).numpy()


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else str(value)

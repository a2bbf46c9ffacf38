"""All latents on sliders at once: the decoder itself, small enough to be evaluated in a page."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from prismae.errors import in_a_sentence
from prismae.runs.files import WEIGHTS, place
from prismae.runs.latents import LISTED
from prismae.runs.run import Run
from prismae.views._shown import shown

LIMIT = 8_000_000  # bytes of weights as float16
SIZE = 65_536  # elements of an observation: more take too long to draw at each move
KINDS = {
    "linear", "conv-transpose", "reshape", "affine", "relu", "selu", "tanh", "sigmoid", "columns", "beside", "put",
}  # fmt: skip


class NoExplorer(Exception):
    """Why the sliders of a run cannot be combined, as a part of a sentence."""


def explorer(run: Run) -> dict[str, Any]:
    """What the page needs to decode any setting of the latents, as plain JSON data.

    Returns
    -------
    `kind` "images", "series" or "table"; `shape` of an observation; `decoder`, see `pack`; the first 100 `latents` in
    the order in which they are shown, each with `index`, `name`, `dead`, `low` and `high`, and `levels` where it takes
    one of few values; `base` [m], the codes to start with; `codes` [r, m] of the observations whose elements are
    `originals`, base64 of float16, and whose names are `names`; for images `ends`, the elements that are drawn black
    and white; for series `lanes`, for each channel its name with its range in the user's units ("" where there is one
    channel only), its least and its greatest element; and for tables `features`, a name, mean and standard deviation
    each, and the scale and shift that bring it into the user's units; the last `categories` of them are shares.

    Raises
    ------
    NoExplorer
        When the run lacks what is needed, or the decoder is too large or has a layer that the page does not know.
    InputError
        When weights.safetensors or decoder.json is damaged.
    """
    pictures = run.pictures
    lacking = {"base", "shown_codes", "originals", "traversals", "traversal_values"} - pictures.keys()
    if lacking or run.latents is None:
        raise NoExplorer("the run was made before the codes that they start from were kept")
    originals, values, codes = pictures["originals"], pictures["traversal_values"], pictures["shown_codes"]
    shape = originals.shape[1:]
    if run.shown.kind == "volumes":
        raise NoExplorer("the page cannot compute volumes")
    if originals[0].size > SIZE:
        raise NoExplorer(f"an observation has {originals[0].size:,} elements, more than {SIZE:,}")
    if np.nanmax(np.abs(originals)) > np.finfo(np.float16).max:
        raise NoExplorer("elements of observations are too large for the page")
    lows, highs = values.min(axis=1), values.max(axis=1)
    lows, highs = np.minimum(lows, codes.min(axis=0)), np.maximum(highs, codes.max(axis=0))
    levels = pictures.get("levels")
    kind = shown(run)
    if set(kind.explored) - pictures.keys():
        raise NoExplorer("the run was made before means and deviations of columns were kept")
    found: dict[str, Any] = {
        "kind": run.shown.kind,
        "shape": list(shape),
        "decoder": pack(run),
        "latents": [
            {"index": int(i), "name": f"z{i}", "dead": bool(run.latents.dead[i])}
            | {"low": round(float(lows[i]), 4), "high": round(float(highs[i]), 4)}
            | ({"levels": np.round(levels[i].astype(float), 4).tolist()} if levels is not None else {})
            for i in run.latents.order[:LISTED]
        ],
        "base": [round(float(value), 4) for value in pictures["base"]],
        "codes": np.round(codes.astype(float), 4).tolist(),
        "originals": halves(originals),
        "names": run.shown.called("shown_rows", len(originals)),
    }
    return found | kind.to_explore(
        run, [each.reshape(-1, *shape) for each in (pictures["traversals"], originals)]
    )


def pack(run: Run) -> dict[str, Any]:
    """The decoder of a run: `layers` as in decoder.json, arrays as [offset, size] into `data`, base64 of float16.

    Raises
    ------
    NoExplorer, InputError
        As for `explorer`.
    """
    path = run.path / "decoder.json"
    if not path.exists():
        raise NoExplorer("the run folder has no decoder.json")
    broken = (OSError, ValueError, KeyError, TypeError)
    with in_a_sentence(f"{path} is damaged", *broken, then="remove it and write the report again"):
        layers = json.loads(path.read_text(encoding="utf-8"))["layers"]
        unknown = sorted({layer["kind"] for layer in layers} - KINDS)
        names = [layer[key] for layer in layers for key in ("weight", "bias") if layer.get(key)]
    if unknown:
        raise NoExplorer(f"the page cannot compute the decoder's layer {unknown[0]}")
    weights = _read_weights(run, names)
    bytes_needed = 2 * sum(array.size for array in weights.values())
    if bytes_needed > LIMIT:
        raise NoExplorer(
            f"the decoder takes {bytes_needed / 1e6:.1f} MB as float16, more than {LIMIT / 1e6:.0f} MB"
        )
    places: dict[str, list[int]] = {}
    start = 0
    for name, array in weights.items():
        places[name] = [start, array.size]
        start += array.size
    packed = [dict(layer) for layer in layers]
    for layer in packed:
        if "weight" in layer:
            layer["size"] = list(weights[layer["weight"]].shape)
            layer |= {key: places[layer[key]] for key in ("weight", "bias") if layer[key]}
    flat = np.concatenate([array.ravel() for array in weights.values()])
    return {"layers": packed, "data": halves(flat)}


def _read_weights(run: Run, names: list[str]) -> dict[str, NDArray]:
    path = place(run.path, WEIGHTS)
    broken = (OSError, ValueError, KeyError, SafetensorError)
    with in_a_sentence(f"{path} is damaged or does not fit decoder.json", *broken, then="fit the run again"):
        arrays = load_file(path)
        return {name: arrays[name] for name in names}


def halves(values: NDArray) -> str:
    """Numbers as base64 of little-endian float16; those beyond its range become its largest."""
    most = float(np.finfo(np.float16).max)
    return base64.b64encode(np.clip(values, -most, most).astype("<f2").tobytes()).decode()

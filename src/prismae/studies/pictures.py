"""What the report draws of a model: reconstructions, what each latent does, and how the codes lie."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import differential_entropy, entropy
from torch import Tensor

from prismae.data import World
from prismae.data.storage import spaced
from prismae.latent.gaussian import Gaussian
from prismae.metrics import mutual_information_matrix
from prismae.nets.autoencoder import AutoencoderNet

PAIRS = 8
FRAMES = 11
POINTS = 10_000  # observations that codes are taken of
MEASURED = 2_000  # of these, whose reconstruction errors are measured
MOVED = 32  # of these, whose latents are moved to see what they change
END = 0.02  # share of a code's range that counts as its end

Arrays = dict[str, NDArray]


def pictures(net: AutoencoderNet, world: World) -> Arrays:
    """Arrays behind a run's figures, of up to 10,000 observations drawn with a fixed seed.

    Returns
    -------
    dict
        ``originals``, ``reconstructions`` [r, *shape], ``shown_codes`` [r, m], ``shown_rows`` [r] what these
        observations are called (see `World.names`); ``traversals`` [m, t, *shape] with
        ``traversal_values`` [m, t]: each latent moved from its 2nd to its 98th percentile, the others as in ``base``
        [m], the code nearest to the codes' median; what `latents`, `effects`, `errors` and `information` return; and
        ``feature_names`` [d] of a table.
    """
    rows = drawn_rows(world, POINTS)
    codes, kl = encoded(net, world, rows)
    with torch.no_grad():
        shown_rows = rows[spaced(len(rows), PAIRS)]
        shown = world.data[shown_rows]
        shown_codes = net.encode(shown).mean
        low, high = torch.quantile(codes, torch.tensor([0.02, 0.98]), dim=0)
        base = codes[(codes - codes.median(0).values).square().sum(1).argmin()]
        values = torch.stack(
            [torch.linspace(a, b, FRAMES) for a, b in zip(low.tolist(), high.tolist(), strict=True)]
        )
        moved = base.repeat(*values.shape, 1)  # [m, t, m]
        for i, column in enumerate(values):
            moved[i, :, i] = column
        arrays = {
            "originals": shown,
            "reconstructions": net.generate(shown_codes),
            "shown_codes": shown_codes,
            "traversals": net.generate(moved.flatten(0, 1)).unflatten(0, values.shape),
            "traversal_values": values,
            "base": base,
        }
    drawn = {name: tensor.numpy() for name, tensor in arrays.items()}
    drawn["shown_rows"] = world.called[shown_rows.numpy()]
    drawn |= latents(codes.numpy(), kl)
    drawn |= effects(net, codes[spaced(len(codes), MOVED)], low, high)
    drawn |= errors(net, world, rows[spaced(len(rows), MEASURED)])
    if world.kind.element_names:
        drawn["feature_names"] = np.array(world.kind.element_names)
    return drawn | information(codes.numpy(), world, rows)


def drawn_rows(world: World, n: int, seed: int = 0) -> Tensor:
    """Indices of up to n observations, drawn without replacement, in their order."""
    return torch.from_numpy(np.sort(np.random.default_rng(seed).permutation(len(world))[:n]))


def encoded(net: AutoencoderNet, world: World, rows: Tensor) -> tuple[Tensor, NDArray | None]:
    """Mean codes [n, m] of observations, and the mean KL(q(z_i|x) || N(0, 1)) [m], nats; None without a density."""
    codes, kl = [], []
    with torch.no_grad():
        for part in rows.split(1024):
            posterior = net.encode(world.data[part])
            codes.append(posterior.mean)
            if isinstance(posterior, Gaussian):
                kl.append(posterior.kl_to_standard())
    return torch.cat(codes), torch.cat(kl).mean(0).numpy() if kl else None


def latents(codes: NDArray, kl: NDArray | None) -> Arrays:
    """Which latents carry information, and which carry the same; needs no factors.

    Parameters
    ----------
    codes
        [n, m] mean codes.
    kl
        [m] mean KL(q(z_i|x) || N(0, 1)), nats; None where the posterior has no density.

    Returns
    -------
    dict
        ``spread`` [m], standard deviation; ``code_entropy`` [m], differential entropy in nats (from spacings,
        by SciPy), minus infinity where a code is constant and NaN for fewer than 5 observations; ``kl`` [m] if given;
        ``correlation`` [m, m], of Pearson, 0 for constant codes; ``at_ends`` [m], the share of observations within
        2 % of the code's range from its least or greatest value (0.04 for a uniform code).
    """
    low, high = codes.min(0), codes.max(0)
    margin = END * (high - low)
    spread = codes.std(0, ddof=1)
    varies = np.ptp(codes, axis=0) > 0
    standardised = np.divide(codes - codes.mean(0), spread, out=np.zeros_like(codes), where=varies)
    with np.errstate(divide="ignore", invalid="ignore"):  # equal values have no spacing
        entropies = differential_entropy(codes.astype(np.float64)) if len(codes) >= 5 else np.nan
    found = {
        "spread": spread,
        "code_entropy": np.where(varies, entropies, -np.inf),
        "correlation": standardised.T @ standardised / (len(codes) - 1),
        "at_ends": np.where(varies, ((codes <= low + margin) | (codes >= high - margin)).mean(0), 0.0),
    }
    return found if kl is None else found | {"kl": kl}


def effects(net: AutoencoderNet, codes: Tensor, low: Tensor, high: Tensor) -> Arrays:
    """How far each latent moves each element of an observation.

    Each latent of the given codes [n, m] takes its value in `low` [m] and in `high` [m], the others stay.

    Returns
    -------
    dict
        ``effects`` [m, *shape]: mean absolute difference of what the decoder makes of the two, in the data's units.
    """
    found = []
    with torch.no_grad():
        for i in range(codes.shape[1]):
            ends = []
            for end in (low, high):
                moved = codes.clone()
                moved[:, i] = end[i]
                ends.append(net.generate(moved))
            found.append((ends[1] - ends[0]).abs().mean(0))
    return {"effects": torch.stack(found).numpy()}


def errors(net: AutoencoderNet, world: World, rows: Tensor) -> Arrays:
    """Reconstruction error of each of the given observations, and those that are rebuilt worst.

    Returns
    -------
    dict
        ``errors`` [n], squared error per element in units of the world's variance; ``mean_error`` [], what these would
        be on average if the mean of these observations stood for each; ``worst``, ``worst_reconstructions`` [r, *shape]
        and ``worst_rows`` [r], the observations of the largest errors and what these are called (see `World.names`);
        for series and tables ``element_mean`` and ``element_std`` [d] of the observations.
    """
    found, sums = [], []
    shift = world.data[rows[:1]]  # so that squares of large values do not cancel
    total, squares = torch.zeros(world.shape, dtype=torch.float64), 0.0
    with torch.no_grad():
        for part in rows.split(1024):
            x = world.data[part]
            again = net.generate(net.encode(x).mean)
            found.append((again - x).square().flatten(1).mean(1) / net.std.square())
            total += (x - shift).sum(0, dtype=torch.float64)
            squares += float((x - shift).square().sum(dtype=torch.float64))
            sums.append(x if x.ndim == 2 else x[:0])
        error = torch.cat(found)
        of_mean = (squares - float(total.square().sum()) / len(rows)) / (len(rows) * total.numel())
        worst = rows[error.argsort(descending=True, stable=True)[:PAIRS]]
        arrays = {
            "errors": error,
            "mean_error": of_mean / net.std.square(),
            "worst": world.data[worst],
            "worst_reconstructions": net.generate(net.encode(world.data[worst]).mean),
        }
        if len(world.shape) == 1:
            seen = torch.cat(sums).double()
            arrays |= {"element_mean": seen.mean(0), "element_std": seen.std(0)}
    found_arrays = {name: np.asarray(each) for name, each in arrays.items()}
    return found_arrays | {"worst_rows": world.called[worst.numpy()]}


def information(codes: NDArray, world: World, rows: Tensor) -> Arrays:
    """How much codes [n, m] of the given rows know of the factors; nothing without factors.

    Returns
    -------
    dict
        ``mutual_information`` [m, k] in nats, ``factor_entropies`` [k], ``factor_names`` [k].
    """
    if world.factors is None:
        return {}
    factors = world.factors[rows.numpy()]
    return {
        "mutual_information": mutual_information_matrix(codes, factors),
        "factor_entropies": np.array([entropy(np.unique(f, return_counts=True)[1]) for f in factors.T]),
        "factor_names": np.array(world.factor_names),
    }

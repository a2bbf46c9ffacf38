"""Further views of a finished run, made when asked for: a manifold, clusters, a t-SNE of the codes, prior samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.manifold import TSNE

from prismae._random import Draws
from prismae.data import Texts, World
from prismae.errors import InputError, unknown_name
from prismae.methods import Clustering, Method
from prismae.nets.autoencoder import AutoencoderNet
from prismae.nets.text import TextAutoencoderNet
from prismae.studies.decoder import DECODER, describe_decoder
from prismae.studies.pictures import MEASURED, Arrays, drawn_rows, encoded, pictures
from prismae.studies.texts import texts
from prismae.train import RunFolder
from prismae.train.run_folder import JOB, PICTURES

SAMPLES = 32
SIDE = 8  # of the manifold's grid
CLUSTERS = 10  # of k-means, where the method has no assignments of its own
VIEWS = ("pictures", "manifold", "clusters", "samples", "tsne")
OF_TEXTS = ("pictures", "tsne")


def add_views(
    folder: RunFolder,
    views: Sequence[str],
    data: World,
    *,
    seed: int = 0,
    corners: Sequence[int] | None = None,
    points: int = MEASURED,
) -> None:
    """Compute views of a finished run and keep their arrays in its pictures.npz, beside those already there.

    Parameters
    ----------
    views
        Which of "pictures" (what every run ends with), "manifold", "clusters", "samples", "tsne".
    data
        What the run was trained on.
    seed
        Seed of what is drawn: corners, clusters, samples, points.
    corners
        Four observations for the manifold, by their numbers in the data (see `World.names`; images of a folder, by
        their place in the order of paths); drawn by default.
    points
        Codes in the t-SNE.

    Raises
    ------
    InputError
        For an unknown view, or a method that has no prior to sample from.
    """
    for view in views:
        if view not in VIEWS:
            raise unknown_name("view", view, VIEWS)
    method, trained = folder.load()
    net = trained.ae
    if isinstance(net, TextAutoencoderNet):
        refused = [view for view in views if view not in OF_TEXTS]
        if refused:
            raise InputError(f"Texts have no {refused[0]}: expected one of {', '.join(OF_TEXTS)}.")
    make: dict[str, Callable[[], Arrays]] = {
        "pictures": partial(_first, method, net, data),
        "manifold": partial(manifold, net, data, seed=seed, corners=corners),
        "clusters": partial(clusters, method, net, data, seed=seed),
        "samples": partial(samples, method, net, folder.read_json(JOB)["n_latents"], seed=seed),
        "tsne": partial(tsne, net, data, points=points, seed=seed),
    }
    found = read_pictures(folder)
    for view in views:
        found |= make[view]()
    folder.write_json(DECODER, describe_decoder(net))
    folder.write_arrays(PICTURES, found)


def complete(folder: RunFolder, data: World) -> None:
    """Compute every view that a finished run lacks, the t-SNE too; those that are there stay as they are."""
    method = folder.load()[0]
    first = {"pictures": "effects", "manifold": "manifold", "clusters": "clusters", "tsne": "tsne"}
    first |= {"samples": "samples"} if method.has_prior else {}
    if isinstance(data.kind, Texts):
        first = {"pictures": "sentences", "tsne": "tsne"}
    found = read_pictures(folder)
    missing = [view for view, array in first.items() if array not in found]
    if missing or not (folder.path / DECODER).exists():
        add_views(folder, missing, data)


def all_but_slow(method: Method, net: AutoencoderNet, world: World) -> Arrays:
    """What every run ends with: `pictures` and each view that takes little time, so all but the t-SNE."""
    found = _first(method, net, world)
    if isinstance(net, TextAutoencoderNet):
        return found
    found |= manifold(net, world) | clusters(method, net, world)
    return found | samples(method, net, len(found["base"])) if method.has_prior else found


def _first(method: Method, net: AutoencoderNet, world: World) -> Arrays:
    return texts(method, net, world) if isinstance(net, TextAutoencoderNet) else pictures(net, world)


def read_pictures(folder: RunFolder) -> Arrays:
    """The arrays that a run folder holds; none if there is no file."""
    path = folder.path / PICTURES
    if not path.exists():
        return {}
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def manifold(
    net: AutoencoderNet, world: World, *, seed: int = 0, corners: Sequence[int] | None = None
) -> Arrays:
    """What lies between four observations: codes interpolated bilinearly between theirs, and decoded.

    The view of HGMVAE's Fig. 5 b ("give four images at corners"); that the interpolation is bilinear in the mean
    codes is our reading.

    Returns
    -------
    dict
        ``manifold`` [g, g, *shape], ``manifold_corners`` [4, *shape] the observations (upper left, upper right,
        lower left, lower right) and ``manifold_rows`` [4] what these are called.
    """
    if corners is None:
        rows = np.random.default_rng(seed).choice(len(world), 4, replace=len(world) < 4)
    else:
        rows = _places(world, corners)
    with torch.no_grad():
        x = world.data[torch.from_numpy(rows)]
        left_right = torch.linspace(0, 1, SIDE)[None, :, None]
        top_bottom = torch.linspace(0, 1, SIDE)[:, None, None]
        a, b, c, d = net.encode(x).mean
        top, bottom = torch.lerp(a, b, left_right), torch.lerp(c, d, left_right)  # [1, g, m]
        frames = net.generate(torch.lerp(top, bottom, top_bottom).flatten(0, 1))
    return {
        "manifold": frames.unflatten(0, (SIDE, SIDE)).numpy(),
        "manifold_corners": x.numpy(),
        "manifold_rows": world.called[rows],
    }


def _places(world: World, corners: Sequence[int]) -> NDArray:
    """Where the observations of these numbers stand in the world."""
    named = world.called
    numbers = named if np.issubdtype(named.dtype, np.integer) else np.arange(len(world))
    found = [np.flatnonzero(numbers == corner) for corner in corners]
    lacking = [corner for corner, place in zip(corners, found, strict=True) if not len(place)]
    if len(corners) != 4 or lacking:
        held_out = numbers.max() >= len(world) and any(0 <= each <= numbers.max() for each in lacking)
        raise InputError(
            f"Corners should be four numbers of observations between 0 and {numbers.max()}, got "
            f"{', '.join(map(str, corners))}"
            + (f": {', '.join(map(str, lacking))} held out, not trained on." if held_out else ".")
        )
    return np.concatenate(found)


def clusters(method: Method, net: AutoencoderNet, world: World, *, seed: int = 0) -> Arrays:
    """The mean observation of each cluster, over up to 2,000 observations.

    Clusters are those that the method assigns, each observation to the most probable; else those of k-means on the
    mean codes.

    Returns
    -------
    dict
        ``clusters`` [k, *shape] mean observations (of the clusters that have any), ``cluster_sizes`` [k],
        ``cluster_source`` a sentence's part that says where the clusters come from.
    """
    rows = drawn_rows(world, MEASURED, seed)
    if isinstance(method, Clustering):
        with torch.no_grad():
            shares = [method.responsibilities(net, world.data[part]) for part in rows.split(1024)]
        labels, source = torch.cat(shares).argmax(1).numpy(), f"assignments of {method.called()}"
    else:
        k = min(CLUSTERS, len(rows))
        codes = encoded(net, world, rows)[0].numpy()
        labels, source = (
            KMeans(k, n_init=3, random_state=seed).fit_predict(codes),
            f"k-means of the codes, k = {k}",
        )
    kept, sizes = np.unique(labels, return_counts=True)
    x = world.data[rows].numpy()
    return {
        "clusters": np.stack([x[labels == label].mean(0) for label in kept]),
        "cluster_sizes": sizes,
        "cluster_source": np.array(source),
    }


def samples(method: Method, net: AutoencoderNet, n_latents: int, *, seed: int = 0) -> Arrays:
    """Observations decoded from codes of the method's own prior.

    Returns
    -------
    dict
        ``samples`` [32, *shape], expected observations.

    Raises
    ------
    InputError
        For a method that has no prior.
    """
    if not method.has_prior:
        raise InputError(f"{method.called()} has no prior, so no codes can be drawn from it.")
    with Draws(seed), torch.no_grad():
        return {"samples": net.generate(method.prior_sample(net, n_latents, SAMPLES)).numpy()}


def tsne(net: AutoencoderNet, world: World, *, points: int = MEASURED, seed: int = 0) -> Arrays:
    """t-SNE of mean codes in the plane (van der Maaten and Hinton 2008), started from their principal components.

    Returns
    -------
    dict
        ``tsne`` [n, 2], ``tsne_rows`` [n] what the observations are called; with known factors ``tsne_factors``
        [n, k] and ``tsne_names`` [k].
    """
    if points < 10:
        raise InputError(f"A t-SNE needs at least 10 points, got {points}.")
    rows = drawn_rows(world, points, seed)
    if len(rows) < 10:
        raise InputError(f"A t-SNE needs at least 10 observations, but the world has {len(rows)}.")
    codes = encoded(net, world, rows)[0].numpy()
    method = TSNE(perplexity=min(30.0, (len(rows) - 1) / 3), init="pca", random_state=seed)
    found = {"tsne": method.fit_transform(codes), "tsne_rows": world.called[rows.numpy()]}
    if world.factors is not None:
        found |= {"tsne_factors": world.factors[rows.numpy()], "tsne_names": np.array(world.factor_names)}
    return found

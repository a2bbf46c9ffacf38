"""The scikit-learn face: fit, transform, inverse_transform."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from prismae.control import Controller, controller
from prismae.data import World, world
from prismae.data.arrays import as_observations
from prismae.errors import InputError
from prismae.methods import Method, method
from prismae.train import RunFolder, train
from prismae.train.build import choose_likelihood, choose_net
from prismae.train.loop import Precision, Trained
from prismae.train.run_folder import JOB, describe, machine


class Autoencoder(TransformerMixin, BaseEstimator):
    """An autoencoder whose codes split the data into its factors of variation.

    Parameters
    ----------
    method
        A `Method`, such as ``EDGCAE(sigma_max=0.4)``, or the name of one with its default fields.
    n_latents
        Size of the code, m.
    net, likelihood
        Names of network and likelihood; "auto" chooses by method and data.
    steps, batch
        Autoencoder updates, and observations in each.
    lr
        Learning rate; None: the method's.
    random_state
        Seed of everything random: same seed, same machine, same result to the bit.
    precision
        "32", or "bf16" for matrix products in bfloat16.
    controllers
        Move weights of the method while it trains, beside its own: ``(prismae.control.PI("kl", target=18.0),)``.
    device
        "auto", "cpu", "cuda" or "mps".
    verbose
        Whether a progress bar is shown.

    Attributes
    ----------
    net_
        The trained `AutoencoderNet`.
    method_
        The `Method` that was trained.
    history_
        Data frame with every term over the steps.
    shape_
        Shape of one observation.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(200, 6)).astype(np.float32)
    >>> codes = Autoencoder("vae", n_latents=2, steps=20).fit_transform(X)
    >>> codes.shape
    (200, 2)
    """

    def __init__(
        self,
        method: str | Method = "beta-vae",
        n_latents: int = 10,
        *,
        net: str = "auto",
        likelihood: str = "auto",
        steps: int = 10_000,
        batch: int = 64,
        lr: float | None = None,
        random_state: int = 0,
        precision: Precision = "32",
        controllers: Sequence[Controller] = (),
        device: str = "auto",
        verbose: bool = False,
    ) -> None:
        self.method = method
        self.n_latents = n_latents
        self.net = net
        self.likelihood = likelihood
        self.steps = steps
        self.batch = batch
        self.lr = lr
        self.random_state = random_state
        self.precision = precision
        self.controllers = controllers
        self.device = device
        self.verbose = verbose

    def fit(self, X: ArrayLike | Tensor | World, y: Any = None) -> Self:
        """Train on observations: [n, d], images, or a `World`. See `prismae.world` for the shapes."""
        data = X if isinstance(X, World | Tensor) else np.asarray(X)
        data = world(data)
        self.method_ = method(self.method) if isinstance(self.method, str) else self.method
        net = choose_net(self.net, self.method_, data.shape)
        likelihood = choose_likelihood(self.likelihood, self.method_, data.shape, data.summary)
        trained = train(
            self.method_,
            data,
            n_latents=self.n_latents,
            net=net,
            likelihood=likelihood,
            steps=self.steps,
            batch=self.batch,
            lr=self.lr,
            seed=self.random_state,
            precision=self.precision,
            controllers=self.controllers,
            device=self.device,
            progress=self.verbose,
        )
        settings = {
            "id": f"{self.method_.name()}-{data.name}",
            "world": data.name,
            "n_latents": self.n_latents,
            "net": net,
            "likelihood": likelihood,
            "steps": self.steps,
            "batch": self.batch,
            "lr": self.lr,
            "seed": self.random_state,
            "precision": self.precision,
            "snapshots": [],
            "controls": [each.described() for each in self.controllers],
            "seconds": round(trained.seconds, 1),
            "machine": machine(self.device),
        }
        return self._take(trained, describe(self.method_, data, **settings))

    def _take(self, trained: Trained, about: dict[str, Any]) -> Self:
        self._trained, self._about = trained, about
        self.net_, self.history_ = trained.ae, trained.history
        self.shape_, self.pixels_ = tuple(about["shape"]), about["pixels"]
        return self

    def transform(self, X: ArrayLike | Tensor | World) -> NDArray[np.float32]:
        """Mean codes [n, m] of observations."""
        return self._by_parts(self._observations(X), lambda x: self.net_.encode(x).mean)

    def inverse_transform(self, codes: ArrayLike | Tensor) -> NDArray[np.float32]:
        """Expected observations [n, *shape] of codes [n, m], in the units that `fit` was given (pixels in [0, 1])."""
        check_is_fitted(self)
        z = torch.as_tensor(np.asarray(codes), dtype=torch.float32)
        if z.ndim != 2 or z.shape[1] != self.n_latents:
            raise InputError(f"Codes have shape {tuple(z.shape)}, expected [n, {self.n_latents}].")
        return self._by_parts(z, self.net_.generate)

    def score(self, X: ArrayLike | Tensor | World, y: Any = None) -> float:
        """Share of the observations' variance that reconstructions explain: 1 is perfect, 0 is their mean."""
        x = self._observations(X)
        error = self.inverse_transform(self.transform(X)) - x.numpy()
        return 1 - float(np.square(error).mean()) / float(x.var())

    def save(self, path: str | Path) -> RunFolder:
        """Write a run folder: safetensors and JSON, nothing pickled."""
        check_is_fitted(self)
        folder = RunFolder(Path(path))
        folder.write_json(JOB, self._about)
        folder.write_trained(self._trained)
        return folder

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "net_")

    def _observations(self, X: ArrayLike | Tensor | World) -> Tensor:
        check_is_fitted(self)
        if isinstance(X, World):
            return X.to("cpu").data[torch.arange(len(X))]
        return as_observations(
            X if isinstance(X, Tensor) else np.asarray(X), self.shape_, pixels=self.pixels_
        )

    def _by_parts(self, inputs: Tensor, function: Callable[[Tensor], Tensor]) -> NDArray[np.float32]:
        with torch.no_grad():
            return torch.cat([function(part) for part in inputs.split(1024)]).numpy()


def load(path: str | Path) -> Autoencoder:
    """The fitted autoencoder of a run folder, from `Autoencoder.save` or ``prismae fit``. Nothing is unpickled."""
    folder = RunFolder.open(path)
    about = folder.read_json(JOB)
    chosen, trained = folder.load()
    model = Autoencoder(
        chosen,
        about["n_latents"],
        net=about["net"],
        likelihood=about["likelihood"],
        steps=about["steps"],
        batch=about["batch"],
        lr=about["lr"],
        random_state=about["seed"],
        precision=about["precision"],
        controllers=tuple(controller(**each) for each in about.get("controls", ())),
    )
    model.method_ = chosen
    return model._take(trained, about)

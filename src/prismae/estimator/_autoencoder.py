"""Autoencoder: fit, transform and inverse_transform as scikit-learn has them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, Literal, Self, cast

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from prismae._discovery import class_path
from prismae._random import Draws
from prismae._words import lengths
from prismae.control import Controller
from prismae.data import Summary, World, world
from prismae.data.kinds import PART
from prismae.data.layout import numbers
from prismae.errors import DataWarning, InputError, TrainingWarning
from prismae.estimator._observations import Form, Given, Observations, checked
from prismae.estimator._warm_start import refuse_another_training
from prismae.fields import Count, Positive, Seed, check_arguments, named_values
from prismae.latent.gaussian import Gaussian
from prismae.methods import Method, method
from prismae.nets import Architecture, Likelihood, Net
from prismae.nets.autoencoder import AutoencoderNet
from prismae.runs.files import JOB, VERDICT
from prismae.runs.judge import Judge
from prismae.runs.loading import describe, outcome
from prismae.runs.measured import untrained
from prismae.runs.run import Run
from prismae.runs.verdict import Verdict
from prismae.settings import HELD_OUT, CodeSize, Layout, Precision, Steps, Training, as_plain
from prismae.train import Hook, train
from prismae.train.build import build, choices
from prismae.train.trained import Trained
from prismae.views import compute, keep
from prismae.views._subject import POINTS

NESTED = "method__"


class Autoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """An autoencoder whose codes split the data into its factors of variation.

    Parameters
    ----------
    method
        A `Method`, such as ``EDGCAE(sigma_max=0.4)``, or the name of one with its default fields. The fields are
        parameters too, as ``method__sigma_max``: for `set_params` and for searches.
    n_latents
        Size of the code, m.
    net
        A network's name, with its settings (``"mlp:width=512"``), a `prismae.nets.Net`, or a function
        (shape, n_outputs, n_latents) → (encoder, decoder); "auto" chooses by method and data.
    likelihood
        A likelihood's name, or a `prismae.nets.Likelihood`; "auto" chooses by method and data.
    steps
        Autoencoder updates; "auto": a tenth of the observations, the same for every seed, is not trained on, and the
        training stops when the loss on them has stopped falling, after 20,000 updates at most.
    batch
        Observations in each update; "auto": 64, or all that are trained on if they are fewer.
    lr
        Learning rate; None: the method's, or where it has none that of the kind of data.
    random_state
        Seed of everything random: same seed, same machine, same result to the bit. None, or a
        ``numpy.random.RandomState``: a seed is drawn from it; it is kept in ``seed_``.
    precision
        "32", or "bf16" for matrix products in bfloat16.
    series
        For arrays of series of several channels: "channels-first", [n, c, length], or "channels-last", [n, length, c].
        Each channel is scaled by itself. None: an array of three dimensions is images.
    axes
        For arrays of images and volumes, what their dimensions are where their sizes do not say it: "c" channels, "d"
        depth, "h" height, "w" width, as "hwc" or "cdhw".
    given
        Columns of a table, or numbers of columns of an array, that are given, such as a batch, an age or a condition:
        encoder and decoder see them, and codes are drawn to be free of them (a conditional VAE). They stand in X as the
        others do, and `inverse_transform` is told them.
    handle_unknown
        What becomes of a category of a table that the fit did not see: "error", or "ignore", which takes it for none of
        those that the fit saw, as scikit-learn's `OneHotEncoder` does.
    controllers
        Move weights of the method while it trains, beside its own: ``(prismae.control.PI("kl", target=18.0),)``.
    device
        "auto", "cpu", "cuda" or "mps".
    devices
        How many GPUs, or processes on the CPU, compute each batch together.
    warm_start
        Whether `fit` goes on from the last one: with more `steps`, and the same data and other parameters, it gives
        to the bit what one longer training would have given. The model then keeps its optimiser's state too.
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
        Shape of one observation, as it was given.
    steps_, seed_
        Updates that were made (with ``steps="auto"`` the weights are those after ``about_["kept"]`` of them), and the
        seed.
    verdict_
        The `prismae.runs.verdict.Verdict` on it: how many latents are live and tell how much, what share of the
        variance they explain, what is wrong and what to do next; None for a model of a version that gave none.
    about_
        All of this as plain data: method with its fields, data, budget; the content of job.json.
    n_features_in_, feature_names_in_
        Columns of vectors and tables (for images: pixels times channels), and their names if they have any.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(200, 6)).astype(np.float32)
    >>> codes = Autoencoder("vae", n_latents=2, steps=20).fit_transform(X)
    >>> codes.shape
    (200, 2)
    """

    def __init__(
        self,
        method: str | Method = "beta-tcvae",
        n_latents: CodeSize = Training.n_latents,
        *,
        net: str | Net | Architecture = "auto",
        likelihood: str | Likelihood = "auto",
        steps: Steps = Training.steps,
        batch: Count | Literal["auto"] = "auto",
        lr: Positive | None = Training.lr,
        random_state: int | np.random.RandomState | None = 0,
        precision: Precision = Training.precision,
        series: Layout | None = None,
        axes: str | None = None,
        given: Sequence[str | int] = (),
        handle_unknown: Literal["error", "ignore"] = "error",
        controllers: Sequence[Controller] = (),
        device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
        devices: Count = 1,
        warm_start: bool = False,
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
        self.series = series
        self.axes = axes
        self.given = given
        self.handle_unknown = handle_unknown
        self.controllers = controllers
        self.device = device
        self.devices = devices
        self.warm_start = warm_start
        self.verbose = verbose

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters; if `deep`, the method's fields too, as ``method__beta``."""
        params = super().get_params(deep=deep)
        if deep:
            try:
                fields = self._method().fields()
            except InputError:  # a name is first looked up in `fit`, so any can be set
                fields = {}
            params |= {NESTED + name: value for name, value in fields.items()}
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters; ``method__beta=2.0`` sets a field of the method, which may be given by name."""
        super().set_params(**{k: v for k, v in params.items() if not k.startswith(NESTED)})
        fields = {k.removeprefix(NESTED): v for k, v in params.items() if k.startswith(NESTED)}
        if fields:
            chosen = self._method()
            self.method = replace(cast(Any, chosen), **named_values(type(chosen), fields))
        return self

    def fit(self, X: Observations, y: Any = None, *, hooks: Sequence[Hook] = ()) -> Self:
        """Train on observations.

        Parameters
        ----------
        X
            Vectors or series [n, d], images [n, h, w], [n, c, h, w] or [n, h, w, c] (uint8 means pixels, drawn as
            value / 255), volumes [n, d, h, w], series of several channels as `series` says, a pandas table, whose
            columns are scaled and one-hot coded each by its kind, or a `World`.
        y
            Not used; here because scikit-learn's pipelines and searches hand labels to every step.
        hooks
            `prismae.Hook` objects, called after steps and at the end; one may end the training early, which
            ``steps_`` tells. Within a pipeline: ``fit(X, autoencoder__hooks=[…])``.

        Warns
        -----
        UserWarning
            If labels are given, once for each place that gives them.
        DataWarning
            If values are missing, and where columns are constant, left out or may not be what they look like.
        TrainingWarning
            For each fault that the verdict names, with what to do next: see ``verdict_``.
        """
        if y is not None:
            warnings.warn("y is not used: an Autoencoder learns from observations alone.", stacklevel=2)
        settings = self._settings()
        chosen = self._method()
        X = checked(self, X, fitting=True)
        given = _names(self.given)
        if isinstance(X, World):
            whole = replace(X, kind=X.kind.knowing(given, X.shape)) if given else X
        else:
            whole = world(X, series=settings["series"], axes=settings["axes"], given=given or None)
        if whole.notices and not isinstance(X, World):
            warnings.warn("; ".join(whole.notices) + ".", DataWarning, stacklevel=2)
        share = _held_out(len(whole)) if settings["steps"] == "auto" else 0.0
        data, held = whole.split(share) if share else (whole, None)
        batch = min(Training.batch, len(data)) if settings["batch"] == "auto" else settings["batch"]
        start = self._last() if self.warm_start and self.__sklearn_is_fitted__() else None
        names = getattr(self, "feature_names_in_", None)
        training = Training(
            n_latents=settings["n_latents"],
            net=self.net,
            likelihood=self.likelihood,
            steps=settings["steps"],
            batch=batch,
            lr=settings["lr"],
            seed=self._seed(warm=start is not None),
            precision=settings["precision"],
            controls=tuple(self.controllers),
        )
        net, likelihood = choices(chosen, data, training)
        about = describe(
            chosen,
            data,
            id=f"{chosen.called()}-{data.name}",
            world=data.name,
            **as_plain(replace(training, net=net, likelihood=likelihood)) | {"steps": training.limit},
            holdout=share,
            series=None if isinstance(X, World) else settings["series"],
            axes=None if isinstance(X, World) else data.kind.to_json().get("axes"),
            control_classes=[class_path(type(each)) for each in self.controllers],
            given_shape=list(_shape_of(X, data)),
            feature_names=None if names is None else names.tolist(),
        )
        if start is not None:
            refuse_another_training(self.about_, about)
            if about["steps"] == self.steps_:
                return self
        trained = train(
            chosen,
            data,
            training,
            device=self.device,
            devices=settings["devices"],
            progress=self.verbose,
            start=start,
            hooks=hooks,
            held=held,
        )
        about |= outcome(trained, self.device, settings["devices"])
        first = untrained(chosen, data, about, net, likelihood)
        verdict = Judge(chosen, trained, first, about, data, held).verdict()
        about["warnings"] = verdict.warnings
        for sentence in verdict.warnings:
            warnings.warn(sentence, TrainingWarning, stacklevel=2)
        return self._take(chosen, trained, about, verdict)

    def _take(self, chosen: Method, trained: Trained, about: dict[str, Any], verdict: Verdict | None) -> Self:
        self._state = trained.state if self.warm_start else None
        self._trained, self.about_ = replace(trained, state=None), about
        self._form = Form.from_json(about, trained.ae.likelihood.support)
        self.method_, self.net_, self.history_ = chosen, trained.ae, trained.history
        self.verdict_ = verdict
        self.shape_, self.steps_, self.seed_ = self._form.shape, about["steps"], about["seed"]
        self._n_features_out = about["n_latents"]
        return self

    def transform(self, X: Observations) -> NDArray[np.float32]:
        """Mean codes [n, m] of observations; float32, as the network computes, whatever the type of X."""
        check_is_fitted(self)
        return self._through(lambda x: self.net_.encode(x).mean, *self._parts(X))

    def inverse_transform(
        self, codes: ArrayLike | Tensor | pd.DataFrame, *, given: Any = None
    ) -> NDArray | pd.DataFrame:
        """Expected observations of codes [n, m], in the shape and units that `fit` was given.

        A model that is told what is given needs it here too, as a table or mapping of these columns, with a value for
        all or one for each code: ``inverse_transform(codes, given={"batch": "B"})`` is the same in batch B.

        What was missing is filled in: ``model.inverse_transform(model.transform(X))`` has no gaps. Pixels come back in
        [0, 1]. A table comes back as one: numbers in their units, and the likeliest categories.
        For texts the sentences [n] whose words are the likeliest one by one.
        """
        check_is_fitted(self)
        names = [f"z{i}" for i in range(self._n_features_out)]
        if isinstance(codes, pd.DataFrame) and set(codes.columns) == set(names):
            codes = codes[names]  # columns that are named as codes may stand in any order
        try:
            z = np.asarray(codes)
        except (ValueError, TypeError) as error:  # rows of several lengths; a sparse tensor
            raise InputError(
                f"Codes are no array of numbers ({error}), expected [n, {len(names)}]."
            ) from None
        if z.ndim != 2 or z.shape[1] != self._n_features_out:
            raise InputError(f"Codes have shape {z.shape}, expected [n, {self._n_features_out}].")
        z = numbers(z, "Codes")
        told = self._form.told(given, len(z))
        parts = torch.from_numpy(z.astype(np.float32)).split(PART)
        beside = [None] * len(parts) if told is None else told.split(PART)
        decoded = self._through(
            lambda each: self.net_.generate(*each), zip(parts, beside, strict=True), len(z)
        )
        back = self._form.given_back(decoded)
        if isinstance(back, pd.DataFrame) and isinstance(codes, pd.DataFrame):
            return back.set_axis(codes.index)
        return back

    def reconstruct(self, X: Observations, *, given: Any = None) -> NDArray | pd.DataFrame:
        """What the model makes of observations: those that their mean codes decode to, as `inverse_transform` gives
        them; a table keeps its index.

        Where something is given, it is that of the observations, but for what `given` says is another:
        ``reconstruct(X, given={"batch": "B"})`` are the same observations, but of batch B.
        """
        check_is_fitted(self)
        index = X.index if isinstance(X, pd.DataFrame) else None
        parts, n = self._parts(X)
        told = None if given is None else self._form.told(given, n, every=False)
        others = iter(()) if told is None else iter(told.split(PART))

        def again(x: Tensor) -> Tensor:
            other = None if told is None else next(others)
            code = self.net_.encode(x).mean
            return self.net_.generate(code, x if other is None else torch.where(other.isnan(), x, other))

        back = self._form.given_back(self._through(again, parts, n))
        return back.set_axis(index) if isinstance(back, pd.DataFrame) and index is not None else back

    def row_errors(
        self, X: Observations, unit: Literal["variance", "nats"] = "variance"
    ) -> NDArray[np.float32]:
        """How badly each observation is rebuilt from its mean code: [n], larger for those that are unlike the others.

        Parameters
        ----------
        unit
            "variance": squared error per element, in units of the variance of all elements in the fit. "nats": what the
            likelihood calls the error of an observation (see `prismae.nets.Likelihood.error`), summed over elements.
            Both are of the values that are not missing; an observation without any has NaN, and 0 nats.
        """
        check_is_fitted(self)
        if unit not in ("variance", "nats"):
            raise InputError(f"row_errors: unit should be 'variance' or 'nats', got {unit!r}.")
        parts, n = self._parts(X)
        with torch.no_grad():
            return _below_each_other((self.net_.row_errors(part)[unit == "nats"] for part in parts), n)

    def deviations(self, X: Observations) -> NDArray[np.float32]:
        """Standard deviations [n, m] of the codes' posteriors, whose means `transform` gives: how sure the codes are.

        Raises
        ------
        InputError
            For a method whose codes are points or one of few values.
        """
        check_is_fitted(self)

        def deviation(part: Tensor) -> Tensor:
            posterior = self.net_.encode(part)
            if not isinstance(posterior, Gaussian):
                raise InputError(
                    f"The codes of {self.method_.called()} have no deviations: it encodes without a density."
                )
            return (0.5 * posterior.log_var).exp()

        parts, n = self._parts(X)
        with torch.no_grad():
            return _below_each_other(map(deviation, parts), n)

    def sample(self, n: Count = 1, *, random_state: Seed = 0, given: Any = None) -> NDArray | pd.DataFrame:
        """Expected observations for n codes drawn from the method's prior, as `inverse_transform` gives them.

        The same for the same `random_state`, a seed.

        Raises
        ------
        InputError
            For a method without a prior.
        """
        check_is_fitted(self)
        asked = check_arguments("sample", Autoencoder.sample, {"n": n, "random_state": random_state})
        if not self.method_.has_prior:
            raise InputError(
                f"{self.method_.called()} has no prior, so no codes can be drawn from it: decode codes of your own "
                "with inverse_transform."
            )
        with Draws(asked["random_state"]), torch.no_grad():
            codes = self.method_.prior_sample(self.net_, self._n_features_out, asked["n"])
        return self.inverse_transform(codes, given=given)

    def score(self, X: Observations, y: Any = None) -> float:
        """Share of the observations' variance that reconstructions explain: 1 is perfect, 0 is their mean.

        Squares are summed over all elements of an observation that are neither missing nor given (of a table: of its
        scaled columns; of texts: of words written one-hot, each expected from those before it and the code).
        """
        check_is_fitted(self)
        if self._form.kind.elements == "words":
            with torch.no_grad():
                errors = [(lengths(x).sum(), self.net_.errors(x)[0]) for x in self._parts(X)[0]]
            return 1 - float(sum(n * mse for n, mse in errors) / sum(n for n, _ in errors))
        n, error, total, squares, shift, seen = 0, 0.0, 0.0, 0.0, 0.0, 0
        for x in self._parts(X)[0]:
            back = self._through(
                lambda part: self.net_.generate(self.net_.encode(part).mean, part), iter([x]), len(x)
            )
            values = self.net_.to_rebuild(x).double().numpy()
            shift = values[0] if n == 0 else shift  # so that squares of large values do not cancel
            shift = np.nan_to_num(shift) if n == 0 else shift
            error += float(np.nansum(np.square(values - back)))
            total, squares = (
                total + np.nansum(values - shift, 0),
                squares + float(np.nansum(np.square(values - shift))),
            )
            seen, n = seen + (~np.isnan(values)).sum(0), n + len(values)
        spread = squares - float((np.square(total) / np.maximum(seen, 1)).sum())
        if spread <= 0:
            given = "One observation does" if n == 1 else f"These {n} observations do"
            raise InputError(
                f"{given} not vary, so there is no variance to explain: expected two or more that differ."
            )
        return 1 - error / spread

    def read(self, X: Observations, n: int) -> Tensor:
        """Up to n evenly spaced observations as the network sees them: float32 [n, *shape of the network]."""
        check_is_fitted(self)
        return self._form.some(checked(self, X), n)

    def untrained(self) -> AutoencoderNet:
        """The network as it was before its training, the same weights to the bit: what it has to be better than."""
        check_is_fitted(self)
        about = self.about_
        shape, summary = tuple(about["shape"]), Summary(**about["summary"])
        with Draws(about["seed"]):
            return build(
                self.method_,
                self._form.kind,
                shape,
                summary,
                n_latents=about["n_latents"],
                net=about["net"] if isinstance(self.net, str) else self.net,
                likelihood=about["likelihood"] if isinstance(self.likelihood, str) else self.likelihood,
            ).eval()

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray:
        """Names of the codes: z0, z1, …"""
        checked_names = super().get_feature_names_out(input_features)
        return np.asarray([f"z{i}" for i in range(len(checked_names))], dtype=object)

    def save(self, path: str | Path, X: Observations | None = None) -> Run:
        """Write a run folder: safetensors and JSON, nothing pickled.

        A method, controller, network or likelihood that no installed package declares is remembered by its name
        only: `load` takes it as an argument.

        Parameters
        ----------
        path
            The folder; made if it is not there. A run that it holds is replaced, pictures, scores and exports too.
        X
            Observations to draw in ``prismae report``, most often those of the fit; up to 10,000, evenly spaced, are
            looked at. Without them the report knows the training and the settings only.

        Raises
        ------
        InputError
            If the folder holds anything that is not of a run.
        """
        check_is_fitted(self)
        shown = None if X is None else self._form.world(checked(self, X), POINTS)
        with Run.anew(path) as run:
            run.write_json(JOB, self.about_)
            if self.verdict_ is not None:
                run.write_json(VERDICT, self.verdict_.to_json())
            if shown is not None:
                keep(run, self.net_, compute(self.method_, self.net_, shown, self._trained))
            run.write_trained(self._trained)
        return Run(Path(path))

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "net_")

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True  # a missing value
        tags.transformer_tags.preserves_dtype = ["float32"]  # what the network computes in
        return tags

    def _method(self) -> Method:
        if isinstance(self.method, Method):
            return self.method
        if isinstance(self.method, str):
            return method(self.method)
        raise InputError(f"Autoencoder: method should be a method or the name of one, got {self.method!r}.")

    def _parts(self, X: Observations) -> tuple[Iterator[Tensor], int]:
        """New observations as the network sees them, part by part, and how many there are."""
        form, given = self._form, checked(self, X)
        if self.handle_unknown == "ignore":
            form = replace(form, kind=form.kind.lenient())
        return form.parts(given), len(given) if isinstance(given, World) else given.shape[0]

    def _settings(self) -> dict[str, Any]:
        """The parameters that are numbers and words, checked against their annotations."""
        names = (
            "n_latents",
            "steps",
            "batch",
            "lr",
            "precision",
            "series",
            "axes",
            "handle_unknown",
            "device",
            "devices",
            "warm_start",
            "verbose",
        )
        settings = check_arguments("Autoencoder", Autoencoder.__init__, {n: getattr(self, n) for n in names})
        if settings["warm_start"] and settings["steps"] == "auto":
            raise InputError(
                "Autoencoder: warm_start goes on to a number of steps, so steps should be one, got 'auto'."
            )
        if not isinstance(self.controllers, Sequence):
            raise InputError(f"Autoencoder: controllers should be several, got {self.controllers!r}.")
        for each in self.controllers:
            if not isinstance(each, Controller):
                raise InputError(f"Autoencoder: controllers should be controllers, got {each!r}.")
        return settings

    def _last(self) -> dict[str, Any]:
        """Where the last training stopped."""
        if self._state is None:
            raise InputError(
                "warm_start: the model was fitted without warm_start or read from disk, so its optimiser's state was "
                "not kept; expected warm_start=True from the first fit on."
            )
        return self._state

    def _seed(self, *, warm: bool) -> int:
        try:
            generator = check_random_state(self.random_state)
        except ValueError:
            raise InputError(
                "Autoencoder: random_state should be a number from 0 to 2**32 - 1, None or a numpy RandomState, "
                f"got {self.random_state!r}."
            ) from None
        if isinstance(self.random_state, int | np.integer):
            return int(self.random_state)
        return self.seed_ if warm else int(generator.randint(2**31 - 1))

    def _through(
        self, function: Callable[[Any], Tensor], parts: Iterator[Any], n: int
    ) -> NDArray[np.float32]:
        """What a function makes of parts of n observations or codes, one below the other."""
        with torch.no_grad():
            found = map(function, parts)
            words = self._form.kind.elements == "words"
            return self._form.kind.joined([*found]).numpy() if words else _below_each_other(found, n)


def _below_each_other(parts: Iterator[Tensor], n: int) -> NDArray[np.float32]:
    """Parts [k, …] of n rows as one; each is freed before the next is made, so that they scatter no memory."""
    first = next(parts)
    made, start = np.empty((n, *first.shape[1:]), np.float32), 0
    for part in chain([first], parts):
        made[start : start + len(part)] = part.numpy()
        start += len(part)
    return made


def _shape_of(X: Given, data: World) -> tuple[int, ...]:
    """Shape of one observation as the user gave it; of a world and a table, as the kind gives it back."""
    as_given = isinstance(X, World | pd.DataFrame)
    return data.kind.as_seen().given_shape(data.shape) if as_given else X.shape[1:]


def _names(given: Any) -> tuple[str, ...]:
    """Names of columns as texts, of one or several names or numbers."""
    if isinstance(given, str | int | np.integer):
        return (str(given),)
    try:
        return tuple(map(str, given))
    except TypeError:
        raise InputError(
            f"Autoencoder: given should be names or numbers of columns, got {given!r}."
        ) from None


def _held_out(n: int) -> float:
    """The share of n observations that ``steps="auto"`` stops by: a tenth, or two of them if that is more."""
    if n < 4:
        raise InputError(
            f"steps='auto' trains on two observations at least and holds out two others, got {n}: give more "
            "observations, or a number of steps."
        )
    return max(HELD_OUT, 2 / n)

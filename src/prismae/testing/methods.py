"""What holds for every method: its terms, its gradients, its randomness, and that it trains, resumes and is saved."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from prismae.data import World, world
from prismae.errors import InputError
from prismae.estimator import Autoencoder, load
from prismae.latent.gaussian import Gaussian
from prismae.methods import Adversarial, Clustering, Context, Method, all_methods
from prismae.nets.autoencoder import AutoencoderNet
from prismae.settings import Training
from prismae.testing._hold import Check, M, N, few_digits, few_rows, hold, refused, run_checks, seeded, x_of
from prismae.train import Hook, Moment, Trained, build, train
from prismae.train.answers import check_critic_terms, check_terms
from prismae.train.build import choices
from prismae.train.known import Known


def check_method(given: Method | type[Method]) -> None:
    """Check that a method is one: what every method of prismae is held to.

    Its terms are finite and of the declared shape and precision, gradients reach every weight of the autoencoder and
    none of the critic, the same seed gives the same weights to the bit, a stopped training goes on to the bit, a saved
    model is loaded as it was, what is too small for it is refused before training, and it learns.

    Parameters
    ----------
    given
        The method, or its class, which is then checked with its defaults. A method with a long `critic_warmup` is
        better given as an instance with a short one.

    Raises
    ------
    AssertionError
        A sentence that says what does not hold.
    """
    run_checks(method_checks, given)


def method_checks(method: Method) -> tuple[Check[Method], ...]:
    """The checks for a method, of which those with a critic or with clusters have more: `check(method)` each."""
    checks: tuple[Check[Any], ...] = (
        is_made_again_from_its_fields,
        the_posterior_reads_the_encoder,
        terms_are_finite_and_of_a_declared_shape,
        every_term_with_a_weight_has_a_gradient,
        double_precision_is_kept,
        gradients_reach_every_weight_of_the_autoencoder,
        the_prior_gives_codes_that_can_be_decoded,
        the_same_seed_gives_the_same_weights,
        training_leaves_the_generator_alone,
        a_stopped_training_goes_on_to_the_bit,
        a_saved_model_is_loaded_as_it_was,
        it_can_be_told_what_is_given,
        a_batch_of_1_trains_or_is_refused,
        the_reconstruction_error_halves,
    )
    if method.kl:
        checks += (the_terms_that_it_declares_are_its_kl,)
    if isinstance(method, Adversarial):
        checks += (the_critic_learns_and_nothing_else,)
    if isinstance(method, Clustering):
        checks += (responsibilities_are_shares, more_components_than_observations_are_refused)
    return checks


@dataclass(frozen=True)
class Ready:
    """A method with a new autoencoder, a batch, and a context as the loop gives it."""

    ae: AutoencoderNet
    x: Tensor
    ctx: Context


def _settings(method: Method, data: World, **settings: Any) -> Training:
    """A training of few steps; network and likelihood are the method's own, or the data's."""
    training = Training(n_latents=M, steps=6, batch=16, **settings)
    net, likelihood = choices(method, data, training)
    return replace(training, net=net, likelihood=likelihood)


def _ready(method: Method) -> Ready:
    data = few_digits()
    training = _settings(method, data)
    ae = build(
        method,
        data.kind,
        data.shape,
        data.summary,
        n_latents=M,
        net=training.net,
        likelihood=training.likelihood,
    )
    critic = method.critic(M) if isinstance(method, Adversarial) else None
    sigma = method.noise()
    noise = torch.empty(0) if sigma is None else torch.full((M,), sigma)
    known = Known(method, data, N, 0, torch.device("cpu"))
    _, more = known.of(torch.arange(N), 0, data.data)
    return Ready(ae, x_of(data), Context(N, method.weights(), noise, critic, **more))


def _trained(method: Method, *, seed: int = 0, steps: int = 4, **options: Any) -> Trained:
    data = few_digits()
    training = replace(_settings(method, data, seed=seed), steps=steps)
    return train(method, data, training, device="cpu", **options)


def _reached(part: torch.nn.Module, whose: str) -> None:
    for weight, parameter in part.named_parameters():
        gradient = parameter.grad
        hold(gradient is not None, f"No gradient reaches {weight} of {whose}.")
        assert gradient is not None
        hold(gradient.isfinite().all(), f"The gradient of {weight} of {whose} holds NaN or infinity.")
        hold(gradient.abs().sum() > 0, f"The gradient of {weight} of {whose} is 0 everywhere.")


def is_made_again_from_its_fields(method: Method) -> None:
    """A method is a frozen dataclass: its fields are all there is of it."""
    again = type(method)(**method.fields())
    hold(again == method, f"A {type(method).__name__} of the same fields is not equal: {again} and {method}.")
    with refused(FrozenInstanceError, "The dataclass should be frozen: @dataclass(frozen=True)."):
        method.nonsense = 1  # type: ignore[attr-defined]


@seeded
def terms_are_finite_and_of_a_declared_shape(method: Method) -> None:
    """Terms with a weight are [batch] or scalar, observations scalar or [m], and none is NaN or infinite."""
    ready = _ready(method)
    terms = method.terms(ready.ae, ready.x, ready.ctx)
    check_terms(method, terms, N, M)
    for name, value in terms.items():
        hold(value.isfinite().all(), f"The term {name!r} holds NaN or infinity.")


@seeded
def every_term_with_a_weight_has_a_gradient(method: Method) -> None:
    """A term without one changes nothing by its weight: it is an observation, or was detached by mistake."""
    ready = _ready(method)
    terms = method.terms(ready.ae, ready.x, ready.ctx)
    still = [name for name in method.weights() if not terms[name].requires_grad]
    hold(
        not still,
        f"No gradient comes from {', '.join(map(repr, still))}, so what it weighs does not matter: was it detached, or "
        "is it one of the `observations`?",
    )


@seeded
def the_posterior_reads_the_encoder(method: Method) -> None:
    """The posterior makes codes [batch, m] of the `n_outputs` outputs of the encoder."""
    ready = _ready(method)
    with torch.no_grad():
        q = ready.ae.encode(ready.x)
    hold(
        isinstance(getattr(q, "mean", None), Tensor),
        f"`posterior` gives {type(q).__name__}, expected a posterior, as prismae.latent.gaussian.Gaussian is one.",
    )
    hold(
        tuple(q.mean.shape) == (N, M),
        f"Of {method.n_outputs(M)} outputs of the encoder `posterior` makes codes of shape {tuple(q.mean.shape)}, "
        f"expected {(N, M)}: do `n_outputs` and `posterior` agree?",
    )


@seeded
def double_precision_is_kept(method: Method) -> None:
    """With data and network in float64 every term is float64: nothing between rounds to float32."""
    ready = _ready(method)
    ready.ae.double()
    doubled: dict[str, Any] = {"noise": ready.ctx.noise.double()}
    if ready.ctx.critic is not None:
        doubled["critic"] = ready.ctx.critic.double()
    for name in ("pairs", "labels"):
        if (known := getattr(ready.ctx, name)) is not None:
            doubled[name] = replace(known, x=known.x.double())
    ctx = replace(ready.ctx, **doubled)
    read = Gaussian.from_parameters

    def watched(parameters: Tensor) -> Gaussian:
        hold(parameters.dtype == torch.float64, f"The encoder's output arrives as {parameters.dtype}.")
        return read(parameters)

    with patch.object(Gaussian, "from_parameters", watched):
        terms = method.terms(ready.ae, ready.x.double(), ctx)
        if isinstance(method, Adversarial):
            terms |= method.critic_terms(ctx.critic, ready.ae.encode(ready.x.double()), ctx)
    narrow = sorted(name for name, value in terms.items() if value.dtype != torch.float64)
    hold(not narrow, f"With double precision these terms are not float64: {', '.join(narrow)}.")


@seeded
def the_terms_that_it_declares_are_its_kl(method: Method) -> None:
    """The terms named by `kl` add up to KL(q(z|x) || N(0, I)), on average over draws where they are estimates."""
    ready, draws = _ready(method), 300
    x = 10 * ready.x  # codes far from the prior
    with torch.no_grad():
        q = ready.ae.encode(x)
        hold(isinstance(q, Gaussian), f"`kl` names terms, and the posterior is {type(q).__name__}.")
        found = []
        for _ in range(draws):
            terms = method.terms(ready.ae, x, ready.ctx)
            found.append(torch.stack([terms[part].mean() for part in method.kl]).sum())
            if len(found) == 3 and found[0] == found[1] == found[2]:  # a closed form
                break
    posterior = Normal(q.mean, (q.log_var / 2).exp())
    closed = float(kl_divergence(posterior, Normal(0.0, 1.0)).sum(1).mean())
    estimate, error = torch.stack(found).mean(), torch.stack(found).std() / len(found) ** 0.5
    hold(
        abs(float(estimate) - closed) <= 4 * float(error) + 1e-4 * closed,
        f"The terms {', '.join(method.kl)} add up to {estimate:.4g} nats, and the KL is {closed:.4g}.",
    )


@seeded
def gradients_reach_every_weight_of_the_autoencoder(method: Method) -> None:
    """The weighted sum of the terms has a gradient for each weight of the autoencoder and for none of the critic."""
    ready = _ready(method)
    critic = ready.ctx.critic
    if critic is not None:
        critic.requires_grad_(False)
    terms = method.terms(ready.ae, ready.x, ready.ctx)
    torch.stack([weight * terms[name].mean() for name, weight in method.weights().items()]).sum().backward()
    _reached(ready.ae, "the autoencoder")
    if critic is not None:
        leaking = [name for name, parameter in critic.named_parameters() if parameter.grad is not None]
        hold(not leaking, f"The autoencoder's loss reaches the critic: {', '.join(leaking)}.")


@seeded
def the_critic_learns_and_nothing_else(method: Adversarial) -> None:
    """The critic's loss has a gradient for each of the critic's weights and for none of the autoencoder's."""
    ready = _ready(method)
    with torch.no_grad():
        q = ready.ae.encode(ready.x)
    terms = method.critic_terms(ready.ctx.critic, q, ready.ctx)
    check_critic_terms(method, terms, N, M)
    torch.stack([value.mean() for value in terms.values()]).sum().backward()
    _reached(ready.ctx.critic, "the critic")
    leaking = [name for name, parameter in ready.ae.named_parameters() if parameter.grad is not None]
    hold(not leaking, f"The critic's loss reaches the autoencoder: {', '.join(leaking)}.")


@seeded
def the_prior_gives_codes_that_can_be_decoded(method: Method) -> None:
    """`prior_sample` draws different codes [n, m], whose decoded observations are finite and of the world's shape."""
    ready = _ready(method)
    with torch.no_grad():
        z = method.prior_sample(ready.ae, M, 7)
        hold(
            tuple(z.shape) == (7, M), f"prior_sample gave codes of shape {tuple(z.shape)}, expected {(7, M)}."
        )
        hold(len(z.unique(dim=0)) == 7, "prior_sample gave the same code more than once.")
        x = ready.ae.generate(z)
    shape = (7, *few_digits().shape)
    hold(tuple(x.shape) == shape, f"Decoded codes have shape {tuple(x.shape)}, expected {shape}.")
    hold(x.isfinite().all(), "Codes of the prior are decoded to NaN or infinity.")


@seeded
def responsibilities_are_shares(method: Clustering) -> None:
    """Responsibilities [batch, components] are not negative, sum to 1, and are the same when asked again."""
    ready = _ready(method)
    with torch.no_grad():
        shares = method.responsibilities(ready.ae, ready.x)
        again = method.responsibilities(ready.ae, ready.x)
    shape = (N, method.n_components)
    hold(torch.equal(shares, again), "Responsibilities of the same observations differ: they are random.")
    hold(
        tuple(shares.shape) == shape, f"Responsibilities have shape {tuple(shares.shape)}, expected {shape}."
    )
    hold((shares >= 0).all(), "Responsibilities are negative.")
    hold(torch.allclose(shares.sum(1), torch.ones(N), atol=1e-5), "Responsibilities do not sum to 1.")


def the_same_seed_gives_the_same_weights(method: Method) -> None:
    """Two trainings with one seed end with the same weights to the bit; with another seed they end with others."""
    first, again, other = (
        torch.cat(
            [value.flatten() for value in _trained(method, seed=seed, steps=3).ae.state_dict().values()]
        )
        for seed in (1, 1, 2)
    )
    hold(torch.equal(first, again), "Two trainings with the same seed end with different weights.")
    hold(not torch.equal(first, other), "Trainings with different seeds end with the same weights.")


def training_leaves_the_generator_alone(method: Method) -> None:
    """A training does not move the random generator of the process."""
    with torch.random.fork_rng(devices=[]):
        before = torch.get_rng_state()
        _trained(method, steps=2)
        same = torch.equal(before, torch.get_rng_state())
    hold(same, "A training moves PyTorch's random generator of the process.")


class _Stop(Exception):
    """Stops a training in the middle."""


def _stop(now: Moment) -> None:
    raise _Stop


def a_stopped_training_goes_on_to_the_bit(method: Method) -> None:
    """A training that is stopped after a checkpoint and goes on from it is one that was never stopped."""
    with TemporaryDirectory() as folder:
        kept: dict[str, Any] = {"checkpoint": Path(folder) / "state.safetensors", "checkpoint_every": 2}
        with refused(_Stop, "A training does not call its hooks."):
            _trained(method, hooks=[Hook(on_step=_stop, at=[3])], **kept)
        whole, resumed = _trained(method), _trained(method, **kept)
    for weight, value in whole.ae.state_dict().items():
        hold(
            torch.equal(value, resumed.ae.state_dict()[weight]),
            f"{weight} of a training that was stopped and went on differs from that of one that was not stopped: does "
            "the method keep something between steps?",
        )
    try:
        pd.testing.assert_frame_equal(whole.history, resumed.history, check_exact=True)
    except AssertionError as error:
        raise AssertionError(f"The history of a resumed training differs: {error}") from None


def a_saved_model_is_loaded_as_it_was(method: Method) -> None:
    """A model that is saved and loaded encodes and decodes as before, by name where the method is found by its name."""
    data = few_digits()
    model = Autoencoder(method, M, steps=2, batch=16, device="cpu").fit(data)
    known = all_methods().get(method.name()) is type(method)
    given: dict[str, Any] = {} if known else {"method": type(method)}
    with TemporaryDirectory() as folder:
        model.save(Path(folder) / "run")
        again = load(Path(folder) / "run", **given)
        hold(again.method_ == method, f"The method is loaded as {again.method_}, expected {method}.")
        codes = model.transform(data)
        hold(np.array_equal(again.transform(data), codes), "A loaded model gives other codes.")
        hold(
            np.array_equal(again.inverse_transform(codes), model.inverse_transform(codes)),
            "A loaded model decodes the same codes otherwise.",
        )


def it_can_be_told_what_is_given(method: Method) -> None:
    """Where a column of a table is given, it trains, and decodes the same code to something else for another value."""
    data = few_rows()
    ae = train(method, data, _settings(method, data, net="mlp:width=16"), device="cpu").ae
    x = x_of(data)
    other = torch.cat([x[:, :-1], 1 - x[:, -1:]], 1)
    with torch.no_grad():
        codes = ae.encode(x).mean
        again, changed = ae.generate(codes, x), ae.generate(codes, other)
    hold(torch.equal(changed[:, -1], other[:, -1]), "What is given does not come back as it is.")
    same = torch.isclose(again[:, :-1], changed[:, :-1], rtol=1e-3, atol=1e-6).all()
    hold(not same, "What is decoded is the same whatever is given: does the method decode by itself?")


def a_batch_of_1_trains_or_is_refused(method: Method) -> None:
    """A batch of one observation trains, or `smallest_batch` says that it cannot."""
    data = few_digits()
    training = replace(_settings(method, data), steps=2, batch=1)
    if method.smallest_batch > 1:
        with refused(InputError, "A batch below `smallest_batch` should be refused."):
            train(method, data, training, device="cpu")
        return
    try:
        history = train(method, data, training, device="cpu").history
    except Exception as error:
        raise AssertionError(
            f"A batch of 1 fails ({error}): a method that compares the codes of a batch has smallest_batch = 2."
        ) from error
    hold(history[list(method.weights())].notna().all(axis=None), "A batch of 1 gives terms that are NaN.")


def more_components_than_observations_are_refused(method: Clustering) -> None:
    """More clusters than observations are refused before training."""
    more = type(method)(**{**method.fields(), "n_components": N + 1})
    with refused(InputError, f"{N + 1} components for {N} observations should be refused before training."):
        _trained(more)


def the_reconstruction_error_halves(
    method: Method, place: str = "digits", steps: int = 100, lr: float = 4e-3, batch: int = 32
) -> None:
    """In a few steps at a raised learning rate the error per element, at first about the data's variance, halves."""
    data = world(place)
    training = replace(_settings(method, data), n_latents=10, steps=steps, batch=batch, lr=lr)
    seen: list[float] = []

    def halved(now: Moment) -> bool:  # no longer than it takes
        error = now.values().get("monitor:mse")
        seen.extend([] if error is None else [error])  # it is not looked at in every step of a long training
        return bool(seen) and seen[-1] < 0.5 * seen[0]

    hook = Hook(on_step=halved, at=range(1, steps, 3))
    errors = train(method, data, training, device="cpu", hooks=[hook]).history["monitor:mse"].dropna()
    first, last = errors.iloc[0], errors.iloc[-1]
    hold(
        last < 0.5 * first,
        f"After {steps} steps the reconstruction error is {last:.3g} of the data's variance per element, and it began "
        f"at {first:.3g}: expected at most half of that.",
    )

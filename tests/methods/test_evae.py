"""Trials inside real trainings: eVAE, and any weights of other methods."""

from dataclasses import dataclass, field

import pandas as pd
import pytest
import torch
from flat import train

from prismae import Job, run, world
from prismae.control import Controller, Evolve
from prismae.errors import InputError
from prismae.methods.beta_tcvae import BetaTCVAE
from prismae.methods.evae import EVAE
from prismae.methods.factor_vae import FactorVAE
from prismae.methods.vae import VAE
from prismae.methods.wae import WAE
from prismae.train import Hook

QUICK = {"rate": 3.0, "every": 24, "population": 3, "trial_steps": 2}
FACTOR = FactorVAE(critic_width=8, critic_layers=2)


def trained(method, steps=50, **kwargs):
    settings = {"n_latents": 3, "net": "mlp:width=16", "likelihood": "bernoulli", "batch": 8, "device": "cpu"}
    return train(method, world("digits"), steps=steps, **settings | kwargs)


def same(a, b):
    for x, y in ((a.ae, b.ae), (a.critic, b.critic)):
        if x is not None:
            for name, value in x.state_dict().items():
                assert torch.equal(value, y.state_dict()[name]), name


def test_a_population_of_one_is_the_vae_to_the_bit():
    same(trained(EVAE(every=5, population=1)), trained(VAE()))


def test_every_generation_is_in_the_history():
    history = trained(EVAE(**QUICK)).history
    rows = history[history["evolve:rate"].notna()]
    assert rows["step"].tolist() == [23, 47]
    names = ["evolve:weight:kl", "evolve:fitness", "evolve:kl", "evolve:recon"]
    assert rows[[f"{name}[{i}]" for name in names for i in range(3)]].notna().all(axis=None)
    for at, row in rows.iterrows():
        fittest = max(range(3), key=lambda i: row[f"evolve:fitness[{i}]"])
        assert history["weight:kl"][at + 1] == pytest.approx(row[f"evolve:weight:kl[{fittest}]"], rel=1e-6)
    assert history["weight:kl"][:24].eq(1.0).all()


def test_updates_of_trials_are_counted(tmp_path):
    whole = trained(EVAE(**QUICK), 30)
    assert whole.trial_updates == 3 * 2
    assert trained(EVAE(**QUICK), 54, start=whole.state).trial_updates == 2 * 3 * 2
    job = Job("evae", "digits", QUICK, n_latents=2, net="mlp:width=16", steps=30, batch=8)
    folder = run(job, tmp_path, device="cpu")
    assert folder.job["updates"] == 36
    assert "6 updates more" in (folder.path / "README.md").read_text()


@pytest.mark.parametrize(
    ("method", "controllers", "stopped"),
    [(EVAE(**QUICK), (), 22), (FACTOR, (Evolve("kl,tc", **QUICK),), 30)],
    ids=["evae", "factor-vae"],
)
def test_a_stopped_evolution_goes_on_to_the_bit(method, controllers, stopped, tmp_path):
    class Stop(Exception):
        pass

    def stop(now):
        raise Stop

    kept = {"checkpoint": tmp_path / "state.safetensors", "checkpoint_every": stopped}
    with pytest.raises(Stop):
        trained(method, controllers=controllers, hooks=[Hook(on_step=stop, at=[stopped + 1])], **kept)
    whole = trained(method, controllers=controllers)
    resumed = trained(method, controllers=controllers, **kept)
    same(whole, resumed)
    pd.testing.assert_frame_equal(whole.history, resumed.history, check_exact=True)


@dataclass(frozen=True)
class Tries(Controller):
    """Makes trials at one step, adopts none or the last, and moves nothing."""

    moves = ("kl",)
    adopt: bool = False
    found: dict = field(default_factory=dict)

    def __post_init__(self):
        pass

    def init(self, values):
        return {"kl": values["kl"]}, {}

    def step(self, state, means, t, trial):
        if t == 3:
            for weight in (1.0, 100.0, 1.0):
                outcome = trial({"kl": torch.tensor(weight)}, 4)
                self.found.setdefault(weight, []).append(outcome.terms)
            self.found["incumbent"] = trial({}, 0).terms
            if self.adopt:
                outcome.adopt()
        return {}, state


@pytest.mark.parametrize("method", [VAE(), FACTOR], ids=["vae", "factor-vae"])
def test_trials_that_are_not_adopted_leave_no_trace(method):
    tries = Tries()
    same(trained(method, 8, net="conv", controllers=[tries]), trained(method, 8, net="conv"))
    first, again = tries.found[1.0]
    assert all(torch.equal(first[name], again[name]) for name in first)
    (heavy,) = tries.found[100.0]
    assert heavy["kl"] < first["kl"] < 2 * tries.found["incumbent"]["kl"]


def test_an_adopted_copy_is_the_run_from_then_on():
    plain, adopted = trained(FACTOR, 5), trained(FACTOR, 5, controllers=[Tries(adopt=True)])
    for a, b in ((plain.ae, adopted.ae), (plain.critic, adopted.critic)):
        assert not torch.equal(next(a.parameters()), next(b.parameters()))


def test_weights_of_a_method_that_has_its_kl_in_parts():
    history = trained(BetaTCVAE(), 30, controllers=[Evolve("tc", **QUICK)]).history
    row = history[history["evolve:rate"].notna()].iloc[0]
    assert row["evolve:weight:tc[0]"] == pytest.approx(6.0)
    assert all(3.0 <= row[f"evolve:weight:tc[{i}]"] <= 12.0 for i in range(3))


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="evolve: a generation should train at most 25%"):
        EVAE(population=10)
    with pytest.raises(InputError, match="Two controllers move the 'kl' of evae"):
        trained(EVAE(), controllers=[Evolve("kl")])
    with pytest.raises(InputError, match="did you mean 'tc'"):
        trained(BetaTCVAE(), controllers=[Evolve("mi,tcc")])
    with pytest.raises(InputError, match="expected one for all of them, as in kl,tc=evolve"):
        trained(FACTOR, controllers=[Evolve("kl"), Evolve("tc")])
    with pytest.raises(InputError, match=r"evolve cannot move 'mmd' of wae: .* declares no KL .* beta-vae"):
        trained(WAE(), controllers=[Evolve("mmd")])


def test_a_job_keeps_an_evolution_as_plain_data():
    job = Job("factor-vae", "digits", controls=({"controller": "evolve", "moves": "kl,tc", "rate": 5},))
    assert job.controllers() == (Evolve("kl,tc", rate=5.0),)
    assert Job("factor-vae", "digits", controls=job.controls).id == job.id


@pytest.mark.slow
def test_the_kl_comes_to_the_rate():
    chosen = EVAE(rate=2.0, every=100, trial_steps=4)
    history = trained(chosen, 2000, net="conv", likelihood="bernoulli", lr=1e-3, batch=64).history
    assert history["kl"].tail(500).mean() == pytest.approx(2.0, rel=0.25)

"""A job on a GPU: trained and scored there."""

import numpy as np
import pytest
import torch

from prismae import world
from prismae.methods import method
from prismae.runs.files import SCORES
from prismae.runs.scoring import score
from prismae.settings import Training
from prismae.studies import Job
from prismae.studies.fit import run
from prismae.train import train

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]
TRAINING = Training(n_latents=4, net="conv", batch=32, steps=200, lr=1e-3)


@pytest.mark.parametrize("name", ["beta-tcvae", "ed-gcae", "factor-vae", "gmvae", "hgmvae-u", "swae", "wae"])
def test_methods_learn_on_a_gpu(name):
    history = train(method(name), world("digits"), TRAINING, device="cuda").history
    errors = history["monitor:mse"].dropna()
    assert errors.iloc[-1] < errors.iloc[0]


def test_scores_of_codes_that_are_made_on_a_gpu_and_on_a_cpu_agree(tmp_path):
    folder = run(Job("vae", "pulses", steps=100, n_latents=4), tmp_path, device="cuda")
    on_gpu = score(folder, metrics=["mig", "sap"], device="cuda")
    (folder.path / SCORES).unlink()
    on_cpu = score(folder, metrics=["mig", "sap"], device="cpu")
    for key in ("mse", "nats"):
        assert on_gpu["reconstruction"][key] == pytest.approx(on_cpu["reconstruction"][key], rel=1e-3)
    np.testing.assert_allclose(on_gpu["spread"], on_cpu["spread"], rtol=1e-3)

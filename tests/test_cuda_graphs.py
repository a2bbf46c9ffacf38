"""Steps as CUDA graphs do what steps do: on a GPU, and here with a graph that is played by a function."""

from contextlib import nullcontext

import pytest
import torch

import cuda_graphs
from prismae import world
from prismae.methods import method
from prismae.settings import Training
from prismae.train import train
from prismae.train.ongoing import Ongoing

METHODS = ["vae", "beta-tcvae", "factor-vae", "gcae", "ed-gcae", "gmvae", "hgmvae-u", "wae"]


def trained(name, device):
    critics = name in ("gcae", "ed-gcae")
    settings = Training(
        n_latents=3,
        net="mlp:width=16",
        likelihood="mse" if critics else "bernoulli",
        batch=16,
        steps=40,
        lr=1e-3,
    )
    return train(
        method(name, **({"critic_warmup": 2} if critics else {})), world("digits"), settings, device=device
    )


class Played:
    """In place of a CUDA graph: replaying calls the function again, and writes into the tensors of the first call.
    As a real one, it advances only generators that it was told of."""

    told: torch.Generator

    def register_generator_state(self, generator):
        self.told = generator

    def replay(self):
        assert self.told is self.run.draws.generator(torch.device("cpu"))  # type: ignore[attr-defined]
        for name, value in self.again().items():  # type: ignore[attr-defined]
            self.terms[name].copy_(value)  # type: ignore[attr-defined]


@pytest.fixture
def played(monkeypatch):
    """Capturing notes the call, as a real capture computes nothing."""
    capturing, update, last = [], Ongoing.update_players, {}

    def update_players(run):
        if not capturing:
            last.update(update(run))
            return dict(last)
        graph = capturing.pop()
        graph.run = run
        graph.again, graph.terms = lambda: update(run), {name: value.clone() for name, value in last.items()}
        return graph.terms

    def capture(graph, stream):
        capturing.append(graph)
        return nullcontext()

    class Stream:
        def wait_stream(self, other):
            pass

    monkeypatch.setattr(Ongoing, "update_players", update_players)
    monkeypatch.setattr(cuda_graphs, "suited", lambda run: True)
    for name, stand_in in {
        "CUDAGraph": Played,
        "graph": capture,
        "Stream": Stream,
        "current_stream": Stream,
        "stream": lambda stream: nullcontext(),
        "synchronize": lambda: None,
    }.items():
        monkeypatch.setattr(torch.cuda, name, stand_in)


LONG = [pytest.param(name, marks=pytest.mark.slow) for name in ("factor-vae", "ed-gcae")]


@pytest.mark.parametrize("name", ["beta-tcvae", *LONG])
def test_a_run_by_a_graph_is_the_run_without(name, played):
    expected, said = trained(name, "cpu"), []
    with cuda_graphs.graphs(said.append):
        found = trained(name, "cpu")
    assert said == ["by a graph from step 20 on; its weights were off by 0.0e+00 of the way that they went"]
    torch.testing.assert_close(found.ae.state_dict(), expected.ae.state_dict(), rtol=0, atol=0)
    columns = [column for column in expected.history if not column.startswith("monitor:")]
    assert found.history[columns].equals(expected.history[columns])


def test_a_graph_that_does_something_else_is_refused(played, monkeypatch):
    monkeypatch.setattr(Played, "replay", lambda self: None)
    with pytest.raises(cuda_graphs.Unlike, match=r"off by 1\.000"), cuda_graphs.graphs(print):
        trained("vae", "cpu")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", METHODS)
def test_on_a_gpu(name):
    expected, said = trained(name, "cuda"), []
    with cuda_graphs.graphs(said.append):
        found = trained(name, "cuda")
    assert len(said) == 1
    term = "monitor:mse"
    assert found.history[term].iloc[-1] == pytest.approx(expected.history[term].iloc[-1], rel=0.02)

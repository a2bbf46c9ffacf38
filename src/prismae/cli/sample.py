"""``prismae sample`` and ``prismae interpolate``: what a model of texts writes."""

from __future__ import annotations

from typing import Annotated

import typer

from prismae.cli._app import RunPath, answers, app, examples
from prismae.runs.run import Run
from prismae.runs.texts import PATH, interpolated, sampled


@app.command("sample", epilog=examples("prismae sample RUN --n 5 --temperature 0.5"))
def sample(
    path: RunPath,
    n: Annotated[int, typer.Option("--n", min=1, max=100_000, help="Sentences.")] = 10,
    temperature: Annotated[
        float,
        typer.Option(
            min=0, max=100, help="Below 1: likelier words; 0: the likeliest word at each place (greedy)."
        ),
    ] = 1.0,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of codes and words.")] = 0,
) -> None:
    """Write sentences for codes that are drawn from the prior, by a run on texts."""
    for sentence in sampled(Run.open(path), n, temperature=temperature, seed=seed):
        answers.print(sentence, highlight=False, soft_wrap=True)


@app.command("interpolate", epilog=examples('prismae interpolate RUN "a small dog" "a large cat"'))
def interpolate(
    path: RunPath,
    first: Annotated[str, typer.Argument(metavar="FIRST", help="A sentence.")],
    last: Annotated[str, typer.Argument(metavar="LAST", help="Another one.")],
    steps: Annotated[int, typer.Option(min=2, max=10_000, help="Sentences, both ends among them.")] = PATH,
) -> None:
    """Write the likeliest sentences on the line between the codes of two, by a run on texts."""
    for sentence in interpolated(Run.open(path), first, last, steps):
        answers.print(sentence, highlight=False, soft_wrap=True)

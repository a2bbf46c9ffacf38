"""Views of a run computed and kept: those that are asked for, all that it lacks, or those of a training's end."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from prismae.errors import InputError, Unavailable, unknown_name
from prismae.runs.files import DECODER, PICTURES
from prismae.runs.run import Run
from prismae.views._base import Arrays, View, all_views, view

if TYPE_CHECKING:
    from prismae.data import World
    from prismae.methods import Method
    from prismae.nets.autoencoder import AutoencoderNet
    from prismae.train.trained import Trained
    from prismae.views._subject import Subject


def compute(method: Method, net: AutoencoderNet, world: World, trained: Trained | None = None) -> Arrays:
    """The arrays of every view of a model that takes little time: what each training ends with.

    What is said of a critic needs all that the training left, `trained`.
    """
    quick = [each for each in all_views().values() if not each.slow]
    return _arrays(_subject(method, net, world, trained), quick)


def keep(run: Run, net: AutoencoderNet, arrays: Arrays) -> None:
    """Write the arrays of views to a run's pictures.npz, and the decoder for the page's sliders to its decoder.json."""
    from prismae.runs.decoder import describe_decoder  # here: drawing needs no torch

    run.write_json(DECODER, describe_decoder(net))
    run.write_arrays(PICTURES, arrays)


def add_views(run: Run, views: Sequence[str | View], data: World, **options: Any) -> None:
    """Compute views of a finished run and keep their arrays in its pictures.npz, beside those already there.

    Parameters
    ----------
    views
        Names of views, or views.
    data
        What the run was trained on.
    **options
        Fields of the views that are named, such as ``seed``: each goes to those that have it.

    Raises
    ------
    InputError
        For an unknown view or option, and a view that there is not of these data or this model.
    """
    known = all_views()
    named = [each for each in views if isinstance(each, str)]
    for name in named:
        if name not in known:
            raise unknown_name("view", name, known)
    for option in options:
        if not any(option in known[name].options() for name in named):
            raise InputError(f"No view of {', '.join(named) or 'these'} has an option {option!r}.")
    made = [
        each
        if isinstance(each, View)
        else view(each, **{name: value for name, value in options.items() if name in known[each].options()})
        for each in views
    ]
    method, trained = run.load()
    found = dict(run.pictures)
    subject = _subject(method, trained.ae, data, trained)
    for each in made:
        if refused := each.refusal(subject.kind):
            raise InputError(refused)
        found |= each.compute(subject)
    keep(run, trained.ae, found)


def complete(run: Run, data: World) -> None:
    """Compute every view that a finished run lacks, slow ones too; those that are there stay as they are."""
    found = run.pictures
    method, trained = run.load()
    missing = [each for each in all_views().values() if _missing(each, found)]
    keep(run, trained.ae, found | _arrays(_subject(method, trained.ae, data, trained), missing))


def _missing(each: type[View], found: Collection[str]) -> bool:
    return not (set(each.arrays) & set(found) and set(each.always()) <= set(found))


def _arrays(subject: Subject, views: Sequence[type[View]]) -> Arrays:
    """What these views keep, without those that there are not of this model or its data."""
    found: Arrays = {}
    for each in views:
        if not each.refusal(subject.kind):
            try:
                found |= each().compute(subject)
            except Unavailable:
                continue
    return found


def _subject(method: Method, net: AutoencoderNet, world: World, trained: Trained | None) -> Subject:
    from prismae.views._subject import Subject  # here: drawing needs no torch

    return Subject(method, net, world, trained)

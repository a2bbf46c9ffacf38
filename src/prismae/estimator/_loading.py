"""load: a fitted autoencoder from its run folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from prismae._discovery import of_package
from prismae.control import Controller, all_controllers, controller
from prismae.errors import InputError
from prismae.estimator._autoencoder import Autoencoder
from prismae.estimator._observations import note_features
from prismae.methods import Method
from prismae.nets import Architecture, Likelihood, Net
from prismae.runs.run import Run


def load(
    path: str | Path,
    *,
    method: Method | type[Method] | None = None,
    controllers: Sequence[Controller | type[Controller]] = (),
    net: Net | Architecture | None = None,
    likelihood: Likelihood | None = None,
) -> Autoencoder:
    """The fitted autoencoder of a run folder, from `Autoencoder.save` or ``prismae fit``. Nothing is unpickled.

    Parameters
    ----------
    method, controllers
        The run's own method and controllers, or their classes, where no installed package declares them, so that
        they cannot be found by their names: those of a notebook or a script.
    net, likelihood
        Likewise the run's network and likelihood.

    Raises
    ------
    InputError
        For a folder that holds no finished run, a method or controller that is not found, and one that is not the
        run's.
    """
    run = Run.open(path)
    about: dict[str, Any] = {**run.job}
    chosen, trained = run.load(method=method, net=net, likelihood=likelihood)
    model = Autoencoder(
        chosen,
        about["n_latents"],
        net=about["net"] if net is None else net,
        likelihood=about["likelihood"] if likelihood is None else likelihood,
        steps="auto" if "kept" in about else about["steps"],
        batch=about["batch"],
        lr=about["lr"],
        random_state=about["seed"],
        precision=about["precision"],
        series=about.get("series"),
        axes=about.get("axes"),
        given=tuple(about.get("given") or ()),
        controllers=_controllers(about, controllers),
    )
    model._take(chosen, trained, about, run.verdict)
    note_features(model, model.shape_, model._form.kind.columns)
    if about.get("feature_names"):
        model.feature_names_in_ = np.asarray(about["feature_names"], dtype=object)
    return model


def _controllers(
    about: Mapping[str, Any], given: Sequence[Controller | type[Controller]]
) -> tuple[Controller, ...]:
    """The controllers that a run's job.json names: those given where they have that name, else those found by it."""
    classes = {cls.name(): cls for cls in (each if isinstance(each, type) else type(each) for each in given)}
    controls = about.get("controls", ())
    strange = classes.keys() - {each["controller"] for each in controls}
    if strange:
        raise InputError(f"The run has no controller {', '.join(sorted(strange))}: leave that out.")
    made = []
    for each, path in zip(controls, about.get("control_classes") or [None] * len(controls), strict=True):
        name, fields = each["controller"], {k: v for k, v in each.items() if k != "controller"}
        cls = classes.get(name) or all_controllers().get(name)
        if cls is None or (path and name not in classes and not of_package(cls, path)):
            where = f" is the class {path}, which" if path else ", which"
            raise InputError(
                f"The run's controller {name!r}{where} no installed package declares by that name: "
                "expected the class, as in load(path, controllers=[TheClass])."
            )
        made.append(controller(**each) if name not in classes else cls(**fields))
    return tuple(made)

"""Tracker: a training's numbers and pictures in another program's record of experiments, while it goes on."""

from __future__ import annotations

import sys
import tempfile
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, cast

from prismae._discovery import entry_name, kebab, subclasses
from prismae._files import write_file
from prismae.data.storage import spaced
from prismae.errors import InputError, unknown_name
from prismae.figures.canvas import png
from prismae.report.picture import write_picture
from prismae.runs.files import JOB, PICTURES
from prismae.runs.run import Run
from prismae.train import Hook, Moment, Trained
from prismae.train.history import FLUSH_EVERY
from prismae.views import all_views
from prismae.views._subject import Subject
from prismae.views.errors import Errors
from prismae.views.reconstructions import Reconstructions

SCALARS = (str, int, float, bool)
LOOKS, APART, LOOKED_AT = (
    10,
    500,
    256,
)  # pictures in a training at most, steps between two at least; observations


@dataclass
class Tracker(ABC):
    """One training's record in another program. What it needs is installed by ``pip install 'prismae[track]'``.

    One file in `prismae.trackers` (or an entry point of group ``prismae.trackers``) holds one; its name on the command
    line is the class's. A tracker says how to begin, and how to send numbers and pictures; `hook` and `results` say
    when. One that fails is left alone with a warning: the training goes on without it.

    Parameters
    ----------
    title
        What the training is called there, such as a run's id. A training that goes on is the one of the same title.
    folder
        Where files may be kept: a run's folder, or any other.
    settings
        What was asked for, by name: texts and numbers.

    Attributes
    ----------
    packages
        Modules that it cannot do without.
    """

    title: str
    folder: Path
    settings: Mapping[str, str | float] = field(default_factory=dict)

    packages: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        self.folder = Path(self.folder)
        self._begun, self._failed, self._sent = False, False, 0
        self._last: dict[str, float] = {}
        missing = [each for each in self.packages if find_spec(each) is None]
        if missing:
            raise InputError(
                f"Tracker {self.name()!r} needs {', '.join(missing)}: pip install 'prismae[track]'."
            )

    @classmethod
    def name(cls) -> str:
        """Name on the command line."""
        return entry_name(cls, "prismae.trackers") or kebab(cls.__name__)

    def check(self) -> None:  # noqa: B027 - most have nothing to ask
        """Raise InputError, before anything is trained, where nothing could be sent."""

    @abstractmethod
    def begin(self, step: int) -> None:
        """Begin the record, or go on with it: of what it holds of this training, all before `step` stays."""

    @abstractmethod
    def numbers(self, values: Mapping[str, float], step: int) -> None:
        """Send numbers by their names, in which "/" parts groups: ``recon``, ``weight/kl``, ``sigma/0``."""

    @abstractmethod
    def picture(self, name: str, path: Path, step: int) -> None:
        """Send a picture: a .png file."""

    @abstractmethod
    def close(self) -> None:
        """Bring all that was sent to its place. More may be sent later."""

    def hook(self) -> Hook:
        """A hook that sends terms, weights and monitored errors each 50 steps, and at the end of a training.

        That is when they come from the device anyway, so no step waits for it. Reconstructions of eight observations
        are drawn nine times along the way, at most each 500 steps, into `folder`/figures.
        """
        self.check()
        return Hook(
            on_step=self._stepped, on_end=self._ended, at=range(FLUSH_EVERY, sys.maxsize, FLUSH_EVERY)
        )

    def results(self, run: Run) -> None:
        """Send a finished run's scores, and every picture that is kept of it, which is drawn into its ``figures/``."""
        step = run.job["steps"]
        self._try(step + 1, self.numbers, dict(_scores(run.scores or {}, "score")), step)
        for name, view in all_views().items():
            if view.drawn and not view.refusal(run.shown.kind) and not view.lacks(run):
                self._try(step + 1, self.picture, name, write_picture(run.path, name), step)
        self.end()

    def end(self) -> None:
        """`close`, where anything was sent."""
        if self._begun:
            self._try(0, self.close)

    def _stepped(self, now: Moment) -> None:
        values = now.values()
        # what is measured now and then is sent when it is new
        new = {k: v for k, v in values.items() if _terms(k) or self._last.get(k) != v}
        self._last, self._sent = values, now.step
        self._try(now.step, self.numbers, {grouped(name): value for name, value in new.items()}, now.step)
        every = FLUSH_EVERY * max(now.steps // LOOKS // FLUSH_EVERY, APART // FLUSH_EVERY)
        drawn = not Reconstructions.refusal(now.world.kind.name())
        if drawn and now.step % every == 0 and now.step < now.steps:
            self._try(now.step, self._look, now)

    def _look(self, now: Moment) -> None:
        """Draw and send what the training makes of some observations by now."""
        few = now.world.take(spaced(len(now.world), LOOKED_AT).numpy()).to("cpu")
        net = now.ae if now.ae.std.device.type == "cpu" else deepcopy(now.ae).cpu()
        subject = Subject(now.method, net, few)
        arrays = Reconstructions().compute(subject)
        if len(few.shape) == 1:  # the columns' deviations, in which a table is drawn
            arrays |= Errors().compute(subject)
        job = now.world.kind.to_json() | {"shape": list(few.shape), "summary": asdict(now.world.summary)}
        with tempfile.TemporaryDirectory() as folder:
            run = Run(Path(folder))
            run.write_json(JOB, job)
            run.write_arrays(PICTURES, arrays)
            drawn = png(Reconstructions().draw(run))
        path = self.folder / "figures" / f"{Reconstructions.name()}-{now.step}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.picture(Reconstructions.name(), write_file(path, drawn), now.step)

    def _ended(self, trained: Trained) -> None:
        if self._sent < trained.steps:
            row = trained.history.drop(columns="step").iloc[-1].dropna()
            values = {grouped(str(name)): float(value) for name, value in row.items()}
            self._try(trained.steps, self.numbers, values, trained.steps)
        self.end()

    def _try(self, step: int, send: Callable[..., None], *given: Any) -> None:
        """Call what sends, after `begin`; what goes wrong is said once."""
        if self._failed:
            return
        try:
            if not self._begun:
                self.begin(step)
                self._begun = True
            send(*given)
        except Exception as error:  # of another program: of any kind
            self._failed = True
            said = f"{self.name()}: nothing more is sent, the run goes on ({type(error).__name__}: {error})."
            warnings.warn(said, stacklevel=2)


def grouped(name: str) -> str:
    """A column of the history as trackers group it: ``monitor:spread[3]`` → ``monitor/spread/3``."""
    return name.replace(":", "/").replace("[", "/").replace("]", "")


def _terms(column: str) -> bool:
    return ":" not in column or column.startswith("weight:")


def _scores(found: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, float]]:
    """The numbers of a scores.json: ``score/locatello2019/mig``, ``score/reconstruction/mse``, ``unseen/…``."""
    for name, value in (found.get("reconstruction") or {}).items():
        yield f"{prefix}/reconstruction/{name}", value
    for protocol, scores in found.get("protocols", {}).items():
        for name, score in scores.items():
            if score["score"] is not None:
                yield f"{prefix}/{protocol}/{name}", float(score["score"])
    if found.get("unseen"):
        yield from _scores(found["unseen"], "unseen-score")


def all_trackers() -> dict[str, type[Tracker]]:
    """Every tracker by its command-line name: those of `prismae.trackers`, then those of other packages."""
    return subclasses("prismae.trackers", cast(Any, Tracker), "prismae.trackers", frozen=False)


def tracker(name: str, run: Run, job: Mapping[str, Any]) -> Tracker:
    """The tracker of that name, for the training of a run.

    Parameters
    ----------
    job
        What is trained: its fields, as job.json says them.

    Raises
    ------
    InputError
        For an unknown name, and a tracker that is not installed.
    """
    known = all_trackers()
    if name not in known:
        raise unknown_name("tracker", name, known)
    settings = {**job, **(job.get("fields") or {})}
    said = {key: value for key, value in settings.items() if isinstance(value, SCALARS) and value != ""}
    return known[name](run.path.name, run.path, said)

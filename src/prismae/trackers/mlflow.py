"""MLflow, by its own client: Lightning Fabric has no logger for it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prismae.errors import InputError
from prismae.trackers._base import Tracker
from prismae.train.history import FLUSH_EVERY

EXPERIMENT, TAG = "prismae", "prismae.title"
LONGEST = 6000  # letters of a parameter


@dataclass
class MLflow(Tracker):
    """A run of the experiment ``prismae`` where MLFLOW_TRACKING_URI says: a server, or a folder."""

    packages = ("mlflow",)

    def check(self) -> None:
        """Ask the store whether it is there."""
        import mlflow

        try:
            self._client().search_experiments(max_results=1)
        except Exception as error:  # of the store that was named, of any kind
            raise InputError(
                f"MLflow cannot be reached at {mlflow.get_tracking_uri()!r}, which the environment's "
                f"MLFLOW_TRACKING_URI or MLflow itself says ({str(error).strip().splitlines()[0]})."
            ) from error

    def begin(self, step: int) -> None:
        """A new run; for a training that goes on, the last one of its title.

        What that has of later steps stays, and is sent again, with the same values.
        """
        from mlflow.entities import Param

        self.client = self._client()
        self.pending: list[Any] = []
        place = self._experiment()
        query = f"tags.`{TAG}` = '{self.title}'"
        for earlier in self.client.search_runs([place], query, max_results=1):
            if step > FLUSH_EVERY or earlier.info.status != "FINISHED":
                self.run = earlier.info.run_id
                self.client.update_run(self.run, "RUNNING")
                return
        self.run = self.client.create_run(place, tags={TAG: self.title}, run_name=self.title).info.run_id
        given = [Param(name, str(value)[:LONGEST]) for name, value in self.settings.items()]
        self.client.log_batch(self.run, params=given)

    def numbers(self, values: Mapping[str, float], step: int) -> None:
        """Send metrics, without waiting for the store."""
        from mlflow.entities import Metric

        now = int(1000 * time.time())
        each = [Metric(name, value, now, step) for name, value in values.items()]
        self.pending.append(self.client.log_batch(self.run, each, synchronous=False))

    def picture(self, name: str, path: Path, step: int) -> None:
        """Send the file as an artifact."""
        self.client.log_artifact(self.run, str(path), "pictures")

    def close(self) -> None:
        """Wait for what is on its way, and end the run."""
        for each in self.pending:
            each.wait()
        self.pending.clear()
        self.client.set_terminated(self.run)

    def _experiment(self) -> str:
        """Its id, also where another job of a study makes it at this moment."""
        found = self.client.get_experiment_by_name(EXPERIMENT)
        if found is None:
            try:
                return str(self.client.create_experiment(EXPERIMENT))
            except Exception:  # of the store, of any kind
                found = self.client.get_experiment_by_name(EXPERIMENT)
                if found is None:
                    raise
        return str(found.experiment_id)

    def _client(self) -> Any:
        from mlflow import MlflowClient  # here: importing it takes seconds

        return MlflowClient()

"""What a run records: every term and observation, without waiting for the device at each step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from prismae.errors import NotFinite

FLUSH_EVERY = 50  # steps between two looks at the device


class History:
    """Rows of named values, one per step, kept on the device until `flush`.

    Every step is checked for NaN and infinity; rows are kept for every `every`-th step.
    """

    def __init__(self, every: int) -> None:
        self.every = every
        self.columns: list[str] = []
        self.rows: list[Tensor] = []  # host, float64 [k, columns]
        self.monitored: list[dict[str, float]] = []
        self._pending: list[Tensor] = []
        self._next = 0
        self._newest: dict[str, float] = {}

    def add(self, step: int, values: Mapping[str, float | Tensor]) -> None:
        """Note the values of one step; vectors [m] become columns ``name[0]`` to ``name[m-1]``."""
        tensors = {name: torch.as_tensor(value) for name, value in values.items()}
        if not self.columns:
            for name, tensor in tensors.items():
                self.columns += [name] if tensor.ndim == 0 else [f"{name}[{i}]" for i in range(len(tensor))]
        if not self._pending:
            self._next = step
        device = next((t.device for t in tensors.values() if t.device.type != "cpu"), None)
        self._pending.append(
            torch.cat([t.detach().reshape(-1).double().to(device) for t in tensors.values()])
        )

    def flush(self) -> dict[str, float]:
        """Bring pending rows to the host and check them; returns the newest of them (empty if there is none).

        Raises
        ------
        NotFinite
            Naming the first term that is not finite, and its step.
        """
        if not self._pending:
            return {}
        rows = torch.stack(self._pending).cpu()
        steps = torch.arange(self._next, self._next + len(rows))
        self._pending = []
        bad = (~rows.isfinite()).nonzero()
        if len(bad):
            row, column = bad[0].tolist()
            critic = ", of the critic too (critic_lr)" if "critic" in self.columns else ""
            raise NotFinite(
                f"{self.columns[column]} became {rows[row, column].item()} at step {int(steps[row])}: "
                f"try a smaller learning rate{critic}, or look at the data's range and the weights."
            )
        keep = steps % self.every == 0
        self.rows.append(torch.cat([steps[keep].double().unsqueeze(1), rows[keep]], 1))
        self._newest = dict(zip(self.columns, rows[-1].tolist(), strict=True))
        return self._newest

    def newest(self) -> dict[str, float]:
        """The newest value of each column, by its name in `frame`; raises as `flush` does."""
        self.flush()
        seen: dict[str, float] = {}
        for values in self.monitored:
            seen |= {_monitored(name): value for name, value in values.items() if name != "step"}
        return self._newest | seen

    def monitor(self, step: int, values: Mapping[str, float]) -> None:
        """Note values measured now and then; they join the last kept row, with what else was noted for it."""
        kept = float(step - step % self.every)
        if not self.monitored or self.monitored[-1]["step"] != kept:
            self.monitored.append({"step": kept})
        self.monitored[-1].update(values)

    def frame(self) -> pd.DataFrame:
        """One row per kept step; monitored values in columns ``monitor:…``, or as they are named if their name has a
        colon; NaN where they were not measured."""
        rows = (
            torch.cat(self.rows) if self.rows else torch.empty(0, 1 + len(self.columns), dtype=torch.float64)
        )
        frame = pd.DataFrame(rows.numpy(), columns=["step", *self.columns])
        if self.monitored:
            seen = pd.DataFrame(self.monitored)
            seen = seen.rename(columns=lambda c: c if c == "step" else _monitored(c))
            frame = frame.merge(seen, on="step", how="left")
        return frame.astype({"step": "int64"})

    def state(self) -> dict[str, Any]:
        """For a checkpoint, after `flush`."""
        rows = (
            torch.cat(self.rows) if self.rows else torch.empty(0, 1 + len(self.columns), dtype=torch.float64)
        )
        return {"columns": self.columns, "rows": rows, "monitored": self.monitored}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a checkpoint."""
        self.columns, self.rows, self.monitored = state["columns"], [state["rows"]], state["monitored"]


def _monitored(name: str) -> str:
    """What a monitored value is called as a column."""
    return name if ":" in name else f"monitor:{name}"

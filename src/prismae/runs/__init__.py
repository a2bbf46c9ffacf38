"""One finished run: its record, and what is read from it."""

from prismae.runs.run import Run, read_run

__all__ = ["Run", "read_run"]

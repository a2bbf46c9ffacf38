"""Studies: jobs, and what is made of them."""

from prismae.studies.job import Job, run

__all__ = ["Job", "run"]

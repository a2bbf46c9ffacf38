"""Studies: jobs, and what is made of them."""

from prismae.studies.job import Job, run
from prismae.studies.scoring import score

__all__ = ["Job", "run", "score"]

"""Studies: plans, jobs, and what is made of them."""

from prismae.studies.job import Job, run
from prismae.studies.plan import Plan
from prismae.studies.rows import rows
from prismae.studies.scoring import score
from prismae.studies.study import study

__all__ = ["Job", "Plan", "rows", "run", "score", "study"]

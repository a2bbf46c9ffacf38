"""Studies: plans, jobs, and what is made of them."""

from prismae.runs.job import Job
from prismae.runs.scoring import score
from prismae.studies.fit import run
from prismae.studies.plan import Plan
from prismae.studies.rows import rows
from prismae.studies.study import study

__all__ = ["Job", "Plan", "rows", "run", "score", "study"]

"""Figures and the HTML report of a run, from its saved results only (no torch, no model, no data needed)."""

from prismae.report.html import write_report
from prismae.report.picture import write_picture

__all__ = ["write_picture", "write_report"]

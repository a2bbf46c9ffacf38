"""Figures and the HTML report of a run, from its saved results only (no torch, no model, no data needed)."""

from prismae.report.html import write_report

__all__ = ["write_report"]

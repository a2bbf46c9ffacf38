"""Trackers: other programs' records of experiments, one file each, to which a training is sent as it goes on.

Found by scanning this folder and other packages' entry points, as methods are.
"""

from prismae.trackers._base import Tracker, all_trackers, tracker

__all__ = ["Tracker", "all_trackers", "tracker"]

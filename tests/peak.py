"""The memory that a test may take."""

import resource


def peak() -> int:
    """The most bytes of memory that this process has used."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

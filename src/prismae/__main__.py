"""``python -m prismae`` is the command ``prismae``."""

from prismae.cli import main

main()

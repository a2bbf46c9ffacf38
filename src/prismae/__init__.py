"""prismae splits data into its factors of variation."""

__version__ = "0.1.0"

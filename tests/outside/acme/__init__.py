"""A package outside of prismae that brings one of everything; docs/extending.md shows its files."""

"""The worlds that ship with prismae: one file a world, each with a `load` function that returns it."""

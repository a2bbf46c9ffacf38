"""Maths of codes: pure functions of tensors, each tested against a closed form or a limit."""

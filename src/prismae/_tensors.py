"""Tensors of PyTorch as arrays of NumPy, where PyTorch itself is not to be imported."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from prismae.errors import InputError


def of_tensor(x: Any, what: str) -> NDArray:
    """A tensor as an array, off its graph and device; of types that NumPy lacks, such as bfloat16, as float32.

    Raises
    ------
    InputError
        For a tensor that is sparse, nested, or has no values; `what` is what the sentence calls it.
    """
    if x.is_meta:
        raise InputError(f"{what}: the tensor is on the device meta, where it has a shape and no values.")
    if x.is_nested:
        raise InputError(f"{what}: a nested tensor cannot be used, expected one of rows of one shape.")
    if str(x.layout) != "torch.strided":
        raise InputError(
            f"{what}: a sparse tensor cannot be used, expected a dense one: x.to_dense() is that."
        )
    if x.is_quantized:
        x = x.dequantize()
    try:
        made: NDArray = x.numpy(force=True)
    except TypeError:
        made = x.float().numpy(force=True)
    return made

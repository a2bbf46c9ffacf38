"""Which factor counts as the class of an observation."""

from __future__ import annotations

from numpy.typing import NDArray

from prismae.errors import InputError, Unavailable


def class_labels(
    factors: NDArray, kinds: tuple[str, ...], names: tuple[str, ...], label: str | int | None
) -> NDArray:
    """The factor that counts as the class of each point: [n], NaN where unknown.

    Parameters
    ----------
    label
        Its name or index; None: the only categorical factor.
    """
    if isinstance(label, str):
        if label not in names:
            raise InputError(f"There is no factor {label!r}: expected one of {', '.join(names) or 'none'}.")
        label = names.index(label)
    if label is None:
        categorical = [k for k, kind in enumerate(kinds) if kind == "categorical"]
        if len(categorical) != 1:
            which = ", ".join(names) or f"0 to {len(kinds) - 1}"
            raise Unavailable(
                f"There are {len(categorical)} categorical factors and one is needed as class label: choose by label "
                f"one of {which}."
            )
        label = categorical[0]
    if not 0 <= label < factors.shape[1]:
        raise InputError(f"There is no factor {label}: expected 0 to {factors.shape[1] - 1}.")
    if kinds[label] != "categorical":
        raise InputError(f"Factor {names[label] if names else label} is continuous, expected class labels.")
    return factors[:, label]

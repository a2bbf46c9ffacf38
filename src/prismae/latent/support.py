"""Whether codes have a factorised support: how far what could be combined is from what there is."""

from __future__ import annotations

import torch
from torch import Tensor

AT_ONCE = 2**22  # distances that are looked at together


def hausdorff(z: Tensor, pairs: Tensor) -> Tensor:
    """How far codes z [batch, m] are from a factorised support, for pairs of latents [p, 2]: [p], squared units of z.

    For two latents (i, j) the largest squared distance, in their plane, of a point (z_ai, z_cj) that two codes a and c
    combine to, from the nearest code; 0 where all combinations are there. Roth et al. 2023, arXiv:2210.07347, Eqs. 4
    and 5. Gradients reach the three codes of that distance.
    """
    batch, found = len(z), []
    for i, j in pairs.tolist():
        first, second = z[:, i], z[:, j]
        with torch.no_grad():
            apart = [(each.unsqueeze(1) - each).square() for each in (first, second)]
            least = torch.cat(
                [
                    (rows.unsqueeze(1) + apart[1]).amin(2)  # [some a, c], over the nearest code
                    for rows in apart[0].split(max(1, AT_ONCE // batch**2))
                ]
            )
            place = least.argmax().view(1)  # [1]: an index of no dimension would wait for the device
            a, c = place // batch, place % batch
            n = (apart[0].index_select(0, a) + apart[1].index_select(0, c)).argmin(1)
        across, up = (code[at] - code[n] for code, at in ((first, a), (second, c)))
        found.append(across.square() + up.square())
    return torch.cat(found) if found else z.new_zeros(0)

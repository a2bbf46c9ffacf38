"""Score codes from anywhere: PCA and ICA of simulated waveforms, beside codes that are the factors themselves.

Metrics are functions of arrays, so codes of any framework can be scored. Each score stands beside its ceiling (codes
that are the factors) and its chance level (the same codes, shuffled).
"""

import torch
from sklearn.decomposition import PCA, FastICA

import prismae as pr


def main(n: int = 2000) -> dict[str, float]:
    """Print the scores, and return the MIG of each kind of code."""
    world = pr.world("pulses")
    assert world.factors is not None
    n = min(n, len(world))
    X = world.data[torch.arange(n)].flatten(1).numpy()
    factors = world.factors[:n]
    kinds = {
        "PCA": PCA(4, random_state=0).fit_transform(X),
        "ICA": FastICA(4, random_state=0, max_iter=500).fit_transform(X),
        "the factors": factors.astype(float),
    }
    found = {}
    for name, codes in kinds.items():
        print(f"\n{name}")
        print(pr.evaluate(codes, factors, metrics=["mig", "dci", "sap"]))
        found[name] = float(pr.metrics.mig(codes, factors))
    return found


if __name__ == "__main__":
    main()

"""Counts, such as cells by genes: rates of a Poisson distribution, and with a column for each gene negative binomials.

The counts are made up here, of three hidden programmes that switch groups of genes up and down; yours come from
``pr.world("cells.h5ad")``, a sparse matrix, or a table of whole numbers.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import prismae as pr


def cells(n: int = 1500, genes: int = 60) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Counts [n, genes], and the programmes [n, 3] behind them."""
    rng = np.random.default_rng(0)
    programmes = rng.normal(size=(n, 3))
    group = np.arange(genes) % 3  # each gene belongs to one programme
    rates = np.exp(1.0 + 0.8 * programmes[:, group] + 0.3 * rng.normal(size=genes))
    return rng.poisson(rates), programmes


def main(steps: int = 3000) -> dict[str, float]:
    """Print and return, for each likelihood, how well the codes tell the programmes (R² of a linear regression)."""
    counts, programmes = cells()
    table = pd.DataFrame(counts, columns=[f"gene {i}" for i in range(counts.shape[1])])
    told = {}
    for likelihood, data in (("poisson", counts), ("columns", table)):
        model = pr.Autoencoder("vae", n_latents=3, likelihood=likelihood, steps=steps, lr=1e-3)
        codes = model.fit_transform(data)
        rates = np.asarray(model.inverse_transform(codes))
        assert (rates >= 0).all()  # rebuilt counts are never negative
        known = np.column_stack([codes, np.ones(len(codes))])
        left = programmes - known @ np.linalg.lstsq(known, programmes, rcond=None)[0]
        told[likelihood] = float(1 - left.var() / programmes.var())
        print(f"{likelihood}, verdict: {model.verdict_}")
        print(f"{likelihood}: the codes tell {told[likelihood]:.2f} of the programmes' variance")
    return told


if __name__ == "__main__":
    main()

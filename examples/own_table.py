"""A table with mixed columns and missing values: which columns move together, with which latent, and what fills gaps.

The table is made up here, with two hidden causes; yours comes from ``pd.read_csv``. Numeric columns are scaled and
columns of text one-hot coded by scikit-learn's own transformers. A tenth of the cells is missing: the model learns from
the others.
"""

import numpy as np
import pandas as pd

import prismae as pr


def table(n: int = 2000) -> pd.DataFrame:
    """Five columns that depend on two hidden causes, load and weather."""
    rng = np.random.default_rng(0)
    load, weather = rng.uniform(-1.7, 1.7, size=(2, n))
    return pd.DataFrame(
        {
            "power_kw": 40 + 9 * load + rng.normal(scale=0.8, size=n),
            "current_a": 70 + 16 * load + rng.normal(scale=1.5, size=n),
            "humidity": 50 + 12 * weather + rng.normal(scale=1.0, size=n),
            "temperature_c": 18 - 6 * weather + rng.normal(scale=0.5, size=n),
            "shift": np.where(load + rng.normal(scale=0.3, size=n) > 0, "day", "night"),
        }
    )


def main(steps: int = 1000) -> pd.DataFrame:
    """Print and return the correlation of each latent with each numeric column."""
    whole = table()
    missing = np.random.default_rng(1).random(whole.shape) < 0.1
    frame = whole.mask(missing)
    model = pr.Autoencoder("beta-tcvae", n_latents=4, steps=steps, lr=1e-3, random_state=0)
    model.set_output(transform="pandas")
    codes = model.fit_transform(frame)
    print("verdict:", model.verdict_)
    numbers = frame.select_dtypes("number")
    together = pd.concat([codes, numbers], axis=1).corr().loc[codes.columns, numbers.columns]
    print(together.round(2))
    restored = model.inverse_transform(codes)  # a table with the columns that were given, without gaps
    assert isinstance(restored, pd.DataFrame)
    filled = frame.fillna(restored)
    print(filled.head(3))
    error = (filled[numbers.columns] - whole[numbers.columns])[missing[:, : numbers.shape[1]]] / numbers.std()
    print("cells that were missing are filled in with an error of these deviations:")
    print(error.pow(2).mean().pow(0.5).round(2))
    right = (filled["shift"] == whole["shift"])[missing[:, -1]].mean()
    print(f"of the shifts that were missing {right:.0%} are right")
    return together


if __name__ == "__main__":
    main()

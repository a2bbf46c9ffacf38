"""A table with mixed columns: which columns move together, and with which latent.

The table is made up here, with two hidden causes; yours comes from ``pd.read_csv``. Numeric columns are scaled and
columns of text one-hot coded by scikit-learn's own transformers.
"""

import numpy as np
import pandas as pd

import prismae as pr


def table(n: int = 2000) -> pd.DataFrame:
    """Five columns that depend on two hidden causes, load and weather."""
    rng = np.random.default_rng(0)
    load, weather = rng.normal(size=(2, n))
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
    frame = table()
    model = pr.Autoencoder("beta-tcvae", n_latents=4, steps=steps, lr=1e-3, random_state=0)
    model.set_output(transform="pandas")
    codes = model.fit_transform(frame)
    numbers = frame.select_dtypes("number")
    together = pd.concat([codes, numbers], axis=1).corr().loc[codes.columns, numbers.columns]
    print(together.round(2))
    restored = model.inverse_transform(codes)  # a table with the columns that were given
    assert isinstance(restored, pd.DataFrame)
    print(restored.head(3))
    return together


if __name__ == "__main__":
    main()

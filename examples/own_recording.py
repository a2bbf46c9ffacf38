"""Long recordings: one of sound, and one of twelve channels as an ECG has them; cut into windows, fitted, encoded.

The recordings are made here; yours lie in a .wav, .csv, .mat or .npy file already.
"""

from pathlib import Path

import numpy as np
from scipy.io import wavfile

import prismae as pr

RATE = 250  # points a second


def beats(seconds: int = 120) -> np.ndarray:
    """Twelve leads [12, length] of a heart whose rate and amplitude drift."""
    rng = np.random.default_rng(0)
    time = np.arange(seconds * RATE) / RATE
    phase = np.cumsum(1.2 + 0.4 * np.sin(time / 9)) / RATE % 1
    waves = [(0.2, 0.04, 0.2), (0.4, 0.012, 1.0), (0.7, 0.06, 0.3)]  # P, R and T: place, width, height
    source = np.stack(
        [height * np.exp(-(((phase - place) / width) ** 2) / 2) for place, width, height in waves]
    )
    leads = rng.normal(size=(12, 3)) @ source * (1 + 0.3 * np.sin(time / 17))
    return leads + 0.02 * rng.normal(size=leads.shape)


def main(steps: int = 1500, folder: Path = Path("runs/examples")) -> dict[str, pr.data.World]:
    """Fit both; return the windows that were trained on."""
    folder.mkdir(parents=True, exist_ok=True)
    leads = beats()
    wavfile.write(folder / "heart.wav", RATE, (leads[0] * 10_000).astype(np.int16))
    found = {
        "sound": pr.world(folder / "heart.wav", window=RATE),
        "leads": pr.world(leads, window=2 * RATE, stride=RATE, rate=RATE, series="channels-first"),
    }
    for name, windows in found.items():
        print(windows.describe())
        model = pr.Autoencoder("vae", n_latents=4, steps=steps, lr=1e-3).fit(windows)
        codes = model.transform(windows)
        print(f"{name}: codes of the window at {windows.called[1]}: {np.round(codes[1], 2)}")
    return found


if __name__ == "__main__":
    main()

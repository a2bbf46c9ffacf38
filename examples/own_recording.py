"""Long recordings: one of sound, and one of twelve channels as an ECG has them; cut into windows, fitted, encoded.

The recordings are made here, of a heart whose rate and strength drift; yours lie in a .wav, .csv, .mat or .npy file
already.
"""

from pathlib import Path

import numpy as np
from scipy.io import wavfile

import prismae as pr

RATE = 250  # points a second
SECONDS = 240


def beats() -> tuple[np.ndarray, np.ndarray]:
    """Twelve leads [12, length] of a heart, and its strength [length]."""
    rng = np.random.default_rng(0)
    time = np.arange(SECONDS * RATE) / RATE
    phase = np.cumsum(1.2 + 0.4 * np.sin(time / 9)) / RATE % 1
    waves = [(0.2, 0.04, 0.2), (0.4, 0.012, 1.0), (0.7, 0.06, 0.3)]  # P, R and T: place, width, height
    source = np.stack(
        [height * np.exp(-(((phase - place) / width) ** 2) / 2) for place, width, height in waves]
    )
    strength = 1 + 0.3 * np.sin(time / 17)
    leads = rng.normal(size=(12, 3)) @ source * strength
    return leads + 0.02 * rng.normal(size=leads.shape), strength


def main(steps: int = 600, folder: Path = Path("runs/examples")) -> dict[str, pr.data.World]:
    """Fit both; return the windows that were trained on."""
    folder.mkdir(parents=True, exist_ok=True)
    leads, strength = beats()
    wavfile.write(folder / "heart.wav", RATE, (leads[0] * 10_000).astype(np.int16))
    found = {
        "sound": pr.world(folder / "heart.wav", window=RATE),
        "leads": pr.world(leads, window=2 * RATE, stride=RATE, rate=RATE, series="channels-first"),
    }
    for name, windows in found.items():
        print(windows.describe())
        model = pr.Autoencoder("vae", n_latents=4, net="mlp:width=128", steps=steps, lr=1e-3).fit(windows)
        print(f"verdict on {name}: {model.verdict_}")
        codes = model.transform(windows)
        print(f"code of the window at {windows.called[1]}: {np.round(codes[1], 2)}")
        starts = np.arange(len(codes)) * RATE
        true = [strength[start : start + windows.shape[-1]].mean() for start in starts]
        told = np.abs([np.corrcoef(code, true)[0, 1] for code in codes.T]).max()
        print(f"the heart's strength in a window and the nearest latent: |r| = {told:.2f}\n")
    return found


if __name__ == "__main__":
    main()

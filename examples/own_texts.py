"""Sentences: does the code hold them, and what lies on the line between two of them?

The sentences are made up here from a small grammar; yours stand one in each line of a file.
"""

from itertools import product
from pathlib import Path

import numpy as np

import prismae as pr

WHO = ("the old man", "a young woman", "my neighbour", "the teacher")
DOES = ("walks", "runs", "drives", "rides")
WHERE = ("to the market", "along the river", "through the old town", "home")


def main(steps: int = 600, folder: Path = Path("runs/examples")) -> float:
    """Print sentences and what the model makes of them, and return the share of words that come back."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "sentences.txt"
    sentences = [" ".join((*words, ".")) for words in product(WHO, DOES, WHERE)]
    path.write_text("\n".join(sentences * 5) + "\n", encoding="utf-8")

    world = pr.world(path)
    print(world.describe())
    # eVAE holds the KL at so many nats: a decoder that reads does not make the code superfluous
    model = pr.Autoencoder(
        pr.EVAE(rate=5.0), n_latents=4, net="lstm:width=32,dropout=0.1", steps=steps, lr=3e-3
    )
    model.fit(world)
    print("verdict:", model.verdict_)
    codes = model.transform(world)
    back = model.inverse_transform(codes)
    pairs = [(a.split(), b.split()) for a, b in zip(sentences, back[:64], strict=True)]
    same = [one == other for a, b in pairs for one, other in zip(a, b, strict=False)]
    print(f"words that come back: {np.mean(same):.0%}")
    line = codes[0] + np.linspace(0, 1, 4)[:, None] * (codes[63] - codes[0])
    print(f"from  {sentences[0]}\nto    {sentences[63]}")
    for sentence in model.inverse_transform(line):
        print("  ", sentence)
    return float(np.mean(same))


if __name__ == "__main__":
    main()

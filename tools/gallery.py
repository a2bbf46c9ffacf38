"""The gallery: trains a few small models, and writes docs/gallery.md and a picture of every view of each.

    OMP_NUM_THREADS=1 python tools/gallery.py [KIND …]

Half a minute of CPU for each. Without a change in what is drawn nothing but the last digits of the pictures changes.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_wine

from prismae.data import World
from prismae.report.picture import write_picture
from prismae.runs.run import Run
from prismae.views import View, add_views, all_views

ROOT = Path(__file__).parents[1]
PAGE, FOLDER = ROOT / "docs" / "gallery.md", ROOT / "docs" / "gallery"
DPI, COLOURS = 90, 256

# what is trained on what: how the page says it, its kind of data, and the command
MODELS = {
    "images": ("handwritten digits", "images", "vae digits --latents 6 --lr 1e-3 --steps 600"),
    "colours": (
        "rooms in colour",
        "images",
        "vae rooms3d:side=16:n=2000 --latents 8 --net mlp:width=128 --lr 1e-3 --steps 800",
    ),
    "volumes": (
        "balls in a volume",
        "volumes",
        "vae balls.npy --axes dhw --latents 5 --net mlp:width=128 --lr 1e-3 --steps 600",
    ),
    "pulses": (
        "pulse trains",
        "series",
        "factor-vae pulses --latents 6 --net mlp:width=128 --lr 1e-3 --steps 600 -p gamma=5 -p critic_width=128",
    ),
    "channels": (
        "a recording of four channels",
        "series",
        "vae heart.npy --series channels-first --window 250 --rate 250 --latents 4 --net mlp:width=128 --lr 1e-3 "
        "--steps 800",
    ),
    "table": ("a table of wines", "table", "beta-tcvae wines.csv --factors cultivar --latents 6 --steps 800"),
}
HEAD = """\
# Gallery

Every picture of a run: `prismae picture RUN --kind NAME` draws one as .png, .svg or .pdf, and
[the report](report.md) has them all, most of them beside sliders. The models are small, trained for seconds by

```
{commands}
```

`python tools/gallery.py` makes the files, and wrote this page. Of texts there are sentences in place of pictures, as in
[the tutorial](tutorials/text.md).
"""


def shown(view: type[View]) -> list[str]:
    """The models of which a view is in the gallery: those whose kind of data has it."""
    return [name for name, (_, kind, _) in MODELS.items() if not view.refusal(kind)]


def page(there: set[str]) -> str:
    """The page, with those pictures that are there: ``images-tsne.png``."""
    parts = [HEAD.format(commands="\n".join(f"prismae fit {words}" for *_, words in MODELS.values()))]
    for name, view in sorted(all_views().items(), key=lambda pair: (pair[1].section, pair[1].place)):
        kinds = [kind for kind in shown(view) if f"{kind}-{name}.png" in there]
        if view.drawn and kinds:
            sentence = (view.__doc__ or "").partition("\n")[0]
            parts.append(f"## {name}\n\n{sentence}\n")
            for kind in kinds:
                parts.append(
                    f"![{name} of {MODELS[kind][0]}](gallery/{kind}-{name}.png)<br>\n*{MODELS[kind][0]}*\n"
                )
    return "\n".join(parts)


def made(folder: Path) -> None:
    """Write the files of data that the commands name."""
    rng = np.random.default_rng(0)
    z, y, x = np.mgrid[:16, :16, :16]
    place, radius = rng.uniform(4, 12, (600, 3)), rng.uniform(2, 4, 600)
    apart = [np.hypot(np.hypot(z - a, y - b), x - c) for a, b, c in place]
    np.save(folder / "balls.npy", np.clip(radius[:, None, None, None] - apart + 0.5, 0, 1).astype("float32"))
    time = np.arange(250 * 300) / 250
    phase = np.cumsum(1.2 + 0.4 * np.sin(time / 9)) / 250 % 1
    waves = [(0.2, 0.04, 0.2), (0.4, 0.012, 1.0), (0.7, 0.06, 0.3)]  # P, R and T: place, width, height
    source = [height * np.exp(-(((phase - at) / width) ** 2) / 2) for at, width, height in waves]
    heart = rng.normal(size=(4, 3)) @ source * (1 + 0.3 * np.sin(time / 17))
    np.save(folder / "heart.npy", (heart + 0.02 * rng.normal(size=heart.shape)).astype("float32"))
    wines = load_wine(as_frame=True)
    wines.data.assign(cultivar=wines.target_names[wines.target]).to_csv(folder / "wines.csv", index=False)


def trained(kind: str, folder: Path) -> tuple[Run, World]:
    """A run, with every view that its model has."""
    from prismae.cli import main  # the commands that the page shows are those that are run

    words = ["prismae", "fit", *MODELS[kind][2].split()]
    before = set(folder.glob("runs/*"))
    sys.argv = [*words, "--out", str(folder / "runs"), "--no-evaluate"]
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise
    (new,) = set(folder.glob("runs/*")) - before
    from prismae.runs.observations import observations

    run = Run.open(new)
    data = observations(run.job)
    add_views(run, ["tsne"], data)
    return run, data


def small(path: Path) -> bytes:
    """A .png file on white, in few colours."""
    with Image.open(path) as file:
        drawn = file.convert("RGBA")
    white = Image.new("RGBA", drawn.size, "white")
    out = io.BytesIO()
    Image.alpha_composite(white, drawn).convert("RGB").quantize(COLOURS).save(out, "png", optimize=True)
    return out.getvalue()


def main() -> None:
    """Train them, draw, and write the page."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wanted = sys.argv[1:] or list(MODELS)  # the command line is changed below
        made(folder)
        os.chdir(folder)
        for kind in wanted:
            run, _ = trained(kind, folder)
            for called, view in all_views().items():
                if view.drawn and kind in shown(view) and not view.lacks(run):
                    drawn = write_picture(run.path, called, folder / "one.png", dpi=DPI)
                    (FOLDER / f"{kind}-{called}.png").write_bytes(small(drawn))
    PAGE.write_text(page({path.name for path in FOLDER.glob("*.png")}), encoding="utf-8")


if __name__ == "__main__":
    main()

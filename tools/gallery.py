"""The gallery: trains a few small models, and writes docs/gallery.md and a picture of every view of each.

    OMP_NUM_THREADS=1 python tools/gallery.py [KIND …]

Half a minute of CPU. Without a change in what is drawn nothing but the last digits of the pictures changes.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image

from prismae.data import World
from prismae.report.picture import write_picture
from prismae.runs.run import Run
from prismae.views import View, add_views, all_views

ROOT = Path(__file__).parents[1]
PAGE, FOLDER = ROOT / "docs" / "gallery.md", ROOT / "docs" / "gallery"
DPI, COLOURS = 80, 256

# kind → what is trained on what, and how the page says it
MODELS = {"images": ("handwritten digits", "vae digits --latents 6 --lr 1e-3 --steps 600")}
HEAD = """\
# Gallery

Every picture of a run on images: `prismae picture RUN --kind NAME` draws one as .png, .svg or .pdf, and
[the report](report.md) has them all, most of them beside sliders. The model is small, trained for seconds by

```
{commands}
```

`python tools/gallery.py` wrote this page.
"""


def shown(view: type[View]) -> list[str]:
    """The models of which a view is in the gallery: those whose kind of data has it."""
    return [kind for kind in MODELS if not view.refusal(kind)]


def page(there: set[str]) -> str:
    """The page, with those pictures that are there: ``images-tsne.png``."""
    parts = [HEAD.format(commands="\n".join(f"prismae fit {words}" for _, words in MODELS.values()))]
    for name, view in sorted(all_views().items(), key=lambda pair: (pair[1].section, pair[1].place)):
        kinds = [kind for kind in shown(view) if f"{kind}-{name}.png" in there]
        if view.drawn and kinds:
            sentence = (view.__doc__ or "").partition("\n")[0]
            parts.append(f"## {name}\n\n{sentence}\n")
            for kind in kinds:
                parts.append(
                    f"![{name} of {MODELS[kind][0]}](gallery/{kind}-{name}.png)\n*{MODELS[kind][0]}*\n"
                )
    return "\n".join(parts)


def trained(kind: str, folder: Path) -> tuple[Run, World]:
    """A run, with every view that its model has."""
    from prismae.cli import main  # the commands that the page shows are those that are run

    words = ["prismae", "fit", *MODELS[kind][1].split()]
    before = set(folder.glob("runs/*"))
    sys.argv = [*words, "--out", str(folder / "runs"), "--no-evaluate"]
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise
    (made,) = set(folder.glob("runs/*")) - before
    from prismae.runs.observations import observations

    run = Run.open(made)
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
        for kind in wanted:
            run, _ = trained(kind, folder)
            for called, view in all_views().items():
                if view.drawn and kind in shown(view) and not view.lacks(run):
                    drawn = write_picture(run.path, called, folder / "one.png", dpi=DPI)
                    (FOLDER / f"{kind}-{called}.png").write_bytes(small(drawn))
    PAGE.write_text(page({path.name for path in FOLDER.glob("*.png")}), encoding="utf-8")


if __name__ == "__main__":
    main()

"""``prismae export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from prismae.cli._app import RunPath, app, examples, out, writable, written
from prismae.errors import InputError
from prismae.estimator import load
from prismae.export import to_hub, to_onnx, to_parquet, to_torch
from prismae.runs.job_record import from_python
from prismae.runs.observations import everything, new_observations


@app.command("export", epilog=examples("prismae export RUN --onnx --codes"))
def export(
    path: RunPath,
    onnx: Annotated[bool, typer.Option("--onnx", help="encoder.onnx and decoder.onnx.")] = False,
    torch: Annotated[
        bool, typer.Option("--torch", help="encoder.pt2 and decoder.pt2, for torch.export.load.")
    ] = False,
    codes: Annotated[
        bool, typer.Option("--codes", help="codes.parquet, with factors beside the codes.")
    ] = False,
    hub: Annotated[
        Path | None,
        typer.Option(
            help="A new folder to share: model card, config.json, model.safetensors, as the Hugging Face Hub has them."
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--world", help="A world or file to encode and check with; else the run's own."),
    ] = None,
    handle_unknown: Annotated[
        Literal["error", "ignore"],
        typer.Option(
            help="What a category is that the run's data do not have: a mistake, or none of theirs."
        ),
    ] = "error",
    folder: Annotated[
        Path | None,
        typer.Option("--to", "--out", metavar="FOLDER", help="Where the files go; else RUN/export."),
    ] = None,
) -> None:
    """Write a finished run for other programs; each network is checked against PyTorch on real observations."""
    if not (onnx or torch or codes or hub):
        raise InputError("Nothing to export: expected --onnx, --torch, --codes, --hub or several of them.")
    if hub is not None:
        written(f"{to_hub(path, hub)}: pr.load({str(hub)!r}) and every command read it", hub)
    if not (onnx or torch or codes):
        return
    folder = path / "export" if folder is None else folder
    writable(folder, "the files would lie: --to FOLDER writes them elsewhere")
    model = load(path)
    job = model.about_
    if source is None and from_python(job):
        raise InputError(
            f"{str(path)!r} was saved from Python, so its data are not known here: expected --world."
        )
    data = everything(job) if source is None else new_observations(source, job, handle_unknown)
    for note in data.notices if source is not None else ():
        out.print(f"note: {note}", highlight=False, markup=False, soft_wrap=True)
    for wanted, write in ((onnx, to_onnx), (torch, to_torch)):
        for file in write(model, folder, data) if wanted else ():
            written(f"{file.path}: within {file.difference:.1e} of PyTorch", file.path)
    if codes:
        table = to_parquet(model, folder / "codes.parquet", data)
        written(f"{table}: codes of {len(data):,} observations", table)

"""Files that are not read, and what makes data of them that are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar", ".zst", ".lz4")
SHEET = "save it as .xlsx or .csv"
SOUND = "make .wav of it (ffmpeg -i {name} {stem}.wav)"
FILM = "make a folder of its frames (ffmpeg -i {name} frames/%06d.png)"
TABLE = "give the table of {reader}('{name}') to pr.world, or save that as .parquet"
ARRAY = "save the array of {reader} by numpy.save as .npy"
READERS = {
    TABLE: {
        "pandas.read_json": (".json",),
        "pandas.read_stata": (".dta",),
        "pandas.read_sas": (".sas7bdat", ".xpt"),
        "pandas.read_spss": (".sav",),
        "pandas.read_orc": (".orc",),
        "pandas.read_xml": (".xml",),
    },
    ARRAY: {
        "torch.load": (".pt", ".pth"),
        "nibabel.load('{name}').get_fdata()": (".nii", ".nii.gz", ".mgz"),
        "pydicom.dcmread('{name}').pixel_array": (".dcm", ".dicom"),
        "astropy.io.fits.getdata('{name}')": (".fits", ".fit"),
        "xarray.open_dataset('{name}')": (".nc", ".grib"),
        "mne.io.read_raw('{name}').get_data()": (".edf", ".bdf", ".gdf", ".vhdr", ".fif"),
        "wfdb.rdrecord('{stem}').p_signal": (".hea",),
        "safetensors.numpy.load_file('{name}')": (".safetensors",),
    },
}
WAYS = {
    SHEET: (".xls", ".xlsb", ".ods", ".numbers"),
    SOUND: (".mp3", ".flac", ".ogg", ".m4a", ".aac", ".opus", ".aiff", ".aif"),
    FILM: (".mp4", ".avi", ".mov", ".mkv", ".webm"),
    "give the table of pandas.read_json('{name}', lines=True) to pr.world": (".jsonl", ".ndjson"),
    "give the table of pandas.read_sql to pr.world": (".sqlite", ".sqlite3", ".db"),
    "save it as .npy or .parquet in the program that wrote it": (".pkl", ".pickle", ".joblib"),
    "save the first table of pandas.read_html('{name}') as .csv": (".html", ".htm"),
    "in R, save it by write.csv": (".rds", ".rda", ".rdata"),
    "copy its text into a .csv or .txt file": (".pdf", ".docx", ".doc", ".rtf"),
    "make .png of it": (".svg", ".psd", ".raw", ".cr2", ".nef", ".heic", ".heif"),
    "call it .csv or .txt if it is a table or a text": (".dat", ".data", ".asc", ".log", ".md", ".arff", ""),
}


def way(path: Path) -> str | None:
    """What is to be done with a file that is not read, in a few words; None where nothing is known."""
    name = path.name.lower()
    ways = dict(WAYS)
    for what, readers in READERS.items():
        ways |= {what.replace("{reader}", reader): suffixes for reader, suffixes in readers.items()}
    for what, suffixes in ways.items():
        if path.suffix.lower() in suffixes or any(each and name.endswith(each) for each in suffixes):
            return what.format(name=path.name, stem=path.stem)
    return "unpack it, and give the folder or file" if name.endswith(ARCHIVES) else None


def stands_in(path: Path) -> str | None:
    """What a file is that stands where the data should be, in a sentence; None for others."""
    with path.open("rb") as file:
        start = file.read(200).lstrip().lower()
    if start.startswith(b"version https://git-lfs"):
        return f"{path} is a pointer of Git LFS, which stands where the data should be: git lfs pull fetches them."
    web = start.startswith((b"<!doctype html", b"<html"))
    if web and path.suffix.lower() not in (".html", ".htm", ".txt"):
        return f"{path} is a web page, which stands where the data should be: download the file itself."
    return None


def way_with(x: Any) -> str | None:
    """What makes data of an object that is none, in a few words; None for those that are, and where none is known."""
    first = x[0] if isinstance(x, list | tuple) and x else None
    for holds, what in (
        (isinstance(x, Mapping) and not hasattr(x, "to_dataframe"), "pandas.DataFrame(x) makes one of it"),
        (isinstance(first, Mapping), "pandas.DataFrame(x) makes one of it"),
        (isinstance(first, str), "write texts into a .txt file, each in a line, and give its path"),
        (hasattr(x, "to_dataframe"), "x.to_dataframe() or x.to_dataarray() makes one of it"),
        (hasattr(x, "collect"), "x.collect() makes one of it"),
        (hasattr(x, "compute") and hasattr(x, "columns"), "x.compute() makes one of it"),
        (hasattr(x, "__arrow_c_stream__") and not hasattr(x, "columns"), "give a table with it as a column"),
        (hasattr(x, "__arrow_c_array__") and not hasattr(x, "columns"), "give a table with it as a column"),
        (hasattr(x, "dataset") or hasattr(x, "tensors"), "give the tensor of its observations"),
        (isinstance(x, Iterator), "numpy.stack(list(x)) makes one of it"),
    ):
        if holds:
            return what
    return None

"""Files that are not read, and what makes data of them that are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar", ".zst", ".lz4")
SHEET = "save it as .xlsx or .csv"
SOUND = "make .wav of it (ffmpeg -i {name} {stem}.wav)"
FILM = "make a folder of its frames (ffmpeg -i {name} frames/%06d.png)"
TABLE = "give the table of {reader}('{name}') to pr.world, or save that as .parquet"
PACKAGE = "{reader} reads it: save its numbers as .npy, or as .parquet where they are a table"
ARRAY = "save the array of {reader} by numpy.save as .npy"
READERS = {
    TABLE: {
        "pandas.read_json": (".json",),
        "pandas.read_stata": (".dta",),
        "pandas.read_sas": (".sas7bdat", ".xpt"),
        "pandas.read_spss": (".sav", ".zsav"),
        "pyreadstat.read_por": (".por",),
        "pandas.read_orc": (".orc",),
        "pandas.read_xml": (".xml",),
        "geopandas.read_file": (".shp", ".gpkg", ".geojson", ".kml"),
    },
    ARRAY: {
        "torch.load": (".pt", ".pth"),
        "nibabel.load('{name}').get_fdata()": (".nii", ".nii.gz", ".mgz", ".mgh"),
        "pydicom.dcmread('{name}').pixel_array": (".dcm", ".dicom", ".ima"),
        "SimpleITK.GetArrayFromImage(SimpleITK.ReadImage('{name}'))": (".mha", ".mhd", ".nrrd", ".nhdr"),
        "czifile.imread('{name}')": (".czi",),
        "nd2.imread('{name}')": (".nd2",),
        "tifffile.imread('{name}')": (".lsm", ".stk", ".qptiff"),
        "mrcfile.read('{name}')": (".mrc", ".mrcs", ".rec"),
        "astropy.io.fits.getdata('{name}')": (".fits", ".fit", ".fts", ".fits.gz"),
        "xarray.open_dataset('{name}')": (".grib", ".grb", ".grib2"),
        "mne.io.read_raw('{name}').get_data()": (
            ".edf",
            ".bdf",
            ".gdf",
            ".vhdr",
            ".fif",
            ".set",
            ".cnt",
            ".mff",
        ),
        "wfdb.rdrecord('{stem}').p_signal": (".hea",),
        "scipy.io.mmread('{name}').toarray()": (".mtx", ".mtx.gz"),
        "safetensors.numpy.load_file('{name}')": (".safetensors",),
    },
    PACKAGE: {  # of Python
        "fastavro": (".avro",),
        "flowio": (".fcs",),
        "npTDMS": (".tdms",),
        "asammdf": (".mf4", ".mdf"),
        "uproot": (".root",),
        "cdflib or netCDF4": (".cdf",),
        "readlif": (".lif",),
        "bioio": (".oib", ".oif", ".vsi", ".ims"),
        "openslide": (".svs", ".ndpi", ".mrxs", ".scn"),
        "rosettasciio": (".dm3", ".dm4", ".ser", ".emd", ".blo"),
        "nibabel (of Analyze) or spectral (of ENVI)": (".hdr", ".img"),
        "neo": (".abf", ".smr", ".smrx", ".ncs", ".plx", ".ns5", ".nev", ".rhd"),
        "ezc3d": (".c3d",),
        "obspy": (".mseed", ".sac", ".segy", ".sgy"),
        "laspy": (".las", ".laz"),
        "meshio": (".stl", ".obj", ".ply", ".vtk", ".vtu", ".off"),
        "pyteomics": (".mzml", ".mzxml"),
        "cyvcf2": (".vcf", ".vcf.gz"),
        "pysam": (".bam", ".cram"),
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
    "in Julia, save it by CSV.write or NPZ.npzwrite": (".jld2", ".jld"),
    "if it is HDF5, call it {stem}.h5": (".nwb", ".loom", ".h5mu", ".hdf", ".he5", ".mnc"),
    "if it is netCDF 4, which is HDF5, call it {stem}.h5, else save the array of xarray.open_dataset('{name}') by "
    "numpy.save as .npy": (".nc", ".nc4"),
    "write its sequences into a .txt file, each in a line, and give it with --tokens characters": (
        *(".fasta", ".fa", ".fastq", ".fq", ".fasta.gz", ".fa.gz", ".fastq.gz", ".fq.gz"),
    ),
    "save its examples as .npy or .parquet in the library that wrote it": (
        ".tfrecord",
        ".lmdb",
        ".mdb",
        ".msgpack",
        ".bag",
    ),
    "export it as .csv in the program of the instrument": (
        ".spc",
        ".jdx",
        ".dx",
        ".spa",
        ".opus.0",
        ".asd",
        ".trc",
    ),
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
    # the longest suffix says most: .nii.gz is no .gz
    fitting = [
        (len(each), what)
        for what, suffixes in ways.items()
        for each in suffixes
        if (name.endswith(each) if each else path.suffix == "")
    ]
    if fitting:
        what = max(fitting)[1]
        return what.format(name=path.name, stem=path.stem)
    return "unpack it, and give the folder or file" if name.endswith(ARCHIVES) else None


def way_of_several(paths: Sequence[Path]) -> str | None:
    """The same of the files of a folder, by the most frequent sort of them."""
    sorts = Counter(
        "".join(path.suffixes[-2:] if path.suffix.lower() == ".gz" else [path.suffix]) for path in paths
    )
    first = next(path for path in paths if path.name.endswith(sorts.most_common(1)[0][0]))
    known = way(first)
    if known is None or first.suffix == "":
        return None
    several = " that of all of one shape in one file (numpy.stack)" if "numpy.save" in known else ""
    return f"{known}{',' * bool(several)}{several}"


def stands_in(path: Path) -> str | None:
    """What a file is that stands where the data should be, in a sentence; None for others."""
    with path.open("rb") as file:
        start = file.read(200).lstrip().lower()
        if start.startswith(b"pk\3\4") and path.suffix.lower() in (".csv", ".tsv", ".tab", ".txt"):
            file.seek(0)
            first = file.read(1 << 12)
            excel = any(part in first for part in (b"[Content_Types].xml", b"docProps/", b"xl/"))
            what = (
                "a spreadsheet of Excel: call it .xlsx" if excel else f"an archive: call it {path.name}.zip"
            )
            return f"{path} is no text, but {what}."
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
        (
            isinstance(first, str),
            "write texts into a .txt file, each in a line, and give prismae.world of its path",
        ),
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

"""Drawing a run, and writing the page of a scored one, imports no PyTorch: pages are made on machines without it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from made_up import made_up_run

RUNS = Path(__file__).parents[1] / "runs" / "0.1"
SCRIPT = """
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import prismae.figures, prismae.report, prismae.views

for package in (prismae.figures, prismae.report, prismae.views):
    for module in iter_modules(package.__path__):
        if module.name != "_subject":  # what views compute from
            import_module(f"{package.__name__}.{module.name}")
prismae.views.all_views()
assert not {"torch", "sklearn"} & set(sys.modules)
for folder in map(Path, sys.argv[1:]):
    prismae.report.write_report(folder)
    prismae.report.write_picture(folder, "reconstructions")
assert "torch" not in sys.modules
"""


def drawn(*folders: Path) -> None:
    subprocess.run([sys.executable, "-c", SCRIPT, *map(str, folders)], check=True, timeout=200)


def test_a_page_is_made_without_torch(tmp_path):
    drawn(made_up_run(tmp_path / "run", length=60, logged=9, sigma=False))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["beta-tcvae-table-7993c120", "gcae-digits-077e13ba"])
def test_pages_of_tables_and_images_are_made_without_torch(tmp_path, name):
    drawn(shutil.copytree(RUNS / name, tmp_path / name))

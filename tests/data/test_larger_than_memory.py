"""Training on a file that the process has no room for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

CHILD = """
import os, resource, sys, warnings
import numpy as np
import prismae as pr

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
pr.Autoencoder("vae", 2, net="mlp:width=8", steps=2).fit(rng.normal(size=(50, 200)))  # loads all that a fit needs
with open("/proc/self/status") as file:
    [size] = [1024 * int(line.split()[1]) for line in file if line.startswith("VmSize")]
limit = size + 300_000_000
rows = (limit + 100_000_000) // 1600
with open(sys.argv[1], "wb") as file:  # rows of zeros, but for the first, which take no room on the disk
    head = {"descr": "<f8", "fortran_order": False, "shape": (rows, 200)}
    np.lib.format.write_array_header_2_0(file, head)
    start = file.tell()
    file.write(rng.normal(size=(2000, 200)).tobytes())
    file.truncate(start + rows * 1600)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))  # what `ulimit -v` sets: all addresses, mapped files among them
assert os.path.getsize(sys.argv[1]) > limit
for mode in (None, "r"):
    try:
        np.load(sys.argv[1], mmap_mode=mode)
        sys.exit("the limit does not hold")
    except (MemoryError, OSError):
        pass
world = pr.world(sys.argv[1])
model = pr.Autoencoder("vae", 2, net="mlp:width=8", steps=20).fit(world)
print(rows, len(world), model.transform(world).shape)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc and RLIMIT_AS are Linux's")
def test_a_file_larger_than_the_address_space_trains_and_is_encoded(tmp_path: Path) -> None:
    """The smaller tests are those of `test_pieces.py`; here the limit is the operating system's."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, tmp_path / "x.npy"],
        capture_output=True,
        text=True,
        timeout=900,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    rows = done.stdout.split()[0]
    assert done.stdout == f"{rows} {rows} ({rows}, 2)\n"

"""Use a GPU for a few minutes: its tests, its speed, and as many of the plans' jobs as fit, the most useful first.

    python tools/device_run.py OUT [--seconds 520] [--workers 15] [--device cuda]

Many small trainings share the GPU, each in a process of its own with one thread, through NVIDIA's multi-process service
where it can be started. Whatever has happened until then, the script ends after `--seconds`, and OUT holds

rows.zip
    One CSV for each plan, named and laid out as those of `results/`, of the jobs that were trained and scored; their
    job.json and scores.json; `errors.txt`.
machine.json
    GPU, driver, versions, and for each job what it took.
tests.txt, speed.txt
    What the tests marked `gpu` and `benchmarks/gpu_step.py` said.

The folder of data is PRISMAE_DATA; plans whose data is not there fail job by job and stop nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(
    0, str(Path(__file__).resolve().parents[1] / "src")
)  # a bare machine: prismae is not installed

from device_pool import Pool, Task
from prismae.errors import InputError
from prismae.studies import Plan
from prismae.studies.rows import read_rows
from prismae.studies.study import chosen

ROOT = Path(__file__).resolve().parents[1]
Chosen = tuple[str, str, tuple[str, ...]]  # a plan, a profile, and which of its jobs
ORDER: tuple[Chosen, ...] = (  # the most useful first, of equal use the longest
    ("ed_gcae_table3", "gpu", ("GCAE+EMA,GCAE+Annealing,ED-GCAE", "seed=0")),
    ("ed_gcae_table1", "gpu", ("GCAE", "seed=1")),
    ("ed_gcae_fig3", "gpu", ("seed=0",)),
    ("ed_gcae_fig2", "gpu", ("seed=0",)),
    ("ed_gcae_critic_rate", "gpu", ("steps=20000", "critic_lr=0.001", "k=1", "seed=0,1")),
    ("evae_dsprites", "gpu", ("seed=0",)),
    ("hgmvae_table3", "paper", ("world=fashion-mnist", "seed=0")),
    ("hgmvae_table5", "paper", ("world=fashion-mnist", "seed=0")),
    ("ed_gcae_beyond", "gpu", ()),
    ("hgmvae_table1", "paper", ("seed=0",)),
    ("hgmvae_table4", "paper", ("seed=0",)),
    ("hgmvae_table1", "paper", ("seed=1",)),
    ("hgmvae_table4", "paper", ("seed=1",)),
    ("evae_dsprites", "gpu", ("seed=1",)),
    ("ed_gcae_noise", "gpu", ()),
    ("ed_gcae_critic_rate", "gpu", ("steps=2000",)),
    ("ed_gcae_table1", "gpu", ("seed=0,1",)),
    ("hgmvae_table2", "paper", ("world=mnist", "seed=0")),
    ("ed_gcae_table1", "gpu", ("seed=2,3,4",)),
)
SMOKE_ORDER: tuple[Chosen, ...] = (
    ("ed_gcae_critic_rate", "gpu", ("steps=2000", "seed=0", "k=1")),
    ("ed_gcae_table2", "paper", ("seed=0",)),
)
COMPILE = """
import numpy as np
from prismae.evaluation import evaluate
rng = np.random.default_rng(0)
factors = rng.integers(0, 4, size=(400, 3))
for protocol in ("locatello2019", "yeats2023"):
    evaluate((factors + rng.normal(size=(400, 3))).astype("float32"), factors, metrics=["dci"], protocol=protocol)
"""


def tasks(order: Sequence[Chosen], smoke: bool) -> tuple[list[Task], list[Plan]]:
    """All jobs in their order that have no rows yet, each once, and the plans that they are of."""
    plans: dict[tuple[str, str], Plan] = {}
    found: dict[str, Task] = {}
    for name, profile, only in order:
        if (name, profile) not in plans:
            plans[name, profile] = Plan.load(ROOT / "plans" / f"{name}.yaml", profile)
            if smoke:
                plans[name, profile] = tiny(plans[name, profile])
        plan = plans[name, profile]
        there = set() if smoke else done(plan)
        conditions = [each for each in only if not (smoke and each.startswith("steps="))]
        try:
            for planned in chosen(plan.jobs(), conditions):
                if str(planned) not in there:
                    found.setdefault(planned.job.id, Task(plan, planned))
        except InputError as error:
            print(f"{name}, {profile}: {error}", flush=True)
    return list(found.values()), list(plans.values())


def done(plan: Plan) -> set[str]:
    """The jobs of a plan whose rows lie in `results/` with a score of every protocol."""
    path = ROOT / "results" / f"{plan.name}.{plan.profile}.csv"
    if not path.is_file():
        return set()
    rows = read_rows([path])
    for protocol in plan.metrics:
        scores = [column for column in rows if str(column).startswith(f"{protocol}:")]
        rows = rows[rows[scores].notna().any(axis=1)]
    jobs = list(plan.jobs())
    swept = list(dict.fromkeys(name for planned in jobs for name in planned.swept))
    there = set(rows[["arm", "world", "seed", *swept]].itertuples(index=False, name=None))
    return {
        str(each)
        for each in jobs
        if (each.arm, each.job.world, each.job.seed, *map(each.swept.get, swept)) in there
    }


def tiny(plan: Plan) -> Plan:
    """The same plan with a few steps."""
    grid = {key: values for key, values in plan.grid.items() if key != "steps"}
    quick = {"ed-gcae": {"critic_warmup": 2, "n_nodes": 4}, "gcae": {"critic_warmup": 2, "n_nodes": 4}}
    arms = {
        name: replace(arm, fields=arm.fields | quick.get(arm.method, {}))
        for name, arm in plan.methods.items()
    }
    metrics = {"yeats2023": ["mig", "sap"]}
    return replace(
        plan, methods=arms, grid=grid, budget=plan.budget | {"steps": 3, "batch": 16}, metrics=metrics
    )


@contextmanager
def shared_gpu() -> Iterator[bool]:
    """NVIDIA's multi-process service, so that small kernels of many processes run side by side; whether it works."""
    control = shutil.which(
        "nvidia-cuda-mps-control", path=os.environ.get("PATH", "") + ":/usr/local/nvidia/bin"
    )
    if control is None:
        print("No multi-process service here: processes take turns on the GPU.", flush=True)
        yield False
        return
    folders = {
        "CUDA_MPS_PIPE_DIRECTORY": "/tmp/prismae-mps",
        "CUDA_MPS_LOG_DIRECTORY": "/tmp/prismae-mps-log",
    }
    for folder in folders.values():
        Path(folder).mkdir(exist_ok=True)
    os.environ |= folders
    try:
        nowhere = subprocess.DEVNULL  # it would hold a pipe open
        subprocess.run(
            [control, "-d"], timeout=20, check=False, stdin=nowhere, stdout=nowhere, stderr=nowhere
        )
    except subprocess.TimeoutExpired:
        print("The multi-process service does not start in time.", flush=True)
    works = run([sys.executable, "-c", "import torch; print(torch.ones(3, device='cuda').sum().item())"], 45)
    fine = works.startswith("rc 0")
    print(f"Multi-process service: {'works' if fine else 'does not work'}: {works!r}", flush=True)
    try:
        if not fine:
            _quit(control, folders)
        yield fine
    finally:
        if fine:
            _quit(control, folders)


def _quit(control: str, folders: Mapping[str, str]) -> None:
    try:
        subprocess.run(
            [control], input="quit -t 2\n", text=True, capture_output=True, timeout=15, check=False
        )
    except subprocess.TimeoutExpired:
        print("The multi-process service does not end.", flush=True)
    for name in folders:
        os.environ.pop(name, None)


def run(command: Sequence[str], seconds: float, **env: str) -> str:
    """Run a command for at most so long; "rc N" and what it said. Never raises."""
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            timeout=max(seconds, 1),
            text=True,
            errors="replace",
            check=False,
        )
        return f"rc {done.returncode}\n{done.stdout}"
    except subprocess.TimeoutExpired as late:
        said = late.stdout.decode(errors="replace") if isinstance(late.stdout, bytes) else late.stdout or ""
        return f"rc none: stopped after {seconds:.0f} s\n{said}"
    except OSError as error:
        return f"rc none: {error}\n"


def machine() -> dict[str, Any]:
    """What the numbers were made on. Asked of the driver: this process is to hold nothing on the GPU."""
    asked = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    packages = ("torch", "numpy", "scipy", "scikit-learn", "numba", "pandas", "lightning-fabric")
    return {
        "gpu": run(asked, 10).partition("\n")[2].strip(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def main() -> None:
    """Tests, speed, and the plans' jobs, until the time is up."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--seconds", type=float, default=520)
    parser.add_argument("--workers", type=int, default=15)
    parser.add_argument("--device", default="cuda")
    parser.add_argument(
        "--runs", type=Path, default=Path("/tmp/prismae-runs"), help="where run folders are kept"
    )
    parser.add_argument("--no-checks", action="store_true", help="leave out the tests and the speed")
    parser.add_argument("--no-graphs", action="store_true", help="train without CUDA graphs")
    parser.add_argument(
        "--smoke", action="store_true", help="a few steps of a few jobs, without tests and speed"
    )
    given = parser.parse_args()
    start = time.monotonic()
    deadline = start + given.seconds
    for folder in (given.out, given.runs, given.runs / ".status"):
        folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # of workers and their libraries
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [str(ROOT / "src"), str(ROOT / "benchmarks"), *filter(None, [os.environ.get("PYTHONPATH")])]
    )
    about = machine()
    print(json.dumps(about, indent=1), flush=True)
    with shared_gpu() as mps, ThreadPoolExecutor(1) as beside:
        planned = beside.submit(tasks, SMOKE_ORDER if given.smoke else ORDER, given.smoke)
        # some seconds to write what there is and to end the processes
        pool = Pool(given.runs, given.out, given.device, deadline - 12, graphs=not given.no_graphs)
        late = threading.Timer(deadline + 15 - time.monotonic(), os._exit, (3,))  # whatever hangs
        late.daemon = True
        late.start()
        try:
            pool.start(given.workers)
            if not given.smoke:
                subprocess.Popen([sys.executable, "-c", COMPILE], cwd=ROOT)  # once, and not by every worker
            if not (given.smoke or given.no_checks):
                check(given.out, deadline)
            pool.todo, pool.plans = planned.result()
            print(f"{len(pool.todo)} jobs of {len(pool.plans)} plans", flush=True)
            pool.run()
        finally:
            pool.keep()
            about |= {"mps": mps, "seconds": round(time.monotonic() - start), "jobs": pool.took}
            (given.out / "machine.json").write_text(json.dumps(about, indent=1) + "\n")
            print(
                f"{len(pool.took)} jobs done, {len(pool.errors)} failed, {len(pool.todo)} not begun",
                flush=True,
            )
            for error in pool.errors[:10]:
                print(error[-1500:], flush=True)
            pool.stop()


def check(out: Path, deadline: float) -> None:
    """The tests marked `gpu`, and the speed of a step."""
    pytest = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", "-p", "no:cacheprovider"]
    for name, command in (
        ("tests.txt", [*pytest, *gpu_tests()]),
        ("speed.txt", [sys.executable, "benchmarks/gpu_step.py"]),
    ):
        said = run(command, 60)
        (out / name).write_text(said)
        print(f"[{deadline - time.monotonic():4.0f} s left] {name}: {said[-3000:]}", flush=True)


def gpu_tests() -> list[str]:
    """The files that have tests marked `gpu`; to collect all tests takes longer than to run these."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    return [str(path) for path in files if "mark.gpu" in path.read_text()]


if __name__ == "__main__":
    main()

"""Where the jobs of a study are computed: this machine, a Ray cluster, a Dask cluster; all through joblib."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from joblib import Parallel, parallel_config

from prismae.errors import InputError, unknown_name

ENGINES = ("local", "ray", "dask")
PASSED_ON = ("PRISMAE_DATA",)  # environment of the workers on other machines


@contextmanager
def engine(
    name: str,
    jobs: int | None = None,
    threads: int | None = None,
    *,
    address: str | None = None,
    gpus_per_job: float = 0.0,
) -> Iterator[tuple[Parallel, int]]:
    """A joblib `Parallel` that runs `jobs` jobs at once, and how many threads each of them may use.

    Parameters
    ----------
    name
        "local": processes of this machine (loky), with one job at a time this process itself; "ray", "dask": a cluster.
    jobs
        Jobs at once; None: one locally, as many as the cluster has room for otherwise.
    threads
        Threads of each job; None: this machine's, shared evenly, or one on a cluster.
    address
        Address of the cluster; None: one on this machine, for as long as the study takes.
    gpus_per_job
        Share of a GPU that Ray sets aside for each job.
    """
    if name not in ENGINES:
        raise unknown_name("engine", name, ENGINES)
    if name == "local" and address is not None:
        raise InputError("An address needs a cluster: expected engine 'ray' or 'dask'.")
    if name != "ray" and gpus_per_job:
        raise InputError("Shares of GPUs are set aside by Ray only: expected engine 'ray'.")
    threads = threads_of_each(name, jobs, threads)
    if name == "local":
        jobs = jobs or 1
        with parallel_config("loky", n_jobs=jobs, inner_max_num_threads=threads):
            yield Parallel(batch_size=1), threads
    else:
        cluster = _ray if name == "ray" else _dask
        with cluster(jobs, threads, address, gpus_per_job):
            yield Parallel(batch_size=1), threads


def threads_of_each(name: str, jobs: int | None, threads: int | None) -> int:
    """How many threads each job has: as given, or this machine's, shared evenly, or one on a cluster."""
    if threads is not None:
        return threads
    return max(1, torch.get_num_threads() // (jobs or 1)) if name == "local" else 1


@contextmanager
def _ray(jobs: int | None, threads: int, address: str | None, gpus: float) -> Iterator[None]:
    try:
        import ray
        from ray.util.joblib import register_ray
    except ImportError:
        raise InputError("Engine 'ray' needs Ray: pip install 'prismae[ray]'.") from None
    environment = {key: os.environ[key] for key in PASSED_ON if key in os.environ}
    own: dict[str, Any] = {} if address else {"num_cpus": jobs and jobs * threads}
    ray.init(address, runtime_env={"env_vars": environment}, log_to_driver=False, **own)
    try:
        there = ray.cluster_resources()
        room = int(there.get("CPU", 1)) // threads
        if gpus:
            room = min(room, int(there.get("GPU", 0) / gpus))
        if not room:
            raise InputError(
                f"The Ray cluster has no room for a job with {threads} threads and {gpus:g} GPUs: "
                f"it has {there.get('CPU', 0):g} cores and {there.get('GPU', 0):g} GPUs."
            )
        register_ray()
        resources = {"num_cpus": threads, "num_gpus": gpus}
        with parallel_config("ray", n_jobs=min(jobs or room, room), ray_remote_args=resources):
            yield
    finally:
        ray.shutdown()


@contextmanager
def _dask(jobs: int | None, threads: int, address: str | None, gpus: float) -> Iterator[None]:
    try:
        from dask.distributed import Client
    except ImportError:
        raise InputError("Engine 'dask' needs Dask: pip install 'prismae[dask]'.") from None
    own: dict[str, Any] = {} if address else {"n_workers": jobs, "threads_per_worker": 1}
    with Client(address, **own), parallel_config("dask", n_jobs=jobs or -1):
        yield

"""Where the jobs of a study are computed: processes of this machine by joblib, a Ray cluster, a Dask cluster."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from math import inf
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from joblib import Parallel, parallel_config

from prismae.errors import InputError, Interrupted, unknown_name

ENGINES = ("local", "ray", "dask")
PASSED_ON = ("PRISMAE_DATA",)  # environment of the workers on other machines
RETRIES = 20  # times that a job whose worker was killed is begun again; it goes on from its checkpoint
ANSWER = 10  # seconds that a cluster has to answer

Call = tuple[Callable[..., Any], Sequence[Any], dict[str, Any]]  # as joblib's `delayed` makes them
Run = Callable[[Iterable[Call]], object]


@contextmanager
def engine(
    name: str,
    jobs: int | None = None,
    threads: int | None = None,
    *,
    address: str | None = None,
    gpus_per_job: float = 0.0,
    devices: int | None = None,
) -> Iterator[tuple[Run, int]]:
    """What runs `jobs` jobs at once, and how many threads each of them may use.

    On a cluster a job whose worker is killed is begun again, up to 20 times; after that its status file says that it
    has not ended.

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
    devices
        GPUs of this machine among which jobs that run at once are dealt out; None: all. Without `jobs` as many.
    """
    if name not in ENGINES:
        raise unknown_name("engine", name, ENGINES)
    if name == "local" and address is not None:
        raise InputError("An address needs a cluster: expected engine 'ray' or 'dask'.")
    if name != "ray" and gpus_per_job:
        raise InputError("Shares of GPUs are set aside by Ray only: expected engine 'ray'.")
    if name != "local" and devices is not None:
        raise InputError(
            "Devices are this machine's: a cluster sets GPUs aside for each job (gpus_per_job, with Ray)."
        )
    jobs = jobs or devices
    threads = threads_of_each(name, jobs, threads)
    if name == "local":
        jobs, gpus = jobs or 1, gpus_here(devices)
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            own = {"initializer": take_gpu, "initargs": (folder, gpus)} if jobs > 1 and len(gpus) > 1 else {}
            with parallel_config("loky", n_jobs=jobs, inner_max_num_threads=threads, **own):
                yield Parallel(batch_size=1), threads
    else:
        if address is not None:
            _reach(name, address)
        cluster = _ray if name == "ray" else _dask
        with cluster(jobs, threads, address, gpus_per_job) as run:
            yield run, threads


def gpus_here(devices: int | None) -> tuple[str, ...]:
    """What CUDA_VISIBLE_DEVICES calls the GPUs of this machine, or the first of them.

    Raises
    ------
    InputError
        Where there are fewer.
    """
    there = torch.cuda.device_count() if torch.cuda.is_available() else 0
    visible = [each for each in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if each]
    names = (visible or [str(i) for i in range(there)])[:there]
    if devices is not None and not 1 <= devices <= there:
        raise InputError(
            f"devices should be at least 1 and at most {there}, the GPUs that are here, got {devices}."
        )
    return tuple(names[:devices])


def take_gpu(folder: str, gpus: Sequence[str]) -> None:
    """Give this process, a worker, a GPU of its own for as long as it lives; more workers than GPUs share them evenly.

    Each worker holds the lock of a number; where one dies the next has its number.
    """
    for number in count():
        lock = FileLock(Path(folder) / f"{number}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        _held.append(lock)
        os.environ["CUDA_VISIBLE_DEVICES"] = gpus[number % len(gpus)]  # CUDA has not started in it
        return


_held: list[FileLock] = []  # by this process, until it ends


def threads_of_each(name: str, jobs: int | None, threads: int | None) -> int:
    """How many threads each job has: as given, or this machine's, shared evenly, or one on a cluster."""
    if threads is not None:
        return threads
    return max(1, torch.get_num_threads() // (jobs or 1)) if name == "local" else 1


def _reach(name: str, address: str) -> None:
    """Refuse an address at which nothing listens; libraries wait for it for long, each in its own words."""
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if not colon or not port.isdigit():  # "auto", say, which the library knows
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER).close()
    except (OSError, OverflowError) as error:
        raise InputError(
            f"No {name.capitalize()} cluster answers at {address!r} ({error}): expected the address that it told when "
            "it was started."
        ) from None


def _again_and_again(
    calls: Iterable[Call],
    most: float,
    start: Callable[[Call], Any],
    ended: Callable[[list[Any]], Iterable[Any]],
    result: Callable[[Any], Any],
    lost: tuple[type[BaseException], ...],
) -> None:
    """Start calls, at `most` so many at once, and those again whose workers were `lost`.

    Raises
    ------
    InputError
        If a worker cannot begin a call, as one on a machine without prismae.
    """
    running: dict[Any, tuple[Call, int]] = {}

    def wait() -> None:
        for each in ended(list(running)):
            call, times = running.pop(each)
            try:
                result(each)
            except lost:
                if times < RETRIES:
                    running[start(call)] = call, times + 1
            except (InputError, Interrupted):
                raise
            except Exception as error:  # jobs write down what they raise, so it is what a worker lacks
                said = [type(error).__name__, *filter(None, map(str.strip, str(error).splitlines()))][-1]
                raise InputError(
                    f"A worker of the cluster cannot begin a job ({said}): expected the same Python, prismae and its "
                    "packages on every machine."
                ) from error

    for call in calls:
        running[start(call)] = call, 0
        while len(running) >= most:
            wait()
    while running:
        wait()


def _called(call: Call) -> Any:
    function, positional, named = call
    return function(*positional, **named)


@contextmanager
def _ray(jobs: int | None, threads: int, address: str | None, gpus: float) -> Iterator[Run]:
    try:
        import ray
        from ray import exceptions
    except ImportError:
        raise InputError("Engine 'ray' needs Ray: pip install 'prismae[ray]'.") from None
    environment = {key: os.environ[key] for key in PASSED_ON if key in os.environ}
    own: dict[str, Any] = {} if address else {"num_cpus": jobs and jobs * threads}
    try:
        ray.init(address or "local", runtime_env={"env_vars": environment}, log_to_driver=False, **own)
    except (ConnectionError, RuntimeError, exceptions.RayError) as error:
        if address is None:
            raise
        raise InputError(
            f"The Ray cluster at {address!r} does not answer as one ({str(error).splitlines()[0]}): one that asks for "
            "a token needs RAY_AUTH_MODE=token and the token here too, one of another version of Ray that version."
        ) from None
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
        job = ray.remote(num_cpus=threads, num_gpus=gpus, max_retries=0)(_called)
        lost = (exceptions.WorkerCrashedError, exceptions.NodeDiedError, exceptions.OutOfMemoryError)

        def run(calls: Iterable[Call]) -> None:
            _again_and_again(
                calls, jobs or inf, job.remote, lambda running: ray.wait(running)[0], ray.get, lost
            )

        yield run
    finally:
        ray.shutdown()


@contextmanager
def _dask(jobs: int | None, threads: int, address: str | None, gpus: float) -> Iterator[Run]:
    try:
        from dask.distributed import Client, KilledWorker, wait
    except ImportError:
        raise InputError("Engine 'dask' needs Dask: pip install 'prismae[dask]'.") from None
    own: dict[str, Any] = {} if address else {"n_workers": jobs, "threads_per_worker": 1}
    try:
        client = Client(address, timeout=ANSWER, **own)
    except OSError as error:
        if address is None:
            raise
        raise InputError(f"The Dask cluster at {address!r} does not answer as one ({error}).") from None
    with client:

        def run(calls: Iterable[Call]) -> None:
            _again_and_again(
                calls,
                jobs or inf,
                lambda call: client.submit(_called, call, pure=False),
                lambda running: wait(running, return_when="FIRST_COMPLETED").done,
                lambda future: future.result(),
                (KilledWorker,),
            )

        yield run

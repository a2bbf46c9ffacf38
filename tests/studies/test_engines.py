"""The same rows from every engine, on clusters started here."""

from __future__ import annotations

import subprocess
import sys

import pandas as pd
import pytest

from prismae.studies import Plan, rows, study

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

TEXT = """
title: tiny
worlds: digits
methods: {vae: {}, beta-vae: {fields: {beta: 4.0}}}
seeds: [0, 1]
budget: {steps: 30, batch: 8, n_latents: 3, net: 'mlp:width=8'}
metrics: {locatello2019: [mig]}
"""


@pytest.fixture(scope="module")
def plan_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("plans") / "tiny.yaml"
    path.write_text(TEXT)
    return path


@pytest.fixture(scope="module")
def local_rows(plan_file, tmp_path_factory):
    return study(plan_file, tmp_path_factory.mktemp("local"), threads=1, device="cpu")


def same(a: pd.DataFrame, b: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(a.drop(columns="seconds"), b.drop(columns="seconds"), check_exact=True)


def test_processes_give_the_rows_of_one_process(plan_file, local_rows, tmp_path):
    same(study(plan_file, tmp_path, jobs=2, threads=1, device="cpu"), local_rows)


def command(plan_file, out, *words):
    """`prismae study` in a process of its own; the rows that it leaves, and what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "prismae", "study", plan_file, "--out", out, "--device", "cpu", *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return rows(Plan.load(plan_file), out), done.stderr


def test_a_ray_cluster_of_two_nodes_gives_the_same_rows(plan_file, local_rows, tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    cluster_utils = pytest.importorskip("ray.cluster_utils")
    cluster = cluster_utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        address = cluster.address
        found, said = command(plan_file, tmp_path, "--engine", "ray", "--address", address)
    finally:
        cluster.shutdown()
    assert f"Connecting to existing Ray cluster at address: {address}" in said
    same(found, local_rows)


@pytest.mark.parametrize(("workers", "threads"), [(2, 1), (1, 2)])
def test_a_dask_cluster_gives_the_same_rows(workers, threads, plan_file, local_rows, tmp_path):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=workers, threads_per_worker=threads, dashboard_address=None
    ) as cluster:
        address = cluster.scheduler_address
        found, _ = command(plan_file, tmp_path, "--engine", "dask", "--address", address)
        with distributed.Client(address) as client:
            computed = client.run(lambda: "prismae.studies.work" in __import__("sys").modules)
    assert all(computed.values())
    same(found, local_rows)


def test_a_dask_cluster_is_started_where_none_is_given(plan_file, local_rows, tmp_path):
    pytest.importorskip("distributed")
    found = study(plan_file, tmp_path, engine="dask", jobs=2, device="cpu")
    assert found.attrs["failures"] == {}
    same(found, local_rows)

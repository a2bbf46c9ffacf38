"""Workers of a cluster that are killed while a study goes on: its jobs go on from their checkpoints."""

import clusters
import pytest

STEPS = 2000  # of each job


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("name", "package"), [("ray", "ray"), ("dask", "distributed")])
def test_sixteen_jobs_whose_workers_are_killed_end_with_the_rows_and_bits_of_an_undisturbed_study(
    name, package, tmp_path
):
    pytest.importorskip(package)
    expected = clusters.undisturbed(tmp_path / "undisturbed", STEPS)
    killed, said = clusters.disturbed(tmp_path / name, STEPS, name, every=20)
    assert not said
    assert killed
    assert not clusters.compared(tmp_path / name, expected)

"""Numbers of threads that workers in one process lend themselves."""

import threading

import pytest
import torch
from threadpoolctl import threadpool_info

from prismae.studies.work import limited_threads


def numbers() -> list[int]:
    return [torch.get_num_threads(), *(each["num_threads"] for each in threadpool_info())]


@pytest.fixture(autouse=True)
def threads_as_they_were():
    """The number is the process's, and what later tests train depends on it in its last bits."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_workers_that_overlap_have_each_their_own_number_and_leave_what_was_there() -> None:
    torch.set_num_threads(2)
    before, found = numbers(), list[int]()
    entered, go_on = threading.Event(), threading.Event()

    def late() -> None:
        with limited_threads(1):
            entered.set()
            go_on.wait()
            found.append(torch.get_num_threads())

    thread = threading.Thread(target=late)
    with limited_threads(3):
        thread.start()
        entered.wait()
        found.append(torch.get_num_threads())
    go_on.set()  # the first one in is the first one out
    thread.join()
    assert found == [3, 1]
    assert numbers() == before
    with limited_threads(1):
        assert torch.get_num_threads() == 1
    assert numbers() == before

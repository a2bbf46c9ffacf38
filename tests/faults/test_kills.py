"""Commands that are killed, or refused by the system, at every call to it that changes a file: given again they end in
the same files to the bit, leave nothing else, and show no traceback. `test_own_folders` is the quick part."""

from pathlib import Path

import pytest
from faulty import Faulty, shim
from kills import COMMANDS, ERRORS, ROOMS, Trial, killed, killed_at_random, refused, short_of_memory

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


@pytest.fixture
def trial(request: pytest.FixtureRequest, tmp_path: Path):
    library = shim(tmp_path)
    if library is None:
        pytest.skip("needs Linux and a C compiler")
    faulty = Faulty(library)
    yield Trial(request.param, faulty, tmp_path)
    faulty.close()


@pytest.mark.parametrize("trial", COMMANDS, indirect=True)
def test_killed_at_any_call_a_command_ends_the_same_when_it_is_given_again(trial):
    counted = killed(trial)
    assert counted.tried > 20
    assert not counted.failures


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("trial", COMMANDS, indirect=True)
def test_refused_from_any_call_on_a_command_says_so_in_a_sentence_and_goes_on_when_it_is_given_again(
    trial, error
):
    counted = refused(trial, ERRORS[error], every=7)
    assert counted.tried > 3
    assert not counted.failures


@pytest.mark.parametrize("trial", COMMANDS, indirect=True)
def test_killed_at_any_moment_a_command_ends_the_same_when_it_is_given_again(trial):
    assert not killed_at_random(trial, 20).failures


@pytest.mark.parametrize("trial", COMMANDS, indirect=True)
def test_without_memory_a_command_says_so_in_a_sentence_and_goes_on_when_it_is_given_again(trial):
    assert not short_of_memory(trial, ROOMS).failures

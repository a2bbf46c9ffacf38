"""What `discover` left, with anything altered: one sentence that names the file, or a discovery."""

import json
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prismae.discovery import Discovery, load_discovery
from prismae.discovery.result import ABOUT, COMPONENTS, Factor
from prismae.errors import InputError
from prismae.evaluation.baselines import Components

RNG = np.random.default_rng(0)
plain = st.none() | st.booleans() | st.integers(-3, 2**65) | st.floats() | st.text(max_size=5)
values = plain | st.lists(plain, max_size=3) | st.dictionaries(st.text(max_size=4), plain, max_size=2)


@pytest.fixture
def folder(tmp_path):
    factors = [Factor("f0", 0.5, 0.95, [("a", 1.0, 2.0)]), Factor("f1", 0.2, float("nan"), [])]
    components = Components(RNG.normal(size=3), RNG.normal(size=(3, 2)), RNG.normal(size=(2, 3)))
    live, resting = [0, 2, 3], np.zeros(5)
    tried = [{"net": "mlp", "loss": float("nan")}]
    Discovery(tmp_path, "autoencoder", "it says", factors, tmp_path, live, components, resting, tried).save()
    return tmp_path


def test_what_was_saved_is_read(folder):
    found = load_discovery(folder)
    assert (found.kind, found.live, found.factors[0]) == (
        "autoencoder",
        [0, 2, 3],
        Factor("f0", 0.5, 0.95, [("a", 1.0, 2.0)]),
    )
    assert (found.components.into.shape, len(found.resting)) == ((3, 2), 5)


@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_an_altered_value_is_one_sentence_or_a_discovery(folder, data):
    about = json.loads((folder / ABOUT).read_text())
    whole = (folder / ABOUT).read_text()
    inside, key = about, data.draw(st.sampled_from(sorted(about)))
    while isinstance(inside[key], dict | list) and inside[key] and data.draw(st.booleans()):
        inside = inside[key]
        key = data.draw(st.sampled_from(sorted(inside) if isinstance(inside, dict) else range(len(inside))))
    if data.draw(st.booleans()):
        inside[key] = data.draw(values)
    else:
        del inside[key]
    (folder / ABOUT).write_text(json.dumps(about))
    with suppress(InputError):
        assert isinstance(load_discovery(folder), Discovery)
    (folder / ABOUT).write_text(whole)


def shortened(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def one_array(path: Path, **arrays) -> None:
    with np.load(path) as file:
        np.savez(path, **{name: file[name] for name in file.files} | arrays)


@pytest.mark.parametrize(
    ("name", "damage", "said"),
    [
        (ABOUT, shortened, "discovery.json is damaged"),
        (ABOUT, lambda path: path.write_text("[1]"), "discovery.json is damaged"),
        (
            ABOUT,
            lambda path: path.write_text(path.read_text().replace('"live": [\n  0', '"live": [\n  7')),
            "live latents do not fit",
        ),
        (COMPONENTS, shortened, "components.npz is damaged"),
        (COMPONENTS, lambda path: np.savez(path, mean=np.zeros(3)), "it has no back, into, resting"),
        (COMPONENTS, lambda path: one_array(path, into=np.zeros((3, 4))), "into does not fit the 2 factors"),
        (COMPONENTS, lambda path: one_array(path, mean=np.zeros(2)), "into, back do not fit the 2 factors"),
        (COMPONENTS, lambda path: one_array(path, back=np.full((2, 3), "x")), "back does not fit"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_damage_is_named_with_its_file(folder, name, damage, said):
    damage(folder / name)
    with pytest.raises(InputError, match=said):
        load_discovery(folder)


@pytest.mark.parametrize("name", ["a" * 5000, "a/" * 3000, "a\0b", "gone"])
def test_a_run_that_no_folder_can_be_called_is_one_sentence(folder, name):
    about = json.loads((folder / ABOUT).read_text()) | {"run": name}
    (folder / ABOUT).write_text(json.dumps(about))
    with pytest.raises(InputError, match="There is no run folder"):
        load_discovery(folder).transform(np.zeros((2, 3)))


def curve(first: int = 0, **other) -> dict:
    return {"first": first, "knots": [[0, 0], [1, 1]], "centre": 0.0, "scale": 1.0} | other


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"curves": 5}, "curves: Input should be"),
        ({"curves": [curve(scale=-1.0)]}, "the curve at 0 has scale -1.0"),
        ({"curves": [curve(scale=np.inf)]}, "the curve at 0 has scale inf"),
        ({"curves": [curve(centre=np.nan)]}, "and centre nan"),
        ({"curves": [curve(-1)]}, "a curve is at component -1 and the next of 3"),
        ({"curves": [curve(2)]}, "a curve is at component 2 and the next of 3"),
        ({"curves": [curve(knots=[[0, 0]])]}, "knots of the curve at 0"),
        ({"curves": [curve(knots=[[0, 0], [0, 0], [1, 1]])]}, "knots of the curve at 0"),
        ({"curves": [curve(knots=[[0, 0], [np.nan, 1]])]}, "knots of the curve at 0"),
        ({"curves": [curve(knots=[[0, 0], [1e308, 1], [-1e308, 1]])]}, "knots of the curve at 0"),
        ({"curves": [curve(0), curve(1)], "factors": 1}, "two curves take the same component"),
        ({"curves": [curve(0)], "live": [0, 2]}, "live names 2 latents, and components are made of 3"),
        ({"curves": [curve(0)], "names": "f0"}, "two factors have one name"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_curves_that_are_none_are_a_sentence_that_names_their_file(folder, changed, said):
    about = json.loads((folder / ABOUT).read_text())
    factors = about["factors"][: changed.get("factors", 2)]
    factors = [each | {"name": changed.get("names", each["name"])} for each in factors]
    kept = {key: value for key, value in changed.items() if key in about and key != "factors"}
    (folder / ABOUT).write_text(json.dumps(about | kept | {"factors": factors}))
    one_array(folder / COMPONENTS, into=np.ones((3, 3)), back=np.ones((3, 3)))
    with pytest.raises(InputError, match=rf"discovery.json is damaged .*{said}"):
        load_discovery(folder)

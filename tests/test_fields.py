"""Fields that a user names: all that is wrong with them is said at once, wherever they are named."""

from dataclasses import dataclass

import pytest

import prismae as pr
from prismae.control import controller, controllers_from_text
from prismae.errors import InputError
from prismae.fields import AtLeastTwo, NonNegative, from_text, named_values
from prismae.methods import method
from prismae.nets import net
from prismae.views import view

WRONG = {  # how it is given, and what the sentence should name: unknown fields and values that cannot be
    "method": (lambda: method("beta-vae", beta=-1.0, bta=2.0, x=1), ["'bta'", "'beta'", "'x'", "-1.0"]),
    "controller": (
        lambda: controller("pi", moves="kl", target=-1.0, kii=1),
        ["'kii'", "'ki'", "target", "-1.0"],
    ),
    "controller's text": (
        lambda: controllers_from_text("kl=pi:target=-1,kii=1,kp=x"),
        ["'kii'", "target", "kp", "'x'"],
    ),
    "network's text": (lambda: net("mlp:width=0,widht=3"), ["'widht'", "'width'", "width should", "'0'"]),
    "view": (lambda: view("tsne", point=3, points=0.5), ["'point'", "points should"]),
    "parameters": (
        lambda: pr.Autoencoder("beta-vae").set_params(method__beta=-1.0, method__bta=2.0),
        ["'bta'", "'beta'", "-1.0"],
    ),
}


@pytest.mark.parametrize("given", WRONG)
def test_unknown_fields_and_wrong_values_are_named_at_once(given):
    build, named = WRONG[given]
    with pytest.raises(InputError) as caught:
        build()
    assert [each for each in named if each not in str(caught.value)] == []


@dataclass(frozen=True)
class Own:
    folds: AtLeastTwo = 2
    weight: NonNegative = 1.0


def test_values_are_read_as_they_are_annotated():
    assert from_text(Own, {"weight": "3"}, folds=4) == Own(folds=4, weight=3.0)
    assert named_values(Own, {"weight": 3}) == {"weight": 3.0}


def test_only_the_fields_that_may_be_named_are_known():
    with pytest.raises(InputError, match="field of own 'weight': expected one of folds"):
        named_values(Own, {"weight": 3.0}, among=["folds"])


def test_a_class_without_fields_says_so():
    @dataclass(frozen=True)
    class Bare: ...

    with pytest.raises(InputError, match="bare has no field 'a' or 'b': it has no settings"):
        named_values(Bare, {"a": 1, "b": 2})

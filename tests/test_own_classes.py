"""Methods and controllers of one's own: what they are called, and that what was saved with them can be loaded."""

import inspect
import json
import re
import sys
from dataclasses import dataclass, fields
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from typer.testing import CliRunner

import prismae as pr
from prismae._discovery import entry_points, kebab
from prismae.cli import app
from prismae.control import Controller, Moves, Ramp, all_controllers
from prismae.errors import InputError
from prismae.fields import NonNegative
from prismae.methods import all_methods
from prismae.nets import all_likelihoods, all_nets
from prismae.views import all_views

FAST = {"n_latents": 2, "steps": 3, "batch": 8, "net": "mlp:width=8", "device": "cpu"}
X = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)

MODULE = '''
"""Two methods and a controller in one file."""
from dataclasses import dataclass
from prismae.fields import NonNegative
from prismae.control import Controller
from prismae.methods import Method


@dataclass(frozen=True)
class HessianVAE(Method):
    """Stands for a method."""

    strength: NonNegative = 1.0

    def weights(self):
        return {"recon": 1.0, "kl": self.strength}

    def terms(self, ae, x, ctx):
        q = ae.encode(x)
        return {"recon": ae.nll(x, q.rsample()), "kl": q.kl_to_standard().sum(1)}


@dataclass(frozen=True)
class HingeVAE(HessianVAE):
    """Stands for another one."""
'''


ODD = (
    MODULE
    + """
import numpy as np
from collections.abc import Callable
from dataclasses import field
from typing import Any, ClassVar
from prismae.fields import Fraction

class Bare(Method):
    share: Fraction = 0.5
    weights, terms = HessianVAE.weights, HessianVAE.terms

@dataclass
class Loose(Method):
    share: Fraction = 0.5
    weights, terms = HessianVAE.weights, HessianVAE.terms

@dataclass(frozen=True)
class Half(Method):
    def weights(self):
        return {}

@dataclass(frozen=True)
class Own(Method):
    weights, terms = HessianVAE.weights, HessianVAE.terms

@dataclass(frozen=True)
class Unset(Own):
    share: Fraction

@dataclass(frozen=True)
class Beyond(Own):
    share: Fraction = 2.0

@dataclass(frozen=True)
class Array(Own):
    prior: np.ndarray = field(default_factory=lambda: np.zeros(3))

@dataclass(frozen=True)
class Called(Own):
    call: Any = abs

@dataclass(frozen=True)
class Lost(Own):
    share: "Elsewhere" = 0.5

@dataclass(frozen=True)
class Taking(Own):
    variants: ClassVar = {"beta-vae": {"share": 0.5}}
    share: Fraction = 0.5
"""
)


def module(tmp_path, monkeypatch, text=MODULE, name="acme_models"):
    """The module of another package."""
    (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, name, raising=False)
    return __import__(name)


def declare(tmp_path, monkeypatch, group, package="acme", **points):
    """Install a distribution that declares entry points, in `tmp_path`."""
    home = tmp_path / f"{package}-1.0.dist-info"
    home.mkdir()
    (home / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    lines = [f"{name.replace('_', '-')} = {value}" for name, value in points.items()]
    (home / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines]) + "\n")
    monkeypatch.syspath_prepend(tmp_path)
    entry_points.cache_clear()


@pytest.fixture(autouse=True)
def _forget():
    yield
    entry_points.cache_clear()


@pytest.mark.parametrize("found", [all_methods, all_controllers, all_nets, all_likelihoods, all_views])
def test_file_class_and_name_agree(found):
    for name, cls in found().items():
        plain = {name.replace("-", ""), *(each.replace("-", "") for each in getattr(cls, "variants", ()))}
        stem = Path(inspect.getfile(cls)).stem
        assert cls.__name__.lower() in plain | {cls.name().replace("-", "")}
        if stem != "likelihood":  # which holds all of them
            assert cls.name() == kebab(stem)
            assert stem.replace("_", "") == cls.__name__.lower()


def test_a_class_of_a_notebook_is_saved_and_loaded(tmp_path, monkeypatch):
    code = f"""{MODULE}
import numpy as np, prismae as pr
X = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
names = []
for cls in (HessianVAE, HingeVAE):
    assert cls.__module__ == "__main__"
    model = pr.Autoencoder(cls(strength=2.0), **{FAST!r}).fit(X)
    names.append(model.about_["method"])
    path = r"{tmp_path}/" + cls.__name__
    model.save(path)
    for given in (cls, cls(strength=2.0)):
        again = pr.load(path, method=given)
        assert again.method_ == cls(strength=2.0)
        assert np.array_equal(again.transform(X), model.transform(X))
    try:
        pr.load(path)
    except pr.InputError as error:
        assert f"load(path, method={{cls.__name__}})" in str(error), error
    else:
        raise AssertionError
assert names == ["hessian-vae", "hinge-vae"], names
"""
    notebook = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", notebook)
    exec(code, vars(notebook))


def test_another_method_than_the_run_s_is_refused(tmp_path, monkeypatch):
    acme = module(tmp_path, monkeypatch)
    pr.Autoencoder(acme.HingeVAE(2.0), **FAST).fit(X).save(tmp_path / "run")
    for other in (acme.HessianVAE, acme.HingeVAE(3.0), pr.VAE):
        with pytest.raises((InputError, TypeError)):
            pr.load(tmp_path / "run", method=other)
    with pytest.raises(InputError, match="given as a Method or its class"):
        pr.load(tmp_path / "run", method="vae")


def test_a_class_with_the_name_of_a_built_in_one_is_not_taken_for_it(tmp_path, monkeypatch):
    acme = module(tmp_path, monkeypatch, MODULE.replace("HessianVAE", "BetaVAE"))
    pr.Autoencoder(acme.BetaVAE(), **FAST).fit(X).save(tmp_path / "run")
    with pytest.raises(InputError, match=r"'beta-vae' is the class acme_models\.BetaVAE.*method=BetaVAE"):
        pr.load(tmp_path / "run")
    assert type(pr.load(tmp_path / "run", method=acme.BetaVAE).method_) is acme.BetaVAE


def test_methods_of_other_packages_have_the_name_they_are_declared_under(tmp_path, monkeypatch):
    declare(
        tmp_path,
        monkeypatch,
        "prismae.methods",
        hessian="acme_models:HessianVAE",
        hinge_vae="acme_models:HingeVAE",
    )
    acme = module(tmp_path, monkeypatch)
    assert all_methods()["hessian"] is acme.HessianVAE
    assert acme.HessianVAE.name() == "hessian"
    assert (pr.method("vae").name(), pr.method("hessian").called()) == ("vae", "hessian")
    for given in ("hessian", acme.HessianVAE(2.0), "hinge-vae"):  # type: ignore[call-arg]
        model = pr.Autoencoder(given, **FAST).fit(X)
        model.save(tmp_path / "run")
        again = pr.load(tmp_path / "run")
        assert again.method_ == model.method_
        assert np.array_equal(again.transform(X), model.transform(X))
    with pytest.raises(InputError, match="hessian: strength should be"):
        pr.method("hessian", strength=-1.0)
    folder = pr.run(
        pr.Job("hessian", "digits", n_latents=2, steps=2, net="mlp:width=8"), tmp_path, device="cpu"
    )
    assert pr.load(folder.path).method_ == acme.HessianVAE()


@dataclass(frozen=True)
class Halve(Controller):
    """Stands for a controller."""

    moves: Moves
    share: NonNegative = 0.5

    def init(self, values):
        return Ramp(self.moves, steps=4).init(values)

    def step(self, state, means, t, trial):
        return Ramp(self.moves, steps=4).step(state, means, t, trial)


def test_a_controller_of_one_s_own_is_saved_and_loaded(tmp_path):
    model = pr.Autoencoder("vae", controllers=(Halve("kl", 0.25), Ramp("recon", steps=2)), **FAST).fit(X)
    assert model.about_["controls"][0]["controller"] == "halve"
    model.save(tmp_path / "run")
    for given in (Halve, Halve("kl")):
        assert pr.load(tmp_path / "run", controllers=[given]).controllers == model.controllers
    with pytest.raises(
        InputError, match=r"'halve' is the class .*Halve, which no installed package declares"
    ):
        pr.load(tmp_path / "run")
    with pytest.raises(InputError, match="has no controller pi"):
        pr.load(tmp_path / "run", controllers=[Halve, pr.control.PI])


def test_controllers_of_other_packages_have_the_name_they_are_declared_under(tmp_path, monkeypatch):
    declare(tmp_path, monkeypatch, "prismae.controllers", step_up=f"{__name__}:Halve")
    assert all_controllers()["step-up"] is Halve
    model = pr.Autoencoder("vae", controllers=[Halve("kl", 0.25)], **FAST).fit(X)
    model.save(tmp_path / "run")
    assert pr.load(tmp_path / "run").controllers == (Halve("kl", 0.25),)
    job = pr.Job("vae", "digits", controls=({"controller": "step-up", "moves": "kl"},))
    assert job.controllers() == (Halve("kl"),)


@pytest.mark.parametrize("name", ["vae", "hgmvae-g"])
def test_a_name_of_prismae_cannot_be_taken_over(name, tmp_path, monkeypatch):
    module(tmp_path, monkeypatch)
    declare(tmp_path, monkeypatch, "prismae.methods", **{name: "acme_models:HingeVAE"})
    with pytest.raises(InputError, match=f"'{name}' of group .* by acme 1.0, but prismae itself has"):
        all_methods()


def test_two_packages_with_one_name_are_named_both(tmp_path, monkeypatch):
    for package, cls in (("acme", "HingeVAE"), ("zenith", "HessianVAE")):
        declare(tmp_path, monkeypatch, "prismae.methods", package, mine=f"acme_models:{cls}")
    module(tmp_path, monkeypatch)
    with pytest.raises(
        InputError, match=r"declared by (acme|zenith) 1\.0, but (acme|zenith) 1\.0 has that name"
    ):
        all_methods()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("nowhere_at_all.models:Foo", r"by acme 1\.0, cannot be loaded \(ModuleNotFoundError: No module"),
        ("acme_models:Absent", r"by acme 1\.0, cannot be loaded \(AttributeError"),
        ("acme_ends:Foo", r"by acme 1\.0, cannot be loaded \(SystemExit: 3\)"),
        ("random:Random", r"by acme 1\.0, is no Method but <class 'random\.Random'>"),
        ("acme_models", r"by acme 1\.0, reads 'acme_models', expected module:name, as in"),
        ("acme models HingeVAE", r"by acme 1\.0, reads 'acme models HingeVAE', expected module:name"),
        ("acme_odd:Bare", r"is no frozen dataclass, .* write @dataclass\(frozen=True\) above class Bare"),
        ("acme_odd:Loose", r"is no frozen dataclass, .* write @dataclass\(frozen=True\) above class Loose"),
        ("acme_odd:Half", r"is no whole Method, since Half does not define terms"),
        ("acme_odd:Unset", r"cannot be made with the defaults of its fields \(TypeError: .*'share'\)"),
        ("acme_odd:Beyond", r"cannot be made .*share should be less than or equal to 1, got 2\.0"),
        ("acme_odd:Array", r"prior is annotated <class 'numpy\.ndarray'>, of which nothing is known here"),
        ("acme_odd:Called", r"call is <built-in function abs>, which a run cannot keep: expected numbers"),
        ("acme_odd:Lost", r"Lost: its annotations cannot be read \(name 'Elsewhere' is not defined\)"),
        ("acme_odd:Taking", r"has variants called as prismae's own beta-vae"),
    ],
)
def test_a_broken_entry_point_is_one_warning_and_the_rest_works(value, said, tmp_path, monkeypatch):
    (tmp_path / "acme_ends.py").write_text("raise SystemExit(3)")
    (tmp_path / "acme_odd.py").write_text(ODD)
    monkeypatch.delitem(sys.modules, "acme_odd", raising=False)
    declare(tmp_path, monkeypatch, "prismae.methods", broken=value, hinge="acme_models:HingeVAE")
    acme = module(tmp_path, monkeypatch)
    with pytest.warns(UserWarning, match=said) as warned:
        found = all_methods()
    assert len(warned) == 1
    assert found["hinge"] is acme.HingeVAE
    assert "vae" in found
    assert "broken" not in found


def test_a_class_without_fields_of_its_own_needs_no_decorator(tmp_path, monkeypatch):
    """One that gives a field another default does: without it the default stays as it was."""
    text = "\nclass Quick(HessianVAE):\n    def noise(self):\n        return 0.5\n"
    acme = module(tmp_path, monkeypatch, MODULE + text, "acme_quick")
    assert acme.Quick().noise() == 0.5
    field = fields(acme.HessianVAE)[0].name
    worse = module(tmp_path, monkeypatch, MODULE + text + f"    {field} = 9.0\n", "acme_worse")
    with pytest.raises(InputError, match="Quick is no frozen dataclass"):
        worse.Quick()


def test_a_class_is_refused_in_python_as_by_its_entry_point(tmp_path, monkeypatch):
    odd = module(tmp_path, monkeypatch, ODD, "acme_odd")
    for cls, said in (
        (odd.Bare, "Bare is no frozen dataclass"),
        (odd.Loose, "Loose is no frozen dataclass"),
        (odd.Called, "which a run cannot keep"),
        (odd.Lost, "its annotations cannot be read"),
    ):
        with pytest.raises(InputError, match=said):
            cls()


def test_list_says_all_of_what_another_package_brings(tmp_path, monkeypatch):
    declare(tmp_path, monkeypatch, "prismae.methods", hinge="acme_models:HessianVAE", gone="acme_gone:A")
    module(tmp_path, monkeypatch)
    listed = CliRunner().invoke(app, ["list", "methods", "hinge"])
    for part in ("Stands for a method.", "strength: NonNegative = 1.0", "(from acme 1.0)"):
        assert part in listed.output
    gone = CliRunner().invoke(app, ["list", "methods", "gone"])
    assert "'gone' of group prismae.methods, declared by acme 1.0, cannot be loaded" in str(gone.exception)


def test_a_group_of_another_name_is_told(tmp_path, monkeypatch):
    declare(tmp_path, monkeypatch, "prismae.method", hinge="acme_models:HingeVAE")
    said = " ".join(CliRunner().invoke(app, ["list", "methods"]).output.split())
    assert "Nothing is read of the entry points prismae.method, declared by acme 1.0: expected one of" in said


def test_worlds_and_metrics_of_prismae_cannot_be_taken_over(tmp_path, monkeypatch):
    text = "from prismae.metrics import metric\n\n\n@metric()\ndef mig(codes, factors):\n    return 0.0\n"
    module(tmp_path, monkeypatch, text, "acme_rest")
    declare(tmp_path, monkeypatch, "prismae.worlds", digits="acme_rest:mig")
    with pytest.raises(
        InputError, match=r"'digits' of group prismae\.worlds is declared by acme 1\.0, but prismae"
    ):
        pr.world("digits")
    declare(tmp_path, monkeypatch, "prismae.metrics", "metrical", mig="acme_rest:mig")
    pr.metrics.all_metrics.cache_clear()
    with pytest.raises(
        InputError, match=r"metric 'mig' of metrical 1\.0 has the name of one of prismae itself"
    ):
        pr.metrics.all_metrics()


def test_built_in_classes_can_have_further_names(monkeypatch):
    point = EntryPoint("their-vae", "prismae.methods.vae:VAE", "prismae.methods")
    monkeypatch.setattr("prismae._discovery.entry_points", lambda group: [point])
    assert all_methods()["their-vae"] is pr.VAE
    assert pr.VAE.name() == "vae"


def test_the_run_folder_says_which_class_it_was(tmp_path):
    folder = pr.Autoencoder("vae", **FAST).fit(X).save(tmp_path / "run")
    assert json.loads((folder.path / "job.json").read_text())["class"] == "prismae.methods.vae.VAE"


def test_the_author_s_page_runs(tmp_path, monkeypatch):
    root = Path(__file__).parents[1]
    monkeypatch.syspath_prepend(root / "examples")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"(?s)```python\n(.*?)```", (root / "docs" / "start" / "author.md").read_text())
    (block,) = (block for block in blocks if "--8<--" not in block)
    found = {}
    exec(block, found)
    assert found["again"].method_ == found["model"].method_

"""Which protocols there are, and which metrics each of them takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from prismae.errors import InputError, unknown_name, unknown_names
from prismae.evaluation.families import ALL, Family
from prismae.evaluation.protocol import Protocol
from prismae.metrics import Metric, all_metrics, as_metric

PROTOCOLS = {each.label: each for family in ALL for each in family.protocols}
FAMILIES = tuple(each.label for family in ALL if family.alone for each in family.protocols)
SMALL_WORLD = 1_000

Metrics = str | Callable[..., Any] | Sequence[str | Callable[..., Any]]


def find_protocol(name: str, n: int = 0, given: Sequence[Metric] = ()) -> Protocol:
    """The protocol of that name; "yeats2023" alone takes the variant that fits a table of n rows.

    A protocol that only metrics of other packages, or `given` ones, declare takes all of these, of as many points as
    "locatello2019".
    """
    if name == "yeats2023":
        return PROTOCOLS[f"{name}/beamsynthesis" if n <= SMALL_WORLD else f"{name}/dsprites"]
    if name in PROTOCOLS:
        return PROTOCOLS[name]
    keys = () if "/" in name else tuple(metrics_of(name, given))
    if not keys:
        declared = {protocol for each in (*all_metrics().values(), *given) for protocol in each.protocols}
        raise unknown_name("protocol", name, {*PROTOCOLS, *declared})
    return Protocol(name, default=keys)


def metrics_of(protocol: str, given: Sequence[Metric] = ()) -> dict[str, Metric]:
    """The metrics of a protocol, or of a variant of it, by the names that they have there; also `given` ones."""
    name = protocol.partition("/")[0]
    found: dict[str, Metric] = {}
    for each in (*all_metrics().values(), *given):
        if name in each.protocols and found.setdefault(each.key(name), each).function is not each.function:
            raise InputError(
                f"Two metrics are called {each.key(name)!r} in protocol {name!r}: expected another name for one."
            )
    return found


@dataclass
class Wanted:
    """The metrics that one protocol takes.

    Parameters
    ----------
    name, protocol
        The protocol. (Which "yeats2023" it is follows from the number of points.)
    metrics
        By their names in the protocol.
    named
        Those that were asked for one by one: wrong input to them is an error.
    """

    name: str
    protocol: Protocol
    metrics: dict[str, Metric] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)

    def plan(self, n: int) -> Protocol:
        """The protocol for n points."""
        return find_protocol(self.name, n) if self.name == "yeats2023" else self.protocol

    @property
    def family(self) -> Family:
        """The family that gives these metrics their inputs: that of the protocol, or the first that can."""
        name = self.protocol.name
        needs = {each.needs for each in self.metrics.values()}
        own = [family for family in ALL if name in {each.name for each in family.protocols}]
        able = [family for family in own or ALL if needs <= set(family.needs)]
        if not able:
            raise InputError(
                f"The metrics of protocol {name!r} need {', '.join(sorted(needs))}, and "
                f"{'it gives ' + ', '.join(own[0].needs) if own else 'no family gives all of these'}: "
                "expected metrics of another protocol."
            )
        return able[0]


def by_protocol(metrics: Metrics, protocols: Iterable[str | Protocol]) -> dict[str, Wanted]:
    """Which metrics are taken by which protocol.

    Parameters
    ----------
    metrics
        Names of metrics and families, "default", "all", or functions that are declared by `prismae.metrics.metric`. A
        family, or a variant of it, brings its default metrics. A metric is taken by each of the protocols that have it,
        or else by its family itself; one that is given as a function, or else by the protocols that it declares.
    protocols
        The protocols that are evaluated, by name or themselves.
    """
    if not (callable(metrics) or isinstance(metrics, Iterable)):
        raise InputError(f"Metrics: expected names of metrics, or functions, got {metrics!r}.")
    asked = [metrics] if isinstance(metrics, str) or callable(metrics) else list(metrics)
    given = [as_metric(each) for each in asked if not isinstance(each, str)]
    plans = {label: plan for each in protocols for label, plan in [_named(each, given)]}
    tables = {label: metrics_of(label, given) for label in (*plans, *FAMILIES)}
    wanted: dict[str, Wanted] = {}

    def take(label: str, keys: Iterable[str], *, named: bool = False) -> None:
        plan = plans.get(label) or find_protocol(label, given=given)
        taken = wanted.setdefault(label, Wanted(label, plan))
        known = tables.get(label) or metrics_of(label, given)
        taken.metrics |= {key: known[key] for key in keys}
        taken.named |= set(keys) if named else set()

    unknown = list[str]()
    for each in asked:
        if each in ("default", "all"):
            for label, plan in plans.items():
                take(label, plan.default if each == "default" else tables[label])
        elif each in FAMILIES:
            take(str(each), PROTOCOLS[str(each)].default)
        elif isinstance(each, str):
            owners = [label for label in plans if each in tables[label]]
            owners = owners or [label for label in FAMILIES if "/" not in label and each in tables[label]]
            unknown += [] if owners else [each]
            for label in owners:
                take(label, [each], named=True)
        else:
            metric = as_metric(each)
            owners = [label for label, plan in plans.items() if plan.name in metric.protocols]
            owners = owners or [label for label in FAMILIES if label in metric.protocols]
            for label in owners or metric.protocols:
                take(label, [metric.key(label)], named=True)
    if unknown:
        valid = {*FAMILIES, *(key for table in tables.values() for key in table)}
        raise unknown_names(f"metric of {' or '.join(plans)}", unknown, valid)
    return wanted


def _named(protocol: str | Protocol, given: Sequence[Metric]) -> tuple[str, Protocol]:
    """What a protocol is called, and itself."""
    if isinstance(protocol, str):
        return protocol, find_protocol(protocol, given=given)
    if not isinstance(protocol, Protocol):
        raise InputError(f"Protocol: expected a name or a Protocol, got {protocol!r}.")
    if PROTOCOLS.get(protocol.label, protocol) != protocol:
        raise InputError(
            f"Protocol {protocol.label!r} is one of prismae's own: expected another name or variant."
        )
    return protocol.label, protocol

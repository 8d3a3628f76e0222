"""Classes are found by file, by dotted path and by entry point, and never registered."""

from typing import Protocol

import pytest

from marl_supply import plugins
from marl_supply.demand.poisson import Poisson
from marl_supply.demand.process import DemandProcess
from marl_supply.errors import InputError, nearest

DEMAND = "marl_supply.demand"


class Rule(Protocol):
    """A protocol with a value and a method."""

    needs: frozenset[str]

    def act(self) -> None: ...


class FollowsRule:
    needs: frozenset[str] = frozenset()

    def act(self) -> None: ...


class BreaksRule:
    def act(self) -> None: ...


def test_by_the_name_of_the_file():
    assert plugins.find(DEMAND, DemandProcess, "poisson") is Poisson


def test_names_are_public_subclasses_in_the_package():
    found = plugins.names(DEMAND, DemandProcess)
    assert {"poisson", "negative_binomial", "ar1", "trace"} <= set(found)
    assert found == sorted(found) and "demand_process" not in found


def test_every_name_is_found():
    for name in plugins.names(DEMAND, DemandProcess):
        assert plugins.snake_case(plugins.find(DEMAND, DemandProcess, name).__name__) == name


def test_by_a_dotted_path():
    assert plugins.find(DEMAND, DemandProcess, "marl_supply.demand.poisson:Poisson") is Poisson


def test_by_an_entry_point(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(plugins, "_entry_points", lambda group: {"mine": "marl_supply.demand.poisson:Poisson"})
    assert plugins.find(DEMAND, DemandProcess, "mine") is Poisson
    assert "mine" in plugins.names(DEMAND, DemandProcess)


def test_a_protocol_is_followed_or_not():
    here = FollowsRule.__module__
    assert plugins._fits(FollowsRule, Rule) and not plugins._fits(BreaksRule, Rule), here


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("poison", "no demand process 'poison' (did you mean 'poisson'?)"),
        (
            "no_such_package:Thing",
            "'no_such_package:Thing': cannot import 'no_such_package' (No module named 'no_such_package')",
        ),
        (
            "marl_supply.demand.poisson:Poison",
            "'marl_supply.demand.poisson:Poison': 'marl_supply.demand.poisson' has no 'Poison' "
            "(did you mean 'Poisson'?)",
        ),
        ("pathlib:Path", "'pathlib:Path' is not a demand process: make it a class that inherits from DemandProcess"),
    ],
)
def test_what_is_not_found(name: str, sentence: str):
    with pytest.raises(InputError) as caught:
        plugins.find(DEMAND, DemandProcess, name)
    assert str(caught.value) == sentence


def test_without_a_near_name_all_are_listed():
    with pytest.raises(InputError, match=r"no demand process 'zzz'; there are: ar1, "):
        plugins.find(DEMAND, DemandProcess, "zzz")


def test_nearest():
    assert nearest("wholesalr", ["retailer", "wholesaler"]) == " (did you mean 'wholesaler'?)"
    assert nearest("x", []) == ""

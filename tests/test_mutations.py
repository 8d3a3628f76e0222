"""Mistakes put into the simulator on purpose: each must be caught by the comparison with the slow one.

A mutation replaces one piece of a module's text. The module is then run anew, and every function of it that another
module of the simulator imported is exchanged for the mutated one.
"""

from __future__ import annotations

import importlib
import inspect
import types
from typing import Any

import pytest
from both_simulators import assert_equal
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from random_plays import chains, random_play

from marl_supply.topology import load

MODULES = (
    "simulation.step",
    "simulation.shipping",
    "simulation.allocation",
    "simulation.receiving",
    "simulation.ordering",
    "simulation.expediting",
    "simulation.markets",
    "simulation.positions",
    "simulation.restart",
    "simulation",
    "economics.accounts",
    "economics.price_list",
    "economics.contracts",
    "game.game",
)
MUTATIONS = {
    "capacity + 1": ("simulation.shipping", "network.capacity[: len(stock)])", "network.capacity[: len(stock)] + 1)"),
    "lead time - 1": ("simulation.step", "state.clock + lead)", "state.clock + lead - 1)"),
    "information delay + 1": ("simulation.step", "state.clock + delay)", "state.clock + delay + 1)"),
    "round for floor in a share": ("simulation.allocation", "arrays.floor(", "arrays.round("),
    "floor for round in an order": (
        "simulation.ordering",
        "quantity = arrays.round(quantity)",
        "quantity = arrays.floor(quantity)",
    ),
    "priority the wrong way round": (
        "simulation.allocation",
        "for line in range(claims.shape[1]):\n        served.append",
        "for line in reversed(range(claims.shape[1])):\n        served.append",
    ),
    "new claims before old ones": (
        "simulation.allocation",
        "arrays.minimum(shortage.old, claims)",
        "arrays.minimum(claims - shortage.old, claims)",
    ),
    "costs before shipping": (
        "simulation.step",
        "on_hand=on_hand,\n        backorders",
        "on_hand=state.on_hand,\n        backorders",
    ),
    "claims not cleared": ("simulation.step", "owed - served)", "owed)"),
    "lost claims wait": ("simulation.step", "return short * kept, on_order, lost", "return short, on_order, lost"),
    "lost orders stay on order": ("simulation.step", "edges, -gone)", "edges, 0 * gone)"),
    "demand of the period before": (
        "simulation.markets",
        "state.noise.at(state.clock)",
        "state.noise.at(max(state.clock - 1, 0))",
    ),
    "storage + 1": ("simulation.receiving", "arrays.constant(storage.limit) -", "arrays.constant(storage.limit) + 1 -"),
    "losses on the way arrive": ("simulation.receiving", "receipts = receipts - missing", "receipts = receipts"),
    "late shipments come at once": ("simulation.receiving", "(clock + delay.ahead)", "(clock + delay.ahead - 1)"),
    "a repaired edge stays closed": ("simulation.receiving", "1.0 - recovers", "1.0"),
    "a closed supplier ships": (
        "simulation.receiving",
        "arrays.maximum(down[places:], ",
        "arrays.minimum(down[places:], ",
    ),
    "orders between reviews": ("simulation.ordering", "quantity * arrays.less(days, 1.0)", "quantity"),
    "limit before batch": ("simulation.ordering", "quantity / arrays.where", "(quantity + 1) / arrays.where"),
    "positions count what is owed twice": (
        "simulation.positions",
        "= state.on_hand - owed +",
        "= state.on_hand - 2 * owed +",
    ),
    "expedited from nowhere": ("simulation.expediting", "own, -added(given, 0)", "own, 0 * added(given, 0)"),
    "everybody accepts": (
        "simulation.expediting",
        "wanted = arrays.binomial(asked, probability, number)",
        "wanted = asked",
    ),
    "nothing perishes": ("simulation.step", "on_hand - flows.scrapped", "on_hand"),
    "fixed cost without an order": ("economics.accounts", "self.arrays.less(SMALLEST_ORDER,", "self.arrays.less(-1.0,"),
    "discounts above, not from": (
        "economics.price_list",
        "reached = 1.0 - arrays.less(quantity, start)",
        "reached = arrays.less(start, quantity)",
    ),
    "shared capacity not shared": (
        "simulation.shipping",
        "too_much = added(wanted, 0) > shared.limit",
        "too_much = added(wanted, 0) > 2 * shared.limit",
    ),
    "wishes ignored": ("simulation.shipping", "arrays.minimum(claims, state.allocation)", "claims"),
}


def mutate(monkeypatch: pytest.MonkeyPatch, place: str, old: str, new: str) -> None:
    """Exchange the functions of a module for those of its mutated text, wherever the simulator uses them."""
    original = importlib.import_module(f"marl_supply.{place}")
    text = inspect.getsource(original)
    assert text.count(old) >= 1, f"{place} no longer holds the text of this mutation: {old}"
    mutated = types.ModuleType(original.__name__)
    mutated.__dict__["__file__"] = original.__file__
    exec(compile(text.replace(old, new), f"mutated {place}", "exec"), mutated.__dict__)
    exchanged = {
        id(value): mutated.__dict__[name]
        for name, value in vars(original).items()
        if inspect.isfunction(value) and value.__module__ == original.__name__
    }
    exchanged |= {
        id(value): mutated.__dict__[name]
        for name, value in vars(original).items()
        if inspect.isclass(value) and value.__module__ == original.__name__ and place.startswith("economics")
    }
    for name in MODULES:
        module: Any = importlib.import_module(f"marl_supply.{name}")
        for attribute, value in list(vars(module).items()):
            if id(value) in exchanged:
                monkeypatch.setattr(module, attribute, exchanged[id(value)])
    rules = importlib.import_module("marl_supply.simulation.allocation").RULES
    for rule, function in list(rules.items()):
        if id(function) in exchanged:
            monkeypatch.setitem(rules, rule, exchanged[id(function)])


def assert_both_agree(examples: int = 400) -> None:
    """Both simulators on random chains, until they differ."""

    @settings(max_examples=examples, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(chains(), st.integers(0, 2**32))
    def on_any_chain(chain: dict[str, Any], seed: int) -> None:
        assert_equal(random_play(load(chain), seed))

    on_any_chain()


def test_nothing_is_caught_without_a_mistake() -> None:
    assert_both_agree(examples=20)


@pytest.mark.parametrize("name", MUTATIONS)
def test_mistake_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mutate(monkeypatch, *MUTATIONS[name])
    with pytest.raises((AssertionError, IndexError, ExceptionGroup, ValueError)):
        assert_both_agree()

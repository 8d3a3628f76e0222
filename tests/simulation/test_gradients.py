"""Derivatives of mean cost with respect to what is decided: torch against central differences of the numpy simulator.

Both play the same random numbers, so what is compared is the derivative along the path (infinitesimal perturbation
analysis; Glasserman & Tayur 1995, Management Science 41(2):263-281). Demand is continuous and stocks and levels are no
round numbers, so that no number sits on a kink.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from library_plays import Chance, network_of, play

from marl_supply.errors import InputError
from marl_supply.simulation.arrays import NUMPY
from marl_supply.topology.network import Network

torch = pytest.importorskip("torch")

from marl_supply.simulation.torch_arrays import TorchArrays  # noqa: E402

TORCH = TorchArrays()
RULES = ("proportional", "priority", "first_come", "fair_share")
PERIODS, REPLICATIONS, STEP = 30, 8, 1e-6


def serial(**changes: Any) -> dict[str, Any]:
    """Three stages, everything backordered."""
    return {
        "name": "serial",
        "units": "continuous",
        "defaults": {"node": {"holding_cost": 1.5, "backorder_cost": 4.0}},
        "nodes": {
            "mine": {"kind": "source"},
            "plant": {"on_hand": 13.7, "holding_cost": 0.75},
            "depot": {"on_hand": 9.3},
            "shop": {"on_hand": 11.1},
        },
        "edges": [
            {"from": "mine", "to": "plant", "lead_time": 2, "pipeline": 4.9, "purchase_cost": 0.5},
            {"from": "plant", "to": "depot", "lead_time": 1, "pipeline": 5.2, "holding_cost": 0.3},
            {"from": "depot", "to": "shop", "lead_time": 2, "pipeline": 4.6, "title": "supplier", "holding_cost": 0.2},
        ],
        "markets": {"shop": {"served_by": ["shop"], "process": "gamma", "mean": 5.0, "sd": 2.5, "price": 6.0}},
        **changes,
    }


def warehouse(rule: str, **changes: Any) -> dict[str, Any]:
    """A warehouse with a market of its own and three retailers; never enough stock for all."""
    market = {"process": "gamma", "sd": 1.5, "price": 3.0}
    retailers = {"east": 3.0, "west": 4.0, "south": 2.0}
    return {
        "name": "warehouse",
        "units": "continuous",
        "defaults": {"node": {"holding_cost": 1.0, "backorder_cost": 5.0, "on_hand": 6.1}},
        "nodes": {
            "plant": {"kind": "source"},
            "warehouse": {"on_hand": 8.3, "allocation": rule},
            **dict.fromkeys(retailers, {}),
        },
        "edges": [
            {"from": "plant", "to": "warehouse", "lead_time": 2, "pipeline": 7.7},
            *({"from": "warehouse", "to": name, "lead_time": 1, "pipeline": 2.9} for name in retailers),
        ],
        "markets": {
            "counter": {"served_by": ["warehouse"], "mean": 1.5, **market},
            **{name: {"served_by": [name], "mean": mean, **market} for name, mean in retailers.items()},
        },
        **changes,
    }


def lost(document: dict[str, Any]) -> dict[str, Any]:
    """The same, and markets that are not served at once buy nothing."""
    for market in document["markets"].values():
        market.update(unmet="lost", lost_sale_cost=7.0)
    return document


CONTINUOUS = {"units": "continuous"}
ORDERED_UP_TO: dict[str, Any] = {
    "serial": (serial(), {}),
    "serial, lost sales": (lost(serial()), {}),
    "serial, orders travel": (serial(), {f"edges.{n}.information_delay": n for n in range(3)}),
    "serial, lead time 0": (serial(), {"edges.1.lead_time": 0, "edges.1.pipeline": []}),
    "serial, demand first": (serial(), {"timing.demand_visible": "before_ordering"}),
    **{f"warehouse, {rule}": (warehouse(rule), {}) for rule in RULES},
    "warehouse, lost sales": (lost(warehouse("proportional")), {}),
    "warehouse, lost orders": (warehouse("fair_share"), {f"edges.{n}.unmet": "lost" for n in (1, 2, 3)}),
    "warehouse, revenue shared": (warehouse("first_come"), {"contract.wholesale_price": 1.5}),
    "beer game": ("beer_game", CONTINUOUS),
    "beer game, fixed order limit": ("beer_game", {**CONTINUOUS, "edges.0.order_limit": 4.3}),
    "Cachon and Zipkin": ("cachon_zipkin", CONTINUOUS),
    "retail chain": ("cd_retail_chain", CONTINUOUS),
    "serial of Liu": ("serial_liu", CONTINUOUS),
}


def levels_of(network: Network, seed: int) -> Any:
    """(rows,) base-stock levels around the mean demand of the lead time, no round numbers."""
    draw = np.random.default_rng(seed)
    return network.mean_demand * network.periods_below * draw.uniform(0.7, 1.1, len(network.rows))


def order_up_to(parameters: Any, replications: int) -> dict[str, Any]:
    return {"order_up_to": parameters[:, None] + 0 * _row(parameters, replications)}


def constant_order(parameters: Any, replications: int) -> dict[str, Any]:
    return {"order": parameters[:, None] + 0 * _row(parameters, replications)}


def _row(like: Any, replications: int) -> Any:
    return torch.zeros(1, replications) if isinstance(like, torch.Tensor) else np.zeros((1, replications))


def mean_cost(network: Network, arrays: Any, rule: Any, parameters: Any, periods: int = PERIODS) -> Any:
    """Mean cost of a period, all places together."""
    noise = Chance(network, REPLICATIONS, 3)
    _, _, costs = play(network, arrays, noise, lambda _: rule(parameters, REPLICATIONS), periods)
    return sum(cost.sum() for cost in costs) / (periods * REPLICATIONS)


def derivative(network: Network, rule: Any, parameters: Any) -> Any:
    """By torch."""
    leaf = torch.tensor(parameters, dtype=torch.float64, requires_grad=True)
    mean_cost(network, TORCH, rule, leaf).backward()
    return leaf.grad.numpy()


def differences(network: Network, rule: Any, parameters: Any) -> Any:
    """By playing numpy a little to both sides."""

    def cost(shift: Any) -> float:
        return float(mean_cost(network, NUMPY, rule, parameters + shift))

    steps = STEP * np.eye(len(parameters))
    return np.array([(cost(step) - cost(-step)) / (2 * STEP) for step in steps])


def assert_derivatives_agree(network: Network, rule: Any, parameters: Any) -> None:
    expected, found = differences(network, rule, parameters), derivative(network, rule, parameters)
    assert np.abs(expected).max() > 0.01  # there is something to compare
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("case", ORDERED_UP_TO)
def test_levels(case: str) -> None:
    network = network_of(*ORDERED_UP_TO[case])
    assert_derivatives_agree(network, order_up_to, levels_of(network, 7))


def test_orders_of_a_row_with_two_suppliers() -> None:
    document = serial()
    document["nodes"]["port"] = {"kind": "source"}
    document["edges"].append({"from": "port", "to": "shop", "lead_time": 1, "pipeline": 1.3, "purchase_cost": 2.0})
    assert_derivatives_agree(network_of(document), constant_order, np.array([4.41, 3.73, 2.97, 1.51]))


def test_one_place_by_counting_periods() -> None:
    """A unit more of base stock is a unit more on hand in every period that ends with stock, else one less owed."""
    document = {
        "name": "one_place",
        "units": "continuous",
        "nodes": {"maker": {"kind": "source"}, "shop": {"on_hand": 9.9, "holding_cost": 2.0, "backorder_cost": 5.0}},
        "edges": [{"from": "maker", "to": "shop", "lead_time": 0}],
        "markets": {"shop": {"served_by": ["shop"], "process": "gamma", "mean": 10.0, "sd": 5.0}},
    }
    network = network_of(document)
    level = torch.tensor([10.3], dtype=torch.float64, requires_grad=True)
    noise = Chance(network, REPLICATIONS, 3)
    _, flows, costs = play(network, TORCH, noise, lambda _: order_up_to(level, REPLICATIONS), PERIODS)
    (sum(cost.sum() for cost in costs) / (PERIODS * REPLICATIONS)).backward()
    stocked = np.mean([(moved.on_hand > 0).double().mean().item() for moved in flows])
    assert 0.3 < stocked < 0.8
    assert level.grad.item() == pytest.approx(2.0 * stocked - 5.0 * (1 - stocked), abs=1e-12)


def test_no_derivative_where_numbers_are_rounded() -> None:
    network = network_of("beer_game")
    assert network.integer
    parameters = torch.tensor(levels_of(network, 7), requires_grad=True)
    with pytest.raises(InputError, match="rounded to whole units or batches has no derivative; set units: continuous"):
        mean_cost(network, TORCH, order_up_to, parameters, periods=1)
    with torch.no_grad():
        assert mean_cost(network, TORCH, order_up_to, parameters, periods=1) > 0
    batches = network_of(serial(), {"edges.0.batch": 3})
    with pytest.raises(InputError, match="leave out edge.batch"):
        mean_cost(batches, TORCH, order_up_to, torch.tensor(levels_of(batches, 7), requires_grad=True), periods=1)


def test_on_a_kink_torch_says_one_of_the_slopes_or_between() -> None:
    """Stock of exactly the demand: a unit more is held at 2, a unit less is owed at 5."""
    document = {
        "name": "kink",
        "units": "continuous",
        "nodes": {"maker": {"kind": "source"}, "shop": {"on_hand": 0, "holding_cost": 2.0, "backorder_cost": 5.0}},
        "edges": [{"from": "maker", "to": "shop", "lead_time": 0}],
        "markets": {"shop": {"served_by": ["shop"], "process": "gamma", "mean": 10.0, "sd": 5.0}},
    }
    network = network_of(document)
    level = torch.tensor(Chance(network, REPLICATIONS, 3).at(0)[0], requires_grad=True)
    noise = Chance(network, REPLICATIONS, 3)
    _, _, costs = play(network, TORCH, noise, lambda _: {"order_up_to": level[None]}, 1)
    costs[0].sum().backward()
    assert ((level.grad >= -5) & (level.grad <= 2)).all()


SMOOTH_FEATURES: dict[str, dict[str, Any]] = {
    "delays": {"edges.1.delay": [0.5, 0.3, 0.2], "edges.1.pipeline": [0.9, 1.1, 1.7]},
    "losses": {"edges.0.shipping_loss": 0.3, "edges.2.shipping_loss": 0.2},
    "storage": {"nodes.warehouse.storage": 11.3, "nodes.warehouse.overflow_cost": 0.7},
    "capacity": {"nodes.plant.capacity": 10.7, "nodes.warehouse.capacity": 9.9},
    "disruptions": {"nodes.warehouse.disruption": {"probability": 0.2, "recovery": 0.5}},
    "reviews": {"nodes.east.review": [2], "nodes.west.review": [3]},
    "expediting": {"markets.east.expedite": {"from": "warehouse", "probability": 0.6, "cost": 2.0}},
    "perishable": {"nodes.west.shelf_life": 1, "nodes.west.salvage_value": 0.5},
}


@pytest.mark.parametrize("feature", SMOOTH_FEATURES)
def test_levels_with(feature: str) -> None:
    network = network_of(warehouse("proportional"), SMOOTH_FEATURES[feature])
    assert_derivatives_agree(network, order_up_to, levels_of(network, 7))

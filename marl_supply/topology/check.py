"""Warnings about a topology that is well formed but may not be what its author meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from marl_supply.topology.check_costs import cost_warnings
from marl_supply.topology.check_flows import flow_warnings
from marl_supply.topology.check_times import time_warnings
from marl_supply.topology.file import Topology
from marl_supply.topology.reach import markets_reached, supplied
from marl_supply.topology.warning import Warning

__all__ = ["Warning", "check"]


def check(topology: Topology) -> list[Warning]:
    """Return what looks wrong in a topology; an empty list when nothing does."""
    return [warning for look in _LOOKS for warning in look(topology)]


def _unreachable(topology: Topology) -> Iterator[Warning]:
    reached = supplied(topology)
    for name in topology.nodes:
        if name not in reached:
            yield Warning(f"nodes.{name}", "no source can reach it, so its stock is never replenished")


def _without_demand(topology: Topology) -> Iterator[Warning]:
    for name, markets in markets_reached(topology).items():
        if not markets:
            yield Warning(f"nodes.{name}", "no market can be reached from it, so it has no reason to order or to ship")


def _no_variance(topology: Topology) -> Iterator[Warning]:
    for name, market in topology.markets.items():
        if market.process.variance == 0:
            yield Warning(
                f"markets.{name}",
                "its long-run variance is 0: replications are alike, intervals have no width, and a bullwhip "
                "ratio needs demand that varies within the counted periods",
            )


def _unrounded_demand(topology: Topology) -> Iterator[Warning]:
    for name, market in topology.markets.items():
        if topology.units == "integer" and not market.process.integer:
            yield Warning(f"markets.{name}", "its demand is not in whole units; round it, or set units: continuous")


def _short_series(topology: Topology) -> Iterator[Warning]:
    for name, market in topology.markets.items():
        length = market.process.periods
        if length is not None and length < topology.game.horizon:
            yield Warning(
                f"markets.{name}",
                f"its series ends after {length} of game.horizon = {topology.game.horizon} periods; "
                "shorten the horizon, or use mode: windows or bootstrap",
            )


_LOOKS: tuple[Callable[[Topology], Iterator[Warning]], ...] = (
    _unreachable,
    _without_demand,
    _no_variance,
    _unrounded_demand,
    _short_series,
    flow_warnings,
    time_warnings,
    cost_warnings,
)

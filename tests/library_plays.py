"""One chain played on one array library, all that moved as numpy arrays: what array libraries are compared by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from marl_supply.economics.accounts import Books
from marl_supply.simulation import Decisions, Flows, Scope, State, begin, step
from marl_supply.topology import load
from marl_supply.topology.network import Network

Array = Any


@dataclass(frozen=True)
class Chance:
    """Random demand around each market's mean, and chance numbers; a period's numbers depend on seed and period alone.

    Whole units are 0 to twice the mean; continuous ones have no point that is likelier than 0.
    """

    network: Network
    replications: int
    seed: int

    def at(self, clock: int) -> Array:
        """(K, B) demand of a period."""
        means = np.array([process.mean for process in self.network.processes.values()])[:, None]
        draw = self._draw("demand", clock)
        shape = (len(means), self.replications)
        if self.network.integer:
            return draw.integers(0, np.ceil(2 * means) + 1, size=shape).astype(float)
        return draw.gamma(4.0, means / 4, size=shape)

    def chance(self, clock: int) -> Array:
        """(C, B) chance numbers of a period."""
        return self._draw("chance", clock).random((self.network.chance_size, self.replications))

    def _draw(self, what: str, clock: int) -> Any:
        return np.random.default_rng([self.seed, len(what), ord(what[0]), clock])


def network_of(chain: Any, changes: Any = None) -> Network:
    """The network of a shipped topology or of a document."""
    return Network(load(chain, changes or {}))


def random_decisions(network: Network, replications: int, seed: int) -> Callable[[int], dict[str, Array]]:
    """What everybody decides in each period, in quarters so that rounding bites: (rows or edges, B) by kind."""
    means = np.array([process.mean for process in network.processes.values()])
    most = 2.0 * means.sum() / max(len(network.edges) - len(network.rows) + 1, 1)
    everybody = Scope(network, np.arange(len(network.rows)))
    kinds = ("order", "order_up_to", "demand_plus") if everybody.one_supplier_each else ("order",)
    lowest = {"order": 0.0, "order_up_to": 0.0, "demand_plus": -most}
    highest = {"order": most, "order_up_to": 5 * most, "demand_plus": most}

    def decide(period: int) -> dict[str, Array]:
        draw = np.random.default_rng([seed, period])
        kind = str(draw.choice(kinds))
        size = len(network.edges) if kind == "order" else len(network.rows)
        return {kind: np.rint(4 * draw.uniform(lowest[kind], highest[kind], (size, replications))) / 4}

    return decide


def play(
    network: Network, arrays: Any, noise: Any, decide: Callable[[int], dict[str, Any]], periods: int
) -> tuple[list[State], list[Flows], list[Array]]:
    """The decision points, the flows and the costs (P, B) of every period."""
    books = Books(network, arrays)
    everybody = Scope(network, np.arange(len(network.rows)))
    state = begin(network, noise.replications, noise, arrays=arrays)
    states, flows, costs = [state.copy()], [], []
    for period in range(periods):
        decisions = {kind: arrays.given(values) for kind, values in decide(period).items()}
        state, moved = step(network, state, [(everybody, Decisions(**decisions))])
        states.append(state.copy())
        flows.append(moved)
        costs.append(books.costs(moved))
    return states, flows, costs


def numbers(record: Any) -> dict[str, Array]:
    """All arrays of a state or of flows as numpy, by name; the slots of rings and memories one by one."""
    found: dict[str, Array] = {}
    for item in fields(record):
        value = getattr(record, item.name)
        if item.name not in ("noise", "arrays", "derived"):
            _collect(found, item.name, value)
    return found


def _collect(found: dict[str, Array], name: str, value: Any) -> None:
    if isinstance(value, list):
        for number, part in enumerate(value):
            _collect(found, f"{name}[{number}]", part)
    elif isinstance(value, dict):
        for key, part in value.items():
            _collect(found, f"{name}[{key}]", part)
    elif value is not None:
        found[name] = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)

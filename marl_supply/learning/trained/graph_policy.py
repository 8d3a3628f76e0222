"""A trained graph network, of differentiable learning: one for all nodes, and for chains that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.game.game import Game
from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory
from marl_supply.game.seat import Seat
from marl_supply.game.table import Table
from marl_supply.learning.differentiable.head import Head
from marl_supply.learning.differentiable.layout import FEATURES, Layout, layout_of
from marl_supply.learning.learners.differentiable import Differentiable
from marl_supply.learning.trained.chunks import CHUNK, Floats, Layers, chunks, product, propagated
from marl_supply.learning.trained.trained_policy import DescribedPolicy
from marl_supply.simulation.state import Decisions
from marl_supply.topology.network import Network


class GraphPolicy(DescribedPolicy):
    """A seat of a trained graph network, on any chain whose seats see everything.

    Parameters
    ----------
    description
        JSON-able: kind of actions, what orders are measured by, limit of scaled numbers, rounds, training.
    arrays
        ``<part>/weight_<n>`` (in, out) and ``<part>/bias_<n>`` (out,).
    network
        The network itself, where several seats share it: what one of them has worked out serves the others.
    """

    needs = frozenset({"everything"})

    def __init__(
        self,
        description: Mapping[str, Any],
        arrays: Mapping[str, NDArray[Any]],
        network: GraphNetwork | None = None,
    ) -> None:
        super().__init__(description, arrays)
        self.network = GraphNetwork(description, arrays) if network is None else network

    def start(self, seat: Seat, replications: int) -> Memory:
        """No memory."""
        return None

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        """Decide on the whole chain, and return what is the seat's own."""
        seat = observation.seat
        values = self.network.values(seat, observation.vector())
        network, kind = seat.network, self._description["actions"]
        rows = np.arange(len(network.rows))
        joint = np.concatenate([np.flatnonzero(network.customer == row) for row in rows])
        own = np.argsort(joint)[seat.scope.edges] if kind == "quantity" else seat.scope.rows
        return self.network.head.decisions(values[own]), memory


class GraphNetwork:
    """The network that the seats of a chain share; see `graph.GraphActor` for what it computes."""

    def __init__(self, description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        self.kind, self.orders = str(description["actions"]), str(description["orders"])
        self.start = str(description["start"])
        self.limit, self.rounds = float(description["limit"]), int(description["rounds"])
        self._parts = {name: _layers(arrays, name) for name in {key.split("/")[0] for key in arrays}}
        self._network: Network | None = None
        self._seen: NDArray[np.float64] | None = None

    @property
    def head(self) -> Head:
        """What its outputs mean on the chain it plays."""
        return self._layout.head

    def values(self, seat: Seat, seen: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, B) decisions of the whole chain from what a seat sees, (F, B) units."""
        if self._network is not seat.network:
            self._network, self._seen = seat.network, None
            self._table = Table(seat.network)
            self._layout: Layout = layout_of(seat.network, self.kind, self.orders, self.start)
        table = np.empty(seen.shape)
        table[self._table.seen(seat, "full")[1]] = seen
        if self._seen is None or not np.array_equal(table, self._seen):
            self._seen, self._values = table, self._worked_out(table)
        return self._values

    def _worked_out(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        layout, parts = self._layout, self._parts
        rows = len(layout.customers)
        features = np.clip(layout.matrix @ chunks(table.astype(np.float32)) + layout.shift, -self.limit, self.limit)
        features = features.reshape(-1, rows, FEATURES, CHUNK).transpose(0, 1, 3, 2)
        vectors = np.maximum(propagated(parts["embed"], np.ascontiguousarray(features)), 0)
        for number in range(self.rounds):
            heard = [vectors, _mixed(layout.customers, vectors), _mixed(layout.suppliers, vectors)]
            made = propagated(parts[f"round_{number}"], np.concatenate(heard, axis=3))
            vectors = vectors + np.maximum(made, 0)
        edge = np.broadcast_to(layout.edge[None, :, None, :], (len(vectors), len(layout.edge), CHUNK, 4))
        read = np.concatenate([_mixed(layout.own, vectors), _mixed(layout.above, vectors), edge], axis=3)
        scores = propagated(parts["read"], read)[:, :, :, 0].transpose(1, 0, 2).reshape(len(layout.edge), -1)
        return layout.head.of_numpy(scores[:, : table.shape[1]], table.astype(np.float32), product)


def _mixed(weights: Floats, vectors: Floats) -> Floats:
    """(m, w, CHUNK, H) sums of (m, N, CHUNK, H) vectors with the weights (w, N)."""
    count, rows, _, width = vectors.shape
    return (weights @ vectors.reshape(count, rows, -1)).reshape(count, -1, CHUNK, width)


def _layers(arrays: Mapping[str, NDArray[Any]], part: str) -> Layers:
    count = sum(key.startswith(f"{part}/weight_") for key in arrays)
    return [(arrays[f"{part}/weight_{n}"], arrays[f"{part}/bias_{n}"]) for n in range(count)]


def graph_policies(
    game: Game, snapshot: Mapping[str, Any], learner: Differentiable, record: Mapping[str, Any]
) -> dict[str, GraphPolicy]:
    """One copy of a `GraphActor` in every seat of a game, which need not be the one it was trained on."""
    description = {
        "actions": game.action_kind,
        "orders": learner.orders,
        "start": learner.start,
        "limit": learner.observation_clip,
        "rounds": learner.rounds,
        "training": dict(record),
    }
    arrays: dict[str, NDArray[Any]] = {}
    for part, layers in snapshot.items():
        for number, (weight, bias) in enumerate(layers):
            arrays |= {f"{part}/weight_{number}": weight, f"{part}/bias_{number}": bias.reshape(-1)}
    network = GraphNetwork(description, arrays)
    return {agent: GraphPolicy({**description, "agent": agent}, arrays, network) for agent in game.agents}

"""A trained network of one agent that decides orders or levels, of differentiable learning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory
from marl_supply.game.quantities import LEVELS
from marl_supply.game.seat import Seat
from marl_supply.learning.differentiable.head import Head, Ints, game_head
from marl_supply.learning.interface import Scaling, table_scaling
from marl_supply.learning.learners.differentiable import Differentiable
from marl_supply.learning.trained.chunks import in_chunks, product, propagated
from marl_supply.learning.trained.trained_policy import DescribedPolicy, check_seat, fields_of
from marl_supply.simulation.state import Decisions

HEAD = ("centre", "spread", "unit", "position", "faster")


class SeatPolicy(DescribedPolicy):
    """The decisions of one agent's trained network; no chance in it.

    Parameters
    ----------
    description
        JSON-able: agent, the fields that it sees, observe, actions, limit of scaled numbers, number of layers,
        training.
    arrays
        Of what it sees ``shift`` and ``scale`` (k,); ``weight_<n>`` (in, out) and ``bias_<n>`` (out,) of each layer;
        the fields of its `Head`.
    """

    def __init__(self, description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        super().__init__(description, arrays)
        self.needs = frozenset(LEVELS[description["observe"]])
        self._scaling = Scaling(arrays["shift"], arrays["scale"], float(description["limit"]))
        self._layers = [(arrays[f"weight_{n}"], arrays[f"bias_{n}"]) for n in range(int(description["layers"]))]
        parts = {name: arrays[name] for name in HEAD}
        self._head = Head(kind=description["actions"], whole=description["whole"], **parts)

    def start(self, seat: Seat, replications: int) -> Memory:
        """No memory.

        Raises
        ------
        InputError
            If the seat sees other numbers than those it was trained on.
        """
        check_seat(self.agent, tuple(self._description["fields"]), self._description["observe"], seat)
        return None

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        """Decide on what the seat sees."""
        seen, made = observation.vector(), self._description
        if len(seen) != len(self._scaling.shift):
            raise InputError(
                f"the policy of '{made['agent']}' sees {len(self._scaling.shift)} numbers, and the game shows "
                f"{len(seen)}; play it with observe: {made['observe']} on the chain it was trained on."
            )
        return self._head.decisions(self.values(seen)), memory

    def values(self, seen: NDArray[np.float64]) -> NDArray[np.float64]:
        """(c, B) decisions from the (k, B) observation, units."""
        scores = propagated(self._layers, in_chunks(self._scaling.apply(seen)))[:, :, : len(self._head.centre)]
        whole = scores.reshape(-1, scores.shape[2])[: seen.shape[1]]
        return self._head.of_numpy(whole.T, seen.astype(np.float32), product)


def seat_policies(
    game: Game, snapshot: Mapping[str, Any], learner: Differentiable, record: Mapping[str, Any]
) -> dict[str, SeatPolicy]:
    """The agents of one copy of a `SeatActor` as policies."""
    head = game_head(game, learner.orders, learner.start)
    scaling = table_scaling(game.network, learner.observation_clip)
    made = {}
    for number, agent in enumerate(game.agents):
        seat, seen = game.seats[agent], game.seen[agent]
        own = head.part(own_components(game, seat), seen)
        description = {
            "agent": agent,
            "fields": list(fields_of(game, agent)),
            "observe": game.observe_level,
            "actions": game.action_kind,
            "whole": game.network.integer,
            "limit": learner.observation_clip,
            "layers": len(snapshot["weights"]),
            "training": dict(record),
        }
        arrays: dict[str, NDArray[Any]] = {"shift": scaling.shift[seen], "scale": scaling.scale[seen]}
        arrays |= {name: getattr(own, name) for name in HEAD}
        for layer, (weight, bias) in enumerate(zip(snapshot["weights"], snapshot["biases"], strict=True)):
            kept = weight[number][: len(seen)] if layer == 0 else weight[number]
            arrays |= {f"weight_{layer}": np.ascontiguousarray(kept), f"bias_{layer}": bias[number].reshape(-1)}
        made[agent] = SeatPolicy(description, arrays)
    return made


def own_components(game: Game, seat: Seat) -> Ints:
    """(c,) which components of the whole chain are a seat's, in the order of its decisions."""
    if game.action_kind != "quantity":
        return np.asarray(seat.scope.rows, dtype=np.int64)
    where = {int(edge): number for number, edge in enumerate(game.everybody.edges)}
    return np.array([where[int(edge)] for edge in seat.scope.edges], dtype=np.int64)

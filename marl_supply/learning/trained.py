"""A trained actor as a policy: numbers and a description, played greedily with numpy alone."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.errors import InputError
from marl_supply.game.decisions.action import Action
from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory
from marl_supply.game.quantities import LEVELS
from marl_supply.game.seat import Seat
from marl_supply.learning.interface import Interface, Scaling
from marl_supply.plugins import find
from marl_supply.simulation.state import Decisions

Floats = NDArray[np.float32]

CHUNK = 64
"""Replications of one product; the same for every batch, so that a decision does not depend on the batch."""


@dataclass(frozen=True)
class Description:
    """What a trained actor was made for, JSON-able.

    agent, rows, edges: its seat; observe: the level it was trained at; size: numbers it sees; actions, parameters,
    choices: its action space; training: learner, seed and steps, for the record.
    """

    agent: str
    rows: tuple[str, ...]
    edges: tuple[str, ...]
    observe: str
    size: int
    actions: str
    parameters: dict[str, float]
    choices: tuple[int, ...]
    training: dict[str, Any]


class TrainedPolicy:
    """The most probable action of a trained actor.

    Parameters
    ----------
    description
        What it was made for.
    scaling
        Of its observation.
    layers
        Pairs of weights (in, out) and biases (out,), ReLU between them; the last gives C n scores.
    prior : (C, n)
        Added to the scores.

    Examples
    --------
    >>> policies = load_policies("results/team/seed_0.npz")  # doctest: +SKIP
    >>> evaluate(game, policies)  # doctest: +SKIP
    """

    def __init__(
        self, description: Description, scaling: Scaling, layers: list[tuple[Floats, Floats]], prior: Floats
    ) -> None:
        self.description = description
        self.scaling = scaling
        self.layers = layers
        self.prior = prior
        self.needs = frozenset(LEVELS[description.observe])
        self._action: Action | None = None

    def start(self, seat: Seat, replications: int) -> Memory:
        """No memory.

        Raises
        ------
        InputError
            If the seat is not the one it was trained for.
        """
        made = self.description
        for name, own, theirs in (("rows", made.rows, seat.rows), ("edges", made.edges, seat.edges)):
            if own != theirs:
                raise InputError(
                    f"the policy of '{made.agent}' was trained for {name} {', '.join(own)}, and '{seat.agent}' has "
                    f"{', '.join(theirs)}; train one for this game."
                )
        self._action = self._action_of(seat)
        return None

    def _action_of(self, seat: Seat) -> Action:
        kind = find("marl_supply.game.decisions", Action, self.description.actions)
        action: Action = kind(seat, self.description.parameters)
        if tuple(action.choices.tolist()) != self.description.choices:
            raise InputError(
                f"the policy of '{self.description.agent}' was trained for {self.description.choices} choices, and "
                f"'{seat.agent}' has {tuple(action.choices.tolist())}; train one for this game."
            )
        return action

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        """The most probable choice of each component."""
        seen = observation.vector()
        if len(seen) != self.description.size:
            raise InputError(
                f"the policy of '{self.description.agent}' sees {self.description.size} numbers, and the game shows "
                f"{len(seen)}; play it with observe: {self.description.observe} on the chain it was trained on."
            )
        action = self._action if self._action is not None else self._action_of(observation.seat)
        choices = self.choices(seen)
        return action.decide(action.low[:, None] + action.step * choices), memory

    def choices(self, seen: NDArray[np.float64]) -> NDArray[np.int64]:
        """(C, B) choices from the (k, B) observation, units."""
        replications = seen.shape[1]
        padded = np.zeros((-(-replications // CHUNK) * CHUNK, len(seen)), dtype=np.float32)
        padded[:replications] = self.scaling.apply(seen).T
        value = padded.reshape(-1, CHUNK, len(seen))
        for number, (weight, bias) in enumerate(self.layers):
            value = value @ weight + bias
            if number < len(self.layers) - 1:
                np.maximum(value, 0, out=value)
        scores = value.reshape(len(padded), *self.prior.shape)[:replications] + self.prior
        components = len(self.description.choices)
        return scores[:, :components].argmax(-1).T


def trained_policies(
    interface: Interface,
    layers: Mapping[str, list[tuple[Floats, Floats]]],
    training: Mapping[str, Any],
) -> dict[str, TrainedPolicy]:
    """The learning agents of one copy as policies.

    Parameters
    ----------
    layers
        For each agent pairs of weights (in, out) and biases (1, out).
    training
        Learner, seed and steps, for the record.
    """
    game = interface.game
    made = {}
    for number, agent in enumerate(interface.agents):
        seat, action, size = game.seats[agent], game.actions[agent], interface.sizes[number]
        description = Description(
            agent=agent,
            rows=seat.rows,
            edges=seat.edges,
            observe=game.observe_level,
            size=size,
            actions=game.action_kind,
            parameters=dict(action.parameters),
            choices=tuple(action.choices.tolist()),
            training=dict(training),
        )
        own = [(np.array(weight), np.array(bias).reshape(-1)) for weight, bias in layers[agent]]
        own[0] = (np.ascontiguousarray(own[0][0][:size]), own[0][1])
        prior = interface.prior[number].astype(np.float32)
        made[agent] = TrainedPolicy(description, interface.of(number), own, prior)
    return made


def save_policies(path: str | Path, policies: Mapping[str, TrainedPolicy]) -> None:
    """Write the policies of several agents to one file: arrays, and a description in JSON; no pickle."""
    arrays: dict[str, Any] = {}
    for number, policy in enumerate(policies.values()):
        arrays[f"{number}/shift"], arrays[f"{number}/scale"] = policy.scaling.shift, policy.scaling.scale
        arrays[f"{number}/prior"] = policy.prior
        for layer, (weight, bias) in enumerate(policy.layers):
            arrays[f"{number}/weight_{layer}"], arrays[f"{number}/bias_{layer}"] = weight, bias
    described = [
        {**asdict(policy.description), "limit": policy.scaling.limit, "layers": len(policy.layers)}
        for policy in policies.values()
    ]
    arrays["description"] = np.frombuffer(json.dumps(described).encode(), dtype=np.uint8)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        np.savez(file, **arrays)
    partial.replace(path)


def load_policies(path: str | Path) -> dict[str, TrainedPolicy]:
    """Read what `save_policies` wrote.

    Raises
    ------
    InputError
        If the file does not exist, is truncated, or is something else.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            described = json.loads(bytes(arrays["description"]).decode())
            return {item["agent"]: _read(item, number, arrays) for number, item in enumerate(described)}
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; give the path of trained policies (.npz).") from None
    except (zipfile.BadZipFile, OSError, EOFError, KeyError, ValueError, TypeError):
        raise InputError(f"{path}: not a whole file of trained policies; it may be cut off, so train again.") from None


def _read(item: dict[str, Any], number: int, arrays: Any) -> TrainedPolicy:
    limit, layers = item.pop("limit"), item.pop("layers")
    for name in ("rows", "edges", "choices"):
        item[name] = tuple(item[name])
    scaling = Scaling(arrays[f"{number}/shift"], arrays[f"{number}/scale"], limit)
    stack = [(arrays[f"{number}/weight_{layer}"], arrays[f"{number}/bias_{layer}"]) for layer in range(layers)]
    return TrainedPolicy(Description(**item), scaling, stack, arrays[f"{number}/prior"])

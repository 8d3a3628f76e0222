"""Short plays with random orders, and how two things are compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.game import Game, Outcome
from marl_supply.simulation import State

PERIODS = 8
"""Of a short play."""
REPLICATIONS = 3
TOLERANCE = 1e-6
"""Units or money, for each unit of size: what rounding may leave between numbers that are one."""
Column = NDArray[np.float64]


@dataclass(frozen=True)
class Period:
    """A period of a play: the decision point before it, what it brought, and the decision point after it."""

    before: State
    outcome: Outcome
    after: State


def as_game(game: Game | Any) -> Game:
    """A game as it is, or the game on a chain."""
    return game if isinstance(game, Game) else Game(game)


def check(holds: Any, sentence: str) -> None:
    """Raise an `AssertionError` with a sentence unless something holds; also where Python leaves `assert` out."""
    if not holds:
        raise AssertionError(sentence)


def random_play(game: Game, first: int, replications: int, orders: int = 0) -> Iterator[Period]:
    """A play of replications of seed 0 from the `first` on, with orders that are random and whole where units are.

    Orders depend on the replication, the period and the number `orders`, not on how many are played together.
    """
    state = game.start(replications, 0, first)
    for number in range(min(PERIODS, game.horizon)):
        before = state.copy()
        state, outcome = random_period(game, state, number, first, orders)
        yield Period(before, outcome, state.copy())


def random_period(game: Game, state: State, period: int, first: int, orders: int = 0) -> tuple[State, Outcome]:
    """One period of such a play."""
    decided = {
        agent: game.actions[agent].decode(_drawn(game, agent, [orders, period], first, state.replications))
        for agent in game.agents
    }
    for stage in game.stages[:-1]:
        state = game.decide(state, {agent: decided[agent] for agent in stage})
    return game.step(state, {agent: decided[agent] for agent in game.stages[-1]})


def _drawn(game: Game, agent: str, key: list[int], first: int, replications: int) -> Column:
    """(n, B) random actions, mostly small ones: order limits are far above what is ordinary."""
    kind = game.actions[agent]
    columns = []
    for replication in range(first, first + replications):
        drawn = np.random.default_rng([*key, replication, *agent.encode()]).random(len(kind.low)) ** 3
        if kind.seat.integer:
            columns.append(np.floor(drawn * kind.choices))
        else:
            columns.append(kind.low + drawn * (kind.high - kind.low))
    return np.stack(columns, axis=1)


def near(left: Any, right: Any) -> bool:
    """Whether two arrays are equal but for rounding."""
    left, right = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    return left.shape == right.shape and bool(np.allclose(left, right, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True))


def arrays_of(item: Any) -> dict[str, Column]:
    """The numbers of flows, decisions or a state by name, those that are None left out."""
    found: dict[str, Column] = {}
    for field in fields(item):
        value = getattr(item, field.name)
        if isinstance(value, np.ndarray) and value.ndim == 2:
            found[field.name] = value
        elif isinstance(value, (list, tuple)):
            found |= {f"{field.name}[{number}]": part for number, part in enumerate(value)}
    return found


def column_differs(batch: Any, single: Any, replication: int) -> str:
    """The name of the first array of a batch whose replication is not that of the single; empty if there is none."""
    alone = arrays_of(single)
    for name, value in arrays_of(batch).items():
        if name not in alone or not near(value[:, replication : replication + 1], alone[name]):
            return name
    return ""

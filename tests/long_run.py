"""Long-run costs a period of rules on shipped topologies, by simulation and exactly, for tests of stated values."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy as np
from published import NORMAL_QUANTILE
from scipy import sparse

from marl_supply.game import Game
from marl_supply.game.evaluate import Evaluation, evaluate
from marl_supply.policies import seat_everybody
from marl_supply.topology import load

Moves = Callable[[Any], tuple[float, Mapping[Hashable, float]]]


def simulated(
    chain: str,
    rule: str,
    changes: Mapping[str, Any] | None = None,
    replications: int = 1000,
    seed: int = 20,
    **parameters: float,
) -> Evaluation:
    """A rule on a shipped topology with values changed, at the parameters given for its one node, else the file's."""
    topology = load(chain, changes or {})
    node = next(name for name, place in topology.nodes.items() if place.kind == "stock")
    game = Game(topology)
    return evaluate(game, seat_everybody(game, rule, {node: parameters}), replications, seed)


def half_width(evaluation: Evaluation) -> float:
    """Of the 99.9% interval of the cost a period, money."""
    sample = evaluation.sample
    return float(NORMAL_QUANTILE * sample.std(ddof=1) / np.sqrt(len(sample)))


def assert_not_below(evaluation: Evaluation, optimum: float) -> None:
    """No rule costs less than the optimum, but for chance."""
    assert evaluation.figure > optimum - half_width(evaluation)


def exact(start: Hashable, moves: Moves, accuracy: float = 1e-12) -> float:
    """Average cost a period of a Markov chain with one recurrent class, from its stationary law.

    Parameters
    ----------
    start
        A state.
    moves
        Gives a state's expected cost and the probabilities of the states that follow.
    """
    number: dict[Any, int] = {start: 0}
    costs, rows, columns, chances = [], [], [], []
    waiting = [start]
    for state in waiting:
        cost, following = moves(state)
        costs.append(cost)
        for after, chance in following.items():
            if after not in number:
                number[after] = len(waiting)
                waiting.append(after)
            rows.append(number[after])
            columns.append(number[state])
            chances.append(chance)
    forward = sparse.csr_array((chances, (rows, columns)), shape=(len(waiting), len(waiting)))
    law, change = np.full(len(waiting), 1 / len(waiting)), 1.0
    while change > accuracy:  # half a step at a time, so that cycles die out
        after = (law + forward @ law) / 2
        change, law = float(np.abs(after - law).sum()), after / after.sum()
    return float(law @ np.array(costs))


def spread(pairs: Any) -> dict[Hashable, float]:
    """Probabilities of states from pairs (state, probability) with repeats."""
    total: dict[Hashable, float] = {}
    for state, chance in pairs:
        total[state] = total.get(state, 0.0) + chance
    return total

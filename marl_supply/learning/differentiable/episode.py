"""A batch of episodes whose mean cost has derivatives with respect to the weights of whoever plays them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.learning.differentiable.head import FIELDS, Head
from marl_supply.simulation.arrays import Arrays
from marl_supply.topology import load

Play = Callable[[Tensor, Tensor | None], Tensor]
"""(n, B) decisions of a whole chain from the (F, B) table of a decision point, and uniform numbers for whole units."""


def relaxation(game: Game) -> Game:
    """The same game in continuous units, where costs have derivatives; the game itself if its units are continuous.

    Raises
    ------
    InputError
        For what has no derivative, or what this learner does not decide.
    """
    _refuse(game)
    if not game.network.integer:
        return game
    return Game(load(game.topology, {"units": "continuous"}), held_out=game.held_out)


def _refuse(game: Game) -> None:
    name, network = game.topology.name, game.network
    if network.fixed_order_cost.any():
        edge = network.edges[int(network.fixed_order_cost.argmax())]
        raise InputError(f"{name}: edges.{edge}.fixed_order_cost: it has no derivative; use ppo or happo instead.")
    if network.batch is not None:
        raise InputError(f"{name}: edge.batch: orders in batches have no derivative; leave it out, or use ppo.")
    if network.responsive:
        raise InputError(f"{name}: markets that respond to decisions have no derivative here; use ppo or happo.")
    if len(game.stages) > 1:
        raise InputError(
            f"{name}: game.actions: quantities under downstream_first are decided in several stages, which this "
            "learner does not play; use order_up_to or demand_plus."
        )
    if game.action_kind not in FIELDS or game.joint_order(game.agents) is None:
        raise InputError(f"{name}: game.actions: this learner decides orders alone; use quantity, and no prices.")


def episode_costs(
    game: Game, play: Play, head: Head, noise: Any, columns: int, warm_up: int, periods: int, arrays: Arrays
) -> Tensor:
    """Mean cost a period of each agent in each replication, after a warm-up without derivatives.

    Parameters
    ----------
    game
        In continuous units; decisions are whole where those of `head` are.
    noise
        Demand, chance numbers, and ``uniform(name, clock, size)``.
    columns : int
        B, replications.

    Returns
    -------
    (A, B) tensor
    """
    state = game.start(columns, noise=noise, arrays=arrays)
    total: Any = 0.0
    for period in range(warm_up + periods):
        with torch.set_grad_enabled(period >= warm_up and torch.is_grad_enabled()):
            uniforms = _uniforms(noise, state.clock, len(head.centre)) if head.whole else None
            values = play(game.table.read(state), uniforms)
            state, outcome = game.step(state, head.decisions(values), check=False)
        if period >= warm_up:
            total = total + outcome.costs
    return total / periods


def _uniforms(noise: Any, clock: int, size: int) -> Tensor:
    """(size, B) uniform numbers of a period, with which whole numbers are made of decisions."""
    return torch.from_numpy(np.asarray(noise.uniform("rounding", clock, size), dtype=np.float32))

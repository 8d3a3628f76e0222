"""Simultaneous gradient play: agents who commit to levels follow the derivatives of their own costs, all at once.

The torch twin of the simulator gives each agent the derivative of its mean cost with respect to its own levels; nobody
answers what the others will do next. Where it comes to rest no agent gains by a small move (Ratliff, Burden & Sastry
2016, On the characterization of local Nash equilibria); where it turns in circles, the path shows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.learning.differentiable.episode import relaxation
from marl_supply.learning.streams import TRAINING, Streams
from marl_supply.simulation import Decisions
from marl_supply.simulation.torch_arrays import TorchArrays

FloatArray = NDArray[np.float64]
Positions = Literal["local", "echelon"]
LAST = 0.25
"""Share of the steps at the end over which levels are averaged."""


@dataclass(frozen=True)
class GradientPlay:
    """Where the levels went, from S starts at once.

    Attributes
    ----------
    rows : tuple of str
        The nodes, in the order of the levels.
    path : (steps + 1, S, rows)
        Levels, units.
    levels : (S, rows)
        Their means over the last quarter of the steps.
    """

    rows: tuple[str, ...]
    path: FloatArray
    levels: FloatArray


def gradient_play(
    game: Game,
    starts: Any,
    positions: Positions = "local",
    *,
    steps: int = 600,
    step: float = 0.05,
    replications: int = 32,
    warm_up: int = 20,
    periods: int = 60,
    seed: int = 1,
) -> GradientPlay:
    """Follow the derivatives of costs with respect to base-stock levels, by Adam with steps that fall linearly to 0.

    Under the reward `individual` each agent follows that of its own cost, under `shared` that of the cost of all, under
    a blend that of the blend. The chain is played in continuous units.

    Parameters
    ----------
    starts : (S, rows) units
        First levels, by node in the order of ``game.network.rows``.
    positions
        Whether levels are of the inventory position of a node, or of its echelon.
    steps : int
        Steps of Adam.
    step : float
        Length of the first, as a share of the mean demand of a period.
    replications, warm_up, periods : int
        Of the episodes of a step; costs of the warm-up have no derivative. Starts meet the same demand.

    Raises
    ------
    InputError
        For a chain whose costs have no derivative, rows with several suppliers, and starts of another shape.
    """
    rows = game.network.rows
    levels = torch.tensor(np.asarray(starts, dtype=np.float64))
    if levels.ndim != 2 or levels.shape[1] != len(rows):
        raise InputError(f"starts: levels of {', '.join(rows)} for each start, not of shape {tuple(levels.shape)}.")
    if positions not in ("local", "echelon"):
        raise InputError(f"positions: no '{positions}'; use local or echelon.")
    relaxed = relaxation(game)
    if not relaxed.everybody.one_supplier_each:
        raise InputError(f"{game.topology.name}: a row has several suppliers, and a level does not divide its orders.")
    mean = torch.from_numpy(np.array(relaxed.network.mean_demand))
    levels = levels.requires_grad_()
    optimizer = torch.optim.Adam([levels], lr=step)
    path = [levels.detach().numpy().copy()]
    for number in range(steps):
        noise = Streams(relaxed, [TRAINING + seed] * len(levels), replications, number * replications)
        costs = _costs(relaxed, levels, positions, noise, replications, warm_up, periods)
        optimizer.zero_grad()
        levels.grad = _gradient(relaxed, costs, levels)
        for group in optimizer.param_groups:
            group["lr"] = step * (1 - number / steps)
        before = levels.detach().clone()
        optimizer.step()
        with torch.no_grad():  # steps are in shares of mean demand, so that rows of all sizes move alike
            levels.copy_(before + (levels - before) * mean)
        path.append(levels.detach().numpy().copy())
    last = max(1, round(LAST * steps))
    return GradientPlay(rows, np.array(path), np.mean(path[-last:], axis=0))


def _costs(
    game: Game, levels: Tensor, positions: Positions, noise: Any, replications: int, warm_up: int, periods: int
) -> Tensor:
    """(A, S) mean cost a period of each agent, from each start."""
    starts = len(levels)
    columns = levels.T.repeat_interleave(replications, 1)
    state = game.start(starts * replications, noise=noise, arrays=TorchArrays("cpu", torch.float64))
    first = game.table.start["echelon_inventory_position"]
    total: Any = 0.0
    for period in range(warm_up + periods):
        with torch.set_grad_enabled(period >= warm_up):
            if positions == "local":
                decisions = Decisions(order_up_to=columns)
            else:
                position = game.table.read(state)[first : first + columns.shape[0]]
                decisions = Decisions(order=torch.relu(columns - position))
            state, outcome = game.step(state, decisions, check=False)
        if period >= warm_up:
            total = total + outcome.costs
    mean: Tensor = (total / periods).view(-1, starts, replications).mean(2)
    return mean


def _gradient(game: Game, costs: Tensor, levels: Tensor) -> Tensor:
    """(S, rows) for each row the derivative of what its agent minds, with respect to its level."""
    gradient = torch.zeros_like(levels)
    shared = costs.mean(0)
    for number, agent in enumerate(game.agents):
        minds = game.own_weight * costs[number] + (1 - game.own_weight) * shared
        own = torch.autograd.grad(minds.sum(), levels, retain_graph=True)[0]
        rows = game.seats[agent].scope.rows
        gradient[:, rows] = own[:, rows]
    return gradient

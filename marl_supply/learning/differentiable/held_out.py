"""What policies cost on held-out demand, in the game as it is: whole units are rounded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from marl_supply.game.game import Game
from marl_supply.learning.differentiable.episode import Play
from marl_supply.learning.differentiable.head import Head
from marl_supply.learning.held_out import counted_periods
from marl_supply.learning.learners.differentiable import Differentiable
from marl_supply.learning.streams import HELD_OUT, Streams
from marl_supply.simulation.torch_arrays import TorchArrays


@torch.no_grad()
def held_out_costs(
    game: Game, play: Play, head: Head, learner: Differentiable, seeds: Sequence[int]
) -> NDArray[np.float64]:
    """(A, K) costs of all copies on common held-out demand, by the game's criterion."""
    replications, copies = learner.evaluation_replications, len(seeds)
    noise = Streams(game, [HELD_OUT] * copies, replications)
    state = game.start(copies * replications, noise=noise, arrays=TorchArrays("cpu", torch.float32))
    periods, warm_up = counted_periods(game, learner)
    total = np.zeros((len(game.agents), copies * replications))
    for period in range(periods):
        values = play(game.table.read(state), None)
        state, outcome = game.step(state, head.decisions(values), check=False)
        if period >= warm_up:
            total += outcome.costs.numpy()
    costs = total.reshape(len(game.agents), copies, replications).mean(2)
    return np.asarray(costs / (periods - warm_up) if game.criterion == "average" else costs)

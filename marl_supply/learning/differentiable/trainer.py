"""Adam on the derivative of episodes: one update at a time, held-out scores, weights, and a state to go on from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.learning.differentiable.actors import SeatActor
from marl_supply.learning.differentiable.episode import episode_costs, relaxation
from marl_supply.learning.differentiable.graph import GraphActor
from marl_supply.learning.differentiable.held_out import held_out_costs
from marl_supply.learning.learners.differentiable import Differentiable
from marl_supply.learning.objectives import clip_gradients
from marl_supply.learning.streams import TRAINING, Streams
from marl_supply.learning.trained import TrainedPolicy
from marl_supply.learning.trained.graph_policy import graph_policies
from marl_supply.learning.trained.seat_policy import seat_policies
from marl_supply.learning.trainer import identity_of
from marl_supply.simulation.torch_arrays import TorchArrays


class DifferentiableTrainer:
    """One training of K copies, each with its own demand and weights, stacked into one computation.

    Parameters
    ----------
    game
        With its reward, which says whose costs each agent minds.
    learner, seeds, env_steps
        Settings, one seed for each copy, and the budget of each copy in environment steps.
    fixed
        Must be empty: a fixed policy has no derivative.

    Attributes
    ----------
    game : Game
    updates : int
        Planned for the budget.
    """

    def __init__(
        self,
        game: Game,
        learner: Differentiable,
        seeds: Sequence[int],
        env_steps: int,
        fixed: Mapping[str, Policy] | None = None,
        env_runners: int = 0,
        learners: int = 0,
    ) -> None:
        learner.check(game, fixed or {})
        if env_runners or learners:
            raise InputError(f"{learner.name} plays where it learns; leave env_runners and learners out.")
        self.game, self.learner, self.seeds, self.fixed = game, learner, tuple(seeds), dict(fixed or {})
        self.relaxed = relaxation(game)
        self.updates = learner.updates(env_steps)
        self.env_steps = int(env_steps)
        self.done = 0
        self._episode_cost = float("nan")
        self.actor = actor_of(game, learner, self.seeds)
        self.optimizer = torch.optim.Adam(self.actor.parameters(), lr=learner.learning_rate)
        self._arrays = TorchArrays("cpu", torch.float32)

    def identity(self) -> dict[str, Any]:
        """What makes a checkpoint belong to this training."""
        return identity_of(self.game, self.learner, self.seeds, self.env_steps, {})

    def losses(self) -> dict[str, float]:
        """Mean cost a period of all agents in the episodes of the last update, before its step."""
        return {"episode_cost": self._episode_cost}

    def costs(self) -> Tensor:
        """(A, K) mean cost a period of each agent and copy in the episodes of the next update, with derivatives."""
        learner, copies = self.learner, len(self.seeds)
        base = [TRAINING + seed for seed in self.seeds]
        noise = Streams(self.relaxed, base, learner.replications, self.done * learner.replications)
        columns = copies * learner.replications
        costs = episode_costs(
            self.relaxed,
            self.actor,
            self.actor.head,
            noise,
            columns,
            learner.warm_up,
            learner.periods,
            self._arrays,
        )
        return costs.view(len(costs), copies, learner.replications).mean(2)

    def update(self) -> None:
        """Play a batch of episodes and take one step of Adam, of a length that falls linearly to 0."""
        costs = self.costs()
        self._episode_cost = float(costs.detach().sum(0).mean())
        gradients = gradients_of(costs, self.actor, self.relaxed.own_weight, cost_scale(self.relaxed))
        step(self.actor, self.optimizer, gradients, self.learner, self.done / self.updates)
        self.done += 1

    def greedy_costs(self) -> NDArray[np.float64]:
        """(agents, K) costs on held-out demand of what would be exported now, by the game's criterion."""
        return held_out_costs(self.game, self.actor, self.actor.head, self.learner, self.seeds)

    def snapshot(self, copy: int) -> dict[str, Any]:
        """The weights of one copy as arrays."""
        return self.actor.snapshot(copy)

    def policies(self, snapshot: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, TrainedPolicy]:
        """The policies of all agents that a snapshot stands for; `record` goes into their descriptions."""
        if isinstance(self.actor, GraphActor):
            return dict(graph_policies(self.game, snapshot, self.learner, record))
        return dict(seat_policies(self.game, snapshot, self.learner, record))

    def get_state(self) -> dict[str, Any]:
        """Weights, moments of Adam and the number of updates done: everything the next updates depend on."""
        parameters = list(self.actor.parameters())
        moments = [self.optimizer.state.get(parameter, {}) for parameter in parameters]
        return {
            "done": self.done,
            "weights": [parameter.detach().numpy().copy() for parameter in parameters],
            "moments": [{name: value.numpy().copy() for name, value in own.items()} for own in moments],
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from `get_state`."""
        self.done = int(state["done"])
        with torch.no_grad():
            for parameter, weight in zip(self.actor.parameters(), state["weights"], strict=True):
                parameter.copy_(torch.from_numpy(np.array(weight)))
        for parameter, own in zip(self.actor.parameters(), state["moments"], strict=True):
            self.optimizer.state[parameter] = {name: torch.from_numpy(np.array(v)) for name, v in own.items()}

    def stop(self) -> None:
        """Nothing runs elsewhere."""


def actor_of(game: Game, learner: Differentiable, seeds: Sequence[int]) -> SeatActor | GraphActor:
    """The networks that a learner asks for."""
    if learner.actor == "graph":
        return GraphActor(game, learner, seeds)
    return SeatActor(game, learner, seeds)


def cost_scale(game: Game) -> float:
    """Money a period: what it costs to hold a period's mean demand in every row, or 1 where that is free."""
    scale = float((game.network.mean_demand * game.network.holding_cost).sum())
    return scale if scale > 0 else 1.0


def gradients_of(costs: Tensor, actor: SeatActor | GraphActor, own_weight: float, scale: float) -> list[Tensor]:
    """The direction in which each parameter climbs, for (A, K) costs with derivatives.

    Cooperative (`own_weight` 0): the derivative of the cost of all agents. Else each agent's networks get the
    derivative of ``own_weight * own cost + (1 - own_weight) * mean cost``: one backward pass for each agent.
    """
    parameters = list(actor.parameters())
    if own_weight == 0 or len(costs) == 1:
        return list(torch.autograd.grad(costs.sum() / scale, parameters))
    assert isinstance(actor, SeatActor)
    minded = own_weight * costs + (1 - own_weight) * costs.mean(0)
    parts = []
    for agent in range(len(costs)):
        more = agent + 1 < len(costs)
        whole = torch.autograd.grad(minded[agent].sum() / scale, parameters, retain_graph=more, allow_unused=True)
        filled = [torch.zeros_like(p) if g is None else g for p, g in zip(parameters, whole, strict=True)]
        parts.append([actor.part_of(gradient, agent) for gradient in filled])
    return [torch.cat(own) for own in zip(*parts, strict=True)]


def step(
    actor: SeatActor | GraphActor,
    optimizer: torch.optim.Optimizer,
    gradients: Sequence[Tensor],
    learner: Differentiable,
    share_done: float,
) -> None:
    """One step of Adam along gradients, clipped for each network of each copy."""
    parameters = list(actor.parameters())
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient
    clip_gradients(parameters, learner.gradient_clip)
    for group in optimizer.param_groups:
        group["lr"] = learner.learning_rate * (1 - share_done)
    optimizer.step()

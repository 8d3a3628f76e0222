"""Score policies on a game: every figure for each replication, so that no average depends on how they were batched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.demand.process import BLOCK
from marl_supply.errors import InputError
from marl_supply.game.game import Game, Outcome
from marl_supply.game.policy import Policy
from marl_supply.game.rollout import rollout
from marl_supply.metrics.bullwhip import PeriodSums, bullwhip_ratio
from marl_supply.metrics.service import cycle_service_level, fill_rate

FloatArray = NDArray[np.float64]
NUMBERS_AT_ONCE = 131_072
"""Rows times replications of one batch: enough to hide what a call costs, few enough to stay near the processor."""


@dataclass(frozen=True)
class Evaluation:
    """How policies did over R replications; sums run over the periods that count (warm-up removed).

    Attributes
    ----------
    cost : (A, R)
        Each agent's cost after contracts, money, weighted by the discount.
    accounts : dict of str to (P, R)
        The same cost by account and place, before it is given to agents.
    path : (T, A, R) or None
        Undiscounted cost of every period, warm-up included; kept when asked for.
    orders, demand : PeriodSums of (N, R)
        Of what each row ordered, and of the market demand that it can reach.
    market_demand, market_served, market_short : (K, R)
        Units asked, units served in the period they were asked, and periods with a shortage.
    """

    topology: str
    agents: tuple[str, ...]
    rows: tuple[str, ...]
    places: tuple[str, ...]
    markets: tuple[str, ...]
    horizon: int
    warm_up: int
    criterion: str
    discount: float
    seed: int
    cost: FloatArray
    accounts: dict[str, FloatArray]
    path: FloatArray | None
    orders: PeriodSums
    demand: PeriodSums
    market_demand: FloatArray
    market_served: FloatArray
    market_short: FloatArray
    observe: str = "local"
    labels: dict[str, Any] = field(default_factory=dict)

    @property
    def replications(self) -> int:
        """R."""
        return int(self.cost.shape[1])

    @property
    def periods(self) -> int:
        """Periods that count."""
        return self.horizon - self.warm_up

    @property
    def total(self) -> FloatArray:
        """(R,) cost of all agents, money."""
        return np.asarray(self.cost.sum(0))

    @property
    def mean(self) -> float:
        """Mean over replications of the total cost of the periods that count, money."""
        return float(self.total.mean())

    @property
    def standard_error(self) -> float:
        """Of that mean; 0 for one replication, which has none to show."""
        count = self.replications
        return float(self.total.std(ddof=1) / np.sqrt(count)) if count > 1 else 0.0

    @property
    def by_agent(self) -> dict[str, float]:
        """Mean cost of each agent, money."""
        return {agent: float(cost) for agent, cost in zip(self.agents, self.cost.mean(1), strict=True)}

    @property
    def per_period(self) -> float:
        """Mean cost a counted period, money."""
        return self.mean / self.periods

    @property
    def figure(self) -> float:
        """The figure of the criterion: the total, or the cost a period."""
        return self.mean if self.criterion == "total" else self.per_period

    @property
    def sample(self) -> FloatArray:
        """(R,) that figure for each replication, what comparisons are paired on."""
        return self.total if self.criterion == "total" else self.total / self.periods

    @property
    def fill_rate(self) -> float | None:
        """Market demand served in its period / demand; None without demand."""
        return fill_rate(self.market_served, self.market_demand)

    @property
    def cycle_service_level(self) -> float | None:
        """Share of market periods without a shortage."""
        return cycle_service_level(self.periods - self.market_short, self.periods)

    @property
    def bullwhip(self) -> dict[str, float | None]:
        """By row, the variance of the orders it places over that of the market demand downstream."""
        return dict(zip(self.rows, bullwhip_ratio(self.orders, self.demand), strict=True))


def evaluate(
    game: Game,
    policies: Mapping[str, Policy],
    replications: int = 2000,
    seed: int = 7,
    *,
    batch: int | None = None,
    first_replication: int = 0,
    keep_path: bool = False,
) -> Evaluation:
    """Score policies.

    Parameters
    ----------
    policies
        One for each agent (`marl_supply.policies.seat_everybody` makes them by name).
    replications, seed, first_replication : int
        The noise; policies scored on the same numbers meet the same demand.
    batch : int or None
        Replications played at once, rounded up to whole blocks of noise; changes the time taken and no result. As many
        as hold `NUMBERS_AT_ONCE` if None. A replication keeps its place in a block, counted from the first,
        however many are played: on some processors the rounding of a matrix product depends on the column, and so would
        what a network decides.
    keep_path : bool
        Keep the cost of every period, agent and replication.

    Returns
    -------
    Evaluation
    """
    batch = max(1, NUMBERS_AT_ONCE // len(game.network.rows)) if batch is None else batch
    if replications < 1 or batch < 1:
        raise InputError(f"replications: {replications} in batches of {batch}; both are at least 1.")
    batch = -(-batch // BLOCK) * BLOCK
    end = first_replication + replications
    starts = range(first_replication, end, batch)
    tallies = [_play(game, policies, min(batch, end - first), seed, first, keep_path) for first in starts]
    joined: dict[str, Any] = {key: np.concatenate([tally[key] for tally in tallies], axis=-1) for key in tallies[0]}
    path = joined.pop("path", None)
    counted = game.horizon - game.warm_up
    sums: dict[str, Any] = {
        k: PeriodSums(counted, joined.pop(k), joined.pop(f"{k} squared")) for k in ("orders", "demand")
    }
    accounts = {name: joined.pop(f"account {name}") for name in game.books.accounts}
    network = game.network
    return Evaluation(
        topology=game.topology.name,
        agents=game.agents,
        rows=network.rows,
        places=network.places,
        markets=network.markets,
        horizon=game.horizon,
        warm_up=game.warm_up,
        criterion=game.criterion,
        discount=game.discount,
        seed=seed,
        accounts=accounts,
        path=path,
        observe=game.observe_level,
        **sums,
        **joined,
    )


def _play(
    game: Game, policies: Mapping[str, Policy], replications: int, seed: int, first: int, keep_path: bool
) -> dict[str, Any]:
    """The sums of one batch, replications last."""
    tally: dict[str, Any] = {}
    path = []
    for period, outcome in enumerate(rollout(game, policies, replications, seed, first)):
        if keep_path:
            path.append(outcome.costs)
        if period >= game.warm_up:
            weight = game.discount ** (period - game.warm_up)
            for key, value in _counted(game, outcome, weight).items():
                tally[key] = tally[key] + value if key in tally else value
    return {**tally, "path": np.stack(path)} if keep_path else tally


def _counted(game: Game, outcome: Outcome, weight: float) -> dict[str, Any]:
    """What one period adds to the sums."""
    network, flows, arrays = game.network, outcome.flows, game.books.arrays
    orders = arrays.add_up(network.inbound, flows.order)
    demand = arrays.add_up(network.market_reach, flows.demand)
    counted = {
        "cost": weight * outcome.costs,
        "orders": orders,
        "orders squared": orders * orders,
        "demand": demand,
        "demand squared": demand * demand,
        "market_demand": flows.demand,
        "market_served": flows.served,
        "market_short": (flows.served < flows.demand) * 1.0,
    }
    for name, account in game.books.by_account(flows).items():
        counted[f"account {name}"] = weight * account
    return counted

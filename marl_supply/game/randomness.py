"""The randomness of a game: market demand, chance numbers, and the numbers of policies, keyed so that batches agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from marl_supply.demand.chances import ChanceFeed, ChanceNumbers
from marl_supply.demand.copula import Group
from marl_supply.demand.noise import DemandFeed
from marl_supply.demand.process import DemandProcess
from marl_supply.simulation.arrays import Array
from marl_supply.topology.chances import Chance


class Randomness:
    """Noise of replications ``first_replication .. first_replication + replications - 1`` of one seed.

    Parameters
    ----------
    markets
        The demand processes by market.
    last
        The last period that is played. Demand beyond it, which an episode's very last decision point would show where
        demand is visible before ordering, is not drawn: that point repeats the last period's.
    chances
        The chances of a network, in the order of the rows of `chance`.
    streams
        The stream of each market that shares its noise with others.
    correlation
        Groups of markets with correlated demand.
    """

    def __init__(
        self,
        markets: Mapping[str, DemandProcess],
        seed: int,
        replications: int,
        first_replication: int,
        last: int,
        *,
        chances: Sequence[ChanceNumbers] = (),
        streams: Mapping[str, str] | None = None,
        correlation: Sequence[Group] = (),
    ) -> None:
        self._demand = DemandFeed(
            markets, seed, replications, first_replication, streams=streams, correlation=correlation
        )
        self._chances = ChanceFeed(chances, seed, replications, first_replication, streams=streams)
        self._slice = (seed, replications, first_replication)
        self._last = last
        self._of_agents: dict[str, ChanceFeed] = {}

    def at(self, clock: int) -> Array:
        """(K, B) demand of a period, units."""
        return self._demand.at(min(clock, self._last))

    def chance(self, clock: int) -> Array:
        """(C, B) uniform numbers on [0, 1) of the network's chances in a period."""
        return self._chances.at(clock)

    def uniform(self, agent: str, clock: int, size: int) -> Array:
        """(size, B) uniform numbers on [0, 1) of an agent and period."""
        feed = self._of_agents.get(agent)
        if feed is None or feed.size != size:
            feed = ChanceFeed((Chance("policy", agent, size),), *self._slice)
            self._of_agents[agent] = feed
        return feed.at(clock)

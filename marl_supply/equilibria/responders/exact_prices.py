"""The best response itself where sellers decide prices alone: also to trained sellers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.equilibria.responder import UNRESTRICTED, Progress, Responder, Response
from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory, Policy
from marl_supply.game.rollout import rollout
from marl_supply.game.seat import Seat
from marl_supply.game.shares import shares_of
from marl_supply.simulation.arrays import NUMPY
from marl_supply.simulation.state import Decisions
from marl_supply.solvers.best_cycle import best_cycles, follow
from marl_supply.solvers.price_table import states_shown
from marl_supply.solvers.priced_row import DIGITS, state_key

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
MOST_STATES = 20_000
CHECKED = 60
"""Periods in which the others are seen to ask what the enumeration says."""
ENOUGH = 4
"""Stock for so many times the largest demand of an episode counts as without end."""


class ExactPrices(Responder):
    """The best prices of one seller among fixed others, on the grid of its actions.

    For games in which every agent decides prices alone, stock costs nothing and has no end, and the market remembers
    finitely many things, none of them by chance. The others may be rules or trained policies whose prices depend on
    what the market shows: that they do is seen in a rollout. What follows a price is then certain, so the best response
    is a way to the cycle of least mean cost.
    """

    name = "exact_prices"

    def misfit(self, game: Game, players: Mapping[str, Policy], agent: str) -> str | None:
        try:
            check_prices_alone(game)
        except InputError as error:
            return str(error)
        return None

    def respond(
        self,
        game: Game,
        players: Mapping[str, Policy],
        agent: str,
        seed: int = 1,
        progress: Progress | None = None,
    ) -> Response:
        """The best response and its cost; see `Responder.respond`.

        Raises
        ------
        InputError
            If the game is another, the market can remember too much, or a policy asks something else in a state of the
            market than it did before.
        """
        check_prices_alone(game)
        process = _Prices(game, players, agent)
        now, _ = follow(*process.of_policy())
        found = best_cycles(process.costs, process.following)
        policy = PriceReply(process.shown(), process.grid[found.choice], f"game.agents.{agent}")
        details = {"cost": float(found.gain[0]), "states": len(process.costs)}
        saves = max(float(now[0] - found.gain[0]), 0.0)  # below 0 by rounding alone
        return Response(agent, self.name, policy, UNRESTRICTED, saves, details)


class PriceReply(Policy):
    """A price for each thing that a seller's market may show.

    Parameters
    ----------
    values : (S, n)
        What it shows.
    prices : (S,)
        Money a unit.
    place
        For messages.
    """

    needs = frozenset({"market_state"})

    def __init__(self, values: FloatArray, prices: FloatArray, place: str) -> None:
        self.values, self.prices, self.place = values, prices, place

    def start(self, seat: Seat, replications: int) -> Memory:
        """None: it remembers nothing."""
        return None

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        """The price of the state that is shown."""
        state = states_shown(self.values, observation.market_state, self.place)
        return Decisions(price=self.prices[state][None]), memory


def check_prices_alone(game: Game) -> None:
    """Refuse games in which prices are not all that is decided, or not all that is paid.

    Raises
    ------
    InputError
        In one sentence.
    """
    network, name = game.network, game.topology.name
    if game.criterion != "average":
        raise InputError(f"{name}: criterion: total; an exact response is for the average, so set that.")
    if len(network.crowds) != 1 or len(network.crowds[0].markets) != len(network.markets):
        raise InputError(f"{name}: exact prices are for sellers of one crowd, such as logistic_rivals.")
    payer = shares_of(network).payer
    for agent in game.agents:
        action = game.actions[agent]
        if action.aspect != "price" or len(action.parts) > 1 or len(action.low) != 1:
            raise InputError(f"{name}: game.agents.{agent}: exact prices are for agents that decide one price alone.")
        market = int(game.seats[agent].scope.priced_markets[0])
        if payer[network.market_row[market]] != game.agents.index(agent):
            raise InputError(f"{name}: game.agents.{agent}: others earn what its price brings; let it pay its row.")
    process = network.crowds[0].process
    largest = max(process.mean_at(price) for price in (network.price_range[0, 0], process.usual_price))
    if (network.holding_cost > 0).any() or network.on_hand[network.market_row].min() < ENOUGH * largest * game.horizon:
        raise InputError(f"{name}: exact prices are for stock that costs nothing and never ends; raise on_hand.")


class _Prices:
    """What one seller's prices lead to among fixed others.

    costs, following: (S, P) of each price in each state of the market; state 0 is the first. grid: (P,) prices.
    """

    def __init__(self, game: Game, players: Mapping[str, Policy], agent: str) -> None:
        self.game, self.players, self.agent = game, players, agent
        self.crowd = game.network.crowds[0]
        self.market = {a: int(game.seats[a].scope.priced_markets[0]) for a in game.agents}
        action = game.actions[agent]
        self.grid: FloatArray = action.low[0] + action.steps[0] * np.arange(int(action.choices[0]))
        self.names = [list(self.crowd.process.start()) for _ in self.crowd.markets]
        self.values, self.asked, self.costs, self.following = self._enumerate()
        self._check_others()

    def of_policy(self) -> tuple[FloatArray, IntArray]:
        """(S,) costs of what the agent plays now, and the states that follow."""
        own = self.asked[:, self.game.agents.index(self.agent)]
        number = np.abs(self.grid - own[:, None]).argmin(1)
        states = np.arange(len(own))
        return self.costs[states, number], self.following[states, number]

    def shown(self) -> FloatArray:
        """(S, n) what the agent's own market shows."""
        return np.concatenate(list(self._memory(self.values)[self.market[self.agent]].values())).T

    def _enumerate(self) -> tuple[FloatArray, FloatArray, FloatArray, IntArray]:
        sellers: list[Any] = [self.game.processes[self.game.network.markets[int(m)]] for m in self.crowd.markets]
        start = [process.start() for process in sellers]
        self._sizes = [[len(one[name]) for name in one] for one in start]
        found = [np.concatenate([one[name] for one in start for name in one])]
        number, done = {state_key(found[0]): 0}, 0
        asked, costs, following = [], [], []
        while done < len(found):
            frontier = np.array(found[done:])
            done = len(found)
            prices = self._asked(frontier)
            cost, after = self._after(frontier, prices)
            asked.append(prices)
            costs.append(cost)
            following.append(self._numbered(after, number, found))
        return np.array(found), np.concatenate(asked), np.concatenate(costs), np.concatenate(following)

    def _memory(self, values: FloatArray) -> dict[int, dict[str, FloatArray]]:
        """What (F, n) values are, by market and name."""
        flat = [size for sizes in self._sizes for size in sizes]
        parts = iter(np.split(values.T, np.cumsum(flat)[:-1]))
        return {
            int(market): {name: next(parts) for name in names}
            for market, names in zip(self.crowd.markets, self.names, strict=True)
        }

    def _asked(self, values: FloatArray) -> FloatArray:
        """(F, A) prices that all agents decide in states (F, n)."""
        game, count = self.game, len(values)
        state = game.start(count).changed(memory=self._memory(values))
        prices = []
        for agent in game.agents:
            policy = self.players[agent]
            decided, _ = policy.act(game.observe(state, agent), policy.start(game.seats[agent], count))
            assert decided.price is not None
            prices.append(decided.price[0])
        return np.stack(prices, 1)

    def _after(self, values: FloatArray, asked: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(F, P) costs of each of the agent's prices, and the (F, P, n) states after them."""
        count, grid, own = len(values), len(self.grid), self.game.agents.index(self.agent)
        decided = np.repeat(asked, grid, axis=0)
        decided[:, own] = np.tile(self.grid, count)
        of = {market: decided[:, self.game.agents.index(agent)] for agent, market in self.market.items()}
        prices = np.stack([of[int(market)] for market in self.crowd.markets])
        memory: list[Any] = list(self._memory(np.repeat(values, grid, axis=0)).values())
        held = self.crowd.process.held_prices(NUMPY, memory, prices)
        means, after = self.crowd.process.expect_together(NUMPY, memory, held)
        item = [int(market) for market in self.crowd.markets].index(self.market[self.agent])
        costs = -(held[item] * means[item]).reshape(count, grid)
        stacked = np.concatenate([one[name] for one in after for name in one]).T
        return costs, stacked.reshape(count, grid, -1)

    def _numbered(self, after: FloatArray, number: dict[bytes, int], found: list[FloatArray]) -> IntArray:
        flat = after.reshape(-1, after.shape[-1])
        distinct, which = np.unique(np.round(flat, DIGITS), axis=0, return_inverse=True)
        for values in distinct:
            if state_key(values) not in number:
                number[state_key(values)] = len(found)
                found.append(values)
        if len(found) > MOST_STATES:
            raise InputError(
                f"{self.game.topology.name}: its market can remember more than {MOST_STATES:,} different things, too "
                "many for exact prices; give prices a larger step, or the reference price no effect."
            )
        numbers = np.array([number[state_key(values)] for values in distinct], dtype=np.int64)
        return numbers[which.ravel()].reshape(after.shape[:2])

    def _check_others(self) -> None:
        """See that everybody asks in a rollout what was enumerated, so that nothing but the market counts."""
        game, row = self.game, 0
        for period, outcome in enumerate(rollout(game, self.players, 1)):
            if period == CHECKED:
                return
            asked = self.asked[row]
            of = {market: asked[game.agents.index(agent)] for agent, market in self.market.items()}
            prices = np.array([[of[int(market)]] for market in self.crowd.markets])
            memory: list[Any] = list(self._memory(self.values[row : row + 1]).values())
            held = self.crowd.process.held_prices(NUMPY, memory, prices)
            assert outcome.flows.price is not None
            if not np.allclose(outcome.flows.price[self.crowd.entries], held):
                raise InputError(
                    f"{game.topology.name}: a player asks something else in period {period} than the same market would "
                    "have it ask at the start; exact prices are for policies of what the market shows."
                )
            own = int(np.abs(self.grid - asked[game.agents.index(self.agent)]).argmin())
            row = int(self.following[row, own])

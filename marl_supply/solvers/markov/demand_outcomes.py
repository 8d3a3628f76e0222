"""What the markets can ask for in one period, with probabilities: what exact solvers take expectations over."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from marl_supply.demand.distribution import Distribution
from marl_supply.demand.process import DemandProcess
from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.simulation.state import State
from marl_supply.topology.network import Network

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
NEGLIGIBLE = 1e-12
"""Largest probability, of one period, of the outcomes that are left out; the others are scaled up to 1."""
MOST_OUTCOMES = 100_000
"""Joint outcomes of one period, before the unlikely ones are left out."""
INSTEAD = "tune a rule by simulation instead"


@dataclass(frozen=True, eq=False)
class Outcomes:
    """The demand of one period.

    Attributes
    ----------
    demand : (K, W) units
        By market and outcome; of a single market rising.
    probability : (W,)
        Sums to 1.
    cut : float
        Probability of what was left out, at most `NEGLIGIBLE`.
    """

    demand: FloatArray
    probability: FloatArray
    cut: float

    def __len__(self) -> int:
        return len(self.probability)

    @cached_property
    def _tails(self) -> tuple[FloatArray, FloatArray]:
        """Of a single market, (W + 1,) probability and mean of the outcomes from each one on."""
        weighted = self.probability * self.demand[0]
        mass = np.append(np.cumsum(self.probability[::-1])[::-1], 0.0)
        total = np.append(np.cumsum(weighted[::-1])[::-1], 0.0)
        return mass, np.divide(total, mass, out=np.zeros_like(total), where=mass > 0)

    def all_of(self, count: int) -> tuple[IntArray, FloatArray, FloatArray]:
        """Every outcome for each of some columns: (T,) column, (K, T) demand, (T,) probability."""
        owner = np.repeat(np.arange(count), len(self))
        return owner, np.tile(self.demand, count), np.tile(self.probability, count)

    def up_to(self, stock: FloatArray) -> tuple[IntArray, FloatArray, FloatArray]:
        """The same for a single market that loses what stock (B,) cannot cover.

        Demand that leaves nothing is one outcome, at its mean: what follows is the same, and costs are linear in it.
        """
        first = np.searchsorted(self.demand[0], stock, side="left")
        counts = np.minimum(first + 1, len(self))
        owner = np.repeat(np.arange(len(stock)), counts)
        outcome = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
        last = outcome == first[owner]
        mass, mean = self._tails
        demand = np.where(last, mean[outcome], self.demand[0, outcome])
        return owner, demand[None], np.where(last, mass[outcome], self.probability[outcome])


def outcomes_of(game: Game) -> Outcomes:
    """The outcomes of a period of a game.

    Raises
    ------
    InputError
        Where anything but demand is left to chance, and where the demand of a period depends on another market's, on
        the past, on the period or on what is decided, or is not in whole units.
    """
    network, name = game.network, game.topology.name
    if not network.integer:
        raise InputError(f"{name}: an exact solution needs `units: integer`; {INSTEAD}.")
    if network.chance_size or network.disruptions is not None:
        what = "delays, losses, disruptions or choices"
        raise InputError(f"{name}: an exact solution takes demand alone as random, and no {what}; {INSTEAD}.")
    if game.topology.correlation or len(set(network.streams.values())) < len(network.streams):
        raise InputError(f"{name}: an exact solution needs markets that are independent of each other; {INSTEAD}.")
    laws = [_law(name, market, process) for market, process in game.processes.items()]
    demand, probability = np.zeros((0, 1)), np.ones(1)
    for law in laws:
        widths = (len(probability), len(law.values))
        if widths[0] * widths[1] > MOST_OUTCOMES:
            many = f"more than {MOST_OUTCOMES:,} joint outcomes in a period"
            raise InputError(f"{name}: the demand of its {len(laws)} markets has {many}; {INSTEAD}.")
        demand = np.concatenate([np.repeat(demand, widths[1], axis=1), np.tile(law.values, widths[0])[None]])
        probability = np.outer(probability, law.probabilities).ravel()
        kept = _kept(probability, NEGLIGIBLE / len(laws))
        demand, probability = demand[:, kept], probability[kept]
    total = float(probability.sum())
    return Outcomes(demand, probability / total, max(1.0 - total, 0.0))


def _law(name: str, market: str, process: DemandProcess) -> Distribution:
    place = f"{name}: markets.{market}: an exact solution needs demand"
    if not process.is_independent:
        raise InputError(f"{place} of the same law in every period whatever has happened; {INSTEAD}.")
    law = process.distribution()
    if not isinstance(law, Distribution) or (law.values != np.rint(law.values)).any():
        raise InputError(f"{place} in whole units; round it, or {INSTEAD}.")
    return law


def _kept(probability: FloatArray, cut: float) -> NDArray[np.bool_]:
    """Which outcomes stay: the unlikeliest go as long as they add up to less than `cut`."""
    order = np.argsort(probability, kind="stable")
    kept = np.ones(len(probability), dtype=bool)
    kept[order[np.cumsum(probability[order]) < cut]] = False
    return kept


def losing_row(network: Network) -> int:
    """The row whose only line is the only market, which loses what is short; -1 where there is none such.

    There, demand beyond the stock can be taken together. An edge between rows with a lead time of 0 could still
    bring stock in the period; so could a claim that is known before the orders.
    """
    if len(network.markets) != 1 or network.demand_first or network.keeps[network.market_line[0]]:
        return -1
    row = int(network.market_row[0])
    at_once = (network.lead_time == 0) & (network.customer == row)
    alone = (network.line_place == row).sum() == 1 and network.capacity is None and not network.shared_capacities
    return row if alone and (network.edge_line[at_once] < 0).all() else -1


def stock_before_demand(network: Network, decided: State, row: int) -> FloatArray:
    """(B,) units of a row's stock that can serve the demand of the period, after the orders have been decided."""
    stock = decided.on_hand[row]
    edges = np.flatnonzero((network.lead_time == 0) & (network.information_delay == 0) & (network.customer == row))
    if len(edges) and decided.order is not None:
        stock = stock + decided.order[edges].sum(0)
    delayed = np.flatnonzero((network.lead_time == 0) & (network.information_delay > 0) & (network.customer == row))
    return np.asarray(stock + decided.revealed[delayed].sum(0), dtype=np.float64)

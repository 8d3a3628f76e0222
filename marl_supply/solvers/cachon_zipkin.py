"""Competition and cooperation in a two-stage chain: costs, optimum and equilibria, exactly (Cachon & Zipkin 1999).

Each firm commits to a base-stock level. In the *echelon* game the supplier's level counts all stock from its own order
to the consumers, in the *local* game only its own. In both the retailer's level is s1, and with a supplier's local
level s2 (echelon level s1 + s2) the stock at the end of a period is

* supplier: s2 - D2, where D2 is the demand of L2 periods; what is short of it, B = (D2 - s2)^+, the retailer waits for;
* retailer: s1 - B - D1, where D1 is the demand of L1 + 1 periods, independent of D2.

With demand in whole units levels are whole, and equilibria are found by going through all levels that can be a best
response; with demand in real numbers they are roots of the firms' first-order conditions. "Competitive and cooperative
inventory policies in a two-stage supply chain", Management Science 45(7), 936-953.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from marl_supply.demand.distribution import TIE
from marl_supply.solvers.level_costs import LevelCosts, Levels, Positions, check_positions, costs_of
from marl_supply.solvers.two_stage_chain import TwoStageChain


@dataclass(frozen=True)
class Competition:
    """All pure equilibria of one of the games, and what cooperation would cost.

    Attributes
    ----------
    game : str
        `echelon` or `local`.
    equilibria : tuple of LevelCosts
        By the retailer's level.
    optimum : LevelCosts
        The levels that cost both firms together least.
    """

    game: Positions
    equilibria: tuple[LevelCosts, ...]
    optimum: LevelCosts

    @property
    def undominated(self) -> tuple[LevelCosts, ...]:
        """The equilibria in which the retailer's level is not dominated."""
        return tuple(each for each in self.equilibria if not each.dominated)

    def price_of_anarchy(self, pipeline: bool = True) -> float:
        """The highest total of the undominated equilibria over that of the optimum, with or without the constant."""
        return max(self._ratios(pipeline))

    def price_of_stability(self, pipeline: bool = True) -> float:
        """The lowest total of the undominated equilibria over that of the optimum, with or without the constant."""
        return min(self._ratios(pipeline))

    def _ratios(self, pipeline: bool) -> list[float]:
        totals = [_total(each, pipeline) for each in self.undominated]
        return [total / _total(self.optimum, pipeline) for total in totals]


def cooperative_optimum(chain: TwoStageChain) -> LevelCosts:
    """The levels that cost both firms together least (Clark & Scarf 1960); the lowest where several do.

    The retailer's level minimises its own cost with the holding cost of the echelon and the whole backorder cost;
    where the supplier's echelon level never lets it reach that level, the level that it can reach is named.
    """
    (at_retailer, at_supplier), shortage = chain.holding_costs, chain.backorder_cost
    near, far = chain.retailer_demand, chain.supplier_demand
    retailer = near.quantile((shortage + at_supplier) / (shortage + at_retailer))

    def rise(local: float) -> float:
        """Of the total with the supplier's level, per unit of `shortage + at_retailer`."""
        covered = float(far.cdf(local))
        wanting = _reached(chain, retailer, local) - float(near.cdf(retailer)) * covered
        at_stock = at_supplier - (shortage + at_supplier) * (1 - covered)
        return wanting + at_stock / (shortage + at_retailer)

    local = _crossing(chain, rise, near.lowest + far.lowest - retailer - 1, far.highest)[0]
    echelon = retailer + local
    retailer = min(retailer, echelon - far.lowest)
    return costs_of(chain, retailer, echelon - retailer)


def competition(chain: TwoStageChain, game: Positions) -> Competition:
    """Solve the echelon or the local game.

    Whole units: every pair of levels from 0 on from which neither firm gains by moving. In the echelon game one level
    of the retailer is dominant; equilibria at lower levels can exist where the supplier keeps no stock of its own, and
    are marked `dominated`. Of levels that bring the retailer the same stock the lowest is named.
    Real numbers: the equilibrium, in the echelon game that of the dominant level, to about 1e-6 of a deviation.

    Raises
    ------
    InputError
        For a game that is neither.
    """
    check_positions(game)
    if game == "local":
        pairs = _whole_local(chain) if chain.whole else _real_local(chain)
        found = [costs_of(chain, *pair) for pair in pairs]
    else:
        pairs = _whole_echelon(chain) if chain.whole else _real_echelon(chain)
        dominant = _dominant(chain)[0]
        found = [costs_of(chain, *pair, dominated=pair[0] < dominant) for pair in pairs]
    return Competition(game, tuple(found), cooperative_optimum(chain))


def retailer_responses(chain: TwoStageChain, supplier_level: float) -> Levels:
    """The lowest and the highest best level of the retailer against a local level of the supplier, units."""
    ratio = _critical_ratio(chain)
    near, late = chain.retailer_demand, max(chain.supplier_demand.highest - supplier_level, 0.0)
    return _crossing(
        chain, lambda level: _reached(chain, level, supplier_level) - ratio, near.lowest, near.highest + late
    )


def supplier_responses(chain: TwoStageChain, retailer_level: float, lowest: float = 0.0) -> Levels:
    """The lowest and the highest best local level of the supplier, from `lowest` on, against a level of the retailer.

    To the echelon game belong those levels plus the retailer's.
    """
    return _crossing(
        chain, lambda local: _supplier_rise(chain, retailer_level, local), lowest, chain.supplier_demand.highest
    )


def _total(costs: LevelCosts, pipeline: bool) -> float:
    return costs.total if pipeline else costs.total_without_pipeline


def _reached(chain: TwoStageChain, retailer: float, local: float) -> float:
    """P(D1 + B <= s1): no consumer waits at the end of a period."""
    far = chain.supplier_demand
    return float(far.weights @ chain.retailer_demand.cdf(retailer - np.maximum(far.nodes - local, 0.0)))


def _critical_ratio(chain: TwoStageChain) -> float:
    """How often the retailer wants to serve all consumers: alpha p / (alpha p + h1 + h2)."""
    borne = chain.borne[0]
    return borne / (borne + chain.holding_costs[0])


def _supplier_rise(chain: TwoStageChain, retailer: float, local: float) -> float:
    """How the supplier's cost rises with its level: holding where D2 <= s2, less what backorders it would have saved.

    Per unit of its holding and backorder cost; a unit more saves one where D2 > s2 and D1 + B > s1.
    """
    holding, borne = chain.holding_costs[1], chain.borne[1]
    covered = float(chain.supplier_demand.cdf(local))
    waits_alone = 1 - float(chain.retailer_demand.cdf(retailer))
    saved = 1 - _reached(chain, retailer, local) - covered * waits_alone
    return (holding * covered - borne * saved) / (holding + borne)


def _dominant(chain: TwoStageChain) -> Levels:
    """The lowest and the highest dominant level of the retailer in the echelon game: best where nothing is short."""
    ratio, near = _critical_ratio(chain), chain.retailer_demand
    return _crossing(chain, lambda level: float(near.cdf(level)) - ratio, near.lowest, near.highest)


def _crossing(chain: TwoStageChain, rise: Callable[[float], float], low: float, high: float) -> Levels:
    """Between which levels a convex cost is least, from its rising slope, never below `low`; `high` is high enough."""
    if not chain.whole:
        root = low if rise(low) >= 0 else float(optimize.brentq(rise, low, high, xtol=1e-10, rtol=1e-14))
        return root, root
    first = _first(lambda level: rise(level) >= -TIE, low, high)
    last = first if rise(first) > TIE else _first(lambda level: rise(level) > TIE, first, high)
    return first, last


def _first(holds: Callable[[float], bool], low: float, high: float) -> float:
    """The first whole level from `low` on at which something holds, `high` at the latest."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def _whole(first: float, last: float) -> Iterator[float]:
    """The whole levels from one to another, both included."""
    return iter(np.arange(first, last + 1).tolist())


def _whole_local(chain: TwoStageChain) -> Iterator[Levels]:
    """Pairs of local levels from 0 on that are best responses to each other."""
    for retailer in _whole(*_between(chain)):
        for local in _whole(*supplier_responses(chain, retailer)):
            first, last = retailer_responses(chain, local)
            if first <= retailer <= last:
                yield retailer, local


def _between(chain: TwoStageChain) -> Levels:
    """Between which retailer's levels all equilibria of the local game lie: answers to answers from both ends.

    The more stock one firm keeps the less the other does, so that answers to answers rise and never jump over one.
    """
    low, high = -np.inf, retailer_responses(chain, 0.0)[1]
    rising = retailer_responses(chain, chain.supplier_demand.highest)[0]
    while rising > low:
        low, rising = rising, retailer_responses(chain, supplier_responses(chain, rising)[1])[0]
    falling = retailer_responses(chain, supplier_responses(chain, high)[0])[1]
    while falling < high:
        high, falling = falling, retailer_responses(chain, supplier_responses(chain, falling)[0])[1]
    return low, high


def _whole_echelon(chain: TwoStageChain) -> Iterator[Levels]:
    """Pairs of levels from 0 on, the supplier's written as a local one, that no firm leaves in the echelon game.

    Up to a dominant level the retailer is as well off with any level that the supplier's stock never lets it exceed;
    a supplier who keeps that little answers low levels with more.
    """
    (first, last), least = _dominant(chain), chain.supplier_demand.lowest
    start = _first(lambda retailer: _supplier_rise(chain, retailer, least) >= -TIE, 0.0, first)
    for retailer in _whole(start, last):
        for local in _whole(*supplier_responses(chain, retailer, lowest=-retailer)):
            if retailer >= min(first, retailer + local - least):
                yield retailer, local


def _real_local(chain: TwoStageChain) -> Iterator[Levels]:
    """The pair of local levels that are best responses to each other.

    A firm answers a unit more of the other's stock with at most a unit less, so that the answer to an answer
    rises by less than a unit and meets a level in one point.
    """

    def moved(retailer: float) -> float:
        return retailer - retailer_responses(chain, supplier_responses(chain, retailer)[0])[0]

    low, high = (retailer_responses(chain, level)[0] for level in (chain.supplier_demand.highest, 0.0))
    retailer = low if moved(low) >= 0 else float(optimize.brentq(moved, low, high, xtol=1e-9))
    yield retailer, supplier_responses(chain, retailer)[0]


def _real_echelon(chain: TwoStageChain) -> Iterator[Levels]:
    """The retailer's dominant level and the supplier's best local one against it."""
    retailer = _dominant(chain)[0]
    yield retailer, supplier_responses(chain, retailer)[0]

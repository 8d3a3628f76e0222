"""What a pair of base-stock levels costs each firm of a two-stage chain, exactly (Cachon & Zipkin 1999).

Costs are averages of a period in the long run; what stock in transit costs, a constant, stands apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from marl_supply.errors import InputError, nearest
from marl_supply.solvers.two_stage_chain import TwoStageChain

Positions = Literal["echelon", "local"]
POSITIONS = ("echelon", "local")
Levels = tuple[float, float]


@dataclass(frozen=True)
class LevelCosts:
    """What a pair of levels costs in a period; pairs are (retailer, supplier).

    Attributes
    ----------
    echelon_levels, local_levels : tuple of float, units
        The same policy in both ways of counting stock.
    costs : tuple of float, money
        Of each firm, as the file charges them: stock in transit included.
    pipeline_costs : tuple of float, money
        What stock in transit takes of them, the same at all levels.
    dominated : bool
        Whether the retailer does at least as well with another level against every level of the supplier, and better
        against some; said of equilibria of the echelon game.
    """

    echelon_levels: Levels
    local_levels: Levels
    costs: Levels
    pipeline_costs: Levels
    dominated: bool = False

    @property
    def total(self) -> float:
        """Of both firms, money: stock in transit included."""
        return sum(self.costs)

    @property
    def total_without_pipeline(self) -> float:
        """Of both firms, money: stock in transit left out."""
        return self.total - sum(self.pipeline_costs)


def level_costs(chain: TwoStageChain, levels: Levels, positions: Positions = "echelon") -> LevelCosts:
    """Costs of any pair of levels (retailer, supplier), units, echelon or local.

    An echelon level of the supplier below the retailer's is a negative local level: the retailer always waits.

    Raises
    ------
    InputError
        Where the levels are neither echelon nor local.
    """
    check_positions(positions)
    retailer, supplier = float(levels[0]), float(levels[1])
    local = supplier - retailer if positions == "echelon" else supplier
    return costs_of(chain, retailer, local)


def costs_of(chain: TwoStageChain, retailer: float, local: float, dominated: bool = False) -> LevelCosts:
    """Costs of a retailer's level and a local level of the supplier, units."""
    near, far = chain.retailer_demand, chain.supplier_demand
    late = float(far.shortage(local))
    short = float(far.weights @ near.shortage(retailer - np.maximum(far.nodes - local, 0.0)))
    on_hand = (retailer - late - near.mean + short, local - far.mean + late)
    constants = chain.constants
    own, suppliers = (
        cost * stock + share * short + constant
        for cost, stock, share, constant in zip(chain.holding_costs, on_hand, chain.borne, constants, strict=True)
    )
    return LevelCosts((retailer, retailer + local), (retailer, local), (own, suppliers), constants, dominated)


def check_positions(positions: str) -> None:
    """Refuse what is neither echelon nor local."""
    if positions not in POSITIONS:
        raise InputError(f"no '{positions}' levels or game{nearest(positions, POSITIONS)}; use echelon or local.")

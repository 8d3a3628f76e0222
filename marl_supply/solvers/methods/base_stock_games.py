"""The base-stock games of Cachon & Zipkin (1999) on a two-stage chain, and what cooperation would cost."""

from __future__ import annotations

from typing import Any, ClassVar

from marl_supply.game.game import Game
from marl_supply.policies.seating import seat_everybody
from marl_supply.solvers.cachon_zipkin import competition, cooperative_optimum
from marl_supply.solvers.level_costs import LevelCosts, Positions
from marl_supply.solvers.method import Method, Solution, misfit_of_average
from marl_supply.solvers.two_stage_chain import TwoStageChain, two_stage_chain


class CooperativeBaseStock(Method):
    """The echelon base-stock levels that cost both firms together least; no policy costs less (Clark & Scarf 1960)."""

    name = "cooperative_base_stock"
    is_optimal = True

    def misfit(self, game: Game) -> str | None:
        return misfit_of_average(game, two_stage_chain)

    def solve(self, game: Game) -> list[Solution]:
        chain = two_stage_chain(game.network)
        best = cooperative_optimum(chain)
        return [_solution(self.name, game, chain, best, best.echelon_levels, {})]


class _Equilibria(Method):
    """Every pure equilibrium of one of the games, but those in which the retailer's level is dominated."""

    game: ClassVar[Positions]

    def misfit(self, game: Game) -> str | None:
        return misfit_of_average(game, two_stage_chain)

    def solve(self, game: Game) -> list[Solution]:
        chain = two_stage_chain(game.network)
        found = competition(chain, self.game)
        solutions = []
        for each in found.undominated:
            ratios = {
                "price_of_anarchy": each.total / found.optimum.total,
                "price_of_anarchy_without_pipeline": each.total_without_pipeline / found.optimum.total_without_pipeline,
            }
            levels = each.echelon_levels if self.game == "echelon" else each.local_levels
            solutions.append(_solution(self.name, game, chain, each, levels, ratios))
        return solutions


class EchelonEquilibrium(_Equilibria):
    """The pure equilibria of the game in which each firm commits to an echelon base-stock level.

    The retailer's level is dominant. Equilibria at lower levels of the retailer, which exist where the supplier keeps
    no stock of its own, are left out (Cachon & Zipkin 1999, game EI).
    """

    name = "echelon_equilibrium"
    game = "echelon"


class LocalEquilibrium(_Equilibria):
    """The pure equilibria of the game in which each firm commits to a local base-stock level.

    With whole units there can be several (Cachon & Zipkin 1999, game LI).
    """

    name = "local_equilibrium"
    game = "local"


def _solution(
    name: str, game: Game, chain: TwoStageChain, costs: LevelCosts, levels: tuple[float, float], more: dict[str, Any]
) -> Solution:
    """Levels (retailer, supplier) and who pays what; `base_stock` at the local levels plays them."""
    details = {
        "by_agent": dict(zip(chain.names, costs.costs, strict=True)),
        "pipeline_cost": sum(costs.pipeline_costs),
        "cost_without_pipeline": costs.total_without_pipeline,
        "local_levels": list(costs.local_levels),
        **more,
    }
    local = {node: {"base_stock_level": level} for node, level in zip(chain.names, costs.local_levels, strict=True)}
    players = seat_everybody(game, "base_stock", local)
    return Solution(name, {"levels": list(levels)}, costs.total, details=details, players=players)

"""Serial chains whose customers wait: optimal echelon base-stock levels, and a heuristic with bounds."""

from __future__ import annotations

from typing import Any

from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.policies.seating import seat_everybody
from marl_supply.solvers import clark_scarf, shang_song
from marl_supply.solvers.method import Method, Solution, misfit_of_average
from marl_supply.topology.network import Network


class EchelonBaseStock(Method):
    """The optimal echelon base-stock levels of a serial chain (Clark & Scarf 1960)."""

    name = rule = "echelon_base_stock"
    is_optimal = True

    def misfit(self, game: Game) -> str | None:
        return misfit_of_average(game, _several_stages)

    def solve(self, game: Game) -> list[Solution]:
        system = _several_stages(game.network)
        return [_solution(self.name, game, clark_scarf.best_levels(system), {})]


class ShangSong(Method):
    """Echelon base-stock levels from two newsvendors a stage, and bounds on the optimal levels and cost.

    For chains in which stock costs more at every stage than at the one before it (Shang & Song 2003).
    """

    name = "shang_song"

    def misfit(self, game: Game) -> str | None:
        return misfit_of_average(game, lambda network: shang_song.level_bounds(_several_stages(network)))

    def solve(self, game: Game) -> list[Solution]:
        system = _several_stages(game.network)
        bounds, costs = shang_song.level_bounds(system), shang_song.cost_bounds(system)
        details = {
            "lower_levels": list(bounds.lower),
            "upper_levels": list(bounds.upper),
            "lower_bound": costs.lower,
            "upper_bound": costs.upper,
        }
        return [_solution(self.name, game, shang_song.heuristic_levels(system), details)]


def _several_stages(network: Network) -> clark_scarf.SerialSystem:
    system = clark_scarf.serial_system(network)
    if len(system.rows) == 1:
        raise InputError(f"{network.topology.name}: a serial chain has two stages or more; use base_stock.")
    return system


def _solution(name: str, game: Game, found: clark_scarf.SerialSolution, details: dict[str, Any]) -> Solution:
    """Levels from the customer upward; `echelon_base_stock` plays them where the game shows what it needs."""
    told = {"nodes": list(found.rows), "pipeline_cost": found.pipeline_cost, **details}
    try:
        levels = {row: {"echelon_base_stock_level": level} for row, level in found.by_row.items()}
        players = seat_everybody(game, "echelon_base_stock", levels)
    except InputError:
        players = {}
    return Solution(name, {"levels": list(found.levels)}, found.cost, details=told, players=players)

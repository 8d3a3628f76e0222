"""The game in which each agent chooses one of the experiment's rows to play as."""

from __future__ import annotations

from typing import Any

import numpy as np

from marl_supply.equilibria import empirical
from marl_supply.equilibria.normal_form import NormalForm, Profile
from marl_supply.equilibria.replicator import basins, random_starts
from marl_supply.errors import InputError
from marl_supply.study.analysis import Analysis, Say
from marl_supply.study.experiment import Experiment
from marl_supply.study.finished import check_rows, ends, game_for_all, players_of
from marl_supply.study.folder import Folder
from marl_supply.topology.keys import Count, Name, key

DURATION = 100_000.0
"""The longest that a start of replicator dynamics is followed, in units of one over the widest range of costs."""


class EmpiricalGame(Analysis):
    """A table of what everybody pays when each agent plays as it does in one of some rows; its equilibria."""

    rows: tuple[Name, ...] = key(..., "", "what an agent can choose from; of a trained row the first seed")
    replications: Count = key(200, "", "common demand")
    starts: Count = key(20, "", "random starts of the replicator dynamics")

    def check(self, experiment: Experiment) -> None:
        check_rows(experiment, "rows", self.rows)
        if len(set(self.rows)) < 2:
            raise InputError("rows: one leaves nothing to choose; name two at least")
        game = game_for_all(experiment, "rows", self.rows)
        profiles = len(self.rows) ** len(game.agents)
        if profiles > empirical.MOST_PROFILES:
            raise InputError(
                f"rows: {profiles:,} combinations; name so few that there are {empirical.MOST_PROFILES:,} at most"
            )

    def work(self, folder: Folder, experiment: Experiment, say: Say) -> dict[str, Any]:
        game = game_for_all(experiment, "rows", self.rows)
        players = {name: next(iter(players_of(folder, experiment, name)[1].values())) for name in self.rows}
        policies = {agent: {name: seated[agent] for name, seated in players.items()} for agent in game.agents}
        found = empirical.empirical_game(game, policies, self.replications, experiment.evaluate.seed, progress=say)
        return {"agents": list(game.agents), "rows": list(self.rows), **self._told(found)}

    def _told(self, found: empirical.EmpiricalGame) -> dict[str, Any]:
        table = found.table
        pure = [[table.strategies[k][choice] for k, choice in enumerate(each)] for each in table.pure_equilibria()]
        mixed = empirical.equilibrium_of(table)
        least = np.unravel_index(table.costs.sum(0).argmin(), table.shape)
        left = table.undominated()  # what is dominated dies out on every path, and would only slow the others down
        flows = basins(left, random_starts(left, self.starts), DURATION)
        gains = {agent: found.deviation_gain(agent, mixed.profile) for agent in table.players}
        return {
            "pure_equilibria": [
                {"plays": plays, "costs": _costs(table, choice)}
                for plays, choice in zip(pure, table.pure_equilibria(), strict=True)
            ],
            "equilibrium": {
                "shares": _shares(table, mixed.profile),
                "costs": [float(cost) for cost in mixed.costs],
                "nash_conv": float(mixed.nash_conv),
                "gains": {agent: ends(gain) for agent, gain in gains.items()},
            },
            "least_total": {
                "plays": [table.strategies[k][choice] for k, choice in enumerate(least)],
                "costs": _costs(table, tuple(map(int, least))),
            },
            "replicator": {
                "ends": [{"shares": _shares(left, end.profile), "starts": end.starts} for end in flows.ends],
                "unsettled": flows.unsettled,
            },
        }


def _costs(table: NormalForm, choice: tuple[int, ...]) -> list[float]:
    """What each agent pays where they choose so."""
    return [float(costs[choice]) for costs in table.costs]


def _shares(table: NormalForm, profile: Profile) -> dict[str, dict[str, float]]:
    """How often each agent plays what."""
    return {
        agent: dict(zip(names, map(float, part), strict=True))
        for agent, names, part in zip(table.players, table.strategies, profile, strict=True)
    }

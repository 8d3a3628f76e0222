"""Who could save what together, and how the savings of all can be shared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from marl_supply.equilibria.coalitions import coalitions_of
from marl_supply.equilibria.core import least_core, objections, structure
from marl_supply.equilibria.shapley import saving_intervals, shapley_samples, share_intervals
from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.metrics.intervals import over_replications
from marl_supply.study.analysis import Analysis, Say
from marl_supply.study.experiment import Experiment
from marl_supply.study.finished import check_rows, ends, players_of
from marl_supply.study.folder import Folder
from marl_supply.study.players import seat_players
from marl_supply.study.seats_of import seeds_of
from marl_supply.topology.keys import Count, Name, key


class Coalitions(Analysis):
    """What each coalition of agents would pay within a rule, Shapley shares, and whether they are in the core."""

    policy: str = key("base_stock", "", "the rule whose parameters a coalition chooses")
    outsiders: Name = key(..., "", "the row whose policies the others play: rules in equilibrium")
    replications: Count = key(1000, "", "fresh demand on which costs are estimated")
    search_replications: Count = key(256, "", "demand that candidates meet")

    def check(self, experiment: Experiment) -> None:
        check_rows(experiment, "outsiders", (self.outsiders,))
        row = experiment.compare[self.outsiders]
        if None not in seeds_of(experiment, row):
            raise InputError(f"outsiders: row '{self.outsiders}' is trained, once for each seed; name one of rules")
        seat_players(Game(experiment.topology_of(row)), self.policy)

    def work(self, folder: Folder, experiment: Experiment, say: Say) -> dict[str, Any]:
        game, by_seed = players_of(folder, experiment, self.outsiders)
        found = coalitions_of(
            game,
            by_seed[None],
            self.policy,
            replications=self.replications,
            search_replications=self.search_replications,
            seed=experiment.evaluate.seed,
            progress=say,
        )
        costs, shares = found.costs, shapley_samples(found.costs)
        core, shape = least_core(costs), structure(costs)
        return {
            "agents": list(costs.players),
            "coalitions": [
                {
                    "members": _sorted(members, costs.players),
                    "cost": ends(over_replications(np.asarray(costs.costs[members]))),
                    "parameters": found.parameters[members],
                }
                for members in costs.coalitions
            ],
            "shares": {agent: ends(each) for agent, each in share_intervals(costs).items()},
            "savings": {agent: ends(each) for agent, each in saving_intervals(costs).items()},
            "objections": [
                {"members": _sorted(each.coalition, costs.players), "gain": ends(each.interval)}
                for each in objections(costs, shares)
                if each.interval is not None
            ],
            "least_core": {"value": core.value, "allocation": core.allocation.tolist(), "empty": core.empty},
            "subadditive": shape.subadditive,
            "convex": shape.convex,
        }


def _sorted(members: Iterable[str], players: tuple[str, ...]) -> list[str]:
    return sorted(members, key=players.index)

"""Why orders vary more than demand in the experiment's chain."""

from __future__ import annotations

from typing import Any

from marl_supply.equilibria.bullwhip_causes import bullwhip_causes
from marl_supply.game.game import Game
from marl_supply.study.analysis import Analysis, Say
from marl_supply.study.experiment import Experiment
from marl_supply.study.finished import ends
from marl_supply.study.folder import Folder
from marl_supply.study.players import seat_players
from marl_supply.topology.keys import Count, key


class BullwhipCauses(Analysis):
    """Every node's bullwhip ratio under a rule, and with one cause after another switched off."""

    policy: str = key("forecast_base_stock", "", "the rule that all nodes play, with its own parameters")
    replications: Count = key(400, "", "common demand")

    def check(self, experiment: Experiment) -> None:
        seat_players(Game(experiment.topology), self.policy)

    def work(self, folder: Folder, experiment: Experiment, say: Say) -> dict[str, Any]:
        seed = experiment.evaluate.seed
        found = bullwhip_causes(
            experiment.topology, self.policy, replications=self.replications, seed=seed, progress=say
        )
        return {
            "policy": found.rule,
            "ratios": {
                cause: {node: None if ratio is None else ends(ratio) for node, ratio in ratios.items()}
                for cause, ratios in found.ratios.items()
            },
        }

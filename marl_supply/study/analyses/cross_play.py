"""What teams that were trained apart cost when a member of one sits among the members of another."""

from __future__ import annotations

from typing import Any

from marl_supply.equilibria.cross_play import cross_play
from marl_supply.errors import InputError
from marl_supply.study.analysis import Analysis, Say
from marl_supply.study.experiment import Experiment
from marl_supply.study.file import LearnerRow
from marl_supply.study.finished import check_rows, ends, players_of
from marl_supply.study.folder import Folder
from marl_supply.topology.keys import Count, Name, key


class CrossPlay(Analysis):
    """The training seeds of a row as teams: each member of each among the members of each other."""

    rows: tuple[Name, ...] = key(..., "", "trained rows, each for itself")
    replications: Count = key(500, "", "common demand")

    def check(self, experiment: Experiment) -> None:
        check_rows(experiment, "rows", self.rows)
        for name in self.rows:
            row = experiment.compare[name]
            if not isinstance(row, LearnerRow) or len(row.seeds) < 2:
                raise InputError(f"rows: '{name}' is not trained with two seeds at least; name one that is")

    def work(self, folder: Folder, experiment: Experiment, say: Say) -> dict[str, Any]:
        return {"rows": [self._row(folder, experiment, name, say) for name in self.rows]}

    def _row(self, folder: Folder, experiment: Experiment, name: str, say: Say) -> dict[str, Any]:
        game, teams = players_of(folder, experiment, name)
        found = cross_play(game, list(teams.values()), self.replications, experiment.evaluate.seed, say)
        return {
            "row": name,
            "seeds": list(teams),
            "costs": found.costs.tolist(),
            "excess": ends(found.excess),
        }

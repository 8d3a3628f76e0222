"""Transfers under which the policies of a row are an equilibrium."""

from __future__ import annotations

from typing import Any

from marl_supply.equilibria.contract_design import Term, design_contract
from marl_supply.equilibria.exploitability import Exploitability
from marl_supply.equilibria.gains import costs_of
from marl_supply.errors import InputError
from marl_supply.study.analysis import Analysis, Say
from marl_supply.study.experiment import Experiment
from marl_supply.study.exploit import responder
from marl_supply.study.finished import check_rows, ends, players_of
from marl_supply.study.folder import Folder
from marl_supply.topology import load
from marl_supply.topology.file import Section
from marl_supply.topology.keys import Count, Name, Number, key


class Rate(Section):
    """A transfer whose rate is looked for: `from` pays `to` for each unit of `per` at `at`."""

    payer: Name = key(..., "", "agent that pays", alias="from")
    payee: Name = key(..., "", "agent that is paid", alias="to")
    per: str = key(..., "", "the flow, as in `contract.transfers` of a topology file")
    at: str = key(..., "", "where it flows: a node, edge or market")
    low: Number = key(0.0, "money/unit", "the least rate; below 0 the payee pays")
    high: Number = key(..., "money/unit", "the most")

    def term(self) -> Term:
        """What the search takes."""
        return Term(self.payer, self.payee, self.per, self.at, self.low, self.high)


class Contract(Analysis):
    """Rates of transfers under which no agent gains by leaving the policies of a row."""

    row: Name = key(..., "", "the team: a row of rules, or the first seed of a trained one")
    terms: tuple[Rate, ...] = key(..., "", "transfers that may be agreed on: `{from, to, per, at, low, high}`")
    responders: tuple[str, ...] = key(("base_stock",), "", "what looks for better policies")
    replications: Count = key(256, "", "demand on which costs are compared, and afresh at the end")
    rounds: Count = key(20, "", "of the search, at most")

    def check(self, experiment: Experiment) -> None:
        check_rows(experiment, "row", (self.row,))
        if not self.terms:
            raise InputError("terms: no transfer to agree on; give one at least")
        topology = experiment.topology_of(experiment.compare[self.row])
        load(topology, {"contract.transfers": [rate.term().transfer(1.0) for rate in self.terms]})
        for name in self.responders:
            responder(name)

    def work(self, folder: Folder, experiment: Experiment, say: Say) -> dict[str, Any]:
        game, by_seed = players_of(folder, experiment, self.row)
        seed, team = next(iter(by_seed.items()))
        found = design_contract(
            game,
            team,
            [rate.term() for rate in self.terms],
            [responder(name) for name in self.responders],
            replications=self.replications,
            rounds=self.rounds,
            seed=experiment.evaluate.seed,
            progress=say,
        )
        before, after = (
            costs_of(each, team, self.replications, experiment.evaluate.seed).mean(1) for each in (game, found.game)
        )
        return {
            "row": self.row,
            "training_seed": seed,
            "terms": [
                {**rate.model_dump(by_alias=True), "rate": float(value), "payment": float(paid)}
                for rate, value, paid in zip(self.terms, found.rates, found.payments, strict=True)
            ],
            "cost_before": dict(zip(game.agents, before.tolist(), strict=True)),
            "cost": dict(zip(game.agents, after.tolist(), strict=True)),
            "left": {
                within: {agent: self._gain(found.left, agent, within) for agent in game.agents}
                for within in found.left.classes
            },
            "exact": {within: found.left.is_exact(within) for within in found.left.classes},
            "rounds": found.rounds,
            "deviations": found.deviations,
        }

    def _gain(self, left: Exploitability, agent: str, within: str) -> dict[str, float | None]:
        gain = left.best(agent, within)
        return {"mean": 0.0, "low": None, "high": None} if gain is None else ends(gain.interval)

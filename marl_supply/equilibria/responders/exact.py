"""The best response itself, by value iteration on what fixed others make of the game for one agent."""

from __future__ import annotations

from collections.abc import Mapping

from marl_supply.equilibria.responder import OMNISCIENT, UNRESTRICTED, Progress, Responder, Response
from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.solvers.markov.decision_points import DecisionPoints
from marl_supply.solvers.markov.decision_process import decision_process
from marl_supply.solvers.markov.joint_policy import JointPolicy
from marl_supply.solvers.markov.markov_chain import evaluate_exactly
from marl_supply.solvers.markov.one_period import OnePeriod
from marl_supply.solvers.markov.value_iteration import value_iteration


class Exact(Responder):
    """Value iteration on the Markov decision process of one agent among fixed others.

    The others decide without chance and remember no more than the period. The agent is taken to see everything: where
    the game shows it less, the cost is a bound for what it can reach, and the policy that goes with it cannot sit down.
    """

    name = "exact"

    def misfit(self, game: Game, players: Mapping[str, Policy], agent: str) -> str | None:
        if game.criterion != "average":
            return f"{game.topology.name}: criterion: total; an exact response is for the average, so set that."
        others = {seat: player for seat, player in players.items() if seat != agent}
        try:
            read = {field for player in others.values() for field in player.needs}
            JointPolicy(OnePeriod(game, DecisionPoints(game.network, read)), others)
        except InputError as error:
            return str(error)
        return None

    def respond(
        self,
        game: Game,
        players: Mapping[str, Policy],
        agent: str,
        seed: int = 1,
        progress: Progress | None = None,
    ) -> Response:
        """The best response and its cost; see `Responder.respond`.

        Raises
        ------
        InputError
            If demand has no law that can be enumerated, a policy takes random numbers or remembers what happened, or
            there are too many states.
        """
        now = evaluate_exactly(game, players).by_agent[agent]
        found = value_iteration(decision_process(game, agent=agent, others=players))
        details = {"cost": found.cost, "error": (found.upper - found.lower) / 2, "states": len(found.process.start)}
        saves = max(now - found.cost, 0.0)  # below 0 by rounding alone: what is played now is one of the policies
        within = UNRESTRICTED if game.observe_level == "full" else OMNISCIENT
        return Response(agent, self.name, found.policy, within, saves, details)

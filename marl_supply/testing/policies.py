"""Check a policy: that it plays a game, with what the game shows it, the same whatever is played beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from marl_supply.errors import InputError
from marl_supply.game import Game, Policy
from marl_supply.game.observation import check_needs
from marl_supply.game.quantities import LEVELS
from marl_supply.policies.seating import rule
from marl_supply.simulation import Decisions
from marl_supply.testing.plays import PERIODS, REPLICATIONS, arrays_of, as_game, check, column_differs, near
from marl_supply.testing.watched import Watched

Played = list[dict[str, Decisions]]


def check_policy(policy: Any, game: Any) -> None:
    """Check a policy in every seat of a game.

    The game shows what it needs, and it reads nothing else; it plays an episode; its decisions are finite and of the
    right shape; the same noise gives the same decisions, also while another episode is played by turns with it; a batch
    of replications is its single replications, so that no memory is shared between replications or kept on the policy.

    Parameters
    ----------
    policy
        The name of a rule, a policy for every seat, or policies by agent.
    game
        A `Game`, or what `Game` takes.

    Raises
    ------
    AssertionError
        For the first thing that does not hold, in one sentence.
    """
    game = as_game(game)
    players = _seated(policy, game)
    name = policy if isinstance(policy, str) else type(policy).__name__
    place = f"{name} in {game.topology.name}"
    together = _play(game, players, 0, REPLICATIONS, place)
    _compare(together, _play(game, players, 0, REPLICATIONS, place), place, "played a second time on the same noise")
    by_turns = _by_turns(game, players, place)
    _compare(together, by_turns, place, "played by turns with another episode (does it keep memory on itself?)")
    for replication in range(REPLICATIONS):
        alone = _play(game, players, replication, 1, place)
        how = f"in a batch of {REPLICATIONS} (does it share memory between replications?)"
        for number, (many, one) in enumerate(zip(together, alone, strict=True)):
            for agent in many:
                differs = column_differs(many[agent], one[agent], replication)
                check(
                    not differs,
                    f"{place}: {agent} decides another {differs} in period {number + 1} of replication {replication} "
                    f"alone than {how}.",
                )


def _seated(policy: Any, game: Game) -> dict[str, Policy]:
    """A policy for every agent, each allowed to see what it needs."""
    try:
        if isinstance(policy, Mapping):
            players = {agent: policy[agent] for agent in game.agents if agent in policy}
            missing = [agent for agent in game.agents if agent not in players]
            check(not missing, f"{game.topology.name}: no policy for {', '.join(missing)}.")
        else:
            players = {a: rule(policy, s) if isinstance(policy, str) else policy for a, s in game.seats.items()}
        for agent, player in players.items():
            for member in ("needs", "start", "act"):
                check(hasattr(player, member), f"{type(player).__name__} is no policy: it has no '{member}'.")
            _check_needs_named(player)
            check_needs(player, game.seats[agent], game.observe_level)
    except InputError as error:
        raise AssertionError(f"{game.topology.name}: {error}") from error
    return players


def _check_needs_named(player: Policy) -> None:
    name, needs = type(player).__name__, player.needs
    check(not isinstance(needs, str), f"{name}: `needs` is one text; make it a frozenset of fields.")
    unknown = sorted(set(needs) - LEVELS["full"])
    check(not unknown, f"{name}: `needs` names '{', '.join(unknown)}', which is no field of an observation.")


def _play(game: Game, players: Mapping[str, Policy], first: int, replications: int, place: str) -> Played:
    """What everybody decides in a short episode."""
    return list(_periods(game, players, first, replications, place))


def _by_turns(game: Game, players: Mapping[str, Policy], place: str) -> Played:
    """The same, while the policies also play other replications, period by period."""
    mine = _periods(game, players, 0, REPLICATIONS, place)
    others = _periods(game, players, REPLICATIONS, 2 * REPLICATIONS, place)
    return [decided for decided, _ in zip(mine, others, strict=True)]


def _periods(
    game: Game, players: Mapping[str, Policy], first: int, replications: int, place: str
) -> Iterator[dict[str, Decisions]]:
    """What everybody decides, period by period."""
    state = game.start(replications, 0, first)
    memory = {agent: player.start(game.seats[agent], replications) for agent, player in players.items()}
    for number in range(min(PERIODS, game.horizon)):
        where = f"{place}: period {number + 1}"
        decided: dict[str, Decisions] = {}
        for stage in game.stages:
            for agent in stage:
                needs = frozenset(players[agent].needs)
                shown: Any = Watched(game.observe(state, agent), needs, f"{where}: {agent}")
                try:
                    answer = players[agent].act(shown, memory[agent])
                except AttributeError as error:
                    raise AssertionError(f"{where}: {agent}: {error}") from error
                check(
                    isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[0], Decisions),
                    f"{where}: `act` of {agent} does not return decisions and memory.",
                )
                decided[agent], memory[agent] = answer
                _check_finite(decided[agent], agent, where)
            own = {agent: decided[agent] for agent in stage}
            try:
                state = game.decide(state, own) if stage is not game.stages[-1] else game.step(state, own)[0]
            except ValueError as error:
                raise AssertionError(f"{where}: the game refuses the decisions: {error}") from error
        yield decided


def _check_finite(decisions: Decisions, agent: str, where: str) -> None:
    for name, values in arrays_of(decisions).items():
        check(np.isfinite(values).all(), f"{where}: {agent} decides {name} that is not finite.")


def _compare(first: Played, second: Played, place: str, how: str) -> None:
    for number, (left, right) in enumerate(zip(first, second, strict=True)):
        for agent in left:
            again = arrays_of(right[agent])
            for name, values in arrays_of(left[agent]).items():
                same = name in again and near(values, again[name])
                check(same, f"{place}: {how}, {agent} decides another {name} in period {number + 1}.")

"""Who plays: rules by name, or trained policies by the path of their file, in the seats of a game."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, TypeVar, cast

from marl_supply.errors import InputError, nearest
from marl_supply.game.game import Game
from marl_supply.game.observation import check_needs
from marl_supply.game.policy import Policy
from marl_supply.game.rollout import rollout
from marl_supply.learning.trained import TrainedPolicy, load_policies
from marl_supply.learning.trained.transformer_policy import ANYBODY
from marl_supply.policies.seating import Parameters, rule

P = TypeVar("P", bound=Policy)


class _Conditioned(Protocol):
    """A policy that plays for a requested return."""

    def requesting(self, request: float | str) -> Policy: ...


def seat_players(
    game: Game, policy: str | None, parameters: Parameters | None = None, seats: Mapping[str, str] | None = None
) -> dict[str, Policy]:
    """Policies for all agents of a game.

    Parameters
    ----------
    policy
        For every seat that `seats` leaves out: the name of a rule, or the path of a file of trained policies (or of a
        folder that holds one). A file with one policy that is named ``anybody`` has it for every seat.
    parameters
        Of the rules, by node.
    seats
        Others, by agent.

    Raises
    ------
    InputError
        For unknown names, seats that stay empty, damaged files, and policies that do not fit the game.
    """
    seats = seats or {}
    for agent in game.agents:
        if policy is None and agent not in seats:
            raise InputError(f"no policy for '{agent}'; name one for every seat, or one for it alone")
    return seat_some(game, {**dict.fromkeys(game.agents, policy or ""), **seats}, parameters)


def seat_some(game: Game, seats: Mapping[str, str], parameters: Parameters | None = None) -> dict[str, Policy]:
    """Policies for the seats that are named, and for no others; otherwise as `seat_players`."""
    for agent in seats:
        if agent not in game.agents:
            raise InputError(f"no agent '{agent}' in {game.topology.name}{nearest(agent, game.agents)}")
    given = parameters or {}
    trained = {agent: Path(name) for agent, name in seats.items() if is_path(name)}
    ruled = [node for agent in seats if agent not in trained for node in game.seats[agent].rows]
    for node in given:
        if node not in game.network.rows:
            raise InputError(f"no node '{node}' in {game.topology.name}{nearest(node, game.network.rows)}")
        if node not in ruled:
            raise InputError(f"no rule decides '{node}', so it takes no parameters; leave them out")
    files = {path: load_policies(policy_file(path)) for path in dict.fromkeys(trained.values())}
    players: dict[str, Policy] = {}
    for agent, name in seats.items():
        seat = game.seats[agent]
        mine = {node: values for node, values in given.items() if node in seat.rows}
        own = trained.get(agent)
        players[agent] = rule(name, seat, mine) if own is None else policy_for(agent, files[own], own)
        check_needs(players[agent], seat, game.observe_level)
    return players


def try_out(game: Game, players: Mapping[str, Policy]) -> None:
    """Play one period, so that a policy that does not fit the game is refused before anything else happens."""
    next(iter(rollout(game, players, 1)))


def is_path(name: str) -> bool:
    """Whether a name is that of a file or folder rather than of a rule."""
    return name.endswith(".npz") or (":" not in name and ("/" in name or Path(name).is_dir()))


def requesting(policies: Mapping[str, P], request: float | str | None, path: str | Path) -> dict[str, P]:
    """The policies of a file, asked for a return; as they are where it is None.

    Raises
    ------
    InputError
        If one can be asked for none.
    """
    if request is None:
        return dict(policies)
    for policy in policies.values():
        if not hasattr(policy, "requesting"):
            raise InputError(f"request: the policies of {path} can be asked for no return; leave it out")
    return {name: cast(P, cast(_Conditioned, policy).requesting(request)) for name, policy in policies.items()}


def policy_for(agent: str, policies: Mapping[str, TrainedPolicy], path: Path) -> Policy:
    """The policy of a file that plays a seat: the agent's own, or the only one where that is for anybody.

    Raises
    ------
    InputError
        If the file has none for it.
    """
    if list(policies) == [ANYBODY]:
        return cast(Policy, policies[ANYBODY])
    if agent not in policies:
        has = f"{nearest(agent, policies)}; it has {', '.join(policies)}"
        raise InputError(f"{path}: no policy for '{agent}' in it{has}")
    return cast(Policy, policies[agent])


def policy_file(path: Path) -> Path:
    """The file itself, or the only one that a folder holds."""
    if not path.is_dir():
        return path
    files = sorted(path.glob("*.npz"))
    if len(files) != 1:
        held = f"several: {', '.join(file.name for file in files)}; name one" if files else "none; name a .npz file"
        raise InputError(f"{path}: a folder of trained policies has one .npz file, and this has {held}")
    return files[0]

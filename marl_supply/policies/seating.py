"""Rules by name, with the parameters that a user or a topology file gives, in the seats of a game."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marl_supply.errors import InputError, nearest
from marl_supply.game.game import Game
from marl_supply.game.observation import check_needs
from marl_supply.game.policy import Policy
from marl_supply.game.seat import Seat
from marl_supply.plugins import find
from marl_supply.plugins import names as plugin_names
from marl_supply.policies.rule import Rule

Parameters = Mapping[str, Mapping[str, float] | float]


def names() -> list[str]:
    """Names of all rules."""
    return plugin_names("marl_supply.policies", Rule)


def rule(name: str, seat: Seat, parameters: Parameters | None = None, leaves_orders: bool = False) -> Rule:
    """A rule for one seat.

    Parameters
    ----------
    parameters
        By node, a number for the rule's first parameter or a mapping of parameters; nodes and parameters that are
        left out take the topology file's suggestion, then the rule's own default.
    leaves_orders : bool
        Whether it may leave the orders of the seat to somebody else.

    Raises
    ------
    InputError
        For an unknown rule, node or parameter, and for a seat that decides too little for the rule, or more orders.
    """
    make = find("marl_supply.policies", Rule, name)
    if not issubclass(make, Rule):
        return make()  # type: ignore[no-any-return]
    _refuse_seat(make, name, seat, leaves_orders)
    stated = _by_node(make, name, seat, seat.network.topology.policies.get(name, {}))
    for node, values in _by_node(make, name, seat, parameters or {}).items():
        stated[node] = {**stated.get(node, {}), **values}
    filled = {key: array.copy() for key, array in make({}, seat).values.items()}
    for node, given in stated.items():
        if node in seat.rows:
            for key, number in given.items():
                filled[key][seat.rows.index(node)] = number
    return make(filled)


def seat_everybody(
    game: Game, name: str, parameters: Parameters | None = None, seats: Mapping[str, str] | None = None
) -> dict[str, Policy]:
    """Policies for all agents of a game: one rule by name, and others for the seats named.

    Raises
    ------
    InputError
        For unknown names, and for a rule that reads what the game hides.
    """
    for agent in seats or {}:
        if agent not in game.agents:
            raise InputError(f"no agent '{agent}' in {game.topology.name}{nearest(agent, game.agents)}.")
    for node in parameters or {}:
        if node not in game.network.rows:
            raise InputError(f"no node '{node}' in {game.topology.name}{nearest(node, game.network.rows)}.")
    players: dict[str, Policy] = {}
    for agent, seat in game.seats.items():
        own = (seats or {}).get(agent, name)
        mine = {n: v for n, v in (parameters or {}).items() if n in seat.rows}
        players[agent] = rule(own, seat, mine)
        check_needs(players[agent], seat, game.observe_level)
    return players


def parameters_of(game: Game, players: Mapping[str, Policy]) -> dict[str, dict[str, Any]]:
    """The parameters in use, by node, for a report: what `seat_everybody` takes."""
    stated: dict[str, dict[str, Any]] = {}
    for agent, player in players.items():
        if isinstance(player, Rule):
            for row, node in enumerate(game.seats[agent].rows):
                stated[node] = {key: float(value[row]) for key, value in player.values.items()}
    return stated


def _refuse_seat(make: type[Rule], name: str, seat: Seat, leaves_orders: bool) -> None:
    """Raise InputError where a rule decides what the seat does not, or no orders where the seat does."""
    where = f"{seat.network.topology.name}: {seat.agent}"
    if seat.scope.orders != ("order" in make.decides) and not (leaves_orders and seat.scope.orders):
        what = "decides orders, which the rule" if seat.scope.orders else "decides no orders, which the rule"
        raise InputError(f"{where} {what} {name} does {'not' if seat.scope.orders else 'decide'}; choose another rule.")
    if "price" in make.decides and not len(seat.scope.priced_markets):
        raise InputError(f"{where} decides no price, which the rule {name} does decide; choose another rule.")
    if "exposure" in make.decides and not len(seat.scope.exposed_markets):
        raise InputError(f"{where} decides no exposure, which the rule {name} does decide; choose another rule.")


def _by_node(make: type[Rule], name: str, seat: Seat, stated: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    known = [parameter.name for parameter in make.parameters]
    result: dict[str, dict[str, float]] = {}
    for node, values in stated.items():
        if node not in seat.network.rows:
            where = f"{seat.network.topology.name}: policies.{name}"
            raise InputError(f"{where}: no node '{node}'{nearest(node, seat.network.rows)}.")
        if not known and values != {}:
            raise InputError(f"{name}: it has no parameters, and '{node}' is given one; leave it out.")
        given = dict(values) if isinstance(values, Mapping) else {known[0]: values}
        for key in given:
            if key not in known:
                raise InputError(f"{name}: no parameter '{key}'{nearest(key, known)}; it has {', '.join(known)}.")
        result[node] = given
    return result

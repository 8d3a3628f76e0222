"""``marl-supply evaluate``: what policies cost on a topology."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from marl_supply.cli.parser import add_json, add_set, natural, positive, print_json
from marl_supply.errors import InputError
from marl_supply.report.tables import aligned, number

if TYPE_CHECKING:
    from marl_supply.game.evaluate import Evaluation
    from marl_supply.game.game import Game

HELP = "what policies cost on a topology"


def describe(parser: ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("topology", metavar="TOPOLOGY", help="a shipped name, or the path of a topology file")
    parser.add_argument("--policy", metavar="NAME", help="a rule, or the file of trained policies, for every seat")
    parser.add_argument(
        "--seat", action="append", default=[], metavar="NODE=NAME", help="another policy in one seat; may be repeated"
    )
    parser.add_argument(
        "--param", action="append", default=[], metavar="NODE.KEY=VALUE", help="a parameter of a rule; may be repeated"
    )
    parser.add_argument("--replications", type=positive, metavar="R", help="independent episodes (2000)")
    parser.add_argument("--seed", type=natural, default=7, metavar="S", help="of the demand (7)")
    parser.add_argument("--held-out", action="store_true", help="play the held-out span of recorded demand, once")
    add_set(parser, "game.horizon=101")
    add_json(parser)


def execute(options: Namespace) -> int:
    """Play and print the figures."""
    from marl_supply.game.evaluate import evaluate
    from marl_supply.game.game import Game
    from marl_supply.policies.seating import parameters_of
    from marl_supply.study.players import seat_players
    from marl_supply.study.scoring import held_out_game
    from marl_supply.topology import load

    topology = load(options.topology, options.set)
    game = held_out_game(topology) if options.held_out else Game(topology)
    seats = dict(_pair(text, "--seat", "NODE=NAME") for text in options.seat)
    parameters = _parameters(options.param)
    if options.policy is None and not seats:
        raise InputError("marl-supply evaluate: who plays is not said; give --policy NAME")
    players = seat_players(game, options.policy, parameters, seats)
    replications = options.replications or (1 if options.held_out else 2000)
    result = evaluate(game, players, replications, options.seed)
    named = {agent: seats.get(agent, options.policy) for agent in game.agents}
    found = describe_result(game, result, named, parameters_of(game, players))
    if options.json:
        print_json(found)
    else:
        print(_text(found))
    return 0


def describe_result(
    game: Game, result: Evaluation, policies: dict[str, str], parameters: dict[str, dict[str, float]]
) -> dict[str, Any]:
    """The figures of an evaluation, as `--json` prints them; costs are totals over the counted periods."""
    return {
        "topology": result.topology,
        "criterion": result.criterion,
        "cost": {"mean": result.mean, "standard_error": result.standard_error, "by_agent": result.by_agent},
        "cost_per_period": result.per_period,
        "fill_rate": result.fill_rate,
        "bullwhip": result.bullwhip,
        "replications": result.replications,
        "horizon": result.horizon,
        "warm_up": result.warm_up,
        "seed": result.seed,
        "held_out": game.held_out,
        "policies": policies,
        "parameters": parameters,
    }


def _text(found: dict[str, Any]) -> str:
    warm_up = f" after a warm-up of {found['warm_up']}" if found["warm_up"] else ""
    on = "the held-out span, " if found["held_out"] else ""
    counted = found["horizon"] - found["warm_up"]
    count = f"{found['replications']:,} replication{'s' if found['replications'] > 1 else ''}"
    heading = f"{found['topology']}: {on}{count} of {counted:,} periods{warm_up}, seed {found['seed']}"
    rows: list[list[Any]] = [["agent", "policy", "cost", "a period", "bullwhip", "parameters"]]
    for agent, cost in found["cost"]["by_agent"].items():
        used = found["parameters"].get(agent, {})
        text = ", ".join(f"{key} {value:g}" for key, value in used.items())
        ratio = found["bullwhip"].get(agent)
        rows.append([agent, found["policies"][agent], cost, cost / counted, ratio, text])
    cost = found["cost"]
    rows.append(["all", "", cost["mean"], found["cost_per_period"]])
    notes = [f"standard error of the cost of all: {number(cost['standard_error'])}"]
    if found["replications"] == 1:
        notes = ["one replication: the cost of one realised path, without a standard error"]
    notes.append(f"fill rate: {number(found['fill_rate'])}")
    return "\n".join([heading, aligned(rows), *notes])


def _pair(text: str, option: str, form: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise InputError(f"{option} {text}: write {option} {form}")
    return name.strip(), value.strip()


def _parameters(stated: list[str]) -> dict[str, dict[str, float]]:
    """By node, the parameters of ``--param``."""
    parameters: dict[str, dict[str, float]] = {}
    for text in stated:
        path, value = _pair(text, "--param", "NODE.KEY=VALUE")
        node, dot, key = path.partition(".")
        if not dot or not key:
            raise InputError(f"--param {text}: no key in it; write --param NODE.KEY=VALUE")
        try:
            parameters.setdefault(node, {})[key] = float(value)
        except ValueError:
            raise InputError(f"--param {text}: '{value}' is not a number") from None
    return parameters

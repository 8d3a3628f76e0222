"""``marl-supply show``: a topology as a picture, and the seats of the game on it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marl_supply.cli.parser import add_json, add_set, print_json
from marl_supply.errors import InputError
from marl_supply.report.tables import aligned

if TYPE_CHECKING:
    from marl_supply.game.game import Game
    from marl_supply.topology import Topology

MOST_SHOWN = 6
"""Rows and numbers of a seat that stand one by one; of more, how many and their range."""
HELP = "a topology as a picture, and the seats of the game on it"


def describe(parser: ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("topology", metavar="TOPOLOGY", help="a shipped name, or the path of a topology file")
    parser.add_argument("--png", metavar="FILE", help="draw the network into a PNG file as well")
    add_set(parser, "nodes.retailer.on_hand=20")
    add_json(parser)


def execute(options: Namespace) -> int:
    """Print the picture, then for each agent what it sees and decides."""
    from marl_supply.game.game import Game
    from marl_supply.topology import load
    from marl_supply.topology.picture import picture

    topology = load(options.topology, options.set)
    try:
        seats, obstacle = _seats(Game(topology)), None
    except InputError as error:  # the file is sound, but not yet playable
        seats, obstacle = [], str(error)
    if options.png is not None:
        _draw(topology, options.png)
    if options.json:
        print_json({"topology": topology.to_dict(), "seats": seats, "not_playable": obstacle})
        return 0
    print(picture(topology))
    print()
    print(f"not playable: {obstacle}" if obstacle else _text(seats))
    return 0


def _draw(topology: Topology, file: str) -> None:
    """Write the picture; a path that cannot be written is the user's input."""
    from marl_supply.drawing.network import save_picture

    path = Path(file)
    if path.suffix.lower() != ".png":
        raise InputError(f"--png {file}: the picture is a PNG; let the name end in .png.")
    if not path.parent.is_dir():
        raise InputError(f"--png {file}: no folder '{path.parent}'; make it, or name another.")
    save_picture(topology, path)


def _seats(game: Game) -> list[dict[str, Any]]:
    """What each agent sees and decides."""
    described = []
    for agent, seat in game.seats.items():
        action = game.actions[agent]
        described.append(
            {
                "agent": agent,
                "rows": list(seat.rows),
                "observation_size": len(game.layouts[agent]),
                "action": game.action_kind,
                "action_size": len(action.low),
                "action_low": action.low.tolist(),
                "action_high": action.high.tolist(),
                "choices": action.choices.tolist() if seat.integer else None,
                "order_bound": dict(zip(seat.edges, seat.order_bound.tolist(), strict=True)),
            }
        )
    return described


def _text(seats: list[dict[str, Any]]) -> str:
    head = ["agent", "numbers seen", "decides", "action", "from", "to", "choices", "order bound"]
    rows = [head]
    for seat in seats:
        rows.append(
            [
                seat["agent"],
                seat["observation_size"],
                ", ".join(seat["rows"]) if len(seat["rows"]) <= MOST_SHOWN else f"{len(seat['rows'])} rows",
                seat["action"],
                _numbers(seat["action_low"]),
                _numbers(seat["action_high"]),
                "any" if seat["choices"] is None else _numbers(seat["choices"]),
                _numbers(list(seat["order_bound"].values())),
            ]
        )
    return aligned(rows)


def _numbers(values: list[float]) -> str:
    if len(values) <= MOST_SHOWN:
        return " ".join(f"{value:g}" for value in values)
    low, high = min(values), max(values)
    return f"{len(values)} x {low:g}" if low == high else f"{len(values)} from {low:g} to {high:g}"

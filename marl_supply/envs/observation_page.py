"""Write `docs/observations.md`: what every agent of the shipped topologies sees and can do, number by number.

``python -m marl_supply.envs.observation_page`` writes the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np

from marl_supply.envs.face import versioned_name
from marl_supply.envs.spaces import action_space, observation_space
from marl_supply.game import Game
from marl_supply.game.decisions import Action
from marl_supply.game.quantities import LEVELS, LOCAL, NEIGHBOURS, QUANTITIES, SHARED_DEMAND
from marl_supply.game.table import Entry
from marl_supply.topology import names

PAGE = "observations.md"
FLOWS = frozenset({"receipts", "incoming_orders", "last_order", "market_demand", "forecast"})
MOST_AGENTS = 12
"""Of a chain with more of them only the first are shown."""
MOST_NUMBERS = 60
"""Numbers that are listed one by one; of a longer observation each field is one row with its range of indices."""
OWNERS = {
    "rows": "row",
    "lines": "line: a market, or an edge to a customer",
    "edges": "inbound edge",
    "slots": "inbound edge and period until arrival",
    "travelling": "edge and period until it is revealed",
    "markets": "market downstream",
    "memory": "number that a market downstream shows",
    "forecast": "market downstream and period ahead",
}

_INTRODUCTION = """\
# Observations and actions

Generated from the shipped topologies by `python -m marl_supply.envs.observation_page`; do not edit.

`observe` in the section `game` of a topology file, or in `Game(chain, observe=...)`, says what the agents see:

* `market`: what the markets of their own rows show and forecast, such as rivals' prices, and no stock;
* `local`: their own rows (the items and places they decide about);
* `neighbours`: also the stock and the backorders of direct suppliers and customers;
* `shared_demand`: `local`, the latest demand of the markets downstream, and echelon positions;
* `full`: all of the state of the chain; the agent's own numbers come first.

Every field is an array with replications last in an `Observation`, which policies read, and a part of the float32
vector of the PettingZoo environments. Numbers are in units of the product (units a period for flows), as they stand at
the decision point: shipments due are received and orders due are revealed, nothing is decided yet. Time is not
observed. In a label, `EDGE[0]` is what arrives (or is revealed) next, in the period after this one.
"""


def page() -> str:
    """Return the page as Markdown."""
    parts = [_INTRODUCTION, "## Fields by level\n", *_fields(), ""]
    for name in names():
        parts += [*_topology(Game(name)), ""]
    return "\n".join(parts).rstrip("\n") + "\n"


def write(folder: Path) -> Path:
    """Write the page into a folder, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PAGE).write_text(page(), encoding="utf-8")
    return folder / PAGE


def unit(field: str) -> str:
    """The unit of a field."""
    if field in FLOWS:
        return "units/period"
    return next((quantity.unit for quantity in QUANTITIES if quantity.name == field), "units")


def bounds(entry: Entry) -> str:
    """What the space says of a number."""
    space = observation_space([entry])
    low, high = (f"{float(bound):g}" for bound in (space.low[0], space.high[0]))
    return f"{low} to {high}"


def meaning(field: str) -> str:
    """What a field is; of a neighbour's, what the field of that name is in the neighbour's own view."""
    side, _, name = field.partition("_")
    if field in NEIGHBOURS:
        return f"{meaning(name)}, of the direct {side}s"
    return next(quantity.meaning for quantity in QUANTITIES if quantity.name == field)


def _fields() -> Iterator[str]:
    """A row for every field, with the levels that show it."""
    yield _row(["field", "one number for each", "unit", "meaning", *LEVELS])
    yield _row(["---"] * (4 + len(LEVELS)))
    owner = {quantity.name: OWNERS[quantity.of] for quantity in QUANTITIES}
    owner |= {field: f"neighbour's {owner[field.partition('_')[2]].partition(':')[0]}" for field in NEIGHBOURS}
    for field in (*LOCAL, *NEIGHBOURS, *SHARED_DEMAND):
        shown = ["yes" if field in fields else "" for fields in LEVELS.values()]
        yield _row([f"`{field}`", owner[field], unit(field), meaning(field), *shown])
    yield ""
    rest = [quantity for quantity in QUANTITIES if quantity.name not in (*LOCAL, *SHARED_DEMAND)]
    told = "; ".join(f"`{quantity.name}` ({quantity.meaning})" for quantity in rest)
    yield f"The vectors of `full` also hold what no field gives: all fields of the other rows, and {told}."


def _topology(game: Game) -> Iterator[str]:
    """The section of a topology: what each agent can do and sees by default."""
    yield f"## `{versioned_name(game.topology)}`\n"
    yield f"{game.topology.source}. By default `observe: {game.observe_level}` and `actions: {game.action_kind}`.\n"
    for agent in game.agents[:MOST_AGENTS]:
        yield f"### `{agent}` of `{game.topology.name}`\n"
        yield f"Action: {_action(game.actions[agent])}.\n"
        yield from _entries(game.layouts[agent])
        yield ""
    if len(game.agents) > MOST_AGENTS:
        yield f"And {len(game.agents) - MOST_AGENTS} more agents: `Game(...).layouts` tells what each of them sees.\n"


def _action(action: Action) -> str:
    """The space of an agent's actions, and what it means."""
    if len(action.labels) > MOST_AGENTS:
        return f"`{type(action_space(action)).__name__}` of {len(action.labels)} components, `{action.labels[0]}` first"
    parts = []
    for number, label in enumerate(action.labels):
        step = np.broadcast_to(action.step, action.low.shape)[number]
        steps = f" in steps of {step:g}" if action.seat.integer else ""
        parts.append(f"{action.low[number]:g} to {action.high[number]:g} units{steps} for `{label}`")
    return f"`{action_space(action)}`, {'; '.join(parts)}"


def _entries(layout: Sequence[Entry]) -> Iterator[str]:
    """A row for each number of an observation, or, of a long one, for each field."""
    yield _row(["index", "field", "of", "unit", "bounds"])
    yield _row(["---"] * 5)
    if len(layout) > MOST_NUMBERS:
        for field, run in groupby(enumerate(layout), key=lambda numbered: numbered[1].field):
            numbers = list(run)
            (first, entry), (last, _) = numbers[0], numbers[-1]
            of = f"{len(numbers)}, `{entry.label}` first"
            yield _row([f"{first} to {last}", f"`{field}`", of, unit(field), bounds(entry)])
        return
    for index, entry in enumerate(layout):
        yield _row([str(index), f"`{entry.field}`", f"`{entry.label}`", unit(entry.field), bounds(entry)])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    print(write(Path(__file__).resolve().parents[2] / "docs"))

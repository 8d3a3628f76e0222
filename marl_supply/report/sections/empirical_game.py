"""The game in which agents choose among rows: its equilibria, and where replicator dynamics flow."""

from __future__ import annotations

from typing import Any

from marl_supply.report.results import Results
from marl_supply.report.tables import markdown, number

LEAST = 0.005
FOOT = (
    "Each agent plays as it does in one of the rows, and every combination is played on common demand. The equilibria "
    "are those of this table: nobody gains by playing as in another row. Replicator dynamics start at random shares."
)


def section(found: dict[str, Any], results: Results) -> list[str]:
    """Pure equilibria, the one that was computed, the cheapest combination, and basins."""
    agents = found["agents"]
    head = ["", *agents, *(f"cost of {agent}" for agent in agents), "total"]
    cells: list[list[Any]] = [head]
    for number_of, each in enumerate(found["pure_equilibria"], start=1):
        cells.append([f"pure equilibrium {number_of}", *each["plays"], *each["costs"], sum(each["costs"])])
    if not found["pure_equilibria"]:
        each = found["equilibrium"]
        played = [_shares(each["shares"][agent]) for agent in agents]
        cells.append(["mixed equilibrium", *played, *each["costs"], sum(each["costs"])])
    least = found["least_total"]
    cells.append(["least total", *least["plays"], *least["costs"], sum(least["costs"])])
    return ["## An empirical game", markdown(cells), "\n".join(_basins(found)), FOOT]


def _basins(found: dict[str, Any]) -> list[str]:
    flows = found["replicator"]
    starts = flows["unsettled"] + sum(end["starts"] for end in flows["ends"])
    lines = [
        f"- {end['starts']} of {starts} starts of replicator dynamics end at "
        + "; ".join(f"{agent} {_shares(shares)}" for agent, shares in end["shares"].items())
        for end in flows["ends"][:5]
    ]
    return lines + (
        [f"- {flows['unsettled']} of {starts} starts circle or are still on their way."] if flows["unsettled"] else []
    )


def _shares(shares: dict[str, float]) -> str:
    played = sorted(((share, name) for name, share in shares.items() if share >= LEAST), reverse=True)
    return played[0][1] if len(played) == 1 else ", ".join(f"{name} {number(share)}" for share, name in played)

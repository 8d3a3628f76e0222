"""Teams with a foreign member."""

from __future__ import annotations

from typing import Any

import numpy as np

from marl_supply.report.results import Results
from marl_supply.report.sections import ends
from marl_supply.report.tables import markdown

FOOT = (
    "Total cost of the teams that were trained with each seed, and where one seat is taken by its holder in a team of "
    "another seed, averaged over seats and pairs. Little more means that teams agree on nothing but the game."
)


def section(found: dict[str, Any], results: Results) -> list[str]:
    """For each row the cost of whole teams, of mixed ones, and the difference."""
    cells: list[list[Any]] = [["row", "own team", "with a foreign member", "more"]]
    for row in found["rows"]:
        costs = np.array(row["costs"])
        mixed = costs[~np.eye(len(costs), dtype=bool)].mean()
        cells.append([row["row"], float(np.diag(costs).mean()), float(mixed), ends(row["excess"])])
    return ["## Cross-play", markdown(cells), FOOT]

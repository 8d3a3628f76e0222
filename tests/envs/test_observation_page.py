"""The committed page of observations is what the code says now, and its tables are the spaces."""

import re
from pathlib import Path

import numpy as np
import pytest
from shipped_chains import VERSIONED

from marl_supply.envs import make
from marl_supply.envs.observation_page import FLOWS, MOST_AGENTS, MOST_NUMBERS, PAGE, meaning, page
from marl_supply.game.quantities import LEVELS, QUANTITIES

DOCS = Path(__file__).resolve().parents[2] / "docs"
TEXT = (DOCS / PAGE).read_text(encoding="utf-8")


def test_the_page_is_current() -> None:
    assert page() == TEXT, "run python -m marl_supply.envs.observation_page"


def section(name: str, agent: str) -> str:
    """The text about one agent of one environment."""
    of_topology = TEXT.split(f"## `{name}`\n", 1)[1].split("\n## ", 1)[0]
    return of_topology.split(f"### `{agent}` of ", 1)[1].split("\n### ", 1)[0]


@pytest.mark.parametrize("name", VERSIONED)
def test_tables_are_the_spaces(name: str) -> None:
    env = make(name)
    for agent in env.possible_agents[:MOST_AGENTS]:
        text, space = section(name, agent), env.observation_space(agent)
        if space.shape[0] > MOST_NUMBERS:
            assert f"to {space.shape[0] - 1} |" in text
            continue
        form = r"^\| (\d+) \| `(\w+)` \| `(.+)` \| (units(?:/period)?|periods|-) \| (\S+) to (\S+) \|$"
        rows = re.findall(form, text, re.M)
        assert [int(row[0]) for row in rows] == list(range(space.shape[0]))
        np.testing.assert_array_equal([float(row[4]) for row in rows], space.low)
        np.testing.assert_array_equal([float(row[5]) for row in rows], space.high)
        assert [(row[1], row[2]) for row in rows] == [(e.field, e.label) for e in env.game.layouts[agent]]
        action, labels = env.action_space(agent), env.game.actions[agent].labels
        told = f"`{action}`, " if len(labels) <= MOST_AGENTS else f"of {len(labels)} components, `{labels[0]}` first"
        assert f"Action: {told}" in text or f"Action: `{type(action).__name__}` {told}" in text


@pytest.mark.parametrize("field", sorted(LEVELS["full"] - {"everything"}))
def test_every_field_is_explained(field: str) -> None:
    (row,) = [line for line in TEXT.splitlines() if line.startswith(f"| `{field}` |")]
    assert f"| {meaning(field)} |" in row
    told = [cell.strip() == "yes" for cell in row.split("|")[5:-1]]
    assert told == [field in fields for fields in LEVELS.values()]


def test_flows_are_quantities() -> None:
    assert {quantity.name for quantity in QUANTITIES} >= FLOWS

"""Ten periods of every shipped topology as a text: a change of dynamics shows here, line by line, when it is reviewed.

``python tests/test_traces.py`` writes them anew; a topology whose dynamics changed on purpose gets a new `version`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from marl_supply.envs.ansi import picture
from marl_supply.envs.episodes import Episodes
from marl_supply.envs.face import versioned_name
from marl_supply.game import Game
from marl_supply.plugins import find
from marl_supply.policies.rule import Rule
from marl_supply.policies.seating import seat_everybody
from marl_supply.topology import names

FOLDER = Path(__file__).parent / "traces"
PERIODS, SEED, MOST_LINES = 10, 1, 30


def trace(name: str) -> str:
    """The first episode of seed 1, played with the file's price or base-stock levels, else at random."""
    game = Game(name, horizon=PERIODS, warm_up=0)
    suggested = game.topology.policies
    priced = [name for name in suggested if "price" in find("marl_supply.policies", Rule, name).decides]
    rule = priced[0] if priced else "base_stock" if "base_stock" in suggested else "random_order"
    players = seat_everybody(game, rule)
    memory = {agent: players[agent].start(game.seats[agent], 1) for agent in game.agents}
    episodes = Episodes(game)
    episodes.begin(SEED)
    title = versioned_name(game.topology)
    texts = [f"{title}, {rule}, seed {SEED}", short(picture(title, game, episodes))]
    for _ in range(PERIODS):
        for stage in game.stages:
            decided = {}
            for agent in stage:
                decided[agent], memory[agent] = players[agent].act(game.observe(episodes.state, agent), memory[agent])
            if stage is game.stages[-1]:
                episodes.step(decided)
            else:
                episodes.decide(decided)
        texts.append(short(picture(title, game, episodes)))
    return "\n\n".join(texts) + "\n"


def short(text: str) -> str:
    """The first lines and the last one of a long table."""
    lines = text.splitlines()
    if len(lines) <= MOST_LINES:
        return text
    return "\n".join([*lines[:12], f"... {len(lines) - 13} more rows ...", lines[-1]])


@pytest.mark.parametrize("name", names())
def test_trace(name: str) -> None:
    path = FOLDER / f"{name}.txt"
    assert path.is_file(), f"no trace of {name}: run python {Path(__file__).name} and read what it wrote"
    assert trace(name) == path.read_text(), f"the dynamics of {name} changed: read the difference, raise its version"


def test_no_trace_without_a_topology() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(names())


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for one in sys.argv[1:] or names():
        (FOLDER / f"{one}.txt").write_text(trace(one))
        print(FOLDER / f"{one}.txt")

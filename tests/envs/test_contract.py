"""PettingZoo's own tests on every shipped environment, with each kind of action that fits, and each observe level."""

import warnings
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test, seed_test
from shipped_chains import VERSIONED

from marl_supply import plugins
from marl_supply.envs import aec_env, make, parallel_env
from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.game.decisions import Action
from marl_supply.game.quantities import LEVELS

KINDS = plugins.names("marl_supply.game.decisions", Action)
PERIODS = 8
CHAINS = VERSIONED


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """PettingZoo warns of names without numbers, unbounded observations and observations of different sizes."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module="pettingzoo")
        yield


def short_game(name: str, kind: str, observe: str) -> Game | None:
    """A short game on a shipped topology; None where the kind of action does not fit, which a sentence says."""
    try:
        return Game(CHAINS[name], actions=kind, observe=observe, horizon=PERIODS, warm_up=0)
    except InputError as error:
        assert any(why in str(error) for why in ("rows with one supplier each", "decides no orders", "sees nothing"))
        return None


CASES = [
    pytest.param(short, id=f"{name}-{kind}-{observe}")
    for name, kind, observe in product(VERSIONED, KINDS, LEVELS)
    if (observe == "full" or kind == "quantity") and (short := short_game(name, kind, observe))
]


def test_every_kind_of_action_is_tried() -> None:
    assert {"quantity", "order_up_to", "demand_plus"} <= set(KINDS)


@pytest.mark.parametrize("game", CASES)
def test_parallel_api(game: Game) -> None:
    if len(game.stages) == 1:
        parallel_api_test(parallel_env(game), num_cycles=PERIODS + 1)
    else:
        with pytest.raises(InputError, match="one after another; use aec_env"):
            parallel_env(game)


@pytest.mark.parametrize("game", CASES)
def test_aec_api(game: Game) -> None:
    api_test(aec_env(game), num_cycles=PERIODS + 1)


@pytest.mark.parametrize("name", VERSIONED)
def test_seeds(name: str) -> None:
    game = Game(CHAINS[name], horizon=PERIODS, warm_up=0)
    parallel_seed_test(lambda: parallel_env(game), num_cycles=PERIODS)
    seed_test(lambda: aec_env(game), num_cycles=PERIODS)


@pytest.mark.parametrize("game", CASES)
def test_observations_and_state_lie_in_their_spaces(game: Game) -> None:
    env: Any = aec_env(game)
    env.reset(seed=5)
    for agent in env.possible_agents:
        env.action_space(agent).seed(5)
    for agent in env.agent_iter(len(env.agents) * PERIODS):
        view, space = env.observe(agent), env.observation_space(agent)
        assert view.shape == space.shape == (len(game.layouts[agent]),) and view.dtype == np.float32
        assert space.contains(view) and env.state_space.contains(env.state())
        env.step(env.action_space(agent).sample())


@pytest.mark.parametrize("name", VERSIONED)
def test_ids_carry_the_version_of_the_topology(name: str) -> None:
    env = make(name)
    assert env.metadata["name"] == name == f"{env.game.topology.name}_v{env.game.topology.version}"
    assert list(env.game.agents) == env.possible_agents and env.metadata["render_modes"] == ["ansi", "rgb_array"]


def test_a_name_or_version_that_is_not_shipped_is_refused() -> None:
    with pytest.raises(InputError, match=r"no environment 'beer_game_v9' \(did you mean 'beer_game_v1'\?\)"):
        make("beer_game_v9")
    with pytest.raises(InputError, match=r"no face 'paralel' \(did you mean 'parallel'\?\)"):
        make("beer_game_v1", "paralel")

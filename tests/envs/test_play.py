"""The faces play the game and nothing else: rewards, seeds, stages, pickling, clipping, pictures."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from shipped_chains import VERSIONED

from marl_supply.envs import aec_env, parallel_env
from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.simulation import Decisions

TINY = {
    "name": "tiny",
    "period": "day",
    "nodes": {
        "plant": {"kind": "source"},
        "depot": {"on_hand": 5, "holding_cost": 0.5, "backorder_cost": 1},
        "store": {"on_hand": 3, "holding_cost": 1, "backorder_cost": 4},
    },
    "edges": [
        {"from": "plant", "to": "depot", "lead_time": 2, "pipeline": 2},
        {"from": "depot", "to": "store", "lead_time": 1, "information_delay": 1, "orders_in_transit": 2},
    ],
    "markets": {"people": {"served_by": ["store"], "process": "step", "before": 2, "after": 6, "at": 1}},
    "game": {"horizon": 3},
}
CHAINS = VERSIONED
SHORT = {"horizon": 20, "warm_up": 0}


def sampled(env: Any, generator: np.random.Generator) -> dict[str, Any]:
    """An action of every agent, drawn from one generator."""
    spaces = {agent: env.action_space(agent) for agent in env.agents}
    sizes = {agent: np.atleast_1d(getattr(space, "nvec", getattr(space, "n", 1))) for agent, space in spaces.items()}
    drawn = {agent: np.floor(generator.random(len(size)) * size).astype(int) for agent, size in sizes.items()}
    return {agent: d if hasattr(spaces[agent], "nvec") else int(d[0]) for agent, d in drawn.items()}


def turns(env: Any, actions: dict[str, Any]) -> dict[str, float]:
    """One period of an AEC environment; the rewards at its end."""
    for _ in range(len(env.possible_agents)):
        env.step(actions[env.agent_selection])
    return dict(env.rewards)


@pytest.mark.parametrize("name", VERSIONED)
def test_rewards_and_observations_are_those_of_the_game(name: str) -> None:
    game = Game(CHAINS[name], **SHORT)
    env, generator = parallel_env(game), np.random.default_rng(3)
    views, _ = env.reset(seed=11)
    state = game.start(1, seed=11)
    while env.agents:
        for agent in game.agents:
            np.testing.assert_array_equal(views[agent], game.vector(state, agent)[:, 0].astype(np.float32))
        actions = sampled(env, generator)
        joint = {a: game.actions[a].decode(np.reshape(action, (-1, 1))) for a, action in actions.items()}
        state, outcome = game.step(state, joint)
        views, rewards, ended, cut, infos = env.step(actions)
        assert list(rewards.values()) == outcome.rewards[:, 0].tolist()
        assert [info["cost"] for info in infos.values()] == outcome.costs[:, 0].tolist()
        assert not any(ended.values())
    assert all(cut.values()) and env.episodes.period == 20


@pytest.mark.parametrize("name", VERSIONED)
def test_agent_by_agent_gives_the_same_rewards(name: str) -> None:
    game, generator = Game(CHAINS[name], **SHORT), np.random.default_rng(4)
    parallel, aec = parallel_env(game), aec_env(game)
    parallel.reset(seed=2)
    aec.reset(seed=2)
    while parallel.agents:
        actions = sampled(parallel, generator)
        _, rewards, *_ = parallel.step(actions)
        assert turns(aec, actions) == rewards
    assert all(aec.truncations.values()) and not any(aec.terminations.values())


def test_each_reset_is_the_next_replication_of_the_seed() -> None:
    env, game = parallel_env("cachon_zipkin", **SHORT), Game("cachon_zipkin", **SHORT)

    def demand_seen(views: dict[str, Any]) -> list[float]:
        where = [entry.field for entry in game.layouts["retailer"]].index("market_demand")
        seen = []
        for _ in range(20):
            views, *_ = env.step({"supplier": 5, "retailer": 10})
            seen.append(float(views["retailer"][where]))
        return seen

    episodes = [demand_seen(env.reset(seed=8)[0]), demand_seen(env.reset()[0]), demand_seen(env.reset()[0])]
    noise = [[float(game.start(1, 8, r).noise.at(t)[0, 0]) for t in range(20)] for r in range(3)]
    assert episodes == noise and episodes[0] != episodes[1] != episodes[2]
    assert demand_seen(env.reset(seed=8)[0]) == episodes[0]


def test_environments_without_a_seed_differ() -> None:
    first, second = parallel_env("cachon_zipkin"), parallel_env("cachon_zipkin")
    first.reset()
    second.reset()
    assert first.episodes.seed != second.episodes.seed


@pytest.mark.parametrize("duplicate", [lambda env: pickle.loads(pickle.dumps(env)), copy.deepcopy])
@pytest.mark.parametrize("name", VERSIONED)
def test_a_copy_made_in_mid_episode_goes_on_alike(name: str, duplicate: Any) -> None:
    env = parallel_env(CHAINS[name], horizon=20, warm_up=0)
    env.reset(seed=1)
    generator = np.random.default_rng(0)
    actions = [sampled(env, generator) for _ in range(21)]
    for action in actions[:7]:
        env.step(action)
    twin = duplicate(env)
    ways = []
    for one in (env, twin):
        way = [one.step(action) for action in actions[7:20]]
        ways.append([(list(views.values()), list(rewards.values())) for views, rewards, *_ in way])
        one.reset()
        ways[-1].append([list(one.step(actions[20])[1].values())])
    np.testing.assert_equal(ways[0], ways[1])


def test_stages_need_turns_and_show_what_was_ordered() -> None:
    with pytest.raises(InputError, match="cachon_zipkin: .* order one after another; use aec_env"):
        parallel_env("cachon_zipkin", actions="quantity")
    env = aec_env("cachon_zipkin", actions="quantity", horizon=5, warm_up=0)
    game = env.game
    env.reset(seed=3)
    state = game.start(1, seed=3)
    owed = [entry.field for entry in game.layouts["supplier"]].index("owed")
    for quantity in (3, 7, 5, 4, 6):
        assert env.agent_selection == "retailer"
        before = env.observe("supplier")[owed]
        env.step(quantity)
        assert env.agent_selection == "supplier" and env.observe("supplier")[owed] == before + quantity
        state = game.decide(state, {"retailer": Decisions(order=np.full((1, 1), float(quantity)))})
        np.testing.assert_array_equal(env.state(), game.table.read(state)[:, 0].astype(np.float32))
        env.step(4)
        state, outcome = game.step(state, {"supplier": Decisions(order=np.full((1, 1), 4.0))})
        assert list(env.rewards.values()) == outcome.rewards[:, 0].tolist()
    assert env.last()[2:4] == (False, True)


def test_agents_of_one_stage_do_not_see_one_another() -> None:
    env = aec_env(TINY)
    env.reset(seed=0)
    seen = env.observe("store").copy()
    assert env.agent_selection == "depot"
    env.step(3)
    np.testing.assert_array_equal(env.observe("store"), seen)


def test_continuous_actions_are_clipped_and_choices_are_not() -> None:
    chain = {**TINY, "units": "continuous"}
    first, second = parallel_env(chain), parallel_env(chain)
    highest = {agent: first.action_space(agent).high for agent in first.possible_agents}
    first.reset(seed=0)
    second.reset(seed=0)
    ways = [
        env.step({agent: factor * high for agent, high in highest.items()})[0]
        for env, factor in ((first, 1.0), (second, 50.0))
    ]
    np.testing.assert_equal(*ways)
    with pytest.raises(ValueError, match="depot: an action lies outside its space"):
        first.step({"depot": np.array([np.nan]), "store": np.array([0.0])})
    whole = parallel_env(TINY)
    whole.reset(seed=0)
    with pytest.raises(ValueError, match="store: an action lies outside its space"):
        whole.step({"depot": 0, "store": int(whole.action_space("store").n)})


def test_several_rows_in_one_hand_are_one_vector_of_choices() -> None:
    everything = {"planner": {"decides": ["depot", "store"], "pays": ["depot", "store"]}}
    env = parallel_env(TINY, agents=everything)
    views, _ = env.reset(seed=0)
    assert env.possible_agents == ["planner"] and env.action_space("planner").shape == (2,)
    _, rewards, *_ = env.step({"planner": np.array([2, 1])})
    assert list(views) == ["planner"]
    assert rewards["planner"] == -(0.5 * 5 + 1 * 1)  # 5 at the depot, 1 in the store


def test_misuse_is_refused_in_a_sentence() -> None:
    env = parallel_env(TINY)
    with pytest.raises(InputError, match="tiny_v1: no episode is under way; call reset"):
        env.step({"depot": 0, "store": 0})
    env.reset(seed=0)
    with pytest.raises(InputError, match="no action for 'store'"):
        env.step({"depot": 0})
    with pytest.raises(InputError, match="there is no agent 'shop'"):
        env.step({"depot": 0, "store": 0, "shop": 0})
    with pytest.raises(InputError, match="render_mode: no mode 'human'; use ansi, rgb_array or None"):
        parallel_env(TINY, render_mode="human")
    with pytest.raises(InputError, match="horizon: this game has its settings already"):
        parallel_env(Game(TINY), horizon=3)
    for _ in range(3):
        env.step({"depot": 0, "store": 0})
    with pytest.raises(InputError, match="no episode is under way"):
        env.step({"depot": 0, "store": 0})


GOLDEN = """\
tiny_v1: before day 1 of 3
node   on hand  owed  in transit
depot        7     2           2
store        3     0           0
tiny_v1: day 1 of 3
node   received  demanded  ordered  shipped  on hand  owed  in transit  cost
depot         2         2        4        2        5     0           6  2.50
store         0         2        3        2        1     0           2  1.00
total                                                                   3.50
tiny_v1: day 2 of 3
node   received  demanded  ordered  shipped  on hand  owed  in transit   cost
depot         2         3        0        3        4     0           4   2.00
store         2         6        9        3        0     3           3  12.00
total                                                                   14.00"""


def test_picture_of_a_tiny_chain() -> None:
    env = parallel_env(TINY, render_mode="ansi")
    env.reset(seed=0)
    pictures = [env.render()]
    for depot, store in ((4, 3), (0, 9)):
        env.step({"depot": depot, "store": store})
        pictures.append(env.render())
    assert "\n".join(pictures) == GOLDEN
    assert parallel_env(TINY).render() is None

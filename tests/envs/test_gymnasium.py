"""Gymnasium's faces: its own checker, ids, batches that are the single environments, autoreset, masks and pictures."""

import copy
import pickle
import subprocess
import sys
import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from shipped_chains import CHAINS

from marl_supply.envs import aec_env, gym_env, gym_vector_env, parallel_env
from marl_supply.envs.registration import gymnasium_ids, register_gymnasium
from marl_supply.errors import InputError
from marl_supply.game import Game

ALONE = {name: chain for name, chain in CHAINS.items() if len(Game(chain).agents) == 1}
IDS = {name: identifier for identifier, name in gymnasium_ids().items()}
PERIODS = 6
ADVICE = (  # stocks have no bound, and actions are units
    "observation space minimum value is -infinity",
    "observation space maximum value is infinity",
    "we recommend using a symmetric and normalized space",
)


def short(name: str) -> Game:
    return Game(ALONE[name], horizon=PERIODS, warm_up=0)


def test_every_shipped_topology_with_one_agent_has_an_id() -> None:
    wanted = {name: f"marl_supply/{name.title().replace('_', '')}-v{c.version}" for name, c in ALONE.items()}
    assert wanted == IDS
    of_the_survey = {
        "lost_sales",
        "dual_sourcing",
        "uneven_review",
        "pricing_replenishment",
        "recommendation_replenishment",
    }
    assert {*of_the_survey, "single_echelon", "newsvendor"} <= set(IDS)
    register_gymnasium()
    assert gymnasium.spec("marl_supply/LostSales-v1").kwargs == {"chain": "lost_sales"}


@pytest.mark.parametrize("name", ALONE)
def test_gymnasiums_own_checker(name: str) -> None:
    env: Any = gymnasium.make(IDS[name], horizon=PERIODS, warm_up=0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_env(env.unwrapped)
    said = [str(warning.message) for warning in caught]
    assert [text for text in said if not any(advice in text for advice in ADVICE)] == []


def test_an_id_in_a_fresh_process_imports_the_module_it_names() -> None:
    code = (
        "import gymnasium;"
        "env = gymnasium.make('marl_supply.envs:marl_supply/LostSales-v1', horizon=3, warm_up=0);"
        "print(env.spec.id)"
    )
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "marl_supply/LostSales-v1"


@pytest.mark.parametrize("name", ALONE)
def test_one_environment_is_the_parallel_face(name: str) -> None:
    env, other = gym_env(short(name)), parallel_env(short(name))
    (agent,) = other.possible_agents
    view, info = env.reset(seed=4)
    views, infos = other.reset(seed=4)
    env.action_space.seed(1)
    for period in range(2 * PERIODS):
        np.testing.assert_equal((view, info), (views[agent], infos[agent]))
        assert view.dtype == np.float32 and env.observation_space.contains(view)
        action = env.action_space.sample()
        view, reward, ended, cut, info = env.step(action)
        views, rewards, _, cuts, infos = other.step({agent: action})
        assert (reward, ended, cut) == (rewards[agent], False, cuts[agent]) and "cost" in info
        assert cut == (period % PERIODS == PERIODS - 1)
        if cut:
            with pytest.raises(InputError, match="no episode is under way; call reset"):
                env.step(action)
            (view, info), (views, infos) = env.reset(), other.reset()


@pytest.mark.parametrize("name", ALONE)
def test_a_batch_is_its_single_environments(name: str) -> None:
    """Environment i of n plays replication i of the seed, then i + n."""
    envs: Any = gymnasium.make_vec(
        IDS[name], num_envs=3, vectorization_mode="vector_entry_point", horizon=PERIODS, warm_up=0
    )
    assert envs.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    singles = [gym_env(short(name)) for _ in range(3)]
    seen, infos = envs.reset(seed=9)
    first = []
    for number, env in enumerate(singles):
        first.append(env.reset(seed=9))
        for _ in range(number):
            first[number] = env.reset()
    np.testing.assert_array_equal(seen, [view for view, _ in first])
    envs.action_space.seed(2)
    for period in range(2 * PERIODS):
        actions = envs.action_space.sample()
        seen, rewards, ended, cut, infos = envs.step(actions)
        alone = [env.step(action) for env, action in zip(singles, actions, strict=True)]
        over = period % PERIODS == PERIODS - 1
        told = infos["final_info"] if over else infos
        np.testing.assert_array_equal(told["cost"], [info["cost"] for *_, info in alone])
        np.testing.assert_array_equal(rewards, [reward for _, reward, *_ in alone])
        assert cut.tolist() == [over] * 3 and not ended.any() and envs.observation_space.contains(seen)
        assert ("final_obs" in infos) == over and ("cost" in infos) != over
        if over:
            np.testing.assert_array_equal(np.stack(list(infos["final_obs"])), [view for view, *_ in alone])
            assert infos["_final_obs"].all() and infos["_final_info"].all()
            for env in singles:
                for _ in range(3):
                    env.reset()
            np.testing.assert_array_equal(seen, [env.episodes.view(env.agent) for env in singles])
        else:
            np.testing.assert_array_equal(seen, [view for view, *_ in alone])


def test_each_environment_can_have_a_seed_of_its_own() -> None:
    seeds = [5, 11, 5]
    envs: Any = gym_vector_env(short("lost_sales"), 3)
    singles = [gym_env(short("lost_sales")) for _ in seeds]
    seen, _ = envs.reset(seed=seeds)
    np.testing.assert_array_equal(seen, [env.reset(seed=s)[0] for env, s in zip(singles, seeds, strict=True)])
    for period in range(2 * PERIODS):
        seen, rewards, *_ = envs.step(np.full(3, 4))
        alone = [env.step(4) for env in singles]
        np.testing.assert_array_equal(rewards, [reward for _, reward, *_ in alone])
        if period % PERIODS == PERIODS - 1:
            np.testing.assert_array_equal(seen, [env.reset()[0] for env in singles])
    envs.reset(seed=[None, 3, None])
    assert envs.seed[1] == 3 and envs.seed[0] != envs.seed[2]


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.DISABLED, AutoresetMode.SAME_STEP])
def test_where_the_next_episodes_begin(mode: AutoresetMode) -> None:
    envs: Any = gym_vector_env(short("lost_sales"), 2, autoreset_mode=mode)
    expected: Any = gym_vector_env(short("lost_sales"), 2)
    assert envs.metadata["autoreset_mode"] is mode
    envs.reset(seed=4)
    expected.reset(seed=4)
    for _ in range(PERIODS):
        *_, cut, infos = envs.step(np.full(2, 5))
        begun, *_, told = expected.step(np.full(2, 5))
    assert cut.all()
    if mode is AutoresetMode.SAME_STEP:
        return
    np.testing.assert_array_equal(infos["cost"], told["final_info"]["cost"])
    if mode is AutoresetMode.NEXT_STEP:
        seen, rewards, ended, cut, infos = envs.step(np.full(2, 5))
        assert not (rewards.any() or ended.any() or cut.any()) and "cost" not in infos
    else:
        with pytest.raises(InputError, match="the episodes are over; call reset"):
            envs.step(np.full(2, 5))
        seen, _ = envs.reset()
    np.testing.assert_array_equal(seen, begun)
    again, reward, *_ = envs.step(np.full(2, 7))
    also, same, *_ = expected.step(np.full(2, 7))
    np.testing.assert_array_equal(again, also)
    np.testing.assert_array_equal(reward, same)


def test_a_wrapped_batch_keeps_statistics_of_episodes() -> None:
    envs: Any = gym_vector_env(short("lost_sales"), 4)
    wrapped: Any = gymnasium.wrappers.vector.RecordEpisodeStatistics(envs)
    wrapped.reset(seed=0)
    total = np.zeros(4)
    for _ in range(PERIODS):
        _, rewards, _, _, infos = wrapped.step(np.full(4, 5))
        total += rewards
    np.testing.assert_allclose(infos["episode"]["r"], total)


def test_closed_choices_are_masked_where_a_row_does_not_review() -> None:
    game = Game(ALONE["uneven_review"], horizon=10, warm_up=0)
    env, envs, agent = gym_env(game), gym_vector_env(game, 2), game.agents[0]
    parallel, aec = parallel_env(game), aec_env(game)
    _, info = env.reset(seed=0)
    infos = [info, parallel.reset(seed=0)[1][agent]]
    aec.reset(seed=0)
    _, many = envs.reset(seed=0)
    closed = 0
    for _ in range(8):
        (wanted,) = game.action_mask(env.episodes.state, agent) or ()
        for mask in (*(info["action_mask"] for info in infos), aec.infos[agent]["action_mask"], *many["action_mask"]):
            np.testing.assert_array_equal(mask, wanted)
        closed += not wanted.all()
        action = env.action_space.sample(mask=infos[0]["action_mask"])
        infos = [env.step(action)[-1], parallel.step({agent: action})[-1][agent]]
        aec.step(action)
        many = envs.step(np.full(2, action))[-1]
    assert 0 < closed < 8
    assert "action_mask" not in gym_env(short("lost_sales")).reset(seed=0)[1]


@pytest.mark.parametrize("face", [parallel_env, aec_env, gym_env])
def test_images(face: Any) -> None:
    env = face(short("dual_sourcing"), render_mode="rgb_array")
    env.reset(seed=0)
    before = env.render()
    assert before.dtype == np.uint8 and before.ndim == 3 and before.shape[2] == 3
    agent = env.game.agents[0]
    action = np.array([2, 1])
    env.step({agent: action} if face is parallel_env else action)
    after = env.render()
    assert after.shape == before.shape and (after != before).any()
    for twin in (pickle.loads(pickle.dumps(env)), copy.deepcopy(env)):
        np.testing.assert_array_equal(twin.render(), after)


def test_matplotlib_is_imported_only_for_images() -> None:
    code = (
        "import sys; from marl_supply.envs import gym_env; env = gym_env('newsvendor', render_mode='rgb_array');"
        "env.reset(seed=0); before = 'matplotlib' in sys.modules; env.render();"
        "print(before, 'matplotlib' in sys.modules)"
    )
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout.split() == ["False", "True"]


def test_misuse_is_refused_in_a_sentence() -> None:
    for make in (gym_env, gym_vector_env):
        with pytest.raises(
            InputError, match=r'4 agents play; use parallel_env, .* agents=\{"planner": \{"decides": \["'
        ):
            make("beer_game")  # type: ignore[operator]
    with pytest.raises(InputError, match="num_envs: 0 environments"):
        gym_vector_env("lost_sales", 0)
    with pytest.raises(InputError, match="render_mode: many environments at once are not drawn"):
        gym_vector_env("lost_sales", 2, render_mode="ansi")
    envs = gym_vector_env(short("lost_sales"), 2)
    with pytest.raises(InputError, match="no episode is under way; call reset"):
        envs.step(np.zeros(2))
    with pytest.raises(InputError, match="seed: 3 seeds for 2 environments; give one number for all, or one for each"):
        envs.reset(seed=[1, 2, 3])
    with pytest.raises(InputError, match=r"autoreset_mode: no mode 'NextStp' \(did you mean 'NextStep'\?\); use"):
        gym_vector_env("lost_sales", 2, autoreset_mode="NextStp")
    with pytest.raises(InputError, match="all episodes begin and end together"):
        envs.reset(options={"reset_mask": np.array([True, False])})
    envs.reset(seed=0)
    with pytest.raises(ValueError, match="actions of 2 environments have shape"):
        envs.step(np.zeros(3))
    with pytest.raises(ValueError, match="outside its space"):
        envs.step(np.full(2, -1))


def test_one_planner_of_a_chain_of_many_rows() -> None:
    planner = {"planner": {"decides": ["supplier", "retailer"]}}
    envs = gym_vector_env("cachon_zipkin", 3, agents=planner, horizon=4, warm_up=0)
    seen, _ = envs.reset(seed=1)
    actions = envs.action_space.sample()
    assert actions.shape == (3, 2) and envs.step(actions)[1].shape == (3,) and len(seen) == 3

"""RLlib's own algorithms, unmodified, on games through `multi_agent_env`: each trains for two iterations."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("ray")

from marl_supply.errors import InputError  # noqa: E402
from marl_supply.learning.rllib import multi_agent_env  # noqa: E402

pytestmark = pytest.mark.usefixtures("ray_session")

REPLAY = {"type": "MultiAgentPrioritizedEpisodeReplayBuffer", "capacity": 2_000, "alpha": 0.6, "beta": 0.4}


def ppo() -> Any:
    from ray.rllib.algorithms.ppo import PPOConfig

    return PPOConfig().training(train_batch_size_per_learner=40, minibatch_size=20, num_epochs=1)


def impala() -> Any:
    from ray.rllib.algorithms.impala import IMPALAConfig

    return IMPALAConfig().env_runners(rollout_fragment_length=20).training(train_batch_size_per_learner=40)


def dqn() -> Any:
    from ray.rllib.algorithms.dqn import DQNConfig

    return DQNConfig().training(
        replay_buffer_config=REPLAY, num_steps_sampled_before_learning_starts=30, train_batch_size_per_learner=8
    )


def sac() -> Any:
    from ray.rllib.algorithms.sac import SACConfig

    return SACConfig().training(
        replay_buffer_config=REPLAY, num_steps_sampled_before_learning_starts=30, train_batch_size_per_learner=8
    )


def two_iterations(make: Callable[[], Any], chain: str, **game_settings: Any) -> Any:
    """The result of the second iteration, checked: every agent's loss is finite and its weights have moved."""
    from ray.rllib.policy.policy import PolicySpec
    from ray.tune.registry import register_env

    def env(context: Any) -> Any:
        stream = (context.worker_index, context.vector_index)
        return multi_agent_env(chain, flat=True, stream=stream, **game_settings)

    register_env("chain", env)
    agents = multi_agent_env(chain, **game_settings).possible_agents
    config = (
        make()
        .environment("chain")
        .multi_agent(policies={a: PolicySpec() for a in agents}, policy_mapping_fn=lambda agent, *_, **__: agent)
        .env_runners(num_env_runners=0)
        .learners(num_learners=0)
        .reporting(min_time_s_per_iteration=0, min_sample_timesteps_per_iteration=22)
        .debugging(seed=1)
    )
    algorithm = config.build_algo()
    before = {agent: weights(algorithm.get_module(agent)) for agent in agents}
    algorithm.train()
    result = algorithm.train()
    for agent in agents:
        losses = [value for name, value in result["learners"][agent].items() if name.endswith("loss")]
        assert losses and np.isfinite(losses).all()
        after = weights(algorithm.get_module(agent))
        assert any(not np.array_equal(before[agent][name], after[name]) for name in after)
    algorithm.stop()
    return result


def weights(module: Any) -> dict[str, Any]:
    return {name: np.array(value) for name, value in module.get_state().items()}


@pytest.mark.parametrize("make", (ppo, impala))
def test_on_policy_algorithms_train(make: Callable[[], Any]) -> None:
    result = two_iterations(make, "beer_game_uniform", horizon=20)
    assert result["env_runners"]["num_env_steps_sampled_lifetime"] >= 40


@pytest.mark.parametrize("make", (dqn, pytest.param(sac, marks=pytest.mark.slow)))
def test_off_policy_algorithms_train(make: Callable[[], Any]) -> None:
    result = two_iterations(make, "beer_game_uniform", horizon=20)
    assert result["env_runners"]["num_env_steps_sampled_lifetime"] >= 40


def test_dqn_trains_on_two_suppliers() -> None:
    """Several components as one `Discrete` choice."""
    result = two_iterations(dqn, "dual_sourcing", horizon=20, warm_up=0)
    assert result["env_runners"]["num_env_steps_sampled_lifetime"] >= 40


def test_flat_actions_mean_what_their_components_do() -> None:
    flat, plain = (multi_agent_env("dual_sourcing", horizon=6, warm_up=0, flat=flat) for flat in (True, False))
    (agent,) = flat.possible_agents
    rows, columns = plain.action_spaces[agent].nvec
    assert flat.action_spaces[agent].n == rows * columns
    for env in (flat, plain):
        env.reset(seed=4)
    for choice in (0, 5, 31, 60):
        one = flat.step({agent: choice})
        two = plain.step({agent: np.array([choice // columns, choice % columns])})
        assert np.array_equal(one[0][agent], two[0][agent]) and one[1] == two[1]


def test_flat_actions_are_refused_where_there_are_too_many() -> None:
    with pytest.raises(InputError, match="combinations of choices"):
        multi_agent_env("one_warehouse_dual_sourcing_multi_product", flat=True)
    with pytest.raises(InputError, match="not choices"):
        multi_agent_env("serial_alvo", flat=True)

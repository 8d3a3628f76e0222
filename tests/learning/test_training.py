"""Training from outside: it learns, goes on exactly where it stopped, and what it gives plays without ray or torch."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_learner import small

pytest.importorskip("ray")
torch = pytest.importorskip("torch")

from marl_supply.errors import InputError  # noqa: E402
from marl_supply.game.evaluate import evaluate  # noqa: E402
from marl_supply.game.game import Game  # noqa: E402
from marl_supply.learning.held_out import held_out_costs  # noqa: E402
from marl_supply.learning.rllib import GameConfig, multi_agent_env  # noqa: E402
from marl_supply.learning.train import evaluation_updates, train  # noqa: E402
from marl_supply.learning.trained import load_policies, save_policies  # noqa: E402
from marl_supply.policies import seat_everybody  # noqa: E402
from marl_supply.topology import load  # noqa: E402

pytestmark = pytest.mark.usefixtures("ray_session")


def numbers(policies: Any) -> list[Any]:
    """All arrays of some trained policies."""
    return [array for policy in policies.values() for pair in policy.layers for array in pair]


def same(one: Any, two: Any) -> bool:
    """Bitwise equal."""
    return all(np.array_equal(a, b) for a, b in zip(numbers(one), numbers(two), strict=True))


def test_it_learns() -> None:
    """A few seconds of HAPPO bring two copies from a cost of about 60 near the optimum of 7.31."""
    game = Game("cachon_zipkin", reward="shared")
    learner = small(
        "happo",
        restart_after=None,
        replications=128,
        periods=25,
        hidden=(32, 32),
        critic_hidden=(32, 32),
        discount=0.9,
        entropy=0.02,
        epochs=4,
        minibatches=4,
        evaluation_periods=120,
    )
    training = train(game, learner, [0, 1], 100_000)
    costs: dict[int, list[float]] = {}
    for point in training.curve:
        costs.setdefault(point.env_steps, []).append(point.cost)
    assert list(costs) == [0, 51_200, 99_200]
    assert min(costs[0]) > 40
    assert max(costs[99_200]) < 12
    assert training.resumed_from is None
    by_agent = training.curve[-1].by_agent
    assert sum(by_agent.values()) == pytest.approx(training.curve[-1].cost)


class Interrupted(Exception):
    """Stands for Ctrl-C."""


def stop_after(steps: int) -> Any:
    def progress(done: int, planned: int) -> None:
        if done >= steps:
            raise Interrupted

    return progress


@pytest.mark.parametrize("name", (pytest.param("ppo", marks=pytest.mark.slow), "happo"))
def test_resumes_exactly(name: str, tmp_path: Path) -> None:
    """Stopped after the first checkpoint and run again, it ends bitwise where an unbroken run ends."""
    game = Game("beer_game_uniform", reward="shared")
    fixed = {"manufacturer": seat_everybody(game, "forecast_base_stock")["manufacturer"]}
    learner = small(name, evaluations=3)
    budget = learner.rows * 6
    whole = train(game, learner, [1, 2], budget, tmp_path / "whole", fixed=fixed)
    with pytest.raises(Interrupted):
        train(game, learner, [1, 2], budget, tmp_path / "broken", fixed=fixed, progress=stop_after(learner.rows * 3))
    calls: list[int] = []
    follow = lambda done, planned: calls.append(done)  # noqa: E731
    again = train(game, learner, [1, 2], budget, tmp_path / "broken", fixed=fixed, progress=follow)
    assert again.resumed_from == calls[0] == learner.rows * 2
    for seed in (1, 2):
        assert same(whole.policies[seed], again.policies[seed])
    assert [(p.env_steps, p.cost) for p in whole.curve] == [(p.env_steps, p.cost) for p in again.curve]
    assert "manufacturer" not in again.policies[1]
    with pytest.raises(InputError, match="another training"):
        train(game, learner, [1, 3], budget, tmp_path / "broken", fixed=fixed)
    checkpoint = tmp_path / "broken" / "checkpoint.pt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-2000])
    with pytest.raises(InputError, match="cut off or damaged"):
        train(game, learner, [1, 2], budget, tmp_path / "broken", fixed=fixed)


def test_rllib_checkpoints_restore_exactly(tmp_path: Path) -> None:
    """RLlib's own checkpoint, as Tune uses it."""
    learner = small("happo")
    config = GameConfig().play(Game("beer_game_uniform", reward="shared"), learner, [1], learner.rows * 10)
    algorithm = config.build_algo()
    for _ in range(2):
        algorithm.train()
    algorithm.save_to_path(tmp_path / "checkpoint")
    for _ in range(2):
        algorithm.train()
    again = config.build_algo()
    again.restore_from_path(tmp_path / "checkpoint")
    for _ in range(2):
        again.train()
    for agent in config.interface().agents:
        pairs = zip(algorithm.get_module(agent).parameters(), again.get_module(agent).parameters(), strict=True)
        assert all(torch.equal(one, two) for one, two in pairs)
    algorithm.stop()
    again.stop()


@pytest.fixture(scope="module")
def trained(ray_session: None) -> Any:
    """A short training on two games, one with several components."""
    found = {}
    for name, (topology, settings) in PLAYED.items():
        game = Game(topology, horizon=40, warm_up=10)
        learner = small(settings.pop("learner", "ppo"), restart_after=None, evaluation_periods=40, **settings)
        found[name] = (game, learner, train(game, learner, [3], learner.rows * 4))
    return found


PLAYED: dict[str, tuple[str, dict[str, Any]]] = {
    "cachon_zipkin": ("cachon_zipkin", {}),
    "network_2x3": ("network_2x3", {}),
    "residual": (
        "serial_liu_merton",
        {"base": "proportional_order_up_to", "head": "gaussian", "smoothing": (0.3, 0.1), "history": 3},
    ),
    "uneven_review": ("uneven_review", {"base": "base_stock", "smoothing": (0.2,)}),
    "one_actor": ("beer_game_uniform", {"learner": "mappo", "share": "all", "history": 2}),
}


@pytest.mark.parametrize("name", PLAYED)
def test_policies_play_what_was_trained(trained: Any, name: str, tmp_path: Path) -> None:
    """The exported policy costs what the networks cost on the same streams; reloaded it is bitwise the same."""
    game, learner, training = trained[name]
    policies = training.policies[3]
    path = tmp_path / "seed_3.npz"
    save_policies(path, policies)
    reloaded = load_policies(path)
    assert same(policies, reloaded)
    for agent, policy in policies.items():
        assert json.loads(json.dumps(policy.description())) == json.loads(json.dumps(reloaded[agent].description()))
    from marl_supply.learning.streams import HELD_OUT

    found = evaluate(game, reloaded, replications=64, seed=HELD_OUT)
    last = training.curve[-1].by_agent
    divisor = 30 if game.criterion == "average" else 1
    for agent, total in found.by_agent.items():
        assert total / divisor == pytest.approx(last[agent], rel=2e-3)


@pytest.mark.parametrize("name", PLAYED)
def test_the_batch_changes_nothing(trained: Any, name: str) -> None:
    """Batches of 1, 7 and 100 replications give bitwise the same costs."""
    game, _, training = trained[name]
    found = [evaluate(game, training.policies[3], replications=30, seed=1, batch=batch) for batch in (1, 7, 100)]
    assert np.array_equal(found[0].total, found[1].total)
    assert np.array_equal(found[0].total, found[2].total)


def test_policies_need_neither_ray_nor_torch(trained: Any, tmp_path: Path) -> None:
    game, _, training = trained["cachon_zipkin"]
    save_policies(tmp_path / "seed.npz", training.policies[3])
    script = (
        "import sys\n"
        "from marl_supply.game.game import Game\n"
        "from marl_supply.game.evaluate import evaluate\n"
        "from marl_supply.learning.trained import load_policies\n"
        f"game = Game('cachon_zipkin', horizon=40, warm_up=10)\n"
        f"evaluate(game, load_policies({str(tmp_path / 'seed.npz')!r}), replications=3)\n"
        "print('ray' in sys.modules, 'torch' in sys.modules)\n"
    )
    import os

    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "False"], done.stderr


def test_a_policy_plays_every_seat_that_sees_the_same() -> None:
    """A distributor's policy in the wholesaler's seat; in the manufacturer's, with a longer pipeline, it is refused."""
    game = Game("beer_game_uniform", horizon=20)
    learner = small("ppo", evaluations=1)
    policies = train(game, learner, [1], learner.rows).policies[1]
    others = dict.fromkeys(("wholesaler", "distributor", "retailer"), policies["distributor"])
    assert evaluate(game, {**policies, **others}, replications=4).total.shape == (4,)
    with pytest.raises(InputError, match="numbers of pipeline, and 'manufacturer' sees 2"):
        evaluate(game, dict.fromkeys(game.agents, policies["distributor"]), replications=4)


def test_bad_files_are_one_sentence(trained: Any, tmp_path: Path) -> None:
    game, _, training = trained["cachon_zipkin"]
    path = tmp_path / "seed.npz"
    save_policies(path, training.policies[3])
    whole = path.read_bytes()
    for size in (0, 10, 500, len(whole) // 2, len(whole) - 30):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError, match="not a whole file of trained policies"):
            load_policies(path)
    with pytest.raises(InputError, match="no such file"):
        load_policies(tmp_path / "nothing.npz")
    np.savez(tmp_path / "foreign.npz", a=np.arange(3))
    with pytest.raises(InputError, match="not a whole file of trained policies"):
        load_policies(tmp_path / "foreign.npz")
    with pytest.raises(InputError, match="trained on 2 numbers of on_hand, and .manufacturer. sees 4"):
        strange = Game("beer_game", horizon=5, observe="full")
        evaluate(strange, dict.fromkeys(strange.agents, training.policies[3]["retailer"]))
    other = Game(load("cachon_zipkin", ["nodes.retailer.demand.mean=6"]), horizon=5, warm_up=0)
    with pytest.raises(InputError, match="choices"):
        evaluate(other, training.policies[3])


def test_evaluations_are_spread_evenly() -> None:
    assert evaluation_updates(10, 5) == {2, 4, 6, 8, 10}
    assert evaluation_updates(3, 10) >= {3}


def test_held_out_demand_is_common_to_all_copies() -> None:
    """Copies that play alike cost alike."""
    game = Game("beer_game_uniform", horizon=20)
    costs = held_out_costs(game, small("ppo"), [0, 1, 2], lambda view: np.full((4, 3, 64, 1), 9))
    assert np.ptp(costs, axis=1).max() == 0


def test_adapter_keeps_the_order_and_ends_together() -> None:
    game = Game("beer_game", horizon=6)
    env = multi_agent_env(game, render_mode="ansi")
    plain = multi_agent_env(game, scaled=False)
    observations, _ = env.reset(seed=4)
    units, _ = plain.reset(seed=4)
    assert list(observations) == env.possible_agents == list(game.agents)
    assert all(env.observation_spaces[a].contains(o) for a, o in observations.items())
    np.testing.assert_allclose(plain.state(), env.state())
    assert not np.array_equal(units["retailer"], observations["retailer"])
    for period in range(6):
        actions = {agent: space.n // 2 for agent, space in env.action_spaces.items()}
        _, rewards, terminated, truncated, _ = env.step(actions)
        assert truncated["__all__"] == (period == 5) and not terminated["__all__"]
    assert list(rewards) == env.possible_agents and env.agents == []
    assert isinstance(env.render(), str)
    workers = (1, 1, 2, 3, 4, 5)
    starts = [multi_agent_env("beer_game_uniform", stream=(worker,)).reset(seed=1)[0]["retailer"] for worker in workers]
    assert np.array_equal(starts[0], starts[1]) and np.ptp(starts, axis=0).max() > 0


def test_rllibs_own_ppo_trains_on_a_game() -> None:
    """Unmodified PPO, a policy for each agent, one iteration."""
    from ray.rllib.algorithms.ppo import PPOConfig
    from ray.rllib.policy.policy import PolicySpec
    from ray.tune.registry import register_env

    register_env("chain", lambda context: multi_agent_env("beer_game", horizon=20))
    agents = multi_agent_env("beer_game").possible_agents
    config = (
        PPOConfig()
        .environment("chain")
        .multi_agent(policies={a: PolicySpec() for a in agents}, policy_mapping_fn=lambda agent, *_, **__: agent)
        .env_runners(num_env_runners=0)
        .training(train_batch_size_per_learner=60, minibatch_size=30, num_epochs=1)
        .debugging(seed=1)
    )
    algorithm = config.build_algo()
    result = algorithm.train()
    assert set(agents) < set(result["learners"])
    assert result["env_runners"]["num_env_steps_sampled"] >= 60
    assert np.isfinite(result["env_runners"]["episode_return_mean"])
    algorithm.stop()

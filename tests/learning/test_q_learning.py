"""Deep Q-learning: targets in plain numpy, copies against single runs, exact resumption, and a game it learns."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("ray")
torch = pytest.importorskip("torch")

from marl_supply.errors import InputError  # noqa: E402
from marl_supply.game.evaluate import evaluate  # noqa: E402
from marl_supply.game.game import Game  # noqa: E402
from marl_supply.learning.learners.dqn import DQN  # noqa: E402
from marl_supply.learning.rllib.q_learning.algorithm import QConfig  # noqa: E402
from marl_supply.learning.rllib.q_learning.replay import Draw  # noqa: E402
from marl_supply.learning.rllib.q_learning.runner import AGES, CUT, FEEDBACK  # noqa: E402
from marl_supply.learning.rllib.q_learning.trainer import QTrainer  # noqa: E402
from marl_supply.learning.settings import learner_from  # noqa: E402
from marl_supply.learning.streams import HELD_OUT  # noqa: E402
from marl_supply.learning.train import train  # noqa: E402
from marl_supply.learning.trained import load_policies, save_policies  # noqa: E402
from marl_supply.policies import seat_everybody  # noqa: E402

pytestmark = pytest.mark.usefixtures("ray_session")

SMALL: dict[str, Any] = {
    "replications": 32,
    "periods": 20,
    "hidden": (8, 8),
    "restart_after": 14,
    "replay": 2_000,
    "learning_starts": 0,
    "gradient_steps": 4,
    "batch": 32,
    "target_every": 2,
    "target_rate": 1.0,
    "returns": 1,
    "evaluations": 2,
    "evaluation_replications": 64,
    "evaluation_periods": 30,
}


def small(**changes: Any) -> DQN:
    return DQN(**{**SMALL, **changes})


def trainer_of(learner: DQN, seeds: list[int], reward: str = "individual", **options: Any) -> QTrainer:
    game = Game("beer_game_uniform", reward=reward)
    return QTrainer(game, learner, seeds, learner.rows * 10, options.pop("fixed", {}), **options)


def layers_of(module: Any) -> list[tuple[Any, Any]]:
    return [(weight.detach().numpy(), bias.detach().numpy()) for weight, bias in module.network.layers()]


def values_of(layers: Any, copy: int, inputs: Any) -> Any:
    value = inputs.astype(np.float64)
    for number, (weight, bias) in enumerate(layers):
        value = value @ weight[copy].astype(np.float64) + bias[copy]
        value = np.maximum(value, 0) if number < len(layers) - 1 else value
    return value


@pytest.mark.parametrize("double", (True, False))
def test_targets_by_hand(double: bool) -> None:
    """Rewards, discounts up to the n-th period or the cut, and the next value, also where a game was cut."""
    learner = small(double=double, centre=False, returns=3, target_every=3)
    trainer = trainer_of(learner, [5, 6])
    for _ in range(4):
        trainer.update()
    inside: Any = trainer.algorithm.learner_group._learner
    draw: Draw = inside.replay.draw(400, np.random.default_rng(0))
    deviation = inside.replay.deviation()
    np.testing.assert_allclose(np.unique(draw.discount), [0.99**3, 0.99**2, 0.99], rtol=1e-6)
    found = inside.targets(draw, deviation).numpy().reshape(4, 2, 400)
    online = {agent: layers_of(inside.module[agent]) for agent in trainer.interface.agents}
    target = [[part.numpy().reshape(4, 2, *part.shape[1:]) for part in layer] for layer in inside._target]
    for number, agent in enumerate(trainer.interface.agents):
        own = [(weight[number], bias[number]) for weight, bias in target]
        for copy in range(2):
            later = values_of(own, copy, draw.following[:, number, copy])
            chosen = values_of(online[agent], copy, draw.following[:, number, copy]) if double else later
            value = np.take_along_axis(later, chosen.argmax(-1)[:, None], 1)[:, 0]
            expected = draw.rewards[:, number, copy] / deviation[number, copy] + draw.discount * value
            np.testing.assert_allclose(found[number, copy], expected, atol=2e-4, rtol=2e-4)
            assert np.abs(own[0][0][copy] - online[agent][0][0][copy]).max() > 1e-5  # the target network lags
    trainer.stop()


def test_samples_say_what_was_played() -> None:
    """Ages, cuts, what follows and the feedback of a game, from RLlib's batch alone."""
    learner = small(feedback=3.0)
    trainer = trainer_of(learner, [5, 6])
    runner = trainer.algorithm.env_runner
    parts = [runner.sample().policy_batches for _ in range(2)]
    agents = trainer.interface.agents

    def joined(agent: str, column: str) -> Any:
        shaped = [part[agent][column].reshape(32, 20, *part[agent][column].shape[1:]) for part in parts]
        return np.concatenate(shaped, axis=1)

    cut, ages = joined(agents[0], CUT), joined(agents[0], AGES)
    assert cut.sum() == 32 * 2 + 16  # groups are cut after 7, 21, 35 and 14, 28 periods
    assert ages.max() == 13 and (ages[:, 1:][~cut[:, :-1]] == ages[:, :-1][~cut[:, :-1]] + 1).all()
    assert (ages[:, 1:][cut[:, :-1]] == 0).all()
    rewards = {agent: joined(agent, "rewards").astype(float) for agent in agents}
    for agent in agents:
        seen, following = joined(agent, "obs"), joined(agent, "new_obs")
        going = ~cut[:, :-1]
        assert np.array_equal(following[:, :-1][going], seen[:, 1:][going])
        assert not np.array_equal(following[:, :-1][cut[:, :-1]], seen[:, 1:][cut[:, :-1]])
        feedback = joined(agent, FEEDBACK)
        assert (feedback[~cut] == 0).all()
        for chain, period in np.argwhere(cut):
            game = slice(period - ages[chain, period], period + 1)
            others = sum(rewards[a][chain, game].mean(0) for a in agents if a != agent)
            np.testing.assert_allclose(feedback[chain, period], 3 / 3 * others, rtol=1e-4)
    trainer.stop()


def test_a_copy_is_its_single_run() -> None:
    """Weights after four updates, within rounding, with every setting on."""
    learner = small(returns=2, feedback=5.0)
    both, alone = trainer_of(learner, [7, 8]), trainer_of(learner, [8])
    for _ in range(4):
        both.update()
        alone.update()
    for agent, layers in both.layers().items():
        for (weight, bias), (single_weight, single_bias) in zip(layers, alone.layers()[agent], strict=True):
            np.testing.assert_allclose(weight[1], single_weight[0], atol=1e-5)
            np.testing.assert_allclose(bias[1], single_bias[0], atol=1e-5)
            assert not np.allclose(weight[0], weight[1], atol=1e-3)
    both.stop()
    alone.stop()


@pytest.mark.slow
def test_runners_share_the_work_and_change_nothing() -> None:
    learner = small(feedback=5.0)
    here, there = trainer_of(learner, [3]), trainer_of(learner, [3], env_runners=2)
    for _ in range(3):
        here.update()
        there.update()
    for agent, layers in here.layers().items():
        for (weight, _), (other, _) in zip(layers, there.layers()[agent], strict=True):
            np.testing.assert_allclose(weight, other, atol=1e-5)
    here.stop()
    there.stop()


class Interrupted(Exception):
    """Stands for Ctrl-C."""


def numbers(policies: Any) -> list[Any]:
    return [array for policy in policies.values() for pair in policy.layers for array in pair]


def test_resumes_exactly(tmp_path: Path) -> None:
    """Stopped after the first checkpoint and run again, it ends bitwise where an unbroken run ends, replay included."""
    game = Game("beer_game_uniform", reward="individual")
    fixed = {"manufacturer": seat_everybody(game, "sterman")["manufacturer"]}
    learner = small(evaluations=3, feedback=2.0)
    budget = learner.rows * 6
    whole = train(game, learner, [1, 2], budget, tmp_path / "whole", fixed=fixed)

    def stop(done: int, planned: int) -> None:
        if done >= learner.rows * 3:
            raise Interrupted

    with pytest.raises(Interrupted):
        train(game, learner, [1, 2], budget, tmp_path / "broken", fixed=fixed, progress=stop)
    again = train(game, learner, [1, 2], budget, tmp_path / "broken", fixed=fixed)
    assert again.resumed_from == learner.rows * 2
    for seed in (1, 2):
        pairs = zip(numbers(whole.policies[seed]), numbers(again.policies[seed]), strict=True)
        assert all(np.array_equal(one, two) for one, two in pairs)
    assert [(p.env_steps, p.cost) for p in whole.curve] == [(p.env_steps, p.cost) for p in again.curve]


def test_rllib_checkpoints_restore_exactly(tmp_path: Path) -> None:
    learner = small()
    config = QConfig().play(Game("beer_game_uniform", reward="shared"), learner, [1], learner.rows * 10)
    algorithm = config.build_algo()
    for _ in range(3):
        algorithm.train()
    algorithm.save_to_path(tmp_path / "checkpoint")
    again = config.build_algo()
    again.restore_from_path(tmp_path / "checkpoint")
    for _ in range(2):
        algorithm.train()
        again.train()
    for agent in config.interface().agents:
        pairs = zip(algorithm.get_module(agent).parameters(), again.get_module(agent).parameters(), strict=True)
        assert all(torch.equal(one, two) for one, two in pairs)
    algorithm.stop()
    again.stop()


@pytest.mark.parametrize("history", (0, 4))
def test_policies_play_what_was_trained(history: int, tmp_path: Path) -> None:
    """The exported policy, with what it remembers, costs what the networks cost on the same streams, in any batch."""
    game = Game("beer_game_uniform", horizon=40)
    learner = small(history=history, restart_after=40)
    training = train(game, learner, [3], learner.rows * 3)
    save_policies(tmp_path / "seed_3.npz", training.policies[3])
    policies = load_policies(tmp_path / "seed_3.npz")
    found = evaluate(game, policies, replications=64, seed=HELD_OUT)
    divisor = 40 if game.criterion == "average" else 1
    for agent, total in found.by_agent.items():
        assert total / divisor == pytest.approx(training.curve[-1].by_agent[agent], rel=2e-3)
    small_batches = evaluate(game, policies, replications=64, seed=HELD_OUT, batch=7)
    assert np.array_equal(found.total, small_batches.total)


def test_the_target_network_follows() -> None:
    """A tenth of the way after every second update, and it is what `layers` gives."""
    trainer = trainer_of(small(target_rate=0.1), [5])
    inside: Any = trainer.algorithm.learner_group._learner
    first = trainer.layers()["retailer"][0][0]
    trainer.update()
    assert np.array_equal(trainer.layers()["retailer"][0][0], first)
    trainer.update()
    online = inside.module["retailer"].network.layers()[0][0].detach().numpy()
    assert np.abs(online - first).max() > 1e-3
    np.testing.assert_allclose(trainer.layers()["retailer"][0][0], 0.9 * first + 0.1 * online, atol=1e-6)
    trainer.stop()


@pytest.mark.slow
def test_it_learns_a_seat() -> None:
    """A retailer among base-stock players, both copies: total cost within 10% of all base-stock (long-run optimal)."""
    game = Game("beer_game_basic", reward="shared", criterion="total")
    players = seat_everybody(game, "base_stock")
    fixed = {agent: player for agent, player in players.items() if agent != "retailer"}
    training = train(game, DQN(evaluations=4), [0, 1], 120_000, fixed=fixed)
    best = evaluate(game, players, 500).figure
    for policies in training.policies.values():
        assert evaluate(game, {**fixed, **policies}, 500).figure < 1.1 * best


@pytest.mark.slow
def test_it_learns_lost_sales() -> None:
    """Seconds bring two copies from hundreds to within a tenth of the capped base stock, 4.40, near the optimum."""
    game = Game("lost_sales")
    learner = DQN(
        replications=16,
        hidden=(32, 32),
        discount=0.9,
        returns=3,
        target_rate=0.3,
        learning_rate=2e-3,
        last_epsilon=0.1,
        restart_after=30,
        evaluations=3,
        evaluation_periods=150,
        evaluation_replications=64,
    )
    training = train(game, learner, [0, 1], 30_000)
    assert min(point.cost for point in training.curve if point.env_steps == 0) > 300
    for policies in training.policies.values():
        assert evaluate(game, policies, 300).figure < 1.1 * 4.40


def test_settings_are_checked() -> None:
    assert learner_from(small(history=5).to_dict()) == small(history=5)
    assert DQN(first_epsilon=0.6, last_epsilon=0.2, epsilon_share=0.5).epsilon(0.25) == pytest.approx(0.4)
    with pytest.raises(InputError, match="holds them already"):
        QConfig().play(Game("beer_game_uniform", reward="shared"), small(feedback=1.0))
    with pytest.raises(InputError, match="replay: 10 transitions"):
        DQN(replay=10)
    with pytest.raises(InputError, match="decides 2 numbers"):
        QConfig().play(Game("network_2x3"), small())

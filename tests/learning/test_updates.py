"""What learners compute, recomputed in plain numpy from RLlib's batch; copies against single runs; order and hashes."""

import hashlib
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from small_learner import small

pytest.importorskip("ray")
torch = pytest.importorskip("torch")

from marl_supply.game.game import Game  # noqa: E402
from marl_supply.learning.rllib.learner import PERMUTATIONS, SequentialLearner  # noqa: E402
from marl_supply.learning.rllib.modules import CRITIC  # noqa: E402
from marl_supply.learning.rllib.runner import CUT, ENDS, FINAL  # noqa: E402
from marl_supply.learning.rllib.trainer import OnPolicyTrainer as Trainer  # noqa: E402

pytestmark = pytest.mark.usefixtures("ray_session")


def trainer_of(topology: str, learner: Any, seeds: list[int], reward: Any = "shared", **options: Any) -> Trainer:
    game = Game(topology, reward=reward)
    return Trainer(game, learner, seeds, learner.rows * 10, options.pop("fixed", {}), **options)


def layers_of(module: Any) -> list[tuple[Any, Any]]:
    pairs = [(w.detach().numpy(), b.detach().numpy()) for w, b in module.network.layers()]
    return [(w.astype(np.float64), b.astype(np.float64)) for w, b in pairs]


def forward(layers: list[tuple[Any, Any]], copy: int, inputs: Any) -> Any:
    value = inputs.astype(np.float64)
    for number, (weight, bias) in enumerate(layers):
        value = value @ weight[copy] + bias[copy]
        if number < len(layers) - 1:
            value = np.maximum(value, 0)
    return value


def probabilities(layers: list[tuple[Any, Any]], prior: Any, copy: int, part: Any) -> Any:
    """(N,) probability of the actions taken, the product over components."""
    scores = forward(layers, copy, part["obs"][:, copy]).reshape(-1, *prior.shape) + prior
    scores -= scores.max(-1, keepdims=True)
    shares = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    return np.take_along_axis(shares, part["actions"][:, copy][..., None], -1)[..., 0].prod(-1)


def standard_advantages(trainer: Trainer, parts: Any, critic: Any, party: int, copy: int) -> Any:
    """(N,) advantages of one copy by loops over chains and periods; the moments are those of a first update."""
    settings, agents = trainer.learner, trainer.interface.agents
    place = party * len(trainer.seeds) + copy
    value = forward(critic, place, parts[CRITIC]["obs"][:, copy])[:, 0]
    final = forward(critic, place, parts[CRITIC][FINAL][:, copy])[:, 0]
    reward = parts[agents[party]]["rewards"][:, copy].astype(np.float64)
    cut, ends = parts[CRITIC][CUT], parts[CRITIC][ENDS]
    estimates, running = np.zeros(len(value)), 0.0
    for row in reversed(range(len(value))):
        following = final[row] if ends[row] else value[row + 1]
        if ends[row]:
            running = 0.0
        error = reward[row] + settings.discount * following - value[row]
        running = error + settings.discount * settings.trace * running
        estimates[row] = running
    assert cut.sum() > 0 and ends.sum() > cut.sum()
    return (estimates - estimates.mean()) / (estimates.std(ddof=1) + 1e-8)


@pytest.mark.parametrize("reward", ("shared", {"blend": 0.5}))
def test_advantages_and_m_by_hand(reward: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """HAPPO's agents are updated on A x M, M the product of the new to old probabilities of the agents before."""
    learner = small("happo", learning_rate=0.02, epochs=4)
    trainer = trainer_of("beer_game_uniform", learner, [5, 6], reward)
    inside: Any = trainer.algorithm.learner_group._learner
    runner = trainer.algorithm.env_runner
    agents = trainer.interface.agents
    batch = runner.sample()
    old = {agent: layers_of(inside.module[agent]) for agent in agents}
    critic = layers_of(inside.module[CRITIC])
    used: dict[int, Any] = {}
    order: list[int] = []
    plain = SequentialLearner.objective

    def spy(self: Any, logits: Any, data: Any, rows: Any, numbers: slice, advantage: Any) -> Any:
        if numbers.start not in used:
            order.append(numbers.start)
            used[numbers.start] = advantage[0].numpy().copy()
        return plain(self, logits, data, rows, numbers, advantage)

    monkeypatch.setattr(SequentialLearner, "objective", spy)
    inside.update(batch=batch)
    new = {agent: layers_of(inside.module[agent]) for agent in agents}
    parts = batch.policy_batches
    shuffle = np.random.default_rng([PERMUTATIONS, 1]).permutation(learner.rows)
    assert sorted(order) == [0, 1, 2, 3]
    spreads = []
    for copy in range(2):
        change = np.ones(learner.rows)
        for number in order:
            agent = agents[number]
            party = 0 if reward == "shared" else number
            expected = standard_advantages(trainer, parts, critic, party, copy) * change
            np.testing.assert_allclose(used[number][copy], expected[shuffle], atol=2e-5, rtol=2e-5)
            prior = trainer.interface.prior[number]
            change = change * (
                probabilities(new[agent], prior, copy, parts[agent])
                / probabilities(old[agent], prior, copy, parts[agent])
            )
            spreads.append(change.std())
    assert min(spreads) > 0.02  # a missing M would be seen
    trainer.stop()


@pytest.mark.parametrize("name", ("ppo", "happo"))
@pytest.mark.parametrize("topology", ("beer_game_uniform", "network_2x3"))
def test_a_copy_is_its_single_run(name: str, topology: str) -> None:
    """Weights after four updates, within rounding."""
    both = trainer_of(topology, small(name), [7, 8], "individual")
    alone = trainer_of(topology, small(name), [8], "individual")
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
    """Two remote runners give the batch that one process gives, within rounding."""
    here = trainer_of("beer_game_uniform", small("ppo"), [3])
    there = trainer_of("beer_game_uniform", small("ppo"), [3], env_runners=2)
    for _ in range(3):
        here.update()
        there.update()
    for agent, layers in here.layers().items():
        for (weight, _), (other, _) in zip(layers, there.layers()[agent], strict=True):
            np.testing.assert_allclose(weight, other, atol=1e-5)
    saved = there.get_state()
    there.update()
    expected = there.layers()
    there.stop()
    again = trainer_of("beer_game_uniform", small("ppo"), [3], env_runners=2)
    again.set_state(saved)
    again.update()
    assert digest(expected) == digest(again.layers())
    again.stop()
    here.stop()


def test_only_the_agents_to_train_change() -> None:
    """`policies_to_train` freezes an actor; the others learn, and it has no part in M."""
    from marl_supply.learning.rllib.algorithm import GameConfig

    game = Game("beer_game_uniform", reward="shared")
    config = GameConfig().play(game, small("happo"), [1], 10_000)
    config.multi_agent(policies_to_train=["retailer", "wholesaler", CRITIC])
    algorithm = config.build_algo()
    before = {agent: layers_of(algorithm.get_module(agent)) for agent in game.agents}
    algorithm.train()
    changed = [
        agent
        for agent in game.agents
        if not np.array_equal(before[agent][0][0], layers_of(algorithm.get_module(agent))[0][0])
    ]
    assert changed == ["wholesaler", "retailer"]
    algorithm.stop()


def digest(layers: Any) -> str:
    """A hash of all weights."""
    parts = [array.tobytes() for own in layers.values() for pair in own for array in pair]
    return hashlib.sha256(b"".join(parts)).hexdigest()


SCRIPT = """
from small_learner import small
from marl_supply.game.game import Game
from marl_supply.learning.rllib.trainer import OnPolicyTrainer as Trainer
import hashlib
learner = small("happo")
trainer = Trainer(Game("beer_game_uniform", reward="shared"), learner, [0, 1], learner.rows * 10, {})
for _ in range(2):
    trainer.update()
parts = [array.tobytes() for own in trainer.layers().values() for pair in own for array in pair]
print("DIGEST", hashlib.sha256(b"".join(parts)).hexdigest())
"""


@pytest.mark.slow
def test_the_hash_seed_changes_nothing() -> None:
    """Bitwise the same weights in another process with another PYTHONHASHSEED."""
    trainer = trainer_of("beer_game_uniform", small("happo"), [0, 1])
    for _ in range(2):
        trainer.update()
    here = digest(trainer.layers())
    trainer.stop()
    environment = {**os.environ, "PYTHONHASHSEED": "12345", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, timeout=300)
    assert f"DIGEST {here}" in done.stdout, done.stderr[-2000:]

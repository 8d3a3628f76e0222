"""A3C: gradients recomputed by hand, who is how late, copies and resumption, and workers that die."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_learner import small

pytest.importorskip("ray")
torch = pytest.importorskip("torch")

from marl_supply.errors import InputError  # noqa: E402
from marl_supply.game.game import Game  # noqa: E402
from marl_supply.learning.checkpoint import load_checkpoint, save_checkpoint  # noqa: E402
from marl_supply.learning.learners.a3c import A3C  # noqa: E402
from marl_supply.learning.learners.ppo import PPO  # noqa: E402
from marl_supply.learning.rllib.a3c.algorithm import A3CConfig  # noqa: E402
from marl_supply.learning.rllib.a3c.learner import A3CLearner  # noqa: E402
from marl_supply.learning.rllib.a3c.trainer import A3CTrainer as Trainer  # noqa: E402
from marl_supply.learning.rllib.modules import CRITIC  # noqa: E402
from marl_supply.learning.rllib.runner import ENDS, FINAL, HIGHEST  # noqa: E402
from marl_supply.learning.settings import learner_named  # noqa: E402
from marl_supply.learning.train import train  # noqa: E402
from marl_supply.topology import load  # noqa: E402

pytestmark = pytest.mark.usefixtures("ray_session")

SMALL = {
    "replications": 32,
    "periods": 12,
    "hidden": (8, 8),
    "critic_hidden": (8, 8),
    "restart_after": 14,
    "evaluations": 2,
    "evaluation_replications": 64,
    "evaluation_periods": 30,
}


def little(**changes: Any) -> A3C:
    """An A3C that takes a moment; chains are cut within each sample."""
    return learner_named("a3c", {**SMALL, **changes})


def trainer_of(topology: str, seeds: list[int], reward: Any = "shared", learner: Any = None, **options: Any) -> Trainer:
    learner = learner or little()
    return Trainer(Game(topology, reward=reward), learner, seeds, learner.rows * 10, {}, **options)


def forward(layers: list[Any], copy: int, inputs: Any) -> Any:
    value = torch.tensor(inputs, dtype=torch.float64)
    for number, (weight, bias) in enumerate(layers):
        value = value @ weight[copy] + bias[copy]
        if number < len(layers) - 1:
            value = value.relu()
    return value


def doubled(module: Any) -> list[Any]:
    pairs = module.network.layers()
    return [tuple(p.detach().double().requires_grad_() for p in pair) for pair in pairs]


def returns_by_hand(reward: Any, value: Any, final: Any, ends: Any, discount: float) -> Any:
    """Discounted rewards up to the end of the trajectory, and the value of the state it ended in."""
    found, following = np.zeros(len(reward)), 0.0
    for row in reversed(range(len(reward))):
        following = reward[row] + discount * (final[row] if ends[row] else following)
        found[row] = following
    return found


def loss_by_hand(trainer: Trainer, sampled: Any, actors: Any, critics: Any, copy: int) -> Any:
    """Mnih et al. (2016), algorithm S3, agent by agent; the moments of the targets are those of a first sample."""
    parts, interface, settings = sampled.policy_batches, trainer.interface, trainer.learner
    total = torch.zeros((), dtype=torch.float64)
    for number, agent in enumerate(interface.agents):
        part, party = parts[agent], number if settings.critic == "own" else min(number, interface.parties - 1)
        seen = parts[CRITIC]["obs"][:, copy], parts[CRITIC][FINAL][:, copy]
        if settings.critic == "own":
            pads = np.tile([0.0, 1.0], (len(seen[0]), 1))
            seen = tuple(np.concatenate([state, pads], 1)[:, interface.seen[number]] for state in seen)
        place = party * len(trainer.seeds) + copy
        value, final = (forward(critics, place, state)[:, 0] for state in seen)
        reward = part["rewards"][:, copy].astype(np.float64)
        past = value.detach().numpy(), final.detach().numpy()
        target = torch.tensor(returns_by_hand(reward, *past, parts[CRITIC][ENDS], settings.discount))
        mean, deviation = target.mean(), target.std(unbiased=False).clamp(min=0.01)
        if settings.critic == "own" or number == party:
            total = total + 0.5 * (value - (target - mean) / deviation).square().mean()
        scores = forward(actors[agent], copy, part["obs"][:, copy]).view(len(target), *interface.prior.shape[1:])
        scores = scores + torch.tensor(interface.prior[number])
        if HIGHEST in part:
            highest = torch.tensor(part[HIGHEST][:, copy])
            closed = torch.arange(scores.shape[-1]) > highest[..., None]
            scores = scores.masked_fill(closed, -1e9)
        logs = scores.log_softmax(-1)
        taken = logs.gather(-1, torch.tensor(part["actions"][:, copy])[..., None])[..., 0].sum(-1)
        uncertainty = -(logs.exp() * logs).sum((-1, -2))
        gain = taken * (target - torch.tensor(past[0])) / deviation + settings.entropy * uncertainty
        if HIGHEST in part:
            gain = gain[(highest > 0).any(-1)]
        total = total - gain.mean()
    return total


@pytest.mark.parametrize(
    ("topology", "critic"), (("cachon_zipkin", "own"), ("uneven_review", "own"), ("beer_game_uniform", "state"))
)
def test_a_gradient_by_hand(topology: str, critic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a worker sends is the gradient of the policy gradient's loss on its own sample, written out."""
    reward = "shared" if critic == "state" else "individual"
    trainer = trainer_of(topology, [5, 6], reward, little(critic=critic, entropy=0.05))
    runner = trainer.algorithm.contributors._runners[1]
    samples: list[Any] = []
    plain = runner.sample
    monkeypatch.setattr(runner, "sample", lambda: samples.append(plain()) or samples[-1])
    for name, module in runner.module.items():  # the first weights of an actor's last layer are nearly 0
        noise = np.random.default_rng(len(name))
        for parameter in module.parameters():
            parameter.data += torch.from_numpy(0.3 * noise.standard_normal(parameter.shape).astype(np.float32))
    runner._stack()
    actors = {agent: doubled(runner.module[agent]) for agent in trainer.interface.agents}
    critics = doubled(runner.module[CRITIC])
    unchanged = {name: [p.clone() for p in module.parameters()] for name, module in runner.module.items()}
    sent = runner.sample_and_grad()
    loss = sum(loss_by_hand(trainer, samples[0], actors, critics, copy) for copy in range(2))
    loss.backward()
    ends = samples[0].policy_batches[CRITIC][ENDS]
    assert sent.env_steps == len(ends) == trainer.learner.rows // 4 and ends.sum() > 8
    for name, layers in {**actors, CRITIC: critics}.items():
        own = [p.grad.numpy() for p, _ in layers] + [p.grad.numpy() for _, p in layers]
        for found, expected in zip(sent.arrays[name], own, strict=True):
            np.testing.assert_allclose(found, expected, atol=3e-5, rtol=1e-3)
            assert np.abs(expected).max() > 1e-4
        assert all(map(torch.equal, unchanged[name], runner.module[name].parameters()))
    trainer.stop()


def test_workers_are_as_late_as_there_are_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a first round nobody has new weights; then each gradient is three updates old, and the steps add up."""
    trainer = trainer_of("cachon_zipkin", [0], learner=little(workers=4))
    lags = []
    plain = A3CLearner.apply_gradient

    def spy(self: Any, gradient: Any) -> Any:
        lags.append(self._weights_seq_no - gradient.version)
        return plain(self, gradient)

    monkeypatch.setattr(A3CLearner, "apply_gradient", spy)
    for _ in range(3):
        trainer.update()
    assert lags == [0, 1, 2, 3] + [3] * 8
    assert trainer.gradient_lag == 3
    metrics = trainer.algorithm.metrics
    assert metrics.peek(("env_runners", "num_env_steps_sampled_lifetime")) == 3 * trainer.learner.rows
    newest = trainer.algorithm.weights().arrays
    for name, module in trainer.algorithm.env_runner.module.items():
        for tensor, array in zip(module.state_dict().values(), newest[name], strict=True):
            np.testing.assert_array_equal(tensor.numpy(), array)
    trainer.stop()


@pytest.mark.parametrize("optimizer", ("rmsprop", "adam"))
def test_a_copy_is_its_single_run(optimizer: str) -> None:
    """Weights after four updates, within rounding."""
    learner = little(optimizer=optimizer)
    both, alone = (trainer_of("beer_game_uniform", seeds, "individual", learner) for seeds in ([7, 8], [8]))
    for _ in range(4):
        both.update()
        alone.update()
    single = alone.layers()
    for agent, layers in both.layers().items():
        for (weight, bias), (single_weight, single_bias) in zip(layers, single[agent], strict=True):
            np.testing.assert_allclose(weight[1], single_weight[0], atol=2e-5)
            np.testing.assert_allclose(bias[1], single_bias[0], atol=2e-5)
            assert not np.allclose(weight[0], weight[1], atol=1e-3)
    both.stop()
    alone.stop()


def flat(trainer: Trainer) -> list[Any]:
    return [array for own in trainer.algorithm.weights().arrays.values() for array in own]


def test_it_goes_on_bitwise(tmp_path: Path) -> None:
    """From a checkpoint on disk, in a trainer that has done nothing."""
    one, two = (trainer_of("uneven_review", [1, 2]) for _ in range(2))
    for _ in range(2):
        one.update()
    save_checkpoint(tmp_path / "state.pt", one.get_state())
    for _ in range(2):
        one.update()
    expected = [array.copy() for array in flat(one)]
    two.set_state(load_checkpoint(tmp_path / "state.pt"))
    assert not any(map(np.array_equal, flat(two)[:-3], expected))
    for _ in range(2):
        two.update()
    assert all(map(np.array_equal, flat(two), expected))
    with pytest.raises(InputError, match="go on with the same number"):  # a state of two remote runners
        two.set_state({**two.get_state(), "arenas": {1: {}, 2: {}}})
    one.stop()
    two.stop()


@pytest.mark.slow
def test_it_learns() -> None:
    """A few seconds bring two copies on lost sales from 20 below a constant order (5.27; optimum 4.40)."""
    changes = {"discount": 0.9, "evaluations": 1, "evaluation_periods": 200, "restart_after": 50}
    training = train(Game(load("lost_sales")), learner_named("a3c", changes), [0, 1], 100_000)
    first, last = ([p.cost for p in training.curve if (p.env_steps > 0) == later] for later in (False, True))
    assert min(first) > 10
    assert min(last) > 4.3 and max(last) < 5.27


def test_other_heads_and_frozen_actors() -> None:
    """Shared actors, Gaussian heads and bases take their steps; `policies_to_train` leaves an actor alone."""
    several = {"share": "all"}, {"head": "gaussian", "base": "base_stock"}
    for changes in several:
        trainer = trainer_of("beer_game_uniform", [0], learner=little(**changes))
        before = [array.copy() for array in flat(trainer)]
        trainer.update()
        assert not any(map(np.array_equal, before, flat(trainer)))
        trainer.stop()
    config = A3CConfig().play(Game("beer_game_uniform", reward="shared"), little(), [1], 10_000)
    config.multi_agent(policies_to_train=["retailer", CRITIC])
    algorithm = config.build_algo()
    before = {name: own[0].copy() for name, own in algorithm.weights().arrays.items()}
    algorithm.train()
    after = algorithm.weights().arrays
    assert [name for name in before if not np.array_equal(before[name], after[name][0])] == ["retailer", CRITIC]
    algorithm.stop()


def test_user_errors_are_one_sentence() -> None:
    with pytest.raises(InputError, match="do not divide among 5 workers"):
        little(workers=5)
    with pytest.raises(InputError, match="did you mean 'rmsprop'"):
        little(optimizer="rmsprob")
    with pytest.raises(InputError, match="no setting 'clip'"):
        little(clip=0.2)
    with pytest.raises(InputError, match="not asynchronous"):
        A3CConfig().play(Game("cachon_zipkin"), small("ppo"))
    assert not isinstance(little(), PPO)
    with pytest.raises(InputError, match="cannot apply gradients in one order"):
        trainer_of("cachon_zipkin", [0], learners=2)


@pytest.mark.slow
def test_a_worker_that_dies_is_replaced() -> None:
    """One of two remote runners is killed with a request under way: all steps are made, and it comes back."""
    import ray

    trainer = trainer_of("beer_game_uniform", [3], env_runners=2, learner=little(periods=40))
    group = trainer.algorithm.env_runner_group
    trainer.update()
    first = flat(trainer)[0].copy()
    ray.kill(group._worker_manager.actors()[1], no_restart=False)
    updates, until = 1, time.monotonic() + 120
    while group.num_remote_worker_restarts() == 0 and time.monotonic() < until:
        trainer.update()
        updates += 1
    assert group.num_remote_worker_restarts() == 1
    for _ in range(3):
        trainer.update()
    updates += 3
    assert group.num_healthy_remote_env_runners() == 2
    weights = trainer.algorithm.weights()
    assert weights.version == 2 * updates
    trained = trainer.algorithm.metrics.peek(("learners", "__all_modules__", "num_env_steps_trained_lifetime"))
    assert trained == updates * trainer.learner.rows
    assert not np.array_equal(first, flat(trainer)[0])
    assert 0 <= trainer.gradient_lag < 4
    state = trainer.get_state()
    trainer.stop()
    again = trainer_of("beer_game_uniform", [3], env_runners=2, learner=little(periods=40))
    again.set_state(state)
    assert again.algorithm.weights().version == 2 * updates
    again.update()
    assert again.algorithm.weights().version == 2 * updates + 2
    again.stop()

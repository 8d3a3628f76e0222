"""Several learners share a batch and make the steps that one alone would make."""

import threading
from typing import Any

import numpy as np
import pytest
from small_learner import small

pytest.importorskip("ray")
torch = pytest.importorskip("torch")

from ray.rllib.utils.minibatch_utils import ShardBatchIterator  # noqa: E402

from marl_supply.errors import InputError  # noqa: E402
from marl_supply.game.game import Game  # noqa: E402
from marl_supply.learning.objectives import Moments, mean_over, standardised  # noqa: E402
from marl_supply.learning.rllib.algorithm import GameConfig  # noqa: E402
from marl_supply.learning.rllib.modules import CRITIC  # noqa: E402
from marl_supply.learning.rllib.runner import BatchedEnvRunner  # noqa: E402
from marl_supply.learning.rllib.trainer import OnPolicyTrainer as Trainer  # noqa: E402

pytestmark = pytest.mark.usefixtures("ray_session")


class Meeting:
    """Adds up what threads bring, as `torch.distributed` does for processes."""

    def __init__(self, members: int) -> None:
        self.barrier = threading.Barrier(members, timeout=30)
        self.brought: list[Any] = [None] * members

    def total(self, member: int, values: Any) -> Any:
        self.brought[member] = values.clone()
        self.barrier.wait()
        summed = sum(self.brought[1:], self.brought[0])
        self.barrier.wait()
        return summed

    def run(self, work: Any) -> list[Any]:
        """The results of ``work(member)`` in as many threads as there are members."""
        found: list[Any] = [None] * len(self.brought)

        def keep(member: int) -> None:
            found[member] = work(member)

        threads = [threading.Thread(target=keep, args=(member,)) for member in range(len(found))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return found


def test_statistics_are_those_of_all_rows() -> None:
    """Standardised advantages, means and moments of two shards of unequal counts are those of the whole."""
    values = torch.randn(3, 2, 40) * 5 + 2
    counted = torch.rand(3, 2, 40) < 0.4
    parts = values.split(20, -1), counted.split(20, -1)
    meeting = Meeting(2)

    def shard(member: int) -> Any:
        own, kept = parts[0][member], parts[1][member]
        moments = Moments(2)
        total = lambda numbers: meeting.total(member, numbers)  # noqa: E731
        results = standardised(own, None, total), standardised(own, kept, total), mean_over(own, kept, total)
        moments.update(own[0], total)
        return *results, torch.cat(moments.current())

    one, two = meeting.run(shard)
    assert not torch.equal(parts[1][0].sum(-1), parts[1][1].sum(-1))
    spread = values.std(-1, keepdim=True)
    np.testing.assert_allclose(
        torch.cat([one[0], two[0]], -1), (values - values.mean(-1, keepdim=True)) / spread, atol=1e-5
    )
    for place in np.ndindex(3, 2):
        kept = values[place][counted[place]]
        expected = torch.where(counted[place], (values[place] - kept.mean()) / kept.std(), 0.0)
        np.testing.assert_allclose(torch.cat([one[1], two[1]], -1)[place], expected, atol=1e-5)
        np.testing.assert_allclose(one[2][place], kept.mean(), rtol=1e-5)
    whole = Moments(2)
    whole.update(values[0])
    for found in (one[3], two[3]):
        np.testing.assert_allclose(found, torch.cat(whole.current()), rtol=1e-4)


def learner_of(config: Any, learners: int, index: int) -> Any:
    config = config.copy(copy_frozen=False)
    config.learners(num_learners=learners)
    made = config.learner_class(config=config, module_spec=config.get_multi_rl_module_spec())
    made._learner_index = index
    made.build()
    return made


@pytest.mark.parametrize(("name", "topology"), (("ppo", "uneven_review"), ("happo", "beer_game_uniform")))
def test_two_learners_step_as_one(name: str, topology: str) -> None:
    """Two updates of two shards, minibatches and masks included, end at the weights of one learner."""
    game, settings = Game(topology, reward="shared"), small(name, minibatches=3)
    config = GameConfig().play(game, settings, [3, 4], settings.rows * 10)
    runner = BatchedEnvRunner(config=config, worker_index=0, num_workers=0)
    batches = [runner.sample() for _ in range(2)]
    alone = learner_of(config, 0, 0)
    critic = alone.networks.critic.network.weights
    first = [weight.detach().clone() for weight in critic]
    meeting = Meeting(2)
    pair = [learner_of(config, 2, index) for index in range(2)]
    for index, learner in enumerate(pair):
        learner.networks.total = learner.total = lambda values, index=index: meeting.total(index, values)
    for batch in batches:
        alone.update(batch=batch)
        shards = list(ShardBatchIterator(batch, 2))
        assert all(shard.env_steps() == settings.rows // 2 for shard in shards)
        assert all(shard.policy_batches[CRITIC]["ends"][-1] for shard in shards)  # of whole chains
        meeting.run(lambda index, shards=shards: pair[index].update(batch=shards[index]) and None)
    for learner in pair:
        states = zip(alone.module.items(), learner.module.items(), strict=True)
        for (_, one), (_, other) in states:
            for expected, found in zip(one.state_dict().values(), other.state_dict().values(), strict=True):
                np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    assert all(abs(old - new).max() > 1e-3 for old, new in zip(first, critic, strict=True))


def test_shards_hold_whole_chains() -> None:
    with pytest.raises(InputError, match="32 replications do not divide among 3 learners"):
        Trainer(Game("cachon_zipkin"), small("ppo"), [0], 10_000, {}, learners=3)


@pytest.mark.slow
@pytest.mark.parametrize("name", ("ppo", "happo"))
def test_remote_learners_agree(name: str) -> None:
    """`learners` 0, 1 and 2 end at the same weights within 1e-5 after full-batch epochs; the last resumes."""
    game, learner = Game("beer_game_uniform", reward={"blend": 0.5}), small(name, minibatches=1)
    ended: dict[int, Any] = {}
    for learners in (0, 1, 2):
        trainer = Trainer(game, learner, [3, 8], learner.rows * 10, {}, learners=learners)
        began = trainer.layers()
        for _ in range(3):
            trainer.update()
        ended[learners] = trainer.layers()
        for agent, layers in ended[0].items():
            for pair, others, firsts in zip(layers, ended[learners][agent], began[agent], strict=True):
                for expected, found, first in zip(pair, others, firsts, strict=True):
                    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
                    assert np.abs(expected - first).max() > 1e-3
        saved = trainer.get_state()
        trainer.update()
        expected = trainer.layers()
        trainer.stop()
    again = Trainer(game, learner, [3, 8], learner.rows * 10, {}, learners=2)
    again.set_state(saved)
    again.update()
    for agent, layers in again.layers().items():
        for pair, others in zip(layers, expected[agent], strict=True):
            assert all(map(np.array_equal, pair, others))
    again.stop()

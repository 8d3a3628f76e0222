"""Runners, nodes, the learner's process and the driver are killed: the training ends as if nothing had happened."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from small_learner import small
from three_nodes import NODE, finish, kill, start, three_nodes, until, workers

pytest.importorskip("ray")

from marl_supply.game.game import Game  # noqa: E402
from marl_supply.learning.rllib import BatchedEnvRunner, GameConfig  # noqa: E402
from marl_supply.learning.rllib.shares import Shares  # noqa: E402

STEPS = 38_400
EXPERIMENT = f"""
name: faults
topology: beer_game_uniform
game: {{horizon: 20}}
compare:
  team: {{learner: happo, reward: shared}}
train:
  {{env_steps: {STEPS}, seeds: 2, env_runners: 1, replications: 32, periods: 10, hidden: [8], critic_hidden: [8],
   evaluations: 24, evaluation_replications: 16}}
evaluate: {{replications: 30}}
"""


class Group:
    """Stands for RLlib's group of runners: they live here, and die when they are told to."""

    def __init__(self, config: GameConfig) -> None:
        self.config = config
        self.local_env_runner = BatchedEnvRunner(config=config, worker_index=0, num_workers=2)
        self.runners = {number: self.new(number) for number in (1, 2)}
        self.dead: set[int] = set()

    def new(self, number: int) -> BatchedEnvRunner:
        return BatchedEnvRunner(config=self.config, worker_index=number, num_workers=2)

    def num_remote_env_runners(self) -> int:
        return len(self.runners)

    def foreach_env_runner(
        self,
        func: Any,
        *,
        kwargs: Any = None,
        remote_worker_ids: Any = None,
        local_env_runner: bool = True,
        timeout_seconds: float | None = None,
    ) -> list[Any]:
        alive = [self.runners[n] for n in remote_worker_ids or self.runners if n not in self.dead]
        return [getattr(r, func)(**kwargs) if isinstance(func, str) else func(r) for r in alive]


def test_a_lost_share_is_sampled_again_bit_for_bit() -> None:
    """A runner that dies, stays away, and comes back with nothing changes no number of any batch."""
    config = GameConfig().play(Game("beer_game_uniform", reward="shared"), small("ppo"), [1, 2], 10_000)
    whole, broken = Shares(Group(config), config), Shares(Group(config), config)
    for update in range(5):
        if update == 1:
            broken.group.dead = {2}
        if update == 3:
            broken.group.dead, broken.group.runners[2] = set(), broken.group.new(2)
        for (one, _, arena), (two, _, other) in zip(whole.sample(), broken.sample(), strict=True):
            assert one.env_steps() == two.env_steps() == 16 * 20
            for name, part in one.policy_batches.items():
                assert all(np.array_equal(part[key], two.policy_batches[name][key]) for key in part)
            assert arena["clock"] == other["clock"] == 20 * (update + 1)
    assert (whole.redone, broken.redone) == (0, 2)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with three_nodes(tmp_path_factory.mktemp("nodes")) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same experiment on this machine, without a cluster and without a fault."""
    place = tmp_path_factory.mktemp("unbroken")
    (place / "faults.yaml").write_text(EXPERIMENT)
    folder, _ = finish(start(["run", "faults.yaml", "--set", "train.env_runners=0"], place))
    return place / folder


def curve(folder: Path) -> dict[str, list[Any]]:
    table: dict[str, list[Any]] = pq.read_table(folder / "rows" / "team" / "curve.parquet").to_pydict()
    del table["seconds"]
    return table


def same(one: Path, two: Path) -> None:
    """The learning curve, the policies and the scores are equal to the last bit."""
    assert curve(one) == curve(two)
    assert max(curve(one)["env_steps"]) == STEPS
    for seed in (0, 1):
        pair = [np.load(folder / "rows" / "team" / "training" / f"seed_{seed}.npz") for folder in (one, two)]
        assert pair[0].files == pair[1].files
        assert all(np.array_equal(pair[0][name], pair[1][name]) for name in pair[0].files)
    pair = [pq.read_table(folder / "episodes.parquet") for folder in (one, two)]
    assert pair[0].equals(pair[1])


@pytest.mark.slow
@pytest.mark.parametrize("victim", ("runner", "node", "row", "driver"))
def test_a_kill_changes_nothing(victim: str, cluster: Any, unbroken: Path, tmp_path: Path) -> None:
    (tmp_path / "faults.yaml").write_text(EXPERIMENT)
    arguments = ["run", "faults.yaml", "--on", cluster.address]
    process = start(arguments, tmp_path)
    until(lambda: process.poll() is not None or list(tmp_path.rglob("checkpoint.pt")))
    assert process.poll() is None, process.communicate()
    if victim == "driver":
        process.kill()
        process.wait()
        until(lambda: not workers(cluster, "ray::_Worker"))  # they end with their driver
        process = start(arguments, tmp_path)
    elif victim == "node":
        node = next(n for n in workers(cluster, "ray::").values() if n is not cluster.head_node)
        cluster.remove_node(node, allow_graceful=False)
        cluster.add_node(**NODE)
    else:
        title = {"runner": "ray::BatchedEnvRunner", "row": "ray::_Worker"}[victim]
        victims = workers(cluster, title)
        assert victims, "the training was over before anything could be killed; give it more steps"
        kill(next(iter(victims)))
    folder, said = finish(process)
    if victim == "row":
        assert "team: lost because" in said and "goes on from its checkpoint at step" in said
    if victim == "driver":
        assert "training goes on from its checkpoint at step" in said
    same(unbroken, tmp_path / folder)


RULE = '''
import os

from marl_supply.policies.base_stock import BaseStock
from marl_supply.simulation.state import Decisions

if "IN_THE_DRIVER" not in os.environ and "runtime_resources" not in __file__:
    raise ImportError("this is the file of the machine that the run was started on")


class OneMore(BaseStock):
    """Base-stock, and one on top."""

    def act(self, observation, memory):
        decisions, memory = super().act(observation, memory)
        return Decisions(order_up_to=decisions.order_up_to + 1), memory
'''
CHAIN = """
name: mine
nodes:
  factory: {kind: source}
  depot: {on_hand: 8, holding_cost: 1.0, backorder_cost: 3.0}
  shop: {on_hand: 8, holding_cost: 1.0, backorder_cost: 9.0}
edges:
  - {from: factory, to: depot, lead_time: 1}
  - {from: depot, to: shop, lead_time: 1}
markets:
  town: {served_by: [shop], process: trace, file: data/town.csv, column: units, mode: windows, window: 20}
game: {horizon: 20, actions: {kind: demand_plus, spread: 4}}
"""
MINE = """
name: mine
topology: mine.yaml
compare:
  rule: {policy: "my_rules.more:OneMore"}
  trained: {learner: ppo, reward: shared, seats: {depot: "my_rules.more:OneMore"}}
train: {env_steps: 1280, seeds: 1, env_runners: 1, replications: 32, periods: 10, evaluations: 2, loggers: []}
evaluate: {replications: 30}
"""


@pytest.mark.slow
def test_the_users_own_chain_data_and_policy_travel(cluster: Any, tmp_path: Path) -> None:
    """The nodes were started in another directory; the files lie in a third, beside none of them."""
    user, elsewhere = tmp_path / "user", tmp_path / "elsewhere"
    for place in (user / "data", user / "my_rules", elsewhere):
        place.mkdir(parents=True)
    (user / "my_rules" / "__init__.py").write_text("")
    (user / "my_rules" / "more.py").write_text(RULE)
    (user / "mine.yaml").write_text(CHAIN)
    (user / "experiment.yaml").write_text(MINE)
    demand = np.random.default_rng(1).poisson(4, 200)
    (user / "data" / "town.csv").write_text("units\n" + "\n".join(map(str, demand)) + "\n")
    found = []
    for number, options in enumerate((["--set", "train.env_runners=0"], ["--on", cluster.address])):
        arguments = ["run", "../user/experiment.yaml", "--results", f"results_{number}", *options]
        folder, _ = finish(start(arguments, elsewhere, [user]))
        found.append(pq.read_table(elsewhere / folder / "episodes.parquet"))
    assert found[0].equals(found[1])


@pytest.mark.slow
def test_a_cluster_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "faults.yaml").write_text(EXPERIMENT)
    started = time.monotonic()
    process = start(["run", "faults.yaml", "--on", "127.0.0.1:9"], tmp_path)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2 and "nobody answers there" in said and len(said.splitlines()) == 1
    assert time.monotonic() - started < 30 and not (tmp_path / "results").exists()

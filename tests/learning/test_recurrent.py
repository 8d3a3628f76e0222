"""Recurrent actors: the unit by hand, what learners recompute against what was played, memory kept, saved and used."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_learner import small

pytest.importorskip("ray")
torch = pytest.importorskip("torch")

from scipy import stats  # noqa: E402

from marl_supply.errors import InputError  # noqa: E402
from marl_supply.game.evaluate import evaluate  # noqa: E402
from marl_supply.game.game import Game  # noqa: E402
from marl_supply.learning.networks import log_probability  # noqa: E402
from marl_supply.learning.recurrent import RecurrentNetwork, propagate_period, propagate_windows  # noqa: E402
from marl_supply.learning.rllib.modules import CRITIC, MEMORY  # noqa: E402
from marl_supply.learning.rllib.runner import COMPONENT_ARENA, CUT  # noqa: E402
from marl_supply.learning.rllib.trainer import OnPolicyTrainer as Trainer  # noqa: E402
from marl_supply.learning.streams import HELD_OUT  # noqa: E402
from marl_supply.learning.train import train  # noqa: E402
from marl_supply.learning.trained import load_policies, save_policies  # noqa: E402
from marl_supply.learning.trained.recurrent_policy import RecurrentPolicy  # noqa: E402
from marl_supply.topology.file import Topology  # noqa: E402

pytestmark = pytest.mark.usefixtures("ray_session")

RECURRENT = {"recurrent": 6, "window": 5}


def trainer_of(topology: str, learner: Any, seeds: list[int], **options: Any) -> Trainer:
    return Trainer(Game(topology, reward="shared"), learner, seeds, learner.rows * 10, {}, **options)


def logistic(value: Any) -> Any:
    return 1 / (1 + np.exp(-value))


def by_hand(layers: list[tuple[Any, Any]], copy: int, inputs: Any, memory: Any) -> tuple[Any, Any]:
    """(out,) and (H,) of one row and period, number by number in double precision."""
    pairs = [(w[copy].detach().numpy().astype(float), b[copy, 0].detach().numpy().astype(float)) for w, b in layers]
    *hidden, (seen, seen_bias), (recalled, recalled_bias), (last, last_bias) = pairs
    for weight, bias in hidden:
        inputs = np.maximum(inputs @ weight + bias, 0)
    width, after = len(memory), []
    for unit in range(width):
        reset, keep, new = (inputs @ seen[:, gate * width + unit] + seen_bias[gate * width + unit] for gate in range(3))
        products = [memory @ recalled[:, gate * width + unit] + recalled_bias[gate * width + unit] for gate in range(3)]
        keep = logistic(keep + products[1])
        new = np.tanh(new + logistic(reset + products[0]) * products[2])
        after.append(keep * memory[unit] + (1 - keep) * new)
    return np.array(after) @ last + last_bias, np.array(after)


@pytest.fixture()
def network() -> RecurrentNetwork:
    """Two copies, with biases that are not 0."""
    network = RecurrentNetwork((4, 7, 5, 3, 2), [(0, "one"), (1, "one")], 1.0)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for bias in network.biases:
            bias.add_(torch.randn(bias.shape, generator=generator))
    return network


def test_the_unit_by_hand(network: RecurrentNetwork) -> None:
    """Period by period and by windows, with an episode that begins anew, against loops over numbers."""
    rng = np.random.default_rng(1)
    inputs = rng.standard_normal((2, 3, 6, 4)).astype(np.float32)  # copies, windows, periods
    start = rng.uniform(-1, 1, (2, 3, 3)).astype(np.float32)
    going = np.ones((3, 6), dtype=np.float32)
    going[1, 4] = going[2, 0] = 0
    with torch.no_grad():
        flat = torch.from_numpy(inputs.reshape(2, 18, 4))
        found = propagate_windows(network.layers(), flat, torch.from_numpy(start), torch.from_numpy(going)).numpy()
    memory: Any = torch.from_numpy(start)
    for copy, window in np.ndindex(2, 3):
        remembered = start[copy, window].astype(float)
        for period in range(6):
            remembered = remembered * going[window, period]
            numbers, remembered = by_hand(network.layers(), copy, inputs[copy, window, period], remembered)
            np.testing.assert_allclose(found[copy, window * 6 + period], numbers, atol=1e-5)
    for period in range(6):
        memory = memory * torch.from_numpy(going[:, period, None])
        with torch.no_grad():
            out, memory = propagate_period(network.layers(), torch.from_numpy(inputs[:, :, period]), memory)
        np.testing.assert_allclose(out.numpy(), found.reshape(2, 3, 6, 2)[:, :, period], atol=1e-6)


def test_gradients_reach_back_to_the_start_of_a_window(network: RecurrentNetwork) -> None:
    """And to where an episode begins, not before."""
    inputs = torch.randn(2, 12, 4, generator=torch.Generator().manual_seed(1), requires_grad=True)
    going = torch.ones(2, 6)
    going[1, 3] = 0
    propagate_windows(network.layers(), inputs, torch.zeros(2, 2, 3), going)[:, [5, 11]].sum().backward()
    assert inputs.grad is not None
    felt = (inputs.grad.view(2, 2, 6, 4) != 0).any(-1).all(0)
    assert felt.tolist() == [[True] * 6, [False] * 3 + [True] * 3]


def recomputed(trainer: Trainer, batch: Any, going: bool = True, memory: bool = True) -> float:
    """Greatest difference of the learner's log probabilities from those recorded, windows in another order."""
    inside: Any = trainer.algorithm.learner_group._learner
    agents = list(trainer.interface.agents)
    window = trainer.learner.together
    data = inside.prepare(batch, agents)
    data = data.shuffled(np.random.default_rng(1).permutation(trainer.learner.rows // window), window)
    data.going = data.going if going else torch.ones_like(data.going)
    data.memory = data.memory if memory else torch.zeros_like(data.memory)
    last, rows = slice(len(agents) - 1, len(agents)), slice(3 * window, 7 * window)
    with torch.no_grad():
        whole = inside.networks.logits(agents, data, slice(0, len(agents)))
        part = inside.networks.logits(agents[last], data, last, rows)
    assert torch.allclose(whole[last, :, rows], part, atol=1e-5)
    taken, _ = log_probability(whole, data.actions)
    return float((taken - data.log_probabilities).abs().max())


@pytest.mark.parametrize(("name", "topology"), (("happo", "beer_game_uniform"), ("ppo", "uneven_review")))
def test_learners_recompute_what_was_played(name: str, topology: str) -> None:
    """Within rounding, across cuts and for windows that begin with what older weights remembered; not by chance."""
    trainer = trainer_of(topology, small(name, learning_rate=0.03, gradient_clip=5.0, **RECURRENT), [5, 6])
    runner = trainer.algorithm.env_runner
    assert recomputed(trainer, runner.sample()) < 1e-5
    for _ in range(3):
        trainer.update()
    batch = runner.sample()
    parts = batch.policy_batches
    assert parts[CRITIC][CUT].reshape(-1, 5)[:, :-1].any()
    remembered = parts[trainer.interface.agents[0]][MEMORY].reshape(32, 20, 2, 6)
    assert np.abs(remembered[:, 0]).max() > 0.1
    begun = parts[CRITIC][CUT].reshape(32, 20)[:, :-1]
    assert not remembered[:, 1:][begun].any() and remembered[:, 1:][~begun].all()
    assert recomputed(trainer, batch) < 1e-5
    assert recomputed(trainer, batch, going=False) > 1e-3
    assert recomputed(trainer, batch, memory=False) > 1e-3
    trainer.stop()


@pytest.mark.parametrize("name", ("ppo", "happo"))
def test_a_copy_is_its_single_run(name: str) -> None:
    """Weights after three updates, within rounding."""
    both = trainer_of("beer_game_uniform", small(name, **RECURRENT), [7, 8])
    alone = trainer_of("beer_game_uniform", small(name, **RECURRENT), [8])
    for _ in range(3):
        both.update()
        alone.update()
    for agent, layers in both.layers().items():
        for (weight, bias), (single_weight, single_bias) in zip(layers, alone.layers()[agent], strict=True):
            np.testing.assert_allclose(weight[1], single_weight[0], atol=1e-5)
            np.testing.assert_allclose(bias[1], single_bias[0], atol=1e-5)
            assert not np.allclose(weight[0], weight[1], atol=1e-3)
    both.stop()
    alone.stop()


def test_evaluations_begin_with_nothing_and_disturb_nothing() -> None:
    """Twice the same costs, also after play; what chains remember in training stays."""
    trainer = trainer_of("beer_game_uniform", small("happo", learning_rate=0.02, **RECURRENT), [1])
    trainer.update()
    runner = trainer.algorithm.env_runner
    before = runner.get_state()[COMPONENT_ARENA][MEMORY]
    costs = trainer.greedy_costs()
    assert before.any() and np.array_equal(before, runner.get_state()[COMPONENT_ARENA][MEMORY])
    runner.sample()
    assert np.array_equal(costs, trainer.greedy_costs())
    trainer.stop()


class Interrupted(Exception):
    """Stands for Ctrl-C."""


def same(one: Any, two: Any) -> bool:
    """Bitwise equal weights."""
    numbers = [[array for policy in each.values() for pair in policy.layers for array in pair] for each in (one, two)]
    return all(np.array_equal(a, b) for a, b in zip(*numbers, strict=True))


def test_resumes_exactly(tmp_path: Path) -> None:
    """Stopped after a checkpoint and run again, it ends bitwise where an unbroken run ends."""
    game = Game("beer_game_uniform", reward="shared")
    learner = small("happo", evaluations=2, **RECURRENT)

    def stop(done: int, planned: int) -> None:
        if done >= learner.rows * 3:
            raise Interrupted

    whole = train(game, learner, [1, 2], learner.rows * 4)
    with pytest.raises(Interrupted):
        train(game, learner, [1, 2], learner.rows * 4, tmp_path, progress=stop)
    again = train(game, learner, [1, 2], learner.rows * 4, tmp_path)
    assert again.resumed_from == learner.rows * 2
    assert all(same(whole.policies[seed], again.policies[seed]) for seed in (1, 2))
    assert [(p.env_steps, p.cost) for p in whole.curve] == [(p.env_steps, p.cost) for p in again.curve]


PLAYED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "residual": ("serial_liu_merton", "ppo", {"base": "proportional_order_up_to", "head": "gaussian", "history": 2}),
    "uneven_review": ("uneven_review", "ppo", {"base": "base_stock"}),
    "one_actor": ("beer_game_uniform", "mappo", {"share": "all"}),
}


@pytest.mark.parametrize("played", PLAYED)
def test_policies_play_what_was_trained(played: str, tmp_path: Path) -> None:
    """The exported policy costs what the networks cost on the same streams, reloaded and in batches of any size."""
    topology, name, settings = PLAYED[played]
    game = Game(topology, horizon=40, warm_up=10)
    settings |= {"learning_rate": 0.02, "restart_after": None, "evaluation_periods": 40, "evaluations": 1}
    learner = small(name, **RECURRENT, **settings)
    training = train(game, learner, [3], learner.rows * 4)
    save_policies(tmp_path / "seed_3.npz", training.policies[3])
    reloaded = load_policies(tmp_path / "seed_3.npz")
    assert same(training.policies[3], reloaded)
    assert all(isinstance(policy, RecurrentPolicy) for policy in reloaded.values())
    found = evaluate(game, reloaded, replications=64, seed=HELD_OUT)
    divisor = 30 if game.criterion == "average" else 1
    for agent, total in found.by_agent.items():
        assert total / divisor == pytest.approx(training.curve[-1].by_agent[agent], rel=2e-3)
    totals = [evaluate(game, reloaded, replications=30, seed=1, batch=batch).total for batch in (1, 7, 100)]
    assert np.array_equal(totals[0], totals[1]) and np.array_equal(totals[0], totals[2])


EVERY_FOURTH = {
    "name": "every_fourth",
    "nodes": {
        "source": {"kind": "source"},
        "store": {
            "holding_cost": 1,
            "lost_sale_cost": 5,
            "demand": {
                "process": "markov_modulated",
                "means": [0, 0, 0, 6],
                "transition": [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0]],
                "unmet": "lost",
            },
        },
    },
    "edges": [{"from": "source", "to": "store", "lead_time": 0, "order_limit": 12}],
    "game": {"horizon": 60, "warm_up": 20, "criterion": "average", "actions": "quantity", "observe": "local"},
}
"""Customers come in every fourth period only; who counts the periods since, need not hold stock for the others."""


@pytest.mark.slow
def test_memory_is_worth_something() -> None:
    """With a unit it costs little more than knowing the day (2.1), without one nearly twice as much on the same budget.

    Knowing the day, it is a newsvendor: what is left over waits four periods, what is missing is lost once in four.
    """
    game = Game(Topology.from_dict(EVERY_FOURTH))
    settings = {"base": "base_stock", "base_parameters": {"store": 4}, "reach": 4.0, "restart_after": 40, "window": 20}
    settings |= {"hidden": (16,), "critic_hidden": (32,), "discount": 0.9, "entropy": 0.01, "learning_rate": 0.01}
    settings |= {"replications": 64, "epochs": 4, "minibatches": 4, "evaluations": 1, "evaluation_periods": 60}
    costs = {}
    for width in (0, 8):
        training = train(game, small("ppo", recurrent=width, **settings), [0, 1], 50_000)
        costs[width] = [point.cost for point in training.curve if point.env_steps]
    demand, chances = np.arange(40), stats.poisson.pmf(np.arange(40), 6)
    left = [(np.maximum(level - demand, 0) + 5 / 4 * np.maximum(demand - level, 0)) @ chances for level in range(13)]
    assert min(left) - 0.15 < min(costs[8]) and max(costs[8]) < 1.3 * min(left)
    assert min(costs[0]) > 1.5 * min(left)


def test_windows_must_fit() -> None:
    with pytest.raises(InputError, match="window: 7 does not divide 20 periods"):
        small("ppo", recurrent=4, window=7)
    with pytest.raises(InputError, match="more than there are windows"):
        small("ppo", recurrent=4, window=20, minibatches=33)
    with pytest.raises(InputError, match="recurrent: -1 is below 0"):
        small("ppo", recurrent=-1)
    assert small("ppo", window=7).together == 1

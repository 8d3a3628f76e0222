"""Differentiable learning: true derivatives, whose costs they are of, copies, resuming, policies that play alike."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from marl_supply.errors import InputError  # noqa: E402
from marl_supply.game.evaluate import evaluate  # noqa: E402
from marl_supply.game.game import Game  # noqa: E402
from marl_supply.learning.differentiable.actors import SeatActor  # noqa: E402
from marl_supply.learning.differentiable.decided import rounded  # noqa: E402
from marl_supply.learning.differentiable.episode import episode_costs  # noqa: E402
from marl_supply.learning.differentiable.generalise import (  # noqa: E402
    GeneralTrainer,
    random_serial_games,
    random_two_store_games,
    seat_everybody,
)
from marl_supply.learning.differentiable.trainer import DifferentiableTrainer as Trainer  # noqa: E402
from marl_supply.learning.differentiable.trainer import gradients_of  # noqa: E402
from marl_supply.learning.learners.differentiable import Differentiable  # noqa: E402
from marl_supply.learning.trained.graph_policy import GraphPolicy  # noqa: E402
from marl_supply.learning.trained.seat_policy import SeatPolicy  # noqa: E402
from marl_supply.simulation.torch_arrays import TorchArrays  # noqa: E402
from marl_supply.solvers.markov.markov_chain import evaluate_exactly  # noqa: E402
from marl_supply.topology import load  # noqa: E402
from marl_supply.topology.generators import serial, single  # noqa: E402

NORMAL = {"process": "normal", "mean": 5, "sd": 2, "round": False}
SMALL = Differentiable(
    replications=16, periods=6, warm_up=3, hidden=(8, 8), evaluation_replications=8, evaluation_periods=9
)


def two_stages(**settings: Any) -> Game:
    """Two agents in series, each with costs of its own, in continuous units."""
    chain = load(serial([1, 2], [1.0, 0.5], 9.0, NORMAL), {"units": "continuous", "nodes.stage_2.backorder_cost": 2})
    return Game(chain, **settings)


def costs_of(actor: SeatActor, game: Game, columns: int = 6) -> Any:
    """(A, 1) mean costs of some episodes in double precision."""
    noise = game.randomness(columns, 4)
    arrays = TorchArrays("cpu", torch.float64)
    costs = episode_costs(game, actor, actor.head, noise, columns, 0, 12, arrays)
    return costs.mean(1, keepdim=True)


def slope(actor: SeatActor, game: Game, parameter: Any, direction: Any) -> Any:
    """(A,) central differences of each agent's cost along a direction of one parameter."""
    kept, values = parameter.detach().clone(), []
    for sign in (1, -1):
        with torch.no_grad():
            parameter.copy_(kept + sign * 1e-6 * direction)
            values.append(costs_of(actor, game)[:, 0])
            parameter.copy_(kept)
    return (values[0] - values[1]) / 2e-6


@pytest.mark.parametrize("reward", ("shared", "individual", {"blend": 0.3}))
def test_each_agent_follows_what_it_minds(reward: Any) -> None:
    """Central differences of all costs, of an agent's own, or of the blend, along random directions of its weights."""
    game = two_stages(reward=reward)
    actor = SeatActor(game, SMALL, [0]).double()
    gradients = gradients_of(costs_of(actor, game), actor, game.own_weight, 1.0)
    generator = torch.Generator().manual_seed(0)
    for parameter, gradient in zip(actor.parameters(), gradients, strict=True):
        for agent in range(2):
            direction = torch.zeros_like(parameter)
            direction[agent] = torch.randn(parameter[agent].shape, generator=generator, dtype=torch.float64)
            one, two = slope(actor, game, parameter, direction)
            own, mean = (one, two)[agent], (one + two) / 2
            minded = one + two if reward == "shared" else game.own_weight * own + (1 - game.own_weight) * mean
            assert float((gradient * direction).sum()) == pytest.approx(float(minded), rel=1e-5, abs=1e-7)


def test_rounding_keeps_mean_and_derivative() -> None:
    values = torch.full((1, 1000), 2.3, requires_grad=True)
    uniforms = (torch.arange(1000) + 0.5)[None] / 1000
    whole = rounded(values + uniforms - 0.5, (values + uniforms - 0.5).detach(), values.detach())
    assert whole.detach().unique().tolist() == pytest.approx([2.003, 2.993], abs=1e-5)
    assert float(whole.detach().mean()) == pytest.approx(2.3, rel=1e-4)
    assert torch.autograd.grad(whole.sum(), values)[0].unique().tolist() == [1.0]


def trained(game: Game, learner: Differentiable, seeds: list[int], updates: int) -> Trainer:
    """A trainer after some updates."""
    trainer = Trainer(game, learner, seeds, 50 * learner.rows)
    for _ in range(updates):
        trainer.update()
    return trainer


PLAYED: list[tuple[Any, dict[str, Any], dict[str, Any]]] = [
    ("serial_alvo", {}, {}),
    ("serial_alvo", {"observe": "full"}, {"actor": "graph"}),
    ("dual_sourcing", {"observe": "full"}, {"actor": "graph", "orders": "quantity"}),
    ("lost_sales", {}, {"orders": "quantity"}),
    ("cachon_zipkin", {}, {}),
    ("beer_game_uniform", {"actions": "demand_plus"}, {}),
    ("one_warehouse_alvo", {"observe": "full"}, {"actor": "graph"}),
]


def numbers(tree: Any) -> list[Any]:
    """All arrays of a tree."""
    if isinstance(tree, dict):
        return [array for value in tree.values() for array in numbers(value)]
    if isinstance(tree, list | tuple):
        return [array for value in tree for array in numbers(value)]
    return [np.asarray(tree)]


@pytest.mark.parametrize("actor", ("mlp", "graph"))
def test_a_copy_is_its_single_run(actor: str) -> None:
    game, learner = two_stages(reward="shared", observe="full"), SMALL.changed({"actor": actor})
    both, alone = trained(game, learner, [3, 5], 5), trained(game, learner, [5], 5)
    for one, two in zip(numbers(both.snapshot(1)), numbers(alone.snapshot(0)), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)
    np.testing.assert_allclose(both.greedy_costs()[:, 1], alone.greedy_costs()[:, 0], rtol=1e-5)


@pytest.mark.parametrize("reward", ("shared", "individual"))
def test_resumes_bitwise(reward: str) -> None:
    game = two_stages(reward=reward)
    whole, first = trained(game, SMALL, [1, 2], 5), trained(game, SMALL, [1, 2], 2)
    second = Trainer(game, SMALL, [1, 2], 50 * SMALL.rows)
    second.set_state(first.get_state())
    for _ in range(3):
        second.update()
    assert second.identity() == whole.identity()
    for one, two in zip(numbers(whole.get_state()), numbers(second.get_state()), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(("name", "settings", "changes"), PLAYED)
def test_exported_policies_play_what_was_trained(name: str, settings: dict[str, Any], changes: dict[str, Any]) -> None:
    """Numpy policies, read back from arrays and JSON, decide what torch decides, and whatever the batch."""
    game = Game(name, reward="shared", horizon=9, warm_up=2, **settings)
    trainer = trained(game, SMALL.changed(changes), [1, 2], 2)
    made = trainer.policies(trainer.snapshot(1), {"seed": 2})
    kind: Any = GraphPolicy if "actor" in changes else SeatPolicy
    read = {
        agent: kind.restore(json.loads(json.dumps(policy.description())), dict(policy.arrays()))  # type: ignore[attr-defined]
        for agent, policy in made.items()
    }
    state = game.start(70, seed=3)
    for _ in range(3):
        table = game.table.read(state).astype(np.float32)
        with torch.no_grad():
            joint = trainer.actor(torch.from_numpy(np.concatenate([table, table], 1)))[:, 70:]
        for policies in (made, read):
            decisions = {a: policies[a].act(game.observe(state, a), None)[0] for a in game.agents}
            played = np.concatenate([getattr(d, d.kinds()[0]) for d in decisions.values()])
            order = game.joint_order(game.agents)
            np.testing.assert_allclose(played[order], joint.numpy(), rtol=1e-4, atol=2e-3)
        state, _ = game.step(state, decisions)
    costs = evaluate(game, made, 70).cost
    assert np.array_equal(costs, evaluate(game, read, 70, batch=9).cost)


def test_learns_the_newsvendor() -> None:
    """One echelon with normal demand (5, 1.6), lead time 4: the best cost is 6.27689 a period (Alvo et al. 2023)."""
    chain = single(4, 1.0, 9.0, {**NORMAL, "sd": 1.6})
    settings = {"units": "continuous", "game.criterion": "average", "game.horizon": 300, "game.warm_up": 50}
    game = Game(load(chain, settings))
    learner = Differentiable(replications=64, periods=30, warm_up=10, hidden=(16,), learning_rate=0.01)
    trainer = Trainer(game, learner, [0, 1], 120 * learner.rows)
    for _ in range(trainer.updates):
        trainer.update()
    for copy in (0, 1):
        policies = trainer.policies(trainer.snapshot(copy), {})
        assert evaluate(game, policies, 2000).per_period == pytest.approx(6.27689, rel=0.02)


@pytest.mark.slow
def test_learns_whole_units() -> None:
    """Lost sales with lead time 1: near the optimum 4.04071, well below the best base-stock level's 4.16280."""
    game = Game(load("lost_sales", ["edges.0.lead_time=1"]))
    learner = Differentiable(replications=128, periods=30, warm_up=10, hidden=(16,), learning_rate=0.01)
    trainer = Trainer(game, learner, [0], 100 * learner.rows)
    for _ in range(trainer.updates):
        trainer.update()
    assert evaluate_exactly(game, trainer.policies(trainer.snapshot(0), {})).mean < 4.08


def test_one_network_plays_chains_of_any_length() -> None:
    games = random_serial_games(4, (2, 3), seed=1)
    learner = SMALL.changed({"actor": "graph"})
    trainer = GeneralTrainer(games, learner, [0, 1], 4 * learner.rows, held_out=games[:2])
    before = trainer.greedy_costs()
    for _ in range(4):
        trainer.update()
    assert before.shape == (2, 2)
    assert not np.array_equal(trainer.greedy_costs(), before)
    longer = random_serial_games(1, (5, 5), seed=2)[0]
    policies = seat_everybody(longer, trainer.snapshot(1), learner)
    assert list(policies) == list(longer.agents)
    assert np.isfinite(evaluate(longer, policies, 4).mean)


def test_chains_are_drawn_anew_for_each_seed_and_the_same_for_one() -> None:
    first, again, other = (random_two_store_games(2, seed) for seed in (3, 3, 4))
    assert [game.topology.to_dict() for game in first] == [game.topology.to_dict() for game in again]
    assert first[0].topology.to_dict() != other[0].topology.to_dict()
    assert list(first[0].agents) == ["warehouse", "store_1", "store_2"]
    lead_times = dict(zip(first[1].network.edges, first[1].network.lead_time.tolist(), strict=True))
    assert all(1 <= lead <= 4 for lead in lead_times.values())
    policies = seat_everybody(first[1], _graph_network(), SMALL.changed({"actor": "graph"}))
    assert np.isfinite(evaluate(first[1], policies, 4).mean)


def _graph_network() -> Mapping[str, Any]:
    learner = SMALL.changed({"actor": "graph"})
    return GeneralTrainer(random_serial_games(1, (2, 2), seed=1), learner, [0], learner.rows).snapshot(0)


@pytest.mark.parametrize(
    ("chain", "settings", "changes", "told"),
    [
        ("serial_liu_fixed_cost", {}, {}, "fixed_order_cost"),
        ("serial_alvo", {"observe": "local"}, {"actor": "graph"}, "observe: full"),
        ("serial_alvo", {"observe": "full", "reward": "individual"}, {"actor": "graph"}, "reward: shared"),
        ("cachon_zipkin", {"actions": "quantity"}, {}, "several stages"),
    ],
)
def test_refusals(chain: str, settings: dict[str, Any], changes: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        Trainer(Game(chain, **settings), SMALL.changed(changes), [0], 100)


def test_settings_and_fixed_policies_are_checked() -> None:
    with pytest.raises(InputError, match="actor: no .gnn."):
        Differentiable(actor="gnn")
    with pytest.raises(InputError, match="no derivative"):
        Trainer(two_stages(), SMALL, [0], 100, {"stage_1": object()})  # type: ignore[dict-item]
    with pytest.raises(InputError, match="actor: graph"):
        GeneralTrainer([two_stages(observe="full")], SMALL, [0], 100)

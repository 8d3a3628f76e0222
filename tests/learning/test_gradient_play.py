"""Gradient play of base-stock levels: derivatives against differences, and where ten starts come to rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from marl_supply.errors import InputError  # noqa: E402
from marl_supply.game.game import Game  # noqa: E402
from marl_supply.learning.differentiable.gradient_play import _costs, _gradient, gradient_play  # noqa: E402
from marl_supply.learning.streams import TRAINING, Streams  # noqa: E402
from marl_supply.solvers.cachon_zipkin import competition  # noqa: E402
from marl_supply.solvers.two_stage_chain import two_stage_chain  # noqa: E402
from marl_supply.topology import load  # noqa: E402

NORMAL = {
    "nodes.retailer.demand": {"process": "normal", "mean": 1, "sd": 0.25, "round": False},
    "units": "continuous",
    "nodes.supplier.on_hand": 1,
    "nodes.retailer.on_hand": 2,
    "edges.inbound.pipeline": 1,
    "edges.outbound.pipeline": 1,
}


def chain(**changes: Any) -> Game:
    """Instance N1 of Cachon & Zipkin."""
    return Game(load("cachon_zipkin", {**NORMAL, **changes}))


@pytest.mark.parametrize("positions", ["local", "echelon"])
@pytest.mark.parametrize("reward", ["individual", "shared", {"blend": 0.3}])
def test_derivatives_are_those_of_differences(positions: Any, reward: Any) -> None:
    game, width = chain(**{"game.reward": reward}), 1e-5
    first = np.array([[1.1, 2.2], [2.9, 2.0]])

    def costs(levels: Any) -> Any:
        noise = Streams(game, [TRAINING + 1] * len(levels), 4, 0)
        return _costs(game, levels, positions, noise, 4, 0, 12)

    levels = torch.tensor(first, requires_grad=True)
    gradient = _gradient(game, costs(levels), levels).numpy()
    own = game.own_weight
    for row, agent in enumerate(game.agents):
        move = np.zeros_like(first)
        move[:, row] = width
        with torch.no_grad():
            higher, lower = (costs(torch.tensor(first + sign * move)).numpy() for sign in (1, -1))
        slope = (higher - lower) / (2 * width)
        assert gradient[:, row] == pytest.approx(own * slope[game.agents.index(agent)] + (1 - own) * slope.mean(0))


def test_levels_move_towards_the_equilibrium() -> None:
    game = chain()
    found = gradient_play(game, [[0.5, 1.0], [2.0, 4.0]], steps=40, replications=8, periods=30)
    retailer, supplier = competition(two_stage_chain(game.network), "local").equilibria[0].local_levels
    distances = np.abs(found.path - [supplier, retailer]).sum(2)
    assert found.rows == ("supplier", "retailer") and found.path.shape == (41, 2, 2)
    assert (distances[-1] < 0.5 * distances[0]).all()


def test_what_it_cannot_play_is_refused() -> None:
    with pytest.raises(InputError, match="starts: levels of supplier, retailer"):
        gradient_play(chain(), [[1.0]])
    with pytest.raises(InputError, match="no 'ecelon'"):
        gradient_play(chain(), [[1.0, 2.0]], "ecelon")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="several suppliers"):
        gradient_play(Game("dual_sourcing"), [[4.0]])


@pytest.mark.slow
@pytest.mark.parametrize("positions", ["local", "echelon"])
def test_ten_starts_rest_within_a_hundredth_of_the_equilibrium(positions: Any) -> None:
    game = chain()
    starts = np.random.default_rng(0).uniform(0, 1, (10, 2)) * [4, 3]
    found = gradient_play(game, starts, positions)
    known = competition(two_stage_chain(game.network), positions).undominated[0]
    retailer, supplier = known.local_levels if positions == "local" else known.echelon_levels
    assert np.abs(found.levels / [supplier, retailer] - 1).max() < 0.01

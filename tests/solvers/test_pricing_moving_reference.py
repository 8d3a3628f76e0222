"""How near tuned rules come to the optimum of `pricing_replenishment`, by a program on a grid of reference prices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from marl_supply.game import Game
from marl_supply.game.evaluate import evaluate
from marl_supply.policies.seating import seat_everybody
from marl_supply.topology import load

PRICES, REFERENCES, DEMAND = np.arange(18, 51), np.linspace(28, 46, 19), np.arange(26)


def rate(own: Any, rival: Any, reference: Any) -> Any:
    """Mean demand of a period, from the printed coefficients."""
    rank = 1 + 0.5 * (rival == own) + (rival < own)
    odds = -3.89 - 0.56 * rank - 0.01 * (own - rival) + 0.07 - 0.03 * (own + rival) / 2 - 0.01 * (own - reference)
    return 800 / (1 + np.exp(-odds))


def bounds(waits: bool, fixed_cost: float, torch: Any, rounds: int = 400) -> tuple[float, float]:
    """Least and largest change of the profit in the last round of relative value iteration.

    State: the competitor's price (the own price before, less 1), the reference price between grid points by
    interpolation, and net stock; the order is on the shelf in the next period.
    """
    stock = np.arange(-14 if waits else 0, 34 if fixed_cost else 24)
    quantity = np.arange(24 if fixed_cost else 12)
    rival, reference, own = (PRICES - 1)[:, None, None], REFERENCES[None, :, None], PRICES[None, None, :]
    moved = 0.9 * reference + 0.1 * own
    mean = 0.5 * rate(own, rival, reference) + 0.5 * rate(own, own - 1, moved)
    after = 0.9 * moved + 0.1 * (own - 1) + 0 * rival
    chance = stats.poisson.pmf(DEMAND, mean[..., None])
    chance[..., -1] += 1 - chance.sum(-1)
    left, short = np.maximum(stock[:, None] - DEMAND, 0), np.maximum(DEMAND - stock[:, None], 0)
    sold = np.minimum(np.maximum(stock[:, None], 0), DEMAND)
    earned = own[..., None] * (chance @ sold.T) - chance @ (0.5 * left + 5 * short).T
    place = np.clip((after - REFERENCES[0]) / (REFERENCES[1] - REFERENCES[0]), 0, len(REFERENCES) - 1.001)
    lower = place.astype(int)
    share = torch.tensor(place - lower)[..., None]
    rest = stock[:, None] - DEMAND if waits else left
    levels = np.arange(rest.min(), stock[-1] + 1)
    move = np.zeros((len(stock), len(DEMAND), len(levels)))
    np.put_along_axis(move, (rest - rest.min())[:, :, None], 1.0, axis=2)
    next_stock = torch.tensor(np.clip(levels[:, None] + quantity - stock[0], 0, len(stock) - 1))
    to_level = torch.tensor(np.einsum("prad,xdl->praxl", chance, move))
    paid = torch.tensor(10.0 * quantity + fixed_cost * (quantity > 0))
    profit, values = torch.tensor(earned), torch.zeros(len(PRICES), len(REFERENCES), len(stock), dtype=torch.float64)
    low, every = torch.tensor(lower), torch.arange(len(PRICES))
    for _ in range(rounds):
        best = torch.empty_like(values)
        for number in range(len(PRICES)):
            at = low[number]
            mixed = values[every, at] * (1 - share[number]) + values[every, at + 1] * share[number]
            total = to_level[number] @ mixed[..., next_stock] - paid
            best[number] = (total.amax(-1) + profit[number]).amax(1)
        gain = best - values
        if float(gain.max() - gain.min()) < 0.05:
            break
        values = values + 0.95 * gain
        values = values - values[0, 0, 0]
    return float(gain.min()), float(gain.max())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("waits", "fixed_cost", "rule"),
    [
        (True, 0, {"reorder_point": 9, "order_up_to_level": 10, "unit_value": 24.48}),
        (False, 0, {"reorder_point": 10, "order_up_to_level": 10, "unit_value": 24.48}),
        (True, 20, {"reorder_point": 6, "order_up_to_level": 20, "unit_value": 25.26}),
        (False, 20, {"reorder_point": 6, "order_up_to_level": 18, "unit_value": 24.09}),
    ],
)
def test_the_tuned_rule_is_near_the_optimum(waits: bool, fixed_cost: float, rule: dict[str, float]) -> None:
    """Within 1%: what learners can earn above it is less."""
    torch = pytest.importorskip("torch")
    changes = {"edges.0.fixed_order_cost": fixed_cost, "markets.seller.unmet": "backorder" if waits else "lost"}
    game = Game(load("pricing_replenishment", changes))
    played = evaluate(game, seat_everybody(game, "reorder_point_price", {"seller": rule}), 400)
    low, high = bounds(waits, fixed_cost, torch)
    assert high - low < 0.06
    assert 0.99 * low < -played.per_period < high + 0.3

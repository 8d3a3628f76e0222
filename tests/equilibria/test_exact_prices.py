"""Best prices against fixed sellers: known optima, trained and static rivals, what is refused, and the simulator."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from marl_supply.equilibria.exploitability import exploitability
from marl_supply.equilibria.responder import responder_named
from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.game.evaluate import evaluate
from marl_supply.policies.seating import seat_everybody
from marl_supply.solvers.best_cycle import best_cycles
from marl_supply.topology import load

EXACT = responder_named("exact_prices")


def duopoly(**changes: Any) -> Game:
    return Game(load("pricing_duopoly", {name.replace("__", "."): value for name, value in changes.items()}))


def together() -> Game:
    return duopoly(defaults__market__moves="together", defaults__market__length=1.0)


def test_the_best_cycle_is_that_of_an_enumeration() -> None:
    random = np.random.default_rng(3)
    for _ in range(20):
        costs, following = random.normal(size=(6, 2)), random.integers(0, 6, (6, 2))
        least = np.full(6, np.inf)
        for choice in itertools.product(range(2), repeat=6):
            after, cost = following[range(6), choice], costs[range(6), choice]
            for first in range(6):
                state, walk = first, []
                for _ in range(6):
                    state = after[state]
                while state not in walk:
                    walk.append(state)
                    state = after[state]
                least[first] = min(least[first], cost[walk].mean())
        np.testing.assert_allclose(best_cycles(costs, following).gain, least, atol=1e-9)


@pytest.mark.parametrize(("beaten", "optimum"), [(0.5, 105.011611), (1.0, 92.469956)])
def test_against_a_seller_who_undercuts_the_known_optimum_of_a_fixed_competitor(beaten: float, optimum: float) -> None:
    """Two half periods of the duopoly are a period of the market with a competitor in it."""
    game = duopoly(defaults__market__beaten_rank=beaten)
    players = seat_everybody(game, "undercut_price")
    found = EXACT.respond(game, players, "seller_0")
    assert -2 * found.details["cost"] == pytest.approx(optimum, abs=1e-6)
    other = EXACT.respond(game, players, "seller_1")  # moves second, and may begin another cycle
    assert -2 * other.details["cost"] == pytest.approx(optimum, abs=1e-6)


@pytest.mark.parametrize("game", [duopoly(), together()], ids=["in turn", "together"])
def test_a_response_earns_in_the_simulator_what_it_says(game: Game) -> None:
    players = seat_everybody(game, "best_reply_price")
    found = EXACT.respond(game, players, "seller_1")
    assert found.policy is not None
    played, before = (evaluate(game, those, 20) for those in ({**players, "seller_1": found.policy}, players))
    periods = game.horizon - game.warm_up
    earned, replied = (found.by_agent["seller_1"] / periods for found in (before, played))
    assert replied == pytest.approx(found.details["cost"], abs=1.5)  # 20 episodes: a standard error of about .4
    assert earned - replied == pytest.approx(found.saves, abs=2)
    assert found.saves > 0.5  # a static reply is no best response to one


def test_exploitability_of_sellers() -> None:
    game = together()
    found = exploitability(game, seat_everybody(game, "constant_price"), [EXACT], replications=50)
    assert found.nash_conv().mean > 0 and found.best("seller_0") is not None


def test_a_static_equilibrium_is_one_of_the_period() -> None:
    """Where replies stand still neither seller earns more in a period by another price; the printed market has none."""
    game = together()
    earned = {}
    process = game.network.crowds[0].process
    for own, other in itertools.product(range(1, 51), repeat=2):
        price = np.array([[float(own)], [float(other)]])
        means, _ = process.expect_together(np, [{k: v[:, None] for k, v in process.start().items()}] * 2, price)
        earned[own, other] = own * float(means[0, 0])
    reply = {other: max(range(1, 51), key=lambda own: earned[own, other]) for other in range(1, 51)}
    assert not [(a, b) for a, b in reply.items() if reply[b] == a]
    static = seat_everybody(game, "best_reply_price")["seller_0"]
    decided, _ = static.act(game.observe(game.start(1), "seller_0"), None)
    assert decided.price is not None and decided.price[0, 0] == reply[30]


def test_what_is_refused() -> None:
    game = Game("pricing_competition")
    with pytest.raises(InputError, match="one crowd"):
        EXACT.respond(game, seat_everybody(game, "constant_price"), "seller")
    short = duopoly(nodes__seller_0__on_hand=10)
    assert "raise on_hand" in str(EXACT.misfit(short, seat_everybody(short, "constant_price"), "seller_0"))
    game = duopoly(defaults__market__reference_effect=-0.01)
    with pytest.raises(InputError, match="can remember more than"):
        EXACT.respond(game, seat_everybody(game, "undercut_price"), "seller_0")


def test_a_seller_who_remembers_is_found_out() -> None:
    game = duopoly()
    players = seat_everybody(game, "undercut_price")

    class Tires(type(players["seller_1"])):  # type: ignore[misc]
        def start(self, seat: Any, replications: int) -> Any:
            return 0

        def act(self, observation: Any, memory: Any) -> Any:
            decided, _ = super().act(observation, None)
            if memory > 20:
                decided.price[:] = 50.0
            return decided, memory + 1

    tired = Tires(players["seller_1"].values)
    with pytest.raises(InputError, match="than the same market would"):
        EXACT.respond(game, {**players, "seller_1": tired}, "seller_0")

"""A pretrained model plays any seat: alike in every batch, alike after it was saved, and as it is asked to."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from scipy import stats  # noqa: E402
from tiny_transformer import SHAPE, policy_of, random_model  # noqa: E402

from marl_supply.errors import InputError  # noqa: E402
from marl_supply.game.game import Game  # noqa: E402
from marl_supply.learning.foundation.decisions import DecisionTokens  # noqa: E402
from marl_supply.learning.foundation.shapes import weight_sizes  # noqa: E402
from marl_supply.learning.trained import load_policies, save_policies  # noqa: E402
from marl_supply.learning.trained.chunks import CHUNK  # noqa: E402
from marl_supply.learning.trained.transformer_policy import ANYBODY, TransformerPolicy, level_of  # noqa: E402
from marl_supply.testing.plays import arrays_of  # noqa: E402
from marl_supply.testing.policies import check_policy  # noqa: E402

SEVERAL = {
    "reward": "shared",
    "agents": {
        "maker": {"decides": ["shop:shirt.order", "shop:coat.order"], "pays": ["shop:shirt", "shop:coat"]},
        "pricer": {"decides": ["shop:shirt.price", "shop:coat.price"], "pays": []},
        "recommender": {"decides": ["shop:shirt.exposure", "shop:coat.exposure"], "pays": []},
    },
}


def game_of(name: str) -> Game:
    return Game("collaborative", **SEVERAL) if name == "several" else Game(name)


@pytest.fixture(scope="module")
def policy() -> TransformerPolicy:
    return policy_of(random_model(4))


def decided(policy: Any, game: Game, replications: int, periods: int = 6) -> list[Any]:
    """What everybody decides, period by period, arrays by agent."""
    state, found = game.start(replications, 7), []
    memory = {agent: policy.start(seat, replications) for agent, seat in game.seats.items()}
    for _ in range(periods):
        own = {}
        for agent in game.agents:
            own[agent], memory[agent] = policy.act(game.observe(state, agent), memory[agent])
        found.append({agent: arrays_of(each) for agent, each in own.items()})
        state, _ = game.step(state, own)
    return found


@pytest.mark.parametrize(
    "name", ["lost_sales", "beer_game_basic", "collaborative", "several", "uneven_review", "newsvendor"]
)
def test_it_keeps_the_contract_of_policies(name: str, policy: TransformerPolicy) -> None:
    check_policy(policy, game_of(name))


@pytest.mark.parametrize("name", ["dual_sourcing", "several", "newsvendor"])
@pytest.mark.parametrize("drawn", [False, True])
def test_no_decision_depends_on_the_batch(name: str, drawn: bool, policy: TransformerPolicy) -> None:
    """Bit by bit, in one chunk and in two."""
    game, player = game_of(name), policy.sampling() if drawn else policy
    four, five, many = (decided(player, game, replications) for replications in (1, 5, 100))
    for one, other, most in zip(four, five, many, strict=True):
        for agent in game.agents:
            for field, value in most[agent].items():
                assert np.array_equal(value[:, :5], other[agent][field]), field
                assert np.array_equal(value[:, :1], one[agent][field]), field


@pytest.mark.parametrize("name", ["lost_sales", "dual_sourcing", "beer_game_basic", "collaborative", "newsvendor"])
def test_its_tokens_are_of_the_games_own_actions(name: str) -> None:
    game = Game(name)
    for agent, seat in game.seats.items():
        own, action = DecisionTokens(seat), game.actions[agent]
        assert type(own.action) is type(action) and level_of(seat) == game.observe_level
        assert np.array_equal(own.action.low, action.low) and np.array_equal(own.action.high, action.high)


def test_it_plays_the_same_after_it_was_saved(policy: TransformerPolicy, tmp_path: Path) -> None:
    asked = policy.requesting(0.1).sampling(0.5)
    save_policies(tmp_path / "model.npz", {ANYBODY: asked})
    (agent, read), *others = load_policies(tmp_path / "model.npz").items()
    assert agent == read.agent == ANYBODY and not others and isinstance(read, TransformerPolicy)
    assert read.description() == asked.description() and (read.request, read.temperature) == (0.1, 0.5)
    game = Game("collaborative")
    for one, other in zip(decided(asked, game, 3), decided(read, game, 3), strict=True):
        assert all(np.array_equal(value, other["shop"][field]) for field, value in one["shop"].items())


def test_the_return_that_is_asked_for_matters(policy: TransformerPolicy) -> None:
    game = Game("newsvendor")
    orders = [decided(policy.requesting(request), game, 2, 1)[0]["kiosk"]["order"] for request in (0.0, 0.1, None)]
    assert len({float(own[0, 0]) for own in orders}) == 3
    assert policy.request == 0.02 and policy.requesting(0.1).training == policy.training


@pytest.mark.parametrize("request_of", [float("nan"), float("inf")])
def test_what_is_no_return_is_refused(request_of: float, policy: TransformerPolicy) -> None:
    with pytest.raises(InputError, match=r"^request: (nan|inf) is no return; use a number such as 0.05"):
        policy.requesting(request_of)


@pytest.mark.parametrize("temperature", [float("nan"), -1.0, float("inf")])
def test_what_is_no_temperature_is_refused(temperature: float, policy: TransformerPolicy) -> None:
    with pytest.raises(InputError, match=r"^temperature: .* is none; use 1"):
        policy.sampling(temperature)


def test_what_is_drawn_follows_the_law_where_units_are_continuous(policy: TransformerPolicy) -> None:
    """Against the distribution function of the mixture, but for what the bounds of the action cut off."""
    game, replications = Game("newsvendor"), 4000
    seat = game.seats["kiosk"]
    session = policy.sampling().start(seat, replications)
    weights, means, scales = (np.array(part, dtype=np.float32) for part in ([1.0, 0.2], [0.5, 2.0], [-2.0, -1.0]))
    uniform = np.random.default_rng(1).random(replications)
    given = [np.broadcast_to(part, (-(-replications // CHUNK), CHUNK, 2)) for part in (weights, means, scales)]
    found = session._value(*given, uniform).reshape(-1)[:replications]
    share = np.exp(weights) / np.exp(weights).sum()

    def law(value: Any) -> Any:
        return (share / (1 + np.exp(-(value[:, None] - means) / np.exp(scales)))).sum(-1)

    assert stats.kstest(found, law).pvalue > 0.01
    sharp = policy.sampling(0.1).start(seat, replications)._value(*given, uniform).reshape(-1)[:replications]
    assert np.ptp(sharp) < np.ptp(found) / 10 and abs(np.median(sharp) - 0.5) < 0.01
    orders = decided(policy.sampling(), game, 50, 1)[0]["kiosk"]["order"]
    assert len(np.unique(orders)) > 10 and np.ptp(decided(policy, game, 50, 1)[0]["kiosk"]["order"]) == 0


def test_the_weights_of_a_shape_are_those_of_the_network() -> None:
    model = random_model()
    assert weight_sizes(model.shape) == {name: value.shape for name, value in model.arrays().items()}


def test_a_damaged_model_is_refused(policy: TransformerPolicy, tmp_path: Path) -> None:
    whole = tmp_path / "model.npz"
    save_policies(whole, {ANYBODY: policy})
    whole.write_bytes(whole.read_bytes()[:-2000])
    with pytest.raises(InputError, match="not a whole file of trained policies"):
        load_policies(whole)


@pytest.mark.parametrize("how", ["missing", "shape"])
def test_a_model_that_lacks_weights_is_refused(how: str, policy: TransformerPolicy, tmp_path: Path) -> None:
    arrays = policy.arrays()
    weight = arrays.pop("place.weight")
    if how == "shape":
        arrays["place.weight"] = weight[:, :-1]
    save_policies(tmp_path / "model.npz", {ANYBODY: TransformerPolicy.of(SHAPE, arrays, {}, 0.0)})
    with pytest.raises(InputError, match="not a whole file of trained policies"):
        load_policies(tmp_path / "model.npz")

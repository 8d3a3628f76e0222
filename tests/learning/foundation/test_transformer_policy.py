"""A pretrained model plays any seat: alike in every batch, alike after it was saved, and as it is asked to."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from scipy import stats  # noqa: E402
from tiny_transformer import SHAPE, batch_of, play, policy_of, random_model  # noqa: E402

from marl_supply.errors import InputError  # noqa: E402
from marl_supply.game.game import Game  # noqa: E402
from marl_supply.learning.foundation.decisions import DecisionTokens  # noqa: E402
from marl_supply.learning.foundation.shapes import weight_sizes  # noqa: E402
from marl_supply.learning.foundation.transformer import TensorBatch  # noqa: E402
from marl_supply.learning.trained import load_policies, save_policies  # noqa: E402
from marl_supply.learning.trained.chunks import CHUNK  # noqa: E402
from marl_supply.learning.trained.transformer_policy import ANYBODY, BEST, Session, TransformerPolicy, level_of  # noqa: E402
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
@pytest.mark.parametrize("how", ["likeliest", "drawn", "best"])
def test_no_decision_depends_on_the_batch(name: str, how: str, policy: TransformerPolicy) -> None:
    """Bit by bit, in one chunk and in two."""
    players = {"likeliest": policy, "drawn": policy.sampling(), "best": policy.requesting(BEST)}
    game, player = game_of(name), players[how]
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


def test_the_return_that_is_asked_for_matters() -> None:
    game, policy = Game("newsvendor"), policy_of(random_model(7))
    orders = [decided(policy.requesting(request), game, 2, 1)[0]["kiosk"]["order"] for request in (0.0, 0.1, None)]
    assert len({float(own[0, 0]) for own in orders}) == 3
    assert policy.request == 0.02 and policy.requesting(0.1).training == policy.training


@pytest.mark.parametrize("name", ["lost_sales", "collaborative", "newsvendor"])
def test_the_best_is_what_most_is_expected_of(name: str, policy: TransformerPolicy, monkeypatch: Any) -> None:
    """Of choices that are usual enough the one with the highest expected return, worked out again by torch."""
    game, model, seen = Game(name), random_model(4), []
    own = Session._best

    def watched(self: Session, number: int, choices: Any, logarithms: Any) -> Any:
        best = own(self, number, choices, logarithms)
        if not seen or seen[-1][0] < number:
            seen.append((number, choices[0, 0], logarithms[0, 0], best[0, 0]))
        return best

    monkeypatch.setattr(Session, "_best", watched)
    played = play(game, policy.requesting(BEST), 1, 1)
    batch = batch_of(game, played, None)
    decisions = DecisionTokens(game.seats[game.agents[0]])
    assert len(seen) == len(decisions.kinds)
    for number, choices, logarithms, best in seen:
        usual = choices[logarithms >= logarithms.max() + np.log(1e-3)]
        found = []
        for choice in usual:
            values = batch.values.copy()
            values[:, 0, number] = decisions.value_of(number, np.array(choice, dtype=np.float64))
            with torch.no_grad():
                law = model(TensorBatch(replace(batch, values=values), "cpu")).returns
            share = law.weights[0, 0, number].softmax(-1)
            found.append(float((share * law.means[0, 0, number].clamp(-1, 1)).sum()))
        assert best == usual[np.argmax(found)] and (len(usual) == 1 or np.ptp(found) > 0)


@pytest.mark.parametrize("request_of", [float("nan"), float("inf")])
def test_what_is_no_return_is_refused(request_of: float, policy: TransformerPolicy) -> None:
    with pytest.raises(InputError, match=r"^request: (nan|inf) is no return; use a number such as -0.1"):
        policy.requesting(request_of)


def test_what_is_no_word_for_a_return_is_refused(policy: TransformerPolicy) -> None:
    with pytest.raises(InputError, match=r"^request: no 'bets' \(did you mean 'best'\?\)"):
        policy.requesting("bets")


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
    assert len(np.unique(orders)) > 10 and np.ptp(decided(policy, game, 50, 1)[0]["kiosk"]["order"]) < 1e-3


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

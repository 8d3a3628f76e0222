"""Recorded episodes are those of the environment: same views, same rewards when the actions are played again."""

from typing import Any

import numpy as np
import pytest

from marl_supply.data import Episode, Player, record
from marl_supply.envs import gym_env, parallel_env
from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.game.evaluate import evaluate
from marl_supply.policies.seating import seat_everybody
from marl_supply.topology import load

GAMES: dict[str, tuple[Any, str]] = {
    "one agent": ({"chain": "lost_sales"}, "base_stock"),
    "several agents": ({"chain": "beer_game_basic"}, "sterman"),
    "review days": ({"chain": "uneven_review"}, "base_stock"),
    "prices": ({"chain": "pricing_replenishment"}, "myopic_price"),
    "everything at once": ({"chain": "collaborative"}, "random_plan"),
    "continuous units": ({"chain": load("beer_game_uniform", {"units": "continuous"})}, "base_stock"),
    "a warm start": ({"chain": "single_echelon", "start": "warm"}, "base_stock"),
}


def recorded(what: str, seeds: Any, random_share: float = 0.3, horizon: int = 7) -> tuple[Game, list[Episode]]:
    settings, name = GAMES[what]
    game = Game(**settings, horizon=horizon, warm_up=0)
    return game, list(record(game, Player(name, seat_everybody(game, name), random_share), seeds))


@pytest.mark.parametrize("what", GAMES)
def test_actions_played_again_earn_the_same(what: str) -> None:
    game, episodes = recorded(what, [3, 11])
    for episode in episodes:
        env = parallel_env(game)
        seen, _ = env.reset(seed=episode.seed)
        for period in range(len(episode)):
            for agent in game.agents:
                assert np.array_equal(seen[agent], episode.observations[agent][period])
                assert episode.observations[agent].dtype == np.float32
            done = {agent: own[period] for agent, own in episode.actions.items()}
            assert all(env.action_space(agent).contains(action) for agent, action in done.items())
            seen, rewards, _, over, infos = env.step(done)
            for agent in game.agents:
                assert rewards[agent] == episode.rewards[agent][period]
                assert infos[agent]["cost"] == episode.costs[agent][period]
        assert all(over.values()) and all(np.array_equal(seen[a], episode.observations[a][-1]) for a in game.agents)


def test_the_gymnasium_face_plays_the_same() -> None:
    game, (episode,) = recorded("one agent", [5])
    env = gym_env(game)
    env.reset(seed=5)
    earned = [env.step(action)[1] for action in episode.actions["store"]]
    assert np.array_equal(earned, episode.rewards["store"])


def test_a_batch_is_its_episodes_one_by_one() -> None:
    _, whole = recorded("several agents", range(70))
    for number in (0, 63, 69):
        _, (alone,) = recorded("several agents", [number])
        assert whole[number].seed == alone.seed == number
        for agent in alone.actions:
            for kind in ("observations", "actions", "rewards", "costs"):
                assert np.array_equal(getattr(whole[number], kind)[agent], getattr(alone, kind)[agent])


def test_a_rule_that_fits_the_action_space_earns_what_it_earns() -> None:
    game = Game("lost_sales", horizon=30, warm_up=0)
    players = seat_everybody(game, "base_stock")
    (episode,) = record(game, Player("base_stock", players), [9])
    cost = evaluate(game, players, 1, 9).cost
    assert -episode.total_rewards.sum() == pytest.approx(cost.sum())


def test_a_share_of_actions_is_random() -> None:
    game = Game("lost_sales", horizon=200, warm_up=0)
    players = seat_everybody(game, "base_stock", {"store": 0.0})  # orders nothing
    found = {}
    for share in (0.0, 0.25, 1.0):
        (episode,) = record(game, Player("", players, share), [1])
        found[share] = episode.actions["store"]
    highest = game.actions["store"].choices[0] - 1
    assert not found[0.0].any()
    assert 0.15 < (found[0.25] > 0).mean() < 0.32
    assert found[1.0].min() == 0 and found[1.0].max() == highest and (found[1.0] > 0).mean() > 0.9


def test_games_in_turns_and_empty_seats_are_refused() -> None:
    game = Game(load("lost_sales"))
    with pytest.raises(InputError, match="no policy for 'store'"):
        next(record(game, Player("nobody", {}), [0]))
    turns = Game("cachon_zipkin", actions="quantity")
    with pytest.raises(InputError, match="order one after another"):
        next(record(turns, Player("", seat_everybody(turns, "base_stock")), [0]))

"""The checks pass on what is shipped, and each catches a thing that is broken."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from shipped_chains import CHAINS, NAMES

from marl_supply.game import Game
from marl_supply.game.game import Outcome
from marl_supply.simulation import Decisions
from marl_supply.testing import check_game, check_policy, check_topology, plays
from marl_supply.testing.topologies import check_play

SHORT: dict[str, Any] = {"horizon": 10, "warm_up": 0}


def beer_game() -> Game:
    return Game(CHAINS["beer_game"], **SHORT)


@pytest.mark.parametrize("name", NAMES)
def test_shipped_topologies_pass(name: str) -> None:
    check_topology(CHAINS[name])


@pytest.mark.parametrize("name", NAMES)
def test_shipped_games_pass(name: str) -> None:
    check_game(Game(CHAINS[name], **SHORT))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("policy", ["random_order", "constant_order"])
def test_shipped_policies_pass(name: str, policy: str) -> None:
    game = Game(CHAINS[name], **SHORT)
    if all(
        len(kind.component_rows) and seat.scope.orders
        for seat, kind in zip(game.seats.values(), game.actions.values(), strict=True)
    ) and not any(len(seat.scope.decided_lines) for seat in game.seats.values()):
        check_policy(policy, game)


@pytest.mark.parametrize("policy", ["base_stock", "sterman"])
def test_rules_with_memory_and_needs_pass(policy: str) -> None:
    check_policy(policy, beer_game())


def test_a_topology_that_does_not_load() -> None:
    with pytest.raises(AssertionError, match="it does not load: .*no_such"):
        check_topology({"extends": "no_such_chain"})


class Wrong(Game):
    """A game whose periods are changed after they are played."""

    def step(self, state: Any, decisions: Any) -> Any:
        state, outcome = super().step(state, decisions)
        return self.changed(state, outcome)

    def changed(self, state: Any, outcome: Outcome) -> Any:
        return state, outcome


class Leaking(Wrong):
    def changed(self, state: Any, outcome: Outcome) -> Any:
        return state.changed(on_hand=state.on_hand + 1.0), outcome


class Halving(Wrong):
    def changed(self, state: Any, outcome: Outcome) -> Any:
        return state.changed(on_hand=state.on_hand + 0.5), outcome


class Owing(Wrong):
    def changed(self, state: Any, outcome: Outcome) -> Any:
        return state.changed(on_hand=state.on_hand - 1000.0), outcome


class Greedy(Wrong):
    def changed(self, state: Any, outcome: Outcome) -> Any:
        return state, Outcome(outcome.costs, outcome.rewards + np.arange(len(outcome.rewards))[:, None], outcome.flows)


class Shared(Wrong):
    """Replications lend each other stock: what one has depends on how many there are."""

    def changed(self, state: Any, outcome: Outcome) -> Any:
        return state.changed(last_order=state.last_order + state.replications), outcome


class Averaged(Wrong):
    """Every replication pays the mean cost of all."""

    def changed(self, state: Any, outcome: Outcome) -> Any:
        costs = outcome.costs * 0 + outcome.costs.mean(1, keepdims=True)
        return state, Outcome(costs, -costs, outcome.flows)


class Generous(Wrong):
    """What is ordered makes demand."""

    def changed(self, state: Any, outcome: Outcome) -> Any:
        outcome.flows.demand = outcome.flows.demand + outcome.flows.order[:1]
        return state, outcome


class Sticky(Game):
    """Episodes that begin anew keep what they owed."""

    def restart(self, state: Any, columns: Any) -> Any:
        return super().restart(state, columns).changed(owed=state.owed)


class Contagious(Game):
    """When one episode begins anew, all do."""

    def restart(self, state: Any, columns: Any) -> Any:
        return super().restart(state, slice(None))


class Doubled(Game):
    @property
    def stages(self) -> Any:
        return (self.agents, self.agents[:1])


class Moody(Game):
    """A game that draws noise of its own each time."""

    number = 0

    def randomness(self, replications: int, seed: int = 0, first_replication: int = 0) -> Any:
        Moody.number += 1
        return super().randomness(replications, Moody.number, first_replication)


class Unpicklable(Game):
    def __reduce__(self) -> Any:
        raise TypeError("no")


class Mislabelled(Game):
    @property
    def layouts(self) -> Any:
        return {agent: entries[1:] for agent, entries in Game(self.topology).layouts.items()}


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (Leaking, "stock after receipts is not stock - scrapped [+] receipts"),
        (Halving, "on_hand is not whole"),
        (Owing, "on_hand is below 0"),
        (Averaged, r"costs of replication 0 is not the same in a batch of 3 as alone"),
        (Shared, r"last_order of replication 0 is not the same in a batch of 3 as alone"),
    ],
)
def test_a_play_against_the_laws(kind: type[Game], sentence: str) -> None:
    with pytest.raises(AssertionError, match=sentence):
        check_play(kind(CHAINS["beer_game"], **SHORT))


@pytest.mark.parametrize(
    ("kind", "settings", "sentence"),
    [
        (Greedy, {"reward": "shared"}, "shared rewards are not minus the mean cost"),
        (Greedy, {"reward": "individual"}, "individual rewards are not minus the agents' own costs"),
        (Moody, {}, "noise of replication 0 is not the same alone as in a batch"),
        (Generous, {}, "demand of period 1 depends on what is decided"),
        (Sticky, {}, "does not play what it plays when all begin"),
        (Contagious, {}, "is changed by another that begins anew"),
        (Doubled, {}, "where every agent moves once"),
        (Unpicklable, {}, "it cannot be pickled: no"),
        (Mislabelled, {}, r"manufacturer sees \d+ numbers, and its layout has"),
    ],
)
def test_a_game_that_is_not_what_it_says(kind: type[Game], settings: Any, sentence: str) -> None:
    with pytest.raises(AssertionError, match=sentence):
        check_game(kind(CHAINS["beer_game_normal"], **SHORT, **settings))


def test_a_game_that_is_none() -> None:
    with pytest.raises(AssertionError, match="it is no game: .*no_such"):
        check_game("no_such_chain")


class Honest:
    """Orders what was claimed."""

    needs = frozenset({"incoming_orders"})

    def start(self, seat: Any, replications: int) -> Any:
        return None

    def act(self, observation: Any, memory: Any) -> Any:
        return Decisions(order=self.order(observation, memory)), memory

    def order(self, observation: Any, memory: Any) -> Any:
        return observation.incoming_orders[:1]


class Peeking(Honest):
    def order(self, observation: Any, memory: Any) -> Any:
        return observation.market_demand[:1]


class Unnamed(Honest):
    """Reads what the game shows and `needs` does not name."""

    def order(self, observation: Any, memory: Any) -> Any:
        return observation.on_hand[:1]


class Prying(Honest):
    def order(self, observation: Any, memory: Any) -> Any:
        return observation._state.on_hand[:1]


class Text(Honest):
    needs = "incoming_orders"  # type: ignore[assignment]


class Misspelt(Honest):
    needs = frozenset({"incoming_order"})


class Summing(Honest):
    """Keeps its memory on itself, and empties it when an episode begins."""

    seen: Any = 0

    def start(self, seat: Any, replications: int) -> Any:
        self.seen = 0

    def order(self, observation: Any, memory: Any) -> Any:
        if np.shape(self.seen)[-1:] != (observation.replications,):
            self.seen = 0
        self.seen = self.seen + observation.incoming_orders[:1]
        return self.seen


class Demanding(Honest):
    needs = frozenset({"market_demand"})


class Nan(Honest):
    def order(self, observation: Any, memory: Any) -> Any:
        return observation.incoming_orders[:1] * np.nan


class Flat(Honest):
    def order(self, observation: Any, memory: Any) -> Any:
        return observation.incoming_orders[0]


class Fickle(Honest):
    generator = np.random.default_rng(0)

    def order(self, observation: Any, memory: Any) -> Any:
        return np.floor(self.generator.random((1, observation.replications)) * 9)


class Averaging(Honest):
    def order(self, observation: Any, memory: Any) -> Any:
        orders = observation.incoming_orders[:1]
        return orders * 0 + orders.mean()


class OneMemory(Honest):
    """Sums up what it saw, over all replications in one number."""

    def start(self, seat: Any, replications: int) -> Any:
        return [0.0]

    def order(self, observation: Any, memory: Any) -> Any:
        orders = observation.incoming_orders[:1]
        memory[0] += float(orders.sum())
        return orders * 0 + memory[0]


class Keeping(Honest):
    """Counts its calls in itself, not in the memory that it is given."""

    calls = 0

    def order(self, observation: Any, memory: Any) -> Any:
        self.calls += 1
        return observation.incoming_orders[:1] + self.calls


class Forgetful(Honest):
    def act(self, observation: Any, memory: Any) -> Any:
        return Decisions(order=observation.incoming_orders[:1])


def test_an_honest_policy_passes() -> None:
    check_policy(Honest(), Game(CHAINS["beer_game_normal"], **SHORT))


@pytest.mark.parametrize(
    ("policy", "sentence"),
    [
        (Peeking(), "reads what it did not name in `needs`"),
        (Unnamed(), "reads what it did not name in `needs`: 'on_hand'"),
        (Prying(), "reads '_state', which is no part of an observation"),
        (Text(), "`needs` is one text"),
        (Misspelt(), "`needs` names 'incoming_order', which is no field"),
        (Summing(), "played by turns with another episode"),
        (Demanding(), "Demanding needs 'market_demand', which observe: local hides"),
        (Nan(), "decides order that is not finite"),
        (Flat(), "the game refuses the decisions: .*shape"),
        (Fickle(), "played a second time on the same noise"),
        (Averaging(), "share memory between replications"),
        (OneMemory(), "share memory between replications"),
        (Keeping(), "played a second time on the same noise"),
        (Forgetful(), "does not return decisions and memory"),
        (object(), "object is no policy: it has no 'needs'"),
        ({}, "no policy for manufacturer, distributor"),
        ("bas_stock", r"no rule 'bas_stock' \(did you mean 'base_stock'\?\)"),
    ],
)
def test_a_policy_that_breaks_a_rule(policy: Any, sentence: str) -> None:
    with pytest.raises(AssertionError, match=sentence):
        check_policy(policy, Game(CHAINS["beer_game_normal"], **SHORT))


def test_sentences_are_one() -> None:
    with pytest.raises(AssertionError) as caught:
        plays.check(False, "a chain: this does not hold.")
    assert re.fullmatch(r"[^.]+\.", str(caught.value))

"""A uniform replay: rings of arrays, one slot for a period of all chains, copies and agents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Transitions:
    """Some periods of all chains, or a draw from them. Axes: A learning agents, K copies, o numbers seen.

    observations, following : (..., A, K, o) scaled, at a decision and at the next (where a game was cut: its last);
    actions : (..., A, K) int; rewards : (..., A, K) scaled; cut : (...) bool; ages : (...) int, periods that the game
    has been going on; feedback : (..., A, K), where a game was cut what each of its rewards grows by.
    """

    observations: Floats
    actions: Ints
    rewards: Floats
    following: Floats
    cut: NDArray[np.bool_]
    ages: Ints
    feedback: Floats


@dataclass(frozen=True)
class Draw:
    """M transitions for learning, the same chains and periods for every copy.

    observations, following : (M, A, K, o); actions : (M, A, K); rewards : (M, A, K), n of them added up with their
    discount; discount : (M,) of the value of `following`.
    """

    observations: Floats
    actions: Ints
    rewards: Floats
    following: Floats
    discount: Floats


class Replay:
    """The last periods of B chains.

    Parameters
    ----------
    slots
        Periods kept.
    returns
        Rewards added up before a value.
    discount
        Of a period.

    Attributes
    ----------
    filled : int
        Periods held.
    next_slot : int
        Where the next period goes.
    """

    ARRAYS = ("observations", "actions", "rewards", "following", "cut", "ages")

    def __init__(self, slots: int, returns: int, discount: float) -> None:
        self.slots, self.returns, self.discount = slots, returns, discount
        self.filled = 0
        self.next_slot = 0
        self._rings: dict[str, Any] = {}

    @property
    def transitions(self) -> int:
        """Periods held times chains, of each copy."""
        return self.filled * self._rings["cut"].shape[1] if self._rings else 0

    def add(self, periods: Transitions) -> None:
        """Take in T periods, whose arrays are (T, B, ...), over the oldest, and what games that ended add to theirs."""
        for number in range(len(periods.cut)):
            slot = self.next_slot
            for name in self.ARRAYS:
                value = getattr(periods, name)[number]
                if name not in self._rings:
                    self._rings[name] = np.zeros((self.slots, *value.shape), dtype=value.dtype)
                self._rings[name][slot] = value
            self.next_slot = (slot + 1) % self.slots
            self.filled = min(self.filled + 1, self.slots)
            ended = np.flatnonzero(periods.cut[number])
            if len(ended):
                self._feed_back(slot, ended, periods.feedback[number][ended])

    def _feed_back(self, slot: int, chains: Ints, feedback: Floats) -> None:
        """Add (b, A, K) to every reward of the games that ended in a slot."""
        lengths = self._rings["ages"][slot, chains] + 1
        for length in np.unique(lengths):
            own = lengths == length
            slots = (slot - np.arange(min(int(length), self.filled))) % self.slots
            self._rings["rewards"][slots[:, None], chains[own]] += feedback[own]

    def deviation(self) -> Floats:
        """(A, K) standard deviation of the rewards held."""
        return np.asarray(self._rings["rewards"][: self.filled].std((0, 1)), dtype=np.float32)

    def draw(self, count: int, generator: np.random.Generator) -> Draw:
        """M = `count` transitions, uniformly and with replacement, of those whose rewards are held."""
        chains = generator.integers(self._rings["cut"].shape[1], size=count)
        ages = generator.integers(0, self.filled - self.returns + 1, size=count)
        slots = (self.next_slot - self.filled + ages) % self.slots
        rewards, last, discount = self._returns(slots, chains)
        return Draw(
            observations=self._rings["observations"][slots, chains],
            actions=self._rings["actions"][slots, chains],
            rewards=rewards,
            following=self._rings["following"][last, chains],
            discount=discount,
        )

    def _returns(self, slots: Ints, chains: Ints) -> tuple[Floats, Ints, Floats]:
        """Discounted rewards up to a cut or n periods, (M,) slots of the last, and (M,) discounts of what follows."""
        rewards = self._rings["rewards"][slots, chains].copy()
        last, discount = slots.copy(), np.full(len(slots), self.discount, dtype=np.float32)
        going = ~self._rings["cut"][slots, chains]
        for ahead in range(1, self.returns):
            here = (slots + ahead) % self.slots
            weight = np.where(going, discount, 0)[:, None, None]
            rewards += (weight * self._rings["rewards"][here, chains]).astype(np.float32)
            last = np.where(going, here, last)
            discount = np.where(going, discount * np.float32(self.discount), discount)
            going &= ~self._rings["cut"][here, chains]
        return rewards, last, discount

    def get_state(self) -> dict[str, Any]:
        """Everything held, as arrays and numbers."""
        held = {name: ring[: self.filled].copy() for name, ring in self._rings.items()}
        return {"filled": self.filled, "next_slot": self.next_slot, "rings": held}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from `get_state`."""
        self.filled, self.next_slot = int(state["filled"]), int(state["next_slot"])
        self._rings = {}
        for name, held in state["rings"].items():
            held = np.asarray(held)
            self._rings[name] = np.zeros((self.slots, *held.shape[1:]), dtype=held.dtype)
            self._rings[name][: self.filled] = held

"""A mixed strategy as a policy: one of several policies is drawn for each episode and played to its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_supply.errors import InputError
from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory, Policy
from marl_supply.game.seat import Seat
from marl_supply.simulation.state import Decisions


class Mixture(Policy):
    """Draws one of some policies for each replication in its first period, and plays it from then on.

    Parameters
    ----------
    policies
        Which decide in the same way: all orders, or all levels.
    probabilities : (n,)
        Of each; they add up to 1.

    Raises
    ------
    InputError
        If the probabilities do not fit.
    """

    def __init__(self, policies: Sequence[Policy], probabilities: Any) -> None:
        self.policies = tuple(policies)
        self.probabilities: NDArray[np.float64] = np.asarray(probabilities, dtype=np.float64)
        shares = self.probabilities
        if shares.shape != (len(self.policies),) or (shares < 0).any() or abs(shares.sum() - 1) > 1e-8:
            raise InputError(f"probabilities: give {len(self.policies)} numbers from 0 on that add up to 1.")
        self.needs = frozenset().union(*(policy.needs for policy in self.policies))

    def start(self, seat: Seat, replications: int) -> Memory:
        """Nobody is drawn yet; what each would remember."""
        return None, tuple(policy.start(seat, replications) for policy in self.policies)

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        """Decide as the policy that was drawn for each replication.

        Raises
        ------
        InputError
            If the policies decide in different ways.
        """
        drawn, memories = memory
        if drawn is None:
            ends = self.probabilities.cumsum()[:-1]
            drawn = np.searchsorted(ends, observation.noise(1)[0], side="right")
        acted = [policy.act(observation, own) for policy, own in zip(self.policies, memories, strict=True)]
        decisions = acted[0][0]
        for number, (other, _) in enumerate(acted[1:], start=1):
            decisions = _put(decisions, other, drawn == number)
        return decisions, (drawn, tuple(own for _, own in acted))


def _put(decisions: Decisions, others: Decisions, where: NDArray[np.bool_]) -> Decisions:
    """The decisions, in some replications those of another policy."""
    kinds = decisions.kinds()
    if kinds != others.kinds() or "exposure" in kinds:
        told = f"{', '.join(kinds)} and {', '.join(others.kinds())}"
        raise InputError(f"a mixture of policies that decide in different ways ({told}); mix those of one kind.")
    return Decisions(**{kind: np.where(where, getattr(others, kind), getattr(decisions, kind)) for kind in kinds})

"""Poisson demand whose mean follows a hidden Markov chain."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from scipy import special

from marl_supply.demand.distribution import Distribution
from marl_supply.demand.process import BLOCK, Array, DemandProcess, GeneratorOf
from marl_supply.errors import InputError


class MarkovModulated(DemandProcess):
    """Poisson demand with a mean for each regime of a hidden Markov chain that starts in its stationary law.

    Song and Zipkin (1993), "Inventory control in a fluctuating demand environment", Operations Research
    41:351-370.
    """

    means: tuple[float, ...] = Field(min_length=1, description="mean demand in each regime (units per period)")
    transition: tuple[tuple[float, ...], ...] = Field(
        description="row i: probabilities of next period's regime when this period's is i (-)"
    )

    @model_validator(mode="after")
    def _stochastic(self) -> "MarkovModulated":
        regimes = len(self.means)
        if min(self.means) < 0 or max(self.means) == 0:
            raise ValueError("means: give means that are 0 or more, at least one of them positive")
        if len(self.transition) != regimes or any(len(row) != regimes for row in self.transition):
            raise ValueError(f"transition: give {regimes} rows of {regimes} probabilities, one for each mean")
        matrix = np.array(self.transition)
        if matrix.min() < 0 or not np.allclose(matrix.sum(axis=1), 1, atol=1e-9):
            raise ValueError("transition: every row holds probabilities that sum to 1")
        if np.linalg.matrix_rank(matrix - np.eye(regimes), tol=1e-10) < regimes - 1:
            raise ValueError("transition: some regimes never lead to each other, so there is no long run; link them")
        return self

    def stationary(self) -> Array:
        """Long-run probability of each regime, shape (regimes,)."""
        regimes = len(self.means)
        balance = np.vstack([np.array(self.transition).T - np.eye(regimes), np.ones(regimes)])
        solution: Array = np.linalg.lstsq(balance, np.append(np.zeros(regimes), 1.0), rcond=None)[0]
        return solution.clip(0, 1)

    @property
    def mean(self) -> float:
        return float(self.stationary() @ np.array(self.means))

    @property
    def variance(self) -> float:
        means = np.array(self.means)
        return float(self.stationary() @ (means + means**2)) - self.mean**2

    def distribution(self, period: int = 0, given: float | None = None) -> Distribution:
        """The law of a period's demand; `given` is the number of its regime, from 0 (unstated: the mixture)."""
        weights = self.stationary()
        if given is not None:
            if given not in range(len(self.means)):
                raise InputError(f"given: there is no regime {given}; give one from 0 to {len(self.means) - 1}")
            weights = np.eye(len(self.means))[int(given)]
        top = Distribution.of_whole_numbers(lambda values: special.pdtr(values, max(self.means))).values[-1]
        values = np.arange(top + 1)
        mass = np.diff(special.pdtr(values, np.array(self.means)[:, None]), prepend=0.0)
        return Distribution.of(values, weights @ mass)

    def forecast(self, period: int, last_demand: Array | None, ahead: int) -> Array:
        """The mean given the demand of the period before alone: Bayes' rule on the stationary regimes."""
        if last_demand is None:
            return np.full((ahead, 1), self.mean)
        belief = self._belief(np.asarray(last_demand))
        expected = np.empty((ahead, len(last_demand)))
        for step in range(ahead):
            belief = np.array(self.transition).T @ belief
            expected[step] = np.array(self.means) @ belief
        return expected

    def _belief(self, demand: Array) -> Array:
        """Probabilities of the regimes of a period given its demand, shape (regimes, B)."""
        means = np.array(self.means)[:, None]
        likelihood = special.xlogy(demand, means) - means  # what the regimes share cancels
        with np.errstate(divide="ignore"):
            likelihood += np.log(self.stationary())[:, None]
        weights = np.exp(likelihood - likelihood.max(axis=0))
        belief: Array = weights / weights.sum(axis=0)
        return belief

    def _regimes(self, uniform: Array, regime: NDArray[np.intp] | None) -> NDArray[np.intp]:
        """The chain driven by uniforms (64, replications), from the regimes of the block before."""
        steps = np.cumsum(np.array(self.transition), axis=1)[:, :-1]
        path = np.empty(uniform.shape, dtype=np.intp)
        for period, draws in enumerate(uniform):
            row = np.cumsum(self.stationary())[:-1] if regime is None else steps[regime]
            regime = (draws[:, None] >= row).sum(axis=1)
            path[period] = regime
        return path

    def draw(self, generator: GeneratorOf, replications: int, period_block: int, carry: Any) -> tuple[Array, Any]:
        regime = self._regimes(generator("regime").random((BLOCK, replications)), carry)
        demand = generator("demand").poisson(np.array(self.means)[regime])
        return demand.astype(np.float64), regime[-1].copy()

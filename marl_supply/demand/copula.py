"""Markets whose demand is correlated, through a Gaussian copula.

In every period and replication the markets of a group have normal scores with the stated correlations. A process
that draws normals draws its score; one that draws a uniform draws the standard normal distribution function of it;
gamma and Poisson draws invert their own distribution functions at that uniform. So each market keeps its own law, and
the correlation of demand itself is the stated one for unclipped normal demand and somewhat nearer to 0 for other laws
(Nelsen 2006, "An Introduction to Copulas", section 2.3; Cario and Nelson 1997, "Modeling and generating random vectors
with arbitrary marginal distributions and correlation matrix").

Can be correlated: `poisson`, `geometric`, `negative_binomial`, `uniform_integer`, `normal`, `gamma`, `ar1` (the
shocks), `seasonal` with noise, `markov_modulated` (regimes and demand alike), and any process that takes all its
numbers, one block a label, from `random`, `standard_normal`, `gamma` and `poisson`. Cannot: `step`, and a replayed
`trace`, which have no noise; a resampled `trace`, for which a common `stream` is the way to move together; `merton`,
which draws whole sequences until one fits; responsive processes, whose noise is drawn by the simulator.

A group's scores are a lower triangular factor times independent scores, each keyed by its own market. The first
market of a group therefore meets the noise it meets alone, and adding a market at the end changes no other.
"""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn, Protocol

import numpy as np
from scipy import special

from marl_supply.demand.process import BLOCK, Array, DemandProcess, GeneratorOf
from marl_supply.errors import InputError

BELOW_ONE = 1 - 2.0**-53
TOLERANCE = 1e-8


class Group(Protocol):
    """Markets and their correlation: of every pair, or the whole matrix."""

    @property
    def markets(self) -> Sequence[str]: ...

    @property
    def coefficient(self) -> float | Sequence[Sequence[float]]: ...


def matrix(group: Group) -> Array:
    """The correlation matrix of a group, shape (n, n).

    Raises
    ------
    InputError
        If no random numbers have these correlations; the sentence begins with `coefficient` or `markets`.
    """
    count = len(group.markets)
    if count < 2:
        raise InputError(f"markets: {count} cannot be correlated; name at least 2")
    if isinstance(group.coefficient, (int, float)):
        return _of_pairs(count, float(group.coefficient))
    rows = [[float(number) for number in row] for row in group.coefficient]
    if len(rows) != count or any(len(row) != count for row in rows):
        raise InputError(f"coefficient: give {count} rows of {count} numbers, one for each market, or one number")
    return _checked(np.array(rows))


def _of_pairs(count: int, coefficient: float) -> Array:
    least = -1 / (count - 1)
    if not least - TOLERANCE <= coefficient <= 1:
        raise InputError(
            f"coefficient: {coefficient} is not possible for every pair of {count} markets; "
            f"give a number from {least:.6g} to 1"
        )
    return np.where(np.eye(count, dtype=bool), 1.0, coefficient)


def _checked(correlations: Array) -> Array:
    if not np.allclose(np.diag(correlations), 1, atol=TOLERANCE):
        raise InputError("coefficient: a market's correlation with itself is 1; put 1 on the diagonal")
    if not np.allclose(correlations, correlations.T, atol=TOLERANCE):
        raise InputError("coefficient: the matrix is not symmetric; write each pair's correlation twice")
    if not np.abs(correlations).max() <= 1 + TOLERANCE:
        raise InputError("coefficient: a correlation lies outside -1 to 1; give numbers from -1 to 1")
    least = float(np.linalg.eigvalsh(correlations).min())
    if least < -TOLERANCE:
        raise InputError(
            f"coefficient: no demands have these correlations together (smallest eigenvalue {least:.3g}, "
            "which cannot be negative); bring some of them nearer to 0"
        )
    return correlations


def factor(correlations: Array) -> Array:
    """The lower triangular matrix whose rows have length 1 and these products (Cholesky, singular ones included).

    Row i depends on the first i rows alone, so a market at the end changes no other.
    """
    lower = np.zeros_like(correlations)
    for row in range(len(correlations)):
        for column in range(row):
            pivot = lower[column, column]
            rest = correlations[row, column] - float(np.sum(lower[row, :column] * lower[column, :column]))
            lower[row, column] = rest / pivot if pivot > 1e-6 else 0.0
        lower[row, row] = max(1 - float(np.sum(lower[row, :row] ** 2)), 0.0) ** 0.5
    return lower


class GroupNoise:
    """The noise of one group in one block of replications and periods.

    Parameters
    ----------
    members : sequence of callable
        The block generators that each market would draw from alone, in the order of the factor's rows.
    lower : (n, n) ndarray
        What `factor` returned.
    """

    def __init__(self, members: Sequence[GeneratorOf], lower: Array) -> None:
        self._members = members
        self._lower = lower
        self._independent: dict[tuple[int, str], Array] = {}

    def scores(self, member: int, label: str) -> Array:
        """The correlated normal scores of a member under a label, shape (64, 64)."""
        total, term = np.zeros((BLOCK, BLOCK)), np.empty((BLOCK, BLOCK))
        # one term after another, so that the bits do not depend on how many markets follow
        for other in np.flatnonzero(self._lower[member]):
            total += np.multiply(self._scores_of(int(other), label), self._lower[member, other], out=term)
        return total

    def _scores_of(self, member: int, label: str) -> Array:
        """The independent scores of a member."""
        if (member, label) not in self._independent:
            self._independent[member, label] = self._members[member](label).standard_normal((BLOCK, BLOCK))
        return self._independent[member, label]

    def generators(self, member: int, process: DemandProcess) -> Callable[[str], Any]:
        """What takes the place of a process's block generators."""
        return lambda label: CorrelatedGenerator(lambda: self.scores(member, label), process)


class CorrelatedGenerator:
    """Stands in for the numpy generator of one block: its draws follow given normal scores, once.

    Parameters
    ----------
    scores : callable
        Gives the scores, shape (64, 64).
    process : DemandProcess
        Who draws; named where it asks for something that has no correlated form.
    """

    def __init__(self, scores: Callable[[], Array], process: DemandProcess) -> None:
        self._scores: Callable[[], Array] | None = scores
        self._process = process

    def standard_normal(self, size: Any = None) -> Array:
        if self._scores is None or size != (BLOCK, BLOCK):
            self._refuse("draws more than one number for a period and label")
        scores, self._scores = self._scores(), None
        return scores

    def random(self, size: Any = None) -> Array:
        uniform: Array = special.ndtr(self.standard_normal(size))
        return np.minimum(uniform, BELOW_ONE, out=uniform)

    def gamma(self, shape: float, scale: float = 1.0, size: Any = None) -> Array:
        draws: Array = scale * special.gammaincinv(shape, self.random(size))
        return draws

    def poisson(self, lam: Any, size: Any = None) -> Array:
        rates = np.asarray(lam, dtype=np.float64)
        uniform = self.random(rates.shape if size is None else size)
        rates, draws = np.broadcast_to(rates, uniform.shape), np.empty(uniform.shape)
        for rate in np.unique(rates):
            own = rates == rate
            values: Array = np.arange(rate + 12 * rate**0.5 + 40)
            draws[own] = np.searchsorted(special.pdtr(values, rate), uniform[own], side="right")
        return draws

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        self._refuse(f"draws by {name}")

    def _refuse(self, why: str) -> NoReturn:
        kind = self._process.kind
        raise InputError(f"a market with the process {kind} cannot be correlated: it {why}; take it out of the group")

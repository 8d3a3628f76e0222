"""What candidates cost on common replications, remembered; few replications first, more for those still in the race.

Replication r is the same for every candidate, and the first replications of a long sample are those of a short one: two
candidates are always compared on the same replications, and growing a sample plays only what is new.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import special

from marl_supply.solvers.search.space import Costs, FloatArray

CONFIDENCE = 0.999
"""With which a candidate must be worse than the best, by a one-sided paired t test, to drop out."""
GROWTH = 4
"""Times as many replications in each heat of a race."""

Play = Callable[[FloatArray, int, int], FloatArray]
"""(C, R) costs of the candidates (C, D) on R replications from the one with the number given first."""


class Trials:
    """The candidates of one search.

    Parameters
    ----------
    play
        Plays candidates; see `Play`.
    replications : int
        How many a candidate meets that is not dropped.
    first_replications : int
        How many all meet.
    progress
        Called with a line and the number of candidates so far.

    Attributes
    ----------
    samples, points : dict
        By candidate, its costs (r,) on the first r replications, and itself.
    played : int
        Replications played, over all candidates.
    """

    def __init__(
        self,
        play: Play,
        replications: int,
        first_replications: int,
        progress: Callable[[str, int], None] | None = None,
    ) -> None:
        self.play = play
        self.replications = replications
        self.heats = heats(first_replications, replications)
        self.progress = progress
        self.samples: dict[bytes, FloatArray] = {}
        self.points: dict[bytes, FloatArray] = {}
        self.played = 0
        self._champion: bytes | None = None

    def sample(self, points: FloatArray, count: int) -> FloatArray:
        """(C, count) costs on the first `count` replications; plays what is not known."""
        known: dict[int, dict[bytes, FloatArray]] = {}
        for point in points:
            have = len(self.samples.get(point.tobytes(), ()))
            if have < count:
                known.setdefault(have, {})[point.tobytes()] = point
        for have, missing in known.items():
            costs = self.play(np.array(list(missing.values())), have, count - have)
            self.played += costs.size
            for (key, point), more in zip(missing.items(), costs, strict=True):
                self.samples[key] = np.concatenate([self.samples.get(key, more[:0]), more])
                self.points[key] = point
        found = np.array([self.samples[point.tobytes()][:count] for point in points]).reshape(len(points), count)
        if known and self.progress is not None:
            self.progress(f"cost {found.mean(1).min():.6g}", len(self.samples))
        return found

    @property
    def screening(self) -> Costs:
        """Mean costs on the first replications alone: cheap, and the same measure for all."""
        return lambda points: self.sample(points, self.heats[0]).mean(1)

    def race(self, points: FloatArray) -> FloatArray:
        """(C,) mean costs on all replications; infinite for those that dropped out on the way.

        In every heat a candidate drops out when it is significantly worse than the best of the race or of earlier
        races (screening by paired differences, after Nelson, Swann, Goldsman & Song 2001), and when it costs the same
        as the best of earlier races in every replication. To enter the last heat, the dear one, it must cost less
        than the best of earlier races, which itself always finishes.
        """
        running = np.arange(len(points))
        for count in self.heats[:-1]:
            running = running[self._still_in(points[running], count)]
        costs = np.full(len(points), math.inf)
        costs[running] = self.sample(points[running], self.replications).mean(1)
        if self._champion is None or costs.min() < self.samples[self._champion].mean():
            self._champion = points[costs.argmin()].tobytes()
        return costs

    def best(self, count: int) -> FloatArray:
        """(C, D) up to `count` candidates, the best first: those on most replications before others."""
        ranked = sorted(self.samples, key=lambda key: (-len(self.samples[key]), self.samples[key].mean(), key))
        return np.array([self.points[key] for key in ranked[:count]])

    def _still_in(self, points: FloatArray, count: int) -> NDArray[np.bool_]:
        """(C,) which candidates are not significantly worse than the best of them and of earlier races."""
        costs = self.sample(points, count)
        if self._champion is None:
            return _not_worse(costs - costs[costs.mean(1).argmin()])
        champion = self.samples[self._champion][:count]
        rivals = np.vstack([champion, costs])
        differs = (costs != champion).any(1)
        looks_better = (costs - champion).mean(1) < 0 if count == self.heats[-2] else True
        itself = np.array([point.tobytes() == self._champion for point in points], dtype=bool)
        not_worse = _not_worse(costs - rivals[rivals.mean(1).argmin()])
        return np.asarray(itself | (differs & looks_better & not_worse))


def heats(first: int, last: int) -> tuple[int, ...]:
    """Numbers of replications, each `GROWTH` times the one before, up to the last."""
    counts = [min(first, last)]
    while counts[-1] < last:
        counts.append(min(counts[-1] * GROWTH, last))
    return tuple(counts)


def _not_worse(differences: FloatArray) -> NDArray[np.bool_]:
    """(C,) whether paired differences (C, r) to the best leave it open, at `CONFIDENCE`, that they are not above 0."""
    count = differences.shape[1]
    if count < 2:
        return np.ones(len(differences), dtype=bool)
    error = differences.std(axis=1, ddof=1) / math.sqrt(count)
    return np.asarray(differences.mean(1) <= special.stdtrit(count - 1, CONFIDENCE) * error)

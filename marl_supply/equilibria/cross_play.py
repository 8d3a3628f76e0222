"""Cross-play: what teams that were trained apart cost when a member of one sits among the members of another.

Teams that agree on more than the game itself says do worse together than each alone (Hu, Lerer, Peysakhovich & Foerster
2020, Other-play for zero-shot coordination).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marl_supply.equilibria.gains import costs_of
from marl_supply.equilibria.responder import Progress
from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.metrics.intervals import Interval, over_replications

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class CrossPlay:
    """Total costs of mixed teams on common replications.

    Attributes
    ----------
    samples : (S, S, R)
        Total cost where one seat of team i is taken by its holder in team j, averaged over the seats, in the figure of
        the criterion; on the diagonal the teams themselves.
    """

    samples: FloatArray

    @property
    def costs(self) -> FloatArray:
        """(S, S) means over replications."""
        return np.asarray(self.samples.mean(-1))

    @property
    def excess(self) -> Interval:
        """What a foreign member costs more than one's own, averaged over all pairs of teams, over replications."""
        teams = len(self.samples)
        own = np.einsum("iir->ir", self.samples)
        foreign = (self.samples.sum(1) - own) / (teams - 1)
        return over_replications((foreign - own).mean(0))


def cross_play(
    game: Game,
    teams: Sequence[Mapping[str, Policy]],
    replications: int = 500,
    seed: int = 7,
    progress: Progress | None = None,
) -> CrossPlay:
    """Seat every member of every team among every other team.

    Raises
    ------
    InputError
        If there are fewer than two teams.
    """
    if len(teams) < 2:
        raise InputError("teams: one has nobody to play with; give two at least.")
    samples = np.empty((len(teams), len(teams), replications))
    for i, team in enumerate(teams):
        for j, other in enumerate(teams):
            if progress is not None:
                progress(f"team {i} with members of team {j}")
            seats = game.agents if i != j else game.agents[:1]
            mixed = [costs_of(game, {**team, seat: other[seat]}, replications, seed).sum(0) for seat in seats]
            samples[i, j] = np.mean(mixed, axis=0)
    return CrossPlay(samples)

"""Recorded play as tokens: what a model learns from, in arrays of one shape for each kind of seat."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from marl_supply.data.episode import Episode
from marl_supply.data.load import Dataset, Instance
from marl_supply.data.record import exploring_periods
from marl_supply.errors import InputError
from marl_supply.learning.foundation.decisions import DecisionTokens
from marl_supply.learning.foundation.returns import relative_rewards, returns_to_go, worths
from marl_supply.learning.foundation.rows import NodeTokens
from marl_supply.learning.foundation.settings import Pretraining

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Batch:
    """Pieces of episodes of S periods of B seats with m rows and n decisions each.

    returns: (B,) what the player is worth, relative; hidden: (B,) whether that is not told; earned: (B, S) relative
    returns-to-go; known: (B, S) whether they are whole; seen: (B, S, m, SEEN); rows: (B, m, k) what does not change;
    values: (B, S, n) what was decided; decisions: (B, n, k); kinds, places: (n,); step: (B, n) width of the grid, 0
    where units are continuous; low, high: (B, n) ends of it; learned: (B, S) whether decisions are.
    """

    returns: Floats
    hidden: NDArray[np.bool_]
    earned: Floats
    known: NDArray[np.bool_]
    seen: Floats
    rows: Floats
    values: Floats
    decisions: Floats
    kinds: NDArray[np.int64]
    places: NDArray[np.int64]
    step: Floats
    low: Floats
    high: Floats
    learned: NDArray[np.bool_]


@dataclass(frozen=True)
class Seats:
    """All that one task's seats of one shape saw and did: E episodes of T periods.

    task: its name; of: (E,) the seat of each episode, by which `rows`, `decisions`, `step`, `low` and `high` go; held:
    (E,) whether it is held back; returns: (E,) what its player is worth; hidden: (E,) whether that is never told, since
    chance decided too; earned, known, learned: (E, T) as in a batch.
    """

    task: str
    kinds: NDArray[np.int64]
    places: NDArray[np.int64]
    rows: Floats
    decisions: Floats
    step: Floats
    low: Floats
    high: Floats
    of: NDArray[np.int64]
    held: NDArray[np.bool_]
    returns: Floats
    hidden: NDArray[np.bool_]
    earned: Floats
    known: NDArray[np.bool_]
    seen: Floats
    values: Floats
    learned: NDArray[np.bool_]

    @property
    def period_tokens(self) -> int:
        """Tokens of a period: rows, decisions, and what asks for these."""
        return self.rows.shape[1] + 2 * len(self.kinds)

    def batch(self, generator: np.random.Generator, pieces: int, settings: Pretraining, held: bool = False) -> Batch:
        """Pieces drawn at random; of those held back, no more returns are hidden than have to be."""
        among = np.flatnonzero(self.held == held)
        episodes = among[generator.integers(len(among), size=pieces)]
        periods = min(settings.segment, self.values.shape[1])
        start = generator.integers(self.values.shape[1] - periods + 1, size=pieces)
        start[generator.random(pieces) < settings.beginnings] = 0
        hidden = self.hidden[episodes] | (generator.random(pieces) < (0.0 if held else settings.unconditional))
        where = episodes[:, None], start[:, None] + np.arange(periods)
        seat = self.of[episodes]
        return Batch(
            self.returns[episodes],
            hidden,
            self.earned[where],
            self.known[where],
            self.seen[where],
            self.rows[seat],
            self.values[where],
            self.decisions[seat],
            self.kinds,
            self.places,
            self.step[seat],
            self.low[seat],
            self.high[seat],
            self.learned[where],
        )


def corpus_of(
    datasets: Mapping[str, Dataset], settings: Pretraining, told: Callable[[str], None] = lambda line: None
) -> list[Seats]:
    """Datasets as tokens; one entry for each task and shape of seat.

    Parameters
    ----------
    datasets
        By task; recorded on common seeds, the first policy of each is its baseline.
    settings
        Shares of the data, and how returns are taken.

    Raises
    ------
    InputError
        For seats that a model cannot play, datasets without a baseline, and no dataset at all.
    """
    if not datasets:
        raise InputError("there is no dataset, so nothing to learn from; name one at least.")
    found: list[Seats] = []
    for task, dataset in datasets.items():
        told(f"reading {task}")
        numbered = enumerate(dataset.instances[: max(1, round(settings.share * len(dataset.instances)))])
        own = [part for number, instance in numbered for part in _parts(dataset, instance, number, settings)]
        own.sort(key=_shape)
        found += [_joined(task, list(parts)) for _, parts in groupby(own, key=_shape)]
    return found


@dataclass(frozen=True)
class _Part:
    """One seat of one instance."""

    nodes: NodeTokens
    decisions: DecisionTokens
    held: NDArray[np.bool_]
    returns: Floats
    hidden: NDArray[np.bool_]
    earned: Floats
    known: NDArray[np.bool_]
    seen: Floats
    values: Floats
    learned: NDArray[np.bool_]


def _shape(part: _Part) -> tuple[int, ...]:
    kinds, places = part.decisions.kinds.tolist(), part.decisions.rows.tolist()
    return (len(part.nodes.rows), part.learned.shape[1], len(kinds), *kinds, *places)


def _parts(dataset: Dataset, instance: Instance, number: int, settings: Pretraining) -> Iterator[_Part]:
    game = instance.game()
    baseline = dataset.card["policies"][0]["name"]
    random = {own["name"] for own in dataset.card["policies"] if own["random_share"]}
    episodes = list(instance.episodes())
    held = _held_back(episodes, number, settings)
    players = [episode.player for episode in episodes]
    exploring = np.array([exploring_periods(episode.seed, dataset.exploring_starts) for episode in episodes])
    for agent, seat in game.seats.items():
        better = relative_rewards(episodes, baseline, agent)
        periods = round(settings.cycles * int(game.network.periods_below[seat.scope.rows].max()))
        nodes, decisions = NodeTokens(seat, game.observe_level), DecisionTokens(seat)
        clock = np.arange(better.shape[1])
        actions = np.array([np.asarray(own.actions[agent]).reshape(len(clock), -1) for own in episodes])
        seen = np.array([own.observations[agent][:-1] for own in episodes])
        yield _Part(
            nodes,
            decisions,
            held,
            worths(better, players),
            np.array([player in random for player in players]),
            returns_to_go(better, periods),
            np.broadcast_to(clock + periods <= len(clock), better.shape),
            nodes.changing(seen),
            decisions.values(actions.astype(np.float64)).astype(np.float32),
            clock >= exploring[:, None],
        )


def _held_back(episodes: Sequence[Episode], instance: int, settings: Pretraining) -> NDArray[np.bool_]:
    """(E,) which episodes are: whole seeds, whoever played on them."""
    seeds = np.array([episode.seed for episode in episodes])
    different = np.unique(seeds)
    order = np.random.default_rng([settings.seed, instance]).permutation(different)
    held = order[: round(settings.held_back * len(order))]
    return np.isin(seeds, held)


def _joined(task: str, parts: Sequence[_Part]) -> Seats:
    first = parts[0]
    return Seats(
        task,
        first.decisions.kinds,
        first.decisions.rows,
        np.array([part.nodes.constant for part in parts], dtype=np.float32),
        np.array([part.decisions.constant for part in parts], dtype=np.float32),
        np.array([part.decisions.step for part in parts], dtype=np.float32),
        np.array([part.decisions.low for part in parts], dtype=np.float32),
        np.array([part.decisions.high for part in parts], dtype=np.float32),
        np.repeat(np.arange(len(parts)), [len(part.held) for part in parts]),
        np.concatenate([part.held for part in parts]),
        np.concatenate([part.returns for part in parts]),
        np.concatenate([part.hidden for part in parts]),
        np.concatenate([part.earned for part in parts]),
        np.concatenate([part.known for part in parts]),
        np.concatenate([part.seen for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.learned for part in parts]),
    )

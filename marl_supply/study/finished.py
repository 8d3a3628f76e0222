"""What analyses read of the finished rows of a results folder: who played, in which game."""

from __future__ import annotations

from marl_supply.errors import InputError, nearest
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.learning.trained import load_policies
from marl_supply.metrics.intervals import Interval
from marl_supply.study.experiment import Experiment
from marl_supply.study.file import LearnerRow, ModelRow, SeatsRow
from marl_supply.study.folder import Folder
from marl_supply.study.model_row import model_players
from marl_supply.study.players import seat_some
from marl_supply.study.scoring import scoring
from marl_supply.study.seats_of import sources_of


def check_rows(experiment: Experiment, key: str, rows: tuple[str, ...]) -> None:
    """Refuse names that no row has."""
    for name in rows:
        if name not in experiment.compare:
            raise InputError(f"{key}: no row '{name}'{nearest(name, experiment.compare)}")


def ends(interval: Interval) -> dict[str, float | None]:
    """A mean and the ends of its interval, JSON-able."""
    return {"mean": interval.mean, "low": interval.low, "high": interval.high}


def players_of(folder: Folder, experiment: Experiment, name: str) -> tuple[Game, dict[int | None, dict[str, Policy]]]:
    """The game of a finished row as it was scored, and who played in it, by training seed (None for rules)."""
    row = experiment.compare[name]
    game = scoring(experiment.topology_of(row), experiment.evaluate).game
    if isinstance(row, SeatsRow):
        return game, _seated_as_elsewhere(folder, experiment, row)
    if isinstance(row, ModelRow):
        return game, model_players(folder, name, row, game)
    record = folder.record(name)
    if not isinstance(row, LearnerRow):
        return game, {None: seat_some(game, record["policies"], record["parameters"])}
    fixed = seat_some(game, row.seats)
    training = folder.row(name) / "training"
    found = {seed: load_policies(training / f"seed_{seed}.npz") for seed in row.seeds}
    return game, {seed: {**fixed, **policies} for seed, policies in found.items()}


def _seated_as_elsewhere(folder: Folder, experiment: Experiment, row: SeatsRow) -> dict[int | None, dict[str, Policy]]:
    """Each agent with the policy that it plays in its row, by training seed; rules sit beside every seed."""
    teams = {name: players_of(folder, experiment, name)[1] for name in sources_of(row)}
    seeds = next((list(team) for team in teams.values() if None not in team), [None])
    return {
        seed: {agent: teams[name][None if None in teams[name] else seed][agent] for agent, name in row.seats_of.items()}
        for seed in seeds
    }


def game_for_all(experiment: Experiment, key: str, rows: tuple[str, ...]) -> Game:
    """The one game of several rows as they are scored.

    Raises
    ------
    InputError
        If they see or decide otherwise than each other: their policies cannot sit at one table then.
    """
    stated = {name: experiment.compare[name].game for name in rows}
    first = next(iter(stated.values()))
    for name, game in stated.items():
        if game != first:
            raise InputError(f"{key}: row '{name}' sees or decides otherwise than the others; name rows of one game")
    return scoring(experiment.topology_of(experiment.compare[rows[0]]), experiment.evaluate).game

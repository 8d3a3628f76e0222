"""The work of one row: find its players (seat, tune or train them), score them, write what came out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from itertools import count
from typing import cast

from marl_supply.equilibria.best_response_dynamics import BestResponses, equilibria_within
from marl_supply.errors import InputError
from marl_supply.game.evaluate import evaluate
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.metrics.intervals import Interval
from marl_supply.policies.seating import parameters_of
from marl_supply.solvers.tune import Method, Tie, tune
from marl_supply.study import provenance, tables
from marl_supply.study.experiment import Experiment, Row
from marl_supply.study.file import LearnerRow, ModelRow, PolicyRow, SeatsRow
from marl_supply.study.finished import players_of
from marl_supply.study.folder import Folder, write_json, write_table
from marl_supply.study.model_row import work_model
from marl_supply.study.players import seat_players, seat_some
from marl_supply.study.scoring import Scoring, scoring
from marl_supply.study.tables import Table

Report = Callable[[float, str], None]
"""Called with the share of a row's work that is done, and a few words."""
TRAINED_SHARE = 0.9
"""Share of a trained row's work that is taken to be training; the rest is scoring."""

Players = dict[str, Policy]


def work(folder: Folder, experiment: Experiment, name: str, report: Report) -> None:
    """Do a row, unless it is finished.

    Raises
    ------
    InputError
        If the row cannot be played; `plan.check` refuses what can be known beforehand.
    """
    if folder.finished(name):
        return
    started = time.monotonic()
    row = experiment.compare[name]
    if isinstance(row, LearnerRow):
        found, players = _train(folder, experiment, name, row, report)
    elif isinstance(row, ModelRow):
        found, players = work_model(folder, name, row, game_of(experiment, row), report)
    elif isinstance(row, SeatsRow):
        game, players = players_of(folder, experiment, name)
        found = _seated(game, row, players)
    else:
        found, players = _rules(experiment, row, report)
    scored = scoring(experiment.topology_of(row), experiment.evaluate)
    results = _score(folder, experiment, name, scored, players, report)
    record = {
        "row": name,
        **found,
        **_circumstances(scored),
        "results": results,
        "training_demand": _on_training_demand(experiment, scored, row, players, results),
        "seconds": round(time.monotonic() - started, 3),
        "ended": provenance.now(),
        "commit": provenance.commit(),
    }
    write_json(folder.row(name) / "row.json", record)


def game_of(experiment: Experiment, row: Row) -> Game:
    """The game that a row is tuned or trained on: recorded demand by its training span."""
    return Game(experiment.training_topology_of(row), reward=row.reward if isinstance(row, LearnerRow) else None)


def _rules(experiment: Experiment, row: PolicyRow, report: Report) -> tuple[Table, dict[int | None, Players]]:
    game = game_of(experiment, row)
    found: Table = {"kind": "policy"}
    if row.tune:
        assert row.policy is not None
        report(0.0, "tuning")
        others = seat_some(game, row.seats)
        tuned = tune(
            row.policy,
            game,
            agents=[agent for agent in game.agents if agent not in others] if others else None,
            others=others or None,
            replications=row.tune.replications,
            restarts=row.tune.restarts,
            method=cast(Method, row.tune.method),
            tie=cast(Tie, row.tune.tie),
            parameters=row.parameters or None,
            progress=lambda text, tried: report(1 - 1 / (1 + tried / 1000), f"tuning, {tried} candidates, {text}"),
        )
        players = {**tuned.players, **others}
        found["tuning"] = {
            "cost": tuned.cost,
            "standard_error": tuned.standard_error,
            "candidates": tuned.candidates,
            "periods": tuned.periods,
            "estimate": _ends(tuned.estimate),
            "excess": _ends(tuned.excess),
            "second_best": {"parameters": tuned.second_best[0], "cost": tuned.second_best[1]},
        }
    elif row.equilibrium:
        found["equilibrium"], players = _at_rest(game, row, report)
        found["reward"] = "individual"
    else:
        players = seat_players(game, row.policy, row.parameters, row.seats)
    named = {agent: row.seats.get(agent, row.policy or "") for agent in game.agents}
    found |= {"policies": named, "parameters": parameters_of(game, players), "tuned": bool(row.tune)}
    return found, {None: players}


def _seated(game: Game, row: SeatsRow, players: Mapping[int | None, Players]) -> Table:
    first = next(iter(players.values()))
    return {"kind": "seats", "policies": row.seats_of, "parameters": parameters_of(game, first)}


def _at_rest(game: Game, row: PolicyRow, report: Report) -> tuple[list[Table], Players]:
    """Where agents who answer one another come to rest: all profiles that were found, and who plays the dearest."""
    assert row.policy is not None and row.equilibrium
    how, numbers = row.equilibrium, count(1)

    def progress(text: str) -> None:
        number = next(numbers)
        report(1 - 1 / (1 + number / 100), f"answer {number}: {text}")

    responses = BestResponses(game, row.policy, how.replications, progress=progress)
    points = equilibria_within(responses, how.starts, how.rounds)
    if not points:
        raise InputError(
            f"equilibrium: from {how.starts} starts agents who answer one another by {row.policy} never come to rest; "
            "raise starts or rounds, or leave the row out"
        )
    return [asdict(point) for point in points], responses.players(points[0].parameters)


def _ends(interval: Interval) -> Table:
    return {"mean": interval.mean, "low": interval.low, "high": interval.high}


def _train(
    folder: Folder, experiment: Experiment, name: str, row: LearnerRow, report: Report
) -> tuple[Table, dict[int | None, Players]]:
    from marl_supply.learning.loggers.logger import Loggers, Run
    from marl_supply.learning.settings import learner_named
    from marl_supply.learning.train import train

    loggers = Loggers(experiment.train.loggers, Run(folder.row(name), experiment.name, name, row.to_dict()))
    game = game_of(experiment, row)
    fixed = seat_some(game, row.seats)
    try:
        training = train(
            game,
            learner_named(row.learner, row.settings),
            row.seeds,
            row.env_steps,
            out_dir=folder.row(name) / "training",
            progress=_steps(report, folder.resume_step(name) or 0),
            fixed=fixed,
            env_runners=experiment.train.env_runners,
            watch=loggers,
        )
    finally:
        loggers.close()
    write_table(folder.row(name) / "curve.parquet", tables.curve(game, training.curve))
    reward = game.reward
    found: Table = {
        "kind": "learner",
        "learner": row.learner,
        "reward": reward if isinstance(reward, str) else dict(reward),
        "env_steps": row.env_steps,
        "settings": row.settings,
        "policies": {agent: row.seats.get(agent, row.learner) for agent in game.agents},
        "parameters": parameters_of(game, fixed),
        "taken_after_steps": {str(seed): steps for seed, steps in training.chosen.items()},
        "resumed_from": training.resumed_from,
    }
    return found, {seed: {**fixed, **cast(Players, training.policies[seed])} for seed in row.seeds}


def _steps(report: Report, before: int) -> Callable[[int, int], None]:
    """Progress of a training in steps; where it goes on from an earlier one, its words say so."""
    begun = f", resumed from step {before:,}" if before else ""

    def progress(done: int, planned: int) -> None:
        report(TRAINED_SHARE * done / max(planned, 1), f"{done:,} of {planned:,} steps{begun}")

    return progress


def _score(
    folder: Folder,
    experiment: Experiment,
    name: str,
    scored: Scoring,
    players: Mapping[int | None, Players],
    report: Report,
) -> list[Table]:
    """Score the players of every seed, write the tables, return the figures."""
    trained = None not in players
    results, episodes, paths = [], [], []
    for number, (seed, seated) in enumerate(players.items()):
        begun = TRAINED_SHARE + (1 - TRAINED_SHARE) * number / len(players) if trained else 0.9
        report(begun, "scoring" if seed is None else f"scoring seed {seed}")
        evaluation = scored.evaluate(seated)
        if number == 0:
            write_table(folder.row(name) / "orders.parquet", scored.sample(seated))
        results.append({"training_seed": seed, **tables.figures(evaluation)})
        episodes.append(tables.episodes(name, seed, evaluation))
        if evaluation.path is not None:
            paths.append(tables.path(seed, evaluation))
    write_table(folder.row(name) / "episodes.parquet", tables.stack(episodes))
    if paths:
        write_table(folder.row(name) / "path.parquet", tables.stack(paths))
    return results


def _circumstances(scored: Scoring) -> Table:
    game = scored.game
    return {
        "topology": game.topology.name,
        "period": game.topology.period,
        "agents": list(game.agents),
        "nodes": list(game.network.rows),
        "criterion": game.criterion,
        "discount": game.discount,
        "horizon": game.horizon,
        "warm_up": game.warm_up,
        "replications": scored.replications,
        "seed": scored.seed,
        "held_out": game.held_out,
        "one_path": scored.one_path,
        "block": scored.block,
    }


def _on_training_demand(
    experiment: Experiment, scored: Scoring, row: Row, players: Mapping[int | None, Players], results: list[Table]
) -> Table | None:
    """What a row costs on the demand that it was tuned or trained on, by the game's criterion.

    Beside the learning curves it is a line for each rule; where scoring is on held-out demand it is told for every row.
    """
    held_out = scored.game.held_out
    if not held_out and (None not in players or not experiment.learners):
        return None
    game = game_of(experiment, row)
    periods = game.horizon - game.warm_up
    divisor = 1 if game.criterion == "total" else periods
    costs = [result["cost"] for result in results]
    if held_out:
        settings = experiment.evaluate
        scores = (evaluate(game, seated, settings.replications, settings.seed) for seated in players.values())
        costs = [tables.figures(score)["cost"] for score in scores]
    mean = {agent: sum(cost["by_agent"][agent] for cost in costs) / len(costs) for agent in game.agents}
    by_seed = [cost["mean"] / periods for cost in costs]
    return {
        "cost": sum(by_seed) / len(by_seed) * periods / divisor,
        "by_agent": {agent: value / divisor for agent, value in mean.items()},
        "by_seed": by_seed,
    }

"""What an experiment will do, and everything that can be refused before it does it."""

from __future__ import annotations

import numpy as np

from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.learning.extras import check_installed
from marl_supply.learning.loggers.logger import check_loggers
from marl_supply.learning.settings import learner_named
from marl_supply.study.experiment import Experiment, Row
from marl_supply.study.file import LearnerRow, ModelRow, PolicyRow, SeatsRow, requested
from marl_supply.study.model_row import check_model_row
from marl_supply.study.players import seat_players, seat_some, try_out
from marl_supply.study.scoring import Scoring, scoring
from marl_supply.study.seats_of import check_seats
from marl_supply.study.work import game_of


def check(experiment: Experiment) -> Scoring:
    """Seat every row's players and play a period, without tuning or training; return how rows are scored.

    Raises
    ------
    InputError
        For the first thing that would stop the experiment later.
    """
    scored = scoring(experiment.topology, experiment.evaluate)
    for name, row in experiment.compare.items():
        try:
            game = game_of(experiment, row)
            if isinstance(row, SeatsRow):
                check_seats(experiment, row, game.agents)
            else:
                _check_row(game, scoring(experiment.topology_of(row), experiment.evaluate).game, row)
        except InputError as error:
            raise InputError(f"compare.{name}: {error}") from None
    if experiment.learners:
        check_loggers(experiment.train.loggers)
    for name, analysis in experiment.analyse.items():
        try:
            analysis.check(experiment)
        except InputError as error:
            raise InputError(f"analyse.{name}.{error}") from None
    for name, reference in experiment.report.references.items():
        for agent in reference.by_agent:
            if agent not in scored.game.agents:
                raise InputError(f"report.references.{name}.by_agent: no agent '{agent}'")
    return scored


def describe(experiment: Experiment, scored: Scoring) -> list[str]:
    """The plan in lines: the game, how rows are scored, and what each row is."""
    game = scored.game
    lines = [f"{experiment.name}: {len(experiment.compare)} rows on {game.topology.name}"]
    if scored.one_path:
        how = f"one realised path of {game.horizon} periods" + (", held out" if game.held_out else "")
    else:
        how = f"{scored.replications:,} replications of {game.horizon} periods, seed {scored.seed}"
    warm_up = f", the first {game.warm_up} not counted" if game.warm_up else ""
    lines.append(f"scored on {how}{warm_up}, by {'total' if game.criterion == 'total' else 'average'} cost")
    width = max(len(name) for name in experiment.compare)
    return lines + [f"  {name:{width}}  {describe_row(row)}" for name, row in experiment.compare.items()]


def describe_row(row: Row) -> str:
    """A row in a few words."""
    if isinstance(row, SeatsRow):
        return ", ".join(f"{agent} as in {name}" for agent, name in row.seats_of.items())
    others = "".join(f", {agent} {name}" for agent, name in row.seats.items())
    if isinstance(row, LearnerRow):
        reward = row.reward or "the game's"
        text = reward if isinstance(reward, str) else f"blend {reward['blend']:g}"
        return (
            f"{row.learner}, {text} reward, {len(row.seeds)} seeds of {row.env_steps:,} steps{_elsewhere(row)}{others}"
        )
    if isinstance(row, ModelRow):
        model = row.model if isinstance(row.model, str) else f"model {row.model['name']}"
        asked = "" if row.request is None else f", {requested(row.request)}"
        more = row.fine_tune and f", {len(row.fine_tune.seeds)} seeds of {row.fine_tune.env_steps:,} steps more"
        return f"{model}{asked}{more or ''}{others}"
    found = ", tuned" if row.tune else ", in equilibrium" if row.equilibrium else ""
    return f"{row.policy or 'a mix'}{found}{_elsewhere(row)}{others}"


def _elsewhere(row: PolicyRow | LearnerRow) -> str:
    stated = ", ".join(f"{path}={value}" for path, value in row.trained_on.items())
    return f" on another instance ({stated})" if stated else ""


def _check_row(game: Game, scored: Game, row: PolicyRow | LearnerRow | ModelRow) -> None:
    if isinstance(row, LearnerRow):
        if row.trained_on:
            _check_alike(game, scored)
        learner = learner_named(row.learner, row.settings)
        check_installed(learner.packages)
        learner.check(game, seat_some(game, row.seats))
        return
    if isinstance(row, ModelRow):
        players = check_model_row(scored, row)
        if players is not None:
            try_out(scored, players)
        return
    if row.policy is not None and (row.tune or row.equilibrium):
        _check_tunable(game, row, row.policy, "tune" if row.tune else "equilibrium")
    try_out(scored, seat_players(scored, row.policy, row.parameters, row.seats))


def _check_alike(trained: Game, scored: Game) -> None:
    """What is trained on another instance has to fit the one that it is scored on."""
    if trained.agents != scored.agents:
        raise InputError(f"trained_on: its agents are {', '.join(trained.agents)}, not {', '.join(scored.agents)}")
    for agent in scored.agents:
        own, other = (len(game.layouts[agent]) for game in (trained, scored))
        if own != other:
            raise InputError(
                f"trained_on: there {agent} sees {own} numbers, and {other} in the game that it is scored on, so it "
                "cannot play here what it learned; leave values out that change what is seen, such as lead times"
            )
        acts, here = (game.actions[agent] for game in (trained, scored))
        if not all(map(np.array_equal, (acts.low, acts.high, acts.steps), (here.low, here.high, here.steps))):
            raise InputError(
                f"trained_on: there {agent} has other actions than in the game that it is scored on; state their "
                "bounds in game.actions, such as {kind: order_up_to, highest: 30}"
            )


def _check_tunable(game: Game, row: PolicyRow, policy: str, key: str) -> None:
    own = {agent: policy for agent in game.agents if agent not in row.seats}
    if not own:
        raise InputError(f"{key}: seats leaves {policy} no agent to play it; leave one out of seats")
    for player in seat_some(game, own).values():
        parameters = getattr(player, "parameters", ())
        if not any(parameter.tuned for parameter in parameters):
            raise InputError(f"{key}: {policy} has no parameters to tune; set {key}: false")

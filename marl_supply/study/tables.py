"""What came out of an evaluation or a training, as numbers for JSON and as columns for parquet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from marl_supply.game.evaluate import Evaluation
from marl_supply.game.game import Game

Table = dict[str, Any]


def figures(evaluation: Evaluation) -> Table:
    """The numbers of an evaluation, JSON-able; money over the counted periods unless said."""
    return {
        "cost": {
            "mean": evaluation.mean,
            "standard_error": evaluation.standard_error,
            "by_agent": evaluation.by_agent,
        },
        "cost_per_period": evaluation.per_period,
        "fill_rate": evaluation.fill_rate,
        "cycle_service_level": evaluation.cycle_service_level,
        "bullwhip": evaluation.bullwhip,
        "accounts": {
            account: dict(zip(evaluation.places, map(float, costs.mean(1)), strict=True))
            for account, costs in evaluation.accounts.items()
        },
    }


def curve(game: Game, points: Iterable[Any]) -> Table:
    """Columns of the greedy evaluations during a training; cost as the criterion says, a line for each agent."""
    rows = [(p.seed, p.env_steps, p.seconds, agent, p.by_agent[agent]) for p in points for agent in game.agents]
    seeds, steps, seconds, agents, costs = zip(*rows, strict=True) if rows else ((),) * 5
    return {
        "training_seed": np.array(seeds, dtype=np.int64),
        "env_steps": np.array(steps, dtype=np.int64),
        "seconds": np.array(seconds, dtype=np.float64),
        "agent": pa.array(agents, pa.string()),
        "cost": np.array(costs, dtype=np.float64),
    }


def episodes(row: str, seed: int | None, evaluation: Evaluation) -> Table:
    """A line for each replication and agent: its cost over the counted periods, money."""
    agents, replications = evaluation.cost.shape
    return {
        "row": [row] * evaluation.cost.size,
        "training_seed": pa.array([seed] * evaluation.cost.size, pa.int64()),
        "replication": np.tile(np.arange(replications), agents),
        "agent": np.repeat(evaluation.agents, replications),
        "cost": evaluation.cost.ravel(),
    }


def path(seed: int | None, evaluation: Evaluation) -> Table:
    """A line for each counted period and agent of the one path: its cost in that period, undiscounted, money."""
    assert evaluation.path is not None
    costs = evaluation.path[evaluation.warm_up :, :, 0]
    periods, agents = costs.shape
    return {
        "training_seed": pa.array([seed] * costs.size, pa.int64()),
        "period": np.repeat(np.arange(evaluation.warm_up, evaluation.warm_up + periods), agents),
        "agent": np.tile(evaluation.agents, periods),
        "cost": costs.ravel(),
    }


def stack(parts: Sequence[Table]) -> Table:
    """Columns under each other."""
    joined = pa.concat_tables([pa.table(part) for part in parts])
    return dict(zip(joined.column_names, joined.columns, strict=True))

"""Stock over time: what is on hand at each node at the end of each period, over the replications of a row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from marl_supply.game.rollout import rollout
from marl_supply.study.experiment import Experiment
from marl_supply.study.finished import players_of
from marl_supply.study.folder import Folder, write_table
from marl_supply.study.scoring import SHOWN, scoring

BAND = (10, 90)
"""Percentiles of replications between which the band lies."""


def stock_file(folder: Folder, name: str) -> Path:
    """Where a row's stock over time is kept."""
    return folder.row(name) / "inventory.parquet"


def keep_stock(folder: Folder, experiment: Experiment, name: str) -> None:
    """Write the stock over time of a finished row, of a trained one with its first seed.

    Columns period, node, mean, low and high (units): at the end of the period, over the replications that the row was
    scored on.
    """
    game, players = players_of(folder, experiment, name)
    scored = scoring(experiment.topology_of(experiment.compare[name]), experiment.evaluate)
    rows = list(game.network.rows)
    parts: list[np.ndarray] = []
    for period, outcome in enumerate(rollout(game, next(iter(players.values())), scored.replications, scored.seed)):
        if period == SHOWN:
            break
        on_hand = np.asarray(outcome.flows.on_hand)[: len(rows)]
        parts.append(np.stack([on_hand.mean(1), *np.percentile(on_hand, BAND, axis=1)]))
    mean, low, high = np.concatenate(parts, axis=1)
    periods = np.repeat(np.arange(len(parts)), len(rows))
    columns: dict[str, Any] = {"period": periods, "node": rows * len(parts), "mean": mean, "low": low, "high": high}
    write_table(stock_file(folder, name), columns)

"""Score the players of a row: on common replications, or on held-out recorded demand as one realised path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from marl_supply.errors import InputError
from marl_supply.game.evaluate import Evaluation, evaluate
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.game.rollout import rollout
from marl_supply.study.file import Evaluate
from marl_supply.topology.file import Topology

DAYS = 28
"""Block of the bootstrap where a period is a day: four weeks."""
SHOWN = 150
"""Most periods of orders that are kept for the figure."""


@dataclass(frozen=True)
class Scoring:
    """How every row of an experiment is scored.

    Attributes
    ----------
    game : Game
        On the held-out span where there is one, over its whole length.
    one_path : bool
        Whether demand is one recorded series, the same in every replication.
    block : int or None
        Periods of a block of the bootstrap of that path; None where it is too short for one.
    """

    game: Game
    replications: int
    seed: int
    one_path: bool
    block: int | None

    def evaluate(self, players: Mapping[str, Policy]) -> Evaluation:
        """Play."""
        return evaluate(self.game, players, self.replications, self.seed, keep_path=self.one_path)

    def sample(self, players: Mapping[str, Policy]) -> dict[str, Any]:
        """Orders, demand, prices of the first replication in columns: period, kind, name, quantity (units or money)."""
        return sample_orders(self.game, players, self.seed)


def scoring(topology: Topology, settings: Evaluate) -> Scoring:
    """How the rows of an experiment on a topology are scored.

    Raises
    ------
    InputError
        If the held-out span is too short for the game's warm-up or the stated block.
    """
    span = held_out_span(topology)
    game = Game(topology) if span is None else held_out_game(topology)
    one_path = all(process.periods is not None for process in game.processes.values())
    counted = game.horizon - game.warm_up
    block = _block(topology, settings, counted) if one_path else None
    return Scoring(game, 1 if one_path else settings.replications, settings.seed, one_path, block)


def held_out_span(topology: Topology) -> int | None:
    """Periods of the shortest held-out span among the markets; None where nothing is held out."""
    processes = [market.process for market in topology.markets.values()]
    spans = [p.evaluation().periods for p in processes if p.evaluation() is not p]
    known = [span for span in spans if span is not None]
    return min(known) if known else None


def held_out_game(topology: Topology) -> Game:
    """The game on the held-out span, as long as it.

    Raises
    ------
    InputError
        If nothing is held out, or the warm-up leaves no period of it.
    """
    span = held_out_span(topology)
    if span is None:
        raise InputError(f"{topology.name}: no market has a held-out span; state held_out beside its file")
    warm_up = topology.game.warm_up
    if warm_up >= span:
        raise InputError(
            f"{topology.name}: game.warm_up: {warm_up} periods leave none of the {span} held out; lower it"
        )
    return Game(topology, held_out=True, horizon=span)


def sample_orders(game: Game, players: Mapping[str, Policy], seed: int) -> dict[str, Any]:
    """Orders by node, demand and decided prices by market of one replication, period by period."""
    network = game.network
    priced = network.priced_markets
    names = [*network.rows, *network.markets, *[network.markets[number] for number in priced]]
    kinds = ["order"] * len(network.rows) + ["demand"] * len(network.markets) + ["price"] * len(priced)
    quantities: list[np.ndarray] = []
    for period, outcome in enumerate(rollout(game, players, 1, seed)):
        if period == SHOWN:
            break
        orders = game.books.arrays.add_up(network.inbound, outcome.flows.order)
        prices = network.price[priced] if outcome.flows.price is None else outcome.flows.price[priced, 0]
        quantities.append(np.concatenate([orders[:, 0], outcome.flows.demand[:, 0], prices]))
    periods = len(quantities)
    return {
        "period": np.repeat(np.arange(periods), len(names)),
        "kind": kinds * periods,
        "name": names * periods,
        "quantity": np.concatenate(quantities),
    }


def _block(topology: Topology, settings: Evaluate, counted: int) -> int | None:
    if settings.block is not None:
        if 2 * settings.block > counted:
            raise InputError(
                f"evaluate.block: {settings.block} is more than half of the {counted} counted periods; shorten it"
            )
        return settings.block
    usual = DAYS if topology.period == "day" else max(1, round(counted ** (1 / 3)))
    return min(usual, counted // 2) or None

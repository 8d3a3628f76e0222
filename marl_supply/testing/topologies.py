"""Check a topology: that it loads, comes back from what it is written as, and plays by the laws of material."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from marl_supply.errors import InputError
from marl_supply.game import Game
from marl_supply.testing.plays import (
    REPLICATIONS,
    Column,
    Period,
    arrays_of,
    check,
    column_differs,
    near,
    random_play,
)
from marl_supply.topology import Topology, load
from marl_supply.topology.graph import from_networkx
from marl_supply.topology.network import Network

SIGNED = frozenset({"price"})


def check_topology(source: Any) -> None:
    """Check a topology.

    It loads; it comes back equal from ``to_dict`` and from ``to_networkx``; the simulator carries it; and in three
    short episodes with random orders whole units stay whole, nothing is negative, stock is conserved, and a batch
    of replications is its single replications.

    Parameters
    ----------
    source
        What `load` takes: a file, a shipped name, a mapping, a networkx graph or a topology.

    Raises
    ------
    AssertionError
        For the first thing that does not hold, in one sentence.
    """
    topology = _loaded(source)
    _round_trips(topology)
    try:
        Network(topology)
        game = Game(topology)
    except InputError as error:
        raise AssertionError(f"{topology.name}: the simulator does not carry it: {error}") from error
    check_play(game)


def check_play(game: Game) -> None:
    """The laws of three short episodes; `AssertionError` with a sentence for the first that does not hold."""
    batch = []
    for number, period in enumerate(random_play(game, 0, REPLICATIONS)):
        check_period(game, period, f"{game.topology.name}: period {number + 1}")
        batch.append(period)
    for replication in range(REPLICATIONS):
        for number, (together, alone) in enumerate(zip(batch, random_play(game, replication, 1), strict=True)):
            differs = column_differs(together.outcome.flows, alone.outcome.flows, replication)
            differs = differs or column_differs(together.after, alone.after, replication)
            own = slice(replication, replication + 1)
            for money in ("costs", "rewards"):
                same = near(getattr(together.outcome, money)[:, own], getattr(alone.outcome, money))
                differs = differs or ("" if same else money)
            check(
                not differs,
                f"{game.topology.name}: period {number + 1}: {differs} of replication {replication} is not the same "
                f"in a batch of {REPLICATIONS} as alone.",
            )


def check_period(game: Game, period: Period, place: str) -> None:
    """Numbers are finite, whole where units are, and not negative; stock and transport are conserved."""
    flows, after = period.outcome.flows, period.after
    stocks = {name: getattr(after, name) for name in ("on_hand", "owed", "on_order", "in_transit")}
    for name, values in {**arrays_of(flows), **stocks}.items():
        check(np.isfinite(values).all(), f"{place}: {name} is not finite.")
        if name in SIGNED:
            continue
        check((values >= (0 if game.network.integer else -1e-6)).all(), f"{place}: {name} is below 0.")
        whole = not game.network.integer or (values == np.rint(values)).all()
        check(whole, f"{place}: {name} is not whole, where units are.")
    _check_conserved(game, period, place)


def _check_conserved(game: Game, period: Period, place: str) -> None:
    network, before, flows, after = game.network, period.before, period.outcome.flows, period.after
    rows = len(network.rows)
    gone = _sum(network.supplier, flows.shipment, rows)
    expedited = np.zeros_like(flows.sales) if flows.expedited is None else flows.expedited
    gone += _sum(network.market_row, flows.sales - expedited, rows)
    if flows.expedited is not None:
        gone += _sum(network.expedite_row, expedited[network.expedited_markets], rows)
    at_once = _sum(network.customer, flows.receipts - before.receipts, rows)
    stock = before.on_hand + at_once - gone
    check(near(stock, flows.on_hand), f"{place}: stock is not what there was + receipts - shipments - sales.")
    scrapped = np.zeros_like(flows.on_hand) if flows.scrapped is None else flows.scrapped
    stock = flows.on_hand - scrapped + _sum(network.customer, after.receipts, rows)
    check(near(stock, after.on_hand), f"{place}: stock after receipts is not stock - scrapped + receipts.")
    moving = before.in_transit + flows.shipment - (flows.receipts - before.receipts)
    check(near(moving, flows.in_transit), f"{place}: what is in transit is not what was + shipments - receipts.")


def _sum(targets: Any, values: Column, size: int) -> Column:
    """(size, B) sums by target; negative targets are nobody."""
    total = np.zeros((size, values.shape[1]))
    kept = np.asarray(targets) >= 0
    np.add.at(total, np.asarray(targets)[kept], values[kept])
    return total


def _loaded(source: Any) -> Topology:
    try:
        return load(source)
    except InputError as error:
        raise AssertionError(f"it does not load: {error}") from error


def _round_trips(topology: Topology) -> None:
    document = topology.to_dict()
    ways: dict[str, Callable[[], Topology]] = {
        "to_dict and from_dict": lambda: Topology.from_dict(document),
        "to_networkx and from_networkx": lambda: from_networkx(topology.to_networkx()),
    }
    for way, back in ways.items():
        try:
            again = back().to_dict()
        except InputError as error:
            raise AssertionError(f"{topology.name}: it does not come back from {way}: {error}") from error
        changed = [key for key in document if again.get(key) != document[key]]
        check(not changed, f"{topology.name}: {way} change its {', '.join(changed)}.")

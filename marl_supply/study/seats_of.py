"""Rows whose agents play as they do in other rows: which rows those are, what comes first, what is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from marl_supply.errors import InputError, nearest
from marl_supply.study.experiment import Experiment, Row
from marl_supply.study.file import SeatsRow


def sources_of(row: Row) -> tuple[str, ...]:
    """The rows whose policies a row plays; none but for a `SeatsRow`."""
    return tuple(dict.fromkeys(row.seats_of.values())) if isinstance(row, SeatsRow) else ()


def all_sources(compare: Mapping[str, Row], name: str) -> tuple[str, ...]:
    """Every row that has to be finished before a row, those that others need first."""
    found: dict[str, None] = {}
    for source in sources_of(compare[name]):
        found |= dict.fromkeys((*all_sources(compare, source), source))
    return tuple(found)


def in_order(compare: Mapping[str, Row], rows: Sequence[str]) -> list[str]:
    """Rows as they can be worked on one after another: each after those whose policies it plays."""
    needed = (name for row in rows for name in (*all_sources(compare, row), row))
    return [name for name in dict.fromkeys(needed) if name in rows]


def check_sources(compare: Mapping[str, Row]) -> None:
    """Refuse names that no row has, and rows that wait for one another.

    Raises
    ------
    InputError
    """
    for name, row in compare.items():
        for source in sources_of(row):
            if source not in compare:
                raise InputError(f"compare.{name}.seats_of: no row '{source}'{nearest(source, compare)}")
    try:
        TopologicalSorter({name: sources_of(row) for name, row in compare.items()}).prepare()
    except CycleError as error:
        circle = list(reversed(error.args[1]))
        raise InputError(
            f"compare.{circle[0]}.seats_of: {' waits for '.join(circle)}; name rows with a policy or a learner"
        ) from None


def check_seats(experiment: Experiment, row: SeatsRow, agents: Sequence[str]) -> None:
    """Refuse seats that stay empty or do not exist, and rows whose policies cannot sit at one table.

    Raises
    ------
    InputError
    """
    for agent in row.seats_of:
        if agent not in agents:
            raise InputError(f"seats_of: no agent '{agent}'{nearest(agent, agents)}")
    for agent in agents:
        if agent not in row.seats_of:
            raise InputError(f"seats_of: nobody plays '{agent}'; name the row whose policy it plays")
    for name in sources_of(row):
        if experiment.compare[name].game != row.game:
            raise InputError(f"seats_of: row '{name}' sees or decides otherwise than this one; state the same `game`")
    seeds_of(experiment, row)


def seeds_of(experiment: Experiment, row: Row) -> tuple[int | None, ...]:
    """The training seeds of a row; None alone where only rules play.

    Raises
    ------
    InputError
        If it plays policies of rows that were trained with other seeds than one another.
    """
    if row.trained_seeds:
        return row.trained_seeds
    found = {name: seeds_of(experiment, experiment.compare[name]) for name in sources_of(row)}
    trained = {name: seeds for name, seeds in found.items() if None not in seeds}
    if not trained:
        return (None,)
    (first, seeds), *others = trained.items()
    for name, own in others:
        if set(own) != set(seeds):
            raise InputError(f"seats_of: rows '{first}' and '{name}' have different seeds; give them the same")
    return seeds

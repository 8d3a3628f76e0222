"""Whether a topology's correlated markets and shared streams can be; `copula` says how they are drawn."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from marl_supply.demand.copula import Group, GroupNoise, matrix
from marl_supply.demand.noise import Noise
from marl_supply.demand.process import BLOCK, DemandProcess
from marl_supply.demand.trace import Trace
from marl_supply.errors import InputError, nearest


def verify(
    groups: Sequence[Group], markets: Mapping[str, DemandProcess], streams: Mapping[str, str] | None = None
) -> None:
    """Raise an `InputError` that begins with the place, for the first group or stream that cannot be.

    Parameters
    ----------
    groups
        The section `correlation` of a topology.
    markets
        The demand process of every market, by name.
    streams
        The stream of each market that states one.
    """
    streams = streams or {}
    _traces_move_together(markets, streams)
    grouped: dict[str, int] = {}
    for number, group in enumerate(groups):
        place = f"correlation[{number}]"
        try:
            matrix(group)
        except InputError as error:
            raise InputError(f"{place}.{error}") from None
        _names_fit(place, number, group, markets, streams, grouped)
        _noises_fit(place, group, markets)


def _names_fit(
    place: str,
    number: int,
    group: Group,
    markets: Mapping[str, DemandProcess],
    streams: Mapping[str, str],
    grouped: dict[str, int],
) -> None:
    keys: dict[str, str] = {}
    for name in group.markets:
        if name not in markets:
            raise InputError(f"{place}.markets: no market '{name}'{nearest(name, markets)}")
        if name in grouped:
            raise InputError(f"{place}.markets: {name} is already in correlation[{grouped[name]}]; name it once")
        key = streams.get(name, name)
        if key in keys:
            raise InputError(
                f"{place}.markets: {keys[key]} and {name} have the same stream, so their noise is equal; "
                "give them a stream each"
            )
        keys[key], grouped[name] = name, number


def _noises_fit(place: str, group: Group, markets: Mapping[str, DemandProcess]) -> None:
    """Let every market draw a block and see what it asks for."""
    asked = {}
    for name in group.markets:
        labels = _labels(place, name, markets[name])
        if not labels:
            kind = markets[name].kind
            raise InputError(f"{place}.markets: {name}, with the process {kind}, draws no noise; take it out")
        asked[name] = labels
    first = group.markets[0]
    for name, labels in asked.items():
        if labels != asked[first]:
            raise InputError(
                f"{place}.markets: {first} and {name} draw different kinds of noise, which cannot be matched; "
                "correlate markets of one process"
            )


def _labels(place: str, name: str, process: DemandProcess) -> set[str]:
    """The labels under which a process asks for noise."""
    labels: set[str] = set()
    alone = GroupNoise([partial(Noise(0).generator, "demand", name, 0, 0)], np.ones((1, 1))).generators(0, process)

    def generator(label: str) -> Any:
        labels.add(label)
        return alone(label)

    try:
        process.draw(generator, BLOCK, 0, None)
    except InputError as error:
        raise InputError(f"{place}.markets: {name}: {error}") from None
    return labels


def _traces_move_together(markets: Mapping[str, DemandProcess], streams: Mapping[str, str]) -> None:
    """Recorded series of one stream jump to the same places only if they are cut alike."""
    first: dict[str, tuple[str, Trace]] = {}
    for name, process in markets.items():
        if name not in streams or not isinstance(process, Trace) or process.mode == "replay":
            continue
        other, trace = first.setdefault(streams[name], (name, process))
        if process.cut != trace.cut:
            raise InputError(
                f"markets.{name}.stream: its series is cut into {process.cut}, that of {other} into {trace.cut}; "
                "series of one stream need the same number of values and the same window or block"
            )

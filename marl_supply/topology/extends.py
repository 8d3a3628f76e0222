"""Put one file's keys over another's: mappings merge by key, edges by name, all else is replaced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marl_supply import plugins
from marl_supply.demand.process import DemandProcess
from marl_supply.errors import InputError
from marl_supply.topology.file import Market
from marl_supply.topology.validate import keys_of


def extend(parent: Mapping[str, Any], child: Mapping[str, Any]) -> dict[str, Any]:
    """Return the file `parent` with the keys of the file `child` over it.

    An edge of the child that has the name of one of the parent's changes it; others are added after them.
    """
    document = merge(parent, {key: value for key, value in child.items() if key != "edges"})
    if "edges" in child:
        document["edges"] = _extend_edges(parent.get("edges", []), child["edges"])
    return document


def merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `under` with `over` put over it, mappings merged at every depth.

    Where `over` states another `process`, only those parameters of the old one stay that the new one has too, such as a
    mean; where it states another `kind`, all are dropped.

    Examples
    --------
    >>> merge({"process": "poisson", "mean": 4, "price": 9}, {"process": "trace", "values": [3, 5]})
    {'process': 'trace', 'price': 9, 'values': [3, 5]}
    >>> merge({"process": "poisson", "mean": 4}, {"process": "geometric"})
    {'process': 'geometric', 'mean': 4}
    """
    kept = dict(under)
    if _changes("process", under, over):
        kept = {key: value for key, value in under.items() if key in market_keys(over["process"])}
    elif _changes("kind", under, over):
        kept = {}
    for key, value in over.items():
        below = kept.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        kept[key] = merge(below, value) if both else value  # type: ignore[arg-type]
    return kept


def market_keys(process: Any) -> list[str]:
    """Return the keys of a market with this process; those of every market where there is no such process."""
    try:
        return [*keys_of(Market), *keys_of(plugins.find("marl_supply.demand", DemandProcess, str(process)))]
    except InputError:
        return keys_of(Market)


def edge_name(edge: Any) -> str:
    """Return the name of an edge as it stands in a file: its `name`, or FROM-TO."""
    if not isinstance(edge, Mapping):
        return ""
    return str(edge.get("name") or f"{edge.get('from')}-{edge.get('to')}")


def _changes(key: str, under: Mapping[str, Any], over: Mapping[str, Any]) -> bool:
    return key in under and key in over and under[key] != over[key]


def _extend_edges(parents: Any, children: Any) -> Any:
    if not isinstance(parents, list) or not isinstance(children, list):
        return children
    edges = {edge_name(edge): edge for edge in parents}
    added = []
    for edge in children:
        name = edge_name(edge)
        if name in edges:
            edges[name] = merge(edges[name], edge)
        else:
            added.append(edge)
    return [*edges.values(), *added]

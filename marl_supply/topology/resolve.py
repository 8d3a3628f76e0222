"""From the mapping of a file to a `Topology` and back: defaults spread out, markets given their processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from marl_supply import plugins
from marl_supply.demand.process import DemandProcess
from marl_supply.errors import InputError, nearest
from marl_supply.topology.file import Edge, Market, Node, Topology
from marl_supply.topology.products import expand
from marl_supply.topology.validate import keys_of, mapping, shown, validate

PROCESSES = "marl_supply.demand"


def resolve(document: Mapping[str, Any], directories: Sequence[Path] = ()) -> Topology:
    """Return the topology of one file's mapping, after `extends`.

    Parameters
    ----------
    document : mapping
        The keys of a file.
    directories : sequence of Path
        Where the data files of markets are looked for, in order.

    Raises
    ------
    InputError
        One sentence that begins with the place in the file.
    """
    document = expand(document)
    sections = {key: value for key, value in document.items() if key not in ("defaults", "extends")}
    defaults = _defaults(document.get("defaults"))
    nodes, demands = _nodes(mapping(sections.get("nodes"), "nodes"), defaults["node"])
    edges = _edges(sections.get("edges", []), defaults["edge"])
    stated = {f"markets.{name}": value for name, value in mapping(sections.get("markets"), "markets").items()}
    markets: dict[str, Market] = {}
    for path, market in {**demands, **stated}.items():
        name = path.split(".")[1]
        if name in markets:
            raise InputError(f"{path}: nodes.{name}.demand makes a market '{name}' too; give this one another name")
        markets[name] = _market(market, defaults["market"], path, directories)
    return validate(Topology, {**sections, "nodes": nodes, "edges": edges, "markets": markets}, "")


def document(topology: Topology) -> dict[str, Any]:
    """Return the file of a topology, as `resolve` takes it: plain values, data included."""
    plain = topology.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"markets", "edges"})
    edges = [edge.model_dump(mode="json", by_alias=True, exclude_none=True) for edge in topology.edges]
    for edge in edges:
        for key in ("pipeline", "orders_in_transit"):
            if (
                len(set(edge[key])) <= 1 and not edge["delay"]
            ):  # one number for all, so that a changed lead time still fits
                edge[key] = edge[key][0] if edge[key] else 0.0
    markets = {name: _market_document(market) for name, market in topology.markets.items()}
    return {key: {"edges": edges, "markets": markets}.get(key, plain.get(key)) for key in keys_of(Topology)}


def process_name(process: DemandProcess) -> str:
    """Return the name by which a file finds the process."""
    kind = type(process)
    shipped = kind.__module__.startswith(f"{PROCESSES}.")
    return plugins.snake_case(kind.__name__) if shipped else f"{kind.__module__}:{kind.__qualname__}"


def make_process(market: Mapping[str, Any], path: str, directories: Sequence[Path] = ()) -> DemandProcess:
    """Return the demand process whose name stands under `process`, its parameters beside it."""
    name = market.get("process")
    if isinstance(name, DemandProcess):
        return name
    if not isinstance(name, str):
        raise InputError(f"{path}: no 'process'; name one of {', '.join(plugins.names(PROCESSES, DemandProcess))}")
    try:
        kind = plugins.find(PROCESSES, DemandProcess, name)
    except InputError as error:
        raise InputError(f"{path}.process: {error}") from None
    parameters = {key: value for key, value in market.items() if key not in keys_of(Market)}
    options = [*keys_of(kind), *keys_of(Market)]
    for key in parameters:
        if key not in options:
            hint = nearest(key, options) or f"; the parameters of {name} are {', '.join(keys_of(kind))}"
            raise InputError(f"{path}: unknown key '{key}'{hint}")
    context = {"directory": _directory(parameters.get("file"), directories)}
    process: DemandProcess = validate(kind, parameters, path, context)
    return process


def _directory(name: Any, directories: Sequence[Path]) -> Path:
    holds = (folder for folder in directories if isinstance(name, str) and (folder / name).is_file())
    return next(holds, directories[0] if directories else Path())


def _defaults(defaults: Any) -> dict[str, dict[str, Any]]:
    known: dict[str, type[BaseModel]] = {"node": Node, "edge": Edge, "market": Market}
    stated = mapping(defaults, "defaults")
    for kind, values in stated.items():
        if kind not in known:
            raise InputError(
                f"defaults: unknown key '{kind}'{nearest(kind, known) or '; the keys are node, edge, market'}"
            )
        options = keys_of(known[kind])
        for key in mapping(values, f"defaults.{kind}"):
            if key not in options and kind != "market":
                raise InputError(f"defaults.{kind}: unknown key '{key}'{nearest(key, options)}")
    return {kind: mapping(stated.get(kind), f"defaults.{kind}") for kind in known}


def _nodes(nodes: Mapping[str, Any], defaults: Mapping[str, Any]) -> tuple[dict[str, Node], dict[str, Any]]:
    """Return the nodes, and the demands stated in them by path; defaults are for nodes that keep stock."""
    made: dict[str, Node] = {}
    demands: dict[str, Any] = {}
    for name, value in nodes.items():
        path = f"nodes.{name}"
        stated = mapping(value, path)
        node = validate(Node, stated if stated.get("kind") == "source" else {**defaults, **stated}, path)
        if node.demand is not None:
            if "served_by" in node.demand:
                raise InputError(
                    f"{path}.demand.served_by: it is served by '{name}'; write other markets under markets"
                )
            demands[f"{path}.demand"] = {**node.demand, "served_by": [name]}
        made[name] = node.model_copy(update={"demand": None})
    return made, demands


def _edges(edges: Any, defaults: Mapping[str, Any]) -> list[Edge]:
    if not isinstance(edges, (list, tuple)):
        raise InputError(f"edges: {shown(edges)} is not a list; write - {{from: A, to: B}} for each edge")
    return [
        validate(Edge, {**defaults, **mapping(edge, f"edges[{number}]")}, f"edges[{number}]")
        for number, edge in enumerate(edges)
    ]


def _market(market: Any, defaults: Mapping[str, Any], path: str, directories: Sequence[Path]) -> Market:
    stated = {**defaults, **mapping(market, path)}
    process = make_process(stated, path, directories)
    own = {key: value for key, value in stated.items() if key in keys_of(Market)}
    return validate(Market, {**own, "process": process}, path)


def _market_document(market: Market) -> dict[str, Any]:
    own = market.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"process"})
    parameters = market.process.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {"served_by": own.pop("served_by"), "process": process_name(market.process), **parameters, **own}

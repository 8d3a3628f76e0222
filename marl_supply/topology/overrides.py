"""Change single values of a file before it is checked, as ``--set nodes.store.holding_cost=2`` does."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from marl_supply.errors import InputError, nearest
from marl_supply.topology import file, strict_yaml
from marl_supply.topology.consistency import missing_name
from marl_supply.topology.extends import edge_name, market_keys, merge
from marl_supply.topology.validate import keys_of

Overrides = Sequence[str] | Mapping[str, Any]

_SECTIONS: dict[str, type[BaseModel]] = {
    "timing": file.Timing,
    "game": file.GameDefaults,
    "contract": file.Contract,
}
_DEFAULTS: dict[str, type[BaseModel]] = {"node": file.Node, "edge": file.Edge, "market": file.Market}
_WHOLE = (["game", "agents"], ["game", "actions"], ["game", "reward"])
_PROVENANCE = ("file", "column", "date_column", "from", "to", "held_out")


def apply(document: Mapping[str, Any], overrides: Overrides) -> dict[str, Any]:
    """Return a copy of an unresolved file with values changed.

    Parameters
    ----------
    document : mapping
        The file after `extends`, before `defaults`.
    overrides : sequence of str, or mapping
        ``"PATH=VALUE"`` with a YAML value, or ``{PATH: value}``. An edge is named or numbered. A mapping as
        value is merged into what is there; agents, actions and reward of a game are replaced as a whole.

    Raises
    ------
    InputError
        If a path leads nowhere; the nearest name is given.
    """
    changed: dict[str, Any] = _own(dict(document))
    for path, value in parse(overrides):
        _set(changed, path, value)
    return changed


def _own(value: Any) -> Any:
    """A copy in which no two places share a mapping or a list, even where the original's do."""
    if isinstance(value, Mapping):
        return {key: _own(inner) for key, inner in value.items()}
    return [_own(inner) for inner in value] if isinstance(value, list) else value


def parse(overrides: Overrides) -> list[tuple[str, Any]]:
    """Return (path, value) pairs.

    Examples
    --------
    >>> parse(["game.horizon=101", "edges[0].lead_time=3"])
    [('game.horizon', 101), ('edges.0.lead_time', 3)]
    """
    if isinstance(overrides, str):
        overrides = [overrides]
    pairs = list(overrides.items()) if isinstance(overrides, Mapping) else [_split(text) for text in overrides]
    return [(re.sub(r"\[(\d+)\]", r".\1", path), value) for path, value in pairs]


def _split(text: str) -> tuple[str, Any]:
    path, equals, value = text.partition("=")
    if not equals or not path.strip():
        raise InputError(f"--set {text}: no '=' in it; write PATH=VALUE, such as game.horizon=101")
    return path.strip(), strict_yaml.parse(value, f"--set {path.strip()}")


def _set(document: dict[str, Any], path: str, value: Any) -> None:
    parts = _place(document, path.split("."))
    inside: Any = document
    for depth, part in enumerate(parts[:-1]):
        _check(document, parts[:depth], part, path)
        inside = _enter(inside, part, path)
    last = parts[-1]
    _check(document, parts[:-1], last, path)
    if isinstance(inside, list):
        inside[_number(inside, last)] = value
        return
    if "values" in inside and last in _PROVENANCE:
        raise InputError(f"--set {path}: the recorded values are in the file already; change the file they came from")
    if parts in _WHOLE:
        inside[last] = value
        return
    changed = merge(inside, {last: value})
    inside.clear()
    inside.update(changed)


def _place(document: Mapping[str, Any], parts: list[str]) -> list[str]:
    """Lead `markets.X` to `nodes.X.demand`, or the other way round, where the file has only the other."""
    nodes, markets = document.get("nodes") or {}, document.get("markets") or {}
    name = parts[1] if len(parts) > 1 else ""
    if parts[0] == "markets" and name not in markets and (nodes.get(name) or {}).get("demand"):
        return ["nodes", name, "demand", *parts[2:]]
    short = parts[0] == "nodes" and parts[2:3] == ["demand"]
    if short and name in markets and not (nodes.get(name) or {}).get("demand"):
        return ["markets", name, *parts[3:]]
    return parts


def _enter(inside: Any, part: str, path: str) -> Any:
    if isinstance(inside, list):
        return inside[_number(inside, part)]
    if not isinstance(inside.get(part), (dict, list)):
        if inside.get(part) is not None and part not in ("reward", "actions"):
            raise InputError(f"--set {path}: '{part}' has no keys; set it as a whole")
        inside[part] = {}
    return inside[part]


def _number(edges: list[Any], part: str) -> int:
    return int(part) if part.isdigit() else [edge_name(edge) for edge in edges].index(part)


def _check(document: Mapping[str, Any], parents: list[str], part: str, path: str) -> None:
    options = _options(document, parents)
    if options is None or part in options:
        return
    if parents in (["nodes"], ["edges"], ["markets"]):
        names = [name for name in options if not name.isdigit()] or options
        raise InputError(f"--set {path}: {missing_name(parents[0][:-1], part, names)}")
    hint = nearest(part, options) or f"; the keys are {', '.join(options)}"
    raise InputError(f"--set {path}: unknown key '{part}'{hint}")


def _options(document: Mapping[str, Any], parents: list[str]) -> list[str] | None:
    """Return the keys that may follow a path; None where anything may and the models decide."""
    match parents:
        case []:
            return [*keys_of(file.Topology), "defaults"]
        case ["nodes"] | ["markets"]:
            return list(document.get(parents[0]) or {})
        case ["edges"]:
            edges = document.get("edges") or []
            return [*map(edge_name, edges), *map(str, range(len(edges)))]
        case ["nodes", _]:
            return keys_of(file.Node)
        case ["nodes", name, "demand"]:
            return _market_keys((document["nodes"].get(name) or {}).get("demand"))
        case ["markets", name]:
            return _market_keys(document["markets"].get(name))
        case ["edges", _]:
            return keys_of(file.Edge)
        case ["defaults"]:
            return list(_DEFAULTS)
        case ["defaults", kind]:
            return None if kind == "market" else keys_of(_DEFAULTS[kind])
        case [section] if section in _SECTIONS:
            return keys_of(_SECTIONS[section])
    return None


def _market_keys(market: Any) -> list[str]:
    process = market.get("process") if isinstance(market, Mapping) else None
    return market_keys(process) if isinstance(process, str) else keys_of(file.Market)

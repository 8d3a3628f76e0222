"""The topology file as a JSON Schema (draft 2020-12), for editors that complete and check YAML."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from marl_supply import plugins
from marl_supply.demand.process import DemandProcess
from marl_supply.topology.file import Contract, Edge, GameDefaults, Market, Node, Timing, Topology
from marl_supply.topology.resolve import PROCESSES
from marl_supply.topology.validate import keys_of

_MODELS: tuple[type[BaseModel], ...] = (Node, Edge, Market, Timing, GameDefaults, Contract, Topology)


PRODUCTS = (
    "names of products, or their number: every stock node, edge and market becomes one for each, and a number may be a "
    "mapping from products to numbers"
)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a topology file; whether names exist and edges form no cycle is not in it."""
    processes = {name: plugins.find(PROCESSES, DemandProcess, name) for name in plugins.names(PROCESSES, DemandProcess)}
    models = [(model, "validation") for model in (*_MODELS, *processes.values())]
    _, found = models_json_schema(models, by_alias=True)  # type: ignore[arg-type]
    defs: dict[str, Any] = found["$defs"]
    root = defs.pop("Topology")
    defs.pop("DemandProcess", None)
    for process in processes.values():
        for part in defs[process.__name__]["properties"].values():
            _by_product(part)
    defs["Market"] = _market(defs["Market"], {name: defs.pop(kind.__name__) for name, kind in processes.items()})
    node = defs["Node"]["properties"]
    node["demand"] = {"$ref": "#/$defs/Market", "description": node["demand"]["description"]}
    optional_edge = {key: value for key, value in defs["Edge"].items() if key != "required"}
    root["properties"] |= {
        "extends": {
            "anyOf": [{"type": "string"}, {"type": "object", "required": ["generator"]}],
            "description": "what to change: a shipped topology, a file relative to this one, or {generator: NAME, ...}",
        },
        "defaults": _mapping({"node": _ref("Node"), "edge": optional_edge, "market": _ref("Market")}),
        "nodes": {"type": "object", "additionalProperties": {"anyOf": [_ref("Node"), {"type": "null"}]}},
        "markets": {"type": "object", "additionalProperties": _ref("Market")},
    }
    root["properties"]["products"] = {
        "anyOf": [{"type": "integer", "minimum": 1}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
        "description": PRODUCTS,
    }
    for part in (*defs["Node"]["properties"].values(), *defs["Edge"]["properties"].values()):
        _by_product(part)
    defs["ByProduct"] = {"type": "object", "additionalProperties": {"type": "number"}}
    root |= {"title": "marl_supply topology", "anyOf": [{"required": ["nodes"]}, {"required": ["extends"]}]}
    root.pop("required")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **root, "$defs": defs}


def _market(market: dict[str, Any], processes: dict[str, Any]) -> dict[str, Any]:
    """Return a market's schema: the parameters of the process it names stand beside the market's own keys."""
    own = dict(market["properties"])
    for part in own.values():
        _by_product(part)
    own["process"] = {
        "description": own["process"]["description"],
        "anyOf": [{"enum": list(processes)}, {"type": "string", "pattern": ":"}],
    }
    branches = [
        {
            "if": {"properties": {"process": {"const": name}}, "required": ["process"]},
            "then": {
                "properties": parameters["properties"],
                "propertyNames": {"enum": [*keys_of(Market), *parameters["properties"]]},
            },
        }
        for name, parameters in processes.items()
    ]
    return {"type": "object", "description": market["description"], "properties": own, "allOf": branches}


def _by_product(part: dict[str, Any]) -> None:
    """Let a number be one for each product."""
    options = part.get("anyOf", [part])
    if any(option.get("type") in ("number", "integer") for option in options):
        own = {key: part.pop(key) for key in list(part) if key not in ("description", "default", "title", "unit")}
        part["anyOf"] = [*own.get("anyOf", [own]), _ref("ByProduct")]


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/$defs/{name}"}


def _mapping(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}

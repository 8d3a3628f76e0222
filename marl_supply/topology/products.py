"""Products: nodes, edges and markets of several products become one row, edge and market for each.

``products: [a, b]`` (or a number: ``product_1`` ...) turns a node ``store`` into the rows ``store:a`` and ``store:b``,
an edge into one for each product that both its ends handle, and demand into a market for each. A value that is a
mapping with products as its keys is that of the product; all others hold for every product. What a node can ship and
stock it ships and stocks of all products together (`shared`). Sources stay one node.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from marl_supply.errors import InputError, nearest
from marl_supply.topology.validate import mapping, shown

JOINT = ("capacity", "storage")


def expand(document: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a file without products: rows, edges and markets spelt out.

    Parameters
    ----------
    document : mapping
        The keys of a file, after `extends`.

    Raises
    ------
    InputError
        One sentence that begins with the place.
    """
    document = dict(document)
    stated = document.pop("products", None)
    return document if stated is None else _Expansion(document, _names(stated)).done()


def _names(stated: Any) -> list[str]:
    if isinstance(stated, int) and not isinstance(stated, bool) and stated >= 1:
        return [f"product_{number}" for number in range(1, stated + 1)]
    if isinstance(stated, (list, tuple)) and stated and all(isinstance(name, str) for name in stated):
        if len(set(stated)) < len(stated):
            raise InputError("products: a name stands there twice; give each product its own")
        return list(stated)
    raise InputError(f"products: {shown(stated)} is neither a list of names nor a number; write [a, b], or 2")


class _Expansion:
    """One file on its way."""

    def __init__(self, document: dict[str, Any], products: list[str]) -> None:
        self.document = document
        self.products = products
        self.defaults = {
            kind: mapping(values, f"defaults.{kind}")
            for kind, values in mapping(document.get("defaults"), "defaults").items()
        }
        self.nodes = {name: mapping(node, f"nodes.{name}") for name, node in _section(document, "nodes").items()}
        self.handled = {name: self._handled(node, f"nodes.{name}") for name, node in self.nodes.items()}

    def done(self) -> dict[str, Any]:
        document = self.document
        defaults = {
            kind: {key: value for key, value in values.items() if not self._by_product(value)}
            for kind, values in self.defaults.items()
        }
        if "node" in defaults:
            defaults["node"] = {key: value for key, value in defaults["node"].items() if key not in JOINT}
        document |= {"defaults": defaults} if defaults else {}
        document["shared"] = {**self._shared(), **mapping(document.get("shared"), "shared")}
        document["nodes"] = self._nodes()
        document["edges"] = list(self._edges())
        document["markets"] = self._markets()
        document["game"] = self._game(mapping(document.get("game"), "game"))
        document["policies"] = self._policies(mapping(document.get("policies"), "policies"))
        return {key: value for key, value in document.items() if value not in ({}, [])}

    def _handled(self, part: Mapping[str, Any], place: str) -> list[str]:
        stated = part.get("products")
        if stated is None:
            return self.products
        names = [stated] if isinstance(stated, str) else list(stated)
        for name in names:
            if name not in self.products:
                raise InputError(f"{place}.products: no product '{name}'{nearest(str(name), self.products)}")
        return [name for name in self.products if name in names]

    def _is_source(self, name: str) -> bool:
        return self.nodes.get(name, {}).get("kind") == "source"

    def _by_product(self, value: Any) -> bool:
        return isinstance(value, Mapping) and bool(value) and set(value) <= set(self.products)

    def _of(self, values: Mapping[str, Any], product: str, place: str) -> dict[str, Any]:
        """The keys of one product."""
        own: dict[str, Any] = {}
        for key, value in values.items():
            if key in ("products", "product"):
                continue
            if self._by_product(value):
                if product not in value:
                    raise InputError(f"{place}.{key}: no value for product '{product}'; add one")
                value = value[product]
            own[key] = value
        return own

    def _with_defaults(self, kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Defaults that differ by product cannot stay under `defaults`: they are written into every part."""
        differing = {key: value for key, value in self.defaults.get(kind, {}).items() if self._by_product(value)}
        return {**differing, **values}

    def _nodes(self) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, node in self.nodes.items():
            if self._is_source(name):
                made[name] = {key: value for key, value in node.items() if key != "products"}
                continue
            stated = self._with_defaults("node", {key: value for key, value in node.items() if key not in JOINT})
            demand = stated.pop("demand", None)
            for product in self.handled[name]:
                row = self._of(stated, product, f"nodes.{name}")
                if demand is not None:
                    row["demand"] = self._of(mapping(demand, f"nodes.{name}.demand"), product, f"nodes.{name}.demand")
                made[f"{name}:{product}"] = row
        return made

    def _shared(self) -> dict[str, Any]:
        shared: dict[str, Any] = {}
        usual = self.defaults.get("node", {})
        for name, node in self.nodes.items():
            limits = {key: {**usual, **node}.get(key) for key in JOINT}
            limits = {key: limit for key, limit in limits.items() if limit is not None}
            if limits and not self._is_source(name):
                shared[name] = {"rows": [f"{name}:{product}" for product in self.handled[name]], **limits}
        return shared

    def _edges(self) -> Iterable[dict[str, Any]]:
        edges = self.document.get("edges", [])
        if not isinstance(edges, (list, tuple)):
            raise InputError(f"edges: {shown(edges)} is not a list; write - {{from: A, to: B}} for each edge")
        for number, edge in enumerate(edges):
            place = f"edges[{number}]"
            stated = self._with_defaults("edge", mapping(edge, place))
            start, end = stated.get("from", stated.get("from_")), stated.get("to")
            name = stated.get("name") or f"{start}-{end}"
            carried = self._handled(stated, place)
            for product in carried:
                ends_handle = (
                    self._is_source(str(side)) or product in self.handled.get(str(side), carried)
                    for side in (start, end)
                )
                if all(ends_handle):
                    own = self._of(stated, product, place)
                    own.pop("from_", None)
                    ends = {"from": self._row(start, product), "to": self._row(end, product)}
                    yield {**own, **ends, "name": f"{name}:{product}"}

    def _row(self, name: Any, product: str) -> Any:
        return name if name not in self.nodes or self._is_source(str(name)) else f"{name}:{product}"

    def _markets(self) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, market in _section(self.document, "markets").items():
            place = f"markets.{name}"
            stated = self._with_defaults("market", mapping(market, place))
            served = stated.pop("served_by", [])
            served = [served] if isinstance(served, str) else list(served)
            asked = self._handled({"products": stated.get("product")}, place)
            for product in asked:
                own = self._of(stated, product, place)
                by = [self._row(node, product) for node in served]
                made[name if stated.get("product") is not None else f"{name}:{product}"] = {**own, "served_by": by}
        return made

    def _game(self, game: Mapping[str, Any]) -> dict[str, Any]:
        """One agent for each node, unless the file says who decides; nodes it names stand for all their rows."""
        agents = game.get("agents")
        if agents is None:
            rows = {name: self._rows_of(name) for name in self.nodes if not self._is_source(name)}
            return {**game, "agents": {name: {"decides": own} for name, own in rows.items()}}
        made: dict[str, Any] = {}
        for agent, share in mapping(agents, "game.agents").items():
            stated = mapping(share, f"game.agents.{agent}")
            made[agent] = {
                key: [row for name in entries for row in self._named(str(name))] for key, entries in stated.items()
            }
        return {**game, "agents": made}

    def _rows_of(self, name: str) -> list[str]:
        return [f"{name}:{product}" for product in self.handled[name]]

    def _named(self, name: str) -> list[str]:
        """The rows of an entry such as `store`, `store.price` or `store:a.order`."""
        node, _, aspect = name.partition(".")
        rows = self._rows_of(node) if node in self.nodes and not self._is_source(node) else [node]
        return [f"{row}.{aspect}" if aspect else row for row in rows]

    def _policies(self, policies: Mapping[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for policy, parameters in policies.items():
            made[policy] = {}
            for name, value in mapping(parameters, f"policies.{policy}").items():
                if name in self.nodes and not self._is_source(name):
                    for product in self.handled[name]:
                        own = value[product] if self._by_product(value) else value
                        if isinstance(own, Mapping):
                            own = self._of(own, product, f"policies.{policy}.{name}")
                        made[policy][f"{name}:{product}"] = own
                else:
                    made[policy][name] = value
        return made


def _section(document: Mapping[str, Any], key: str) -> dict[str, Any]:
    return dict(mapping(document.get(key), key))

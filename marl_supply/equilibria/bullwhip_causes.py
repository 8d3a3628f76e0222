"""Why orders vary more than demand: the bullwhip ratio of each node with one cause after another switched off.

The causes are those of Lee, Padmanabhan & Whang (1997, Information distortion in a supply chain: the bullwhip effect,
Management Science 43(4)) and the lead time, by which the first of them grows (Chen, Drezner, Ryan & Simchi-Levi 2000).
They act on one another, so what each takes away does not add up to the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from marl_supply.equilibria.responder import Progress
from marl_supply.game.evaluate import evaluate
from marl_supply.game.game import Game
from marl_supply.metrics.bullwhip import bullwhip_intervals
from marl_supply.metrics.intervals import Interval
from marl_supply.plugins import find
from marl_supply.policies.rule import Rule
from marl_supply.policies.seating import seat_everybody
from marl_supply.topology import Topology, load

EVERYTHING = "nothing switched off"
SIGNAL = "demand signal processing"
Document = dict[str, Any]


@dataclass(frozen=True)
class Causes:
    """Bullwhip ratios.

    Attributes
    ----------
    rule : str
        What all nodes play, with its own parameters for each chain.
    ratios : dict of str to dict of str to Interval or None
        By what is switched off (first nothing) and node: the variance of its orders over that of the market demand
        downstream; None where demand does not vary. Causes that the chain does not have are left out.
    """

    rule: str
    ratios: dict[str, dict[str, Interval | None]]

    def share(self, cause: str, node: str) -> float | None:
        """Which share of the ratio above 1 goes when a cause is switched off; None where there is none above 1."""
        whole, without = self.ratios[EVERYTHING][node], self.ratios[cause][node]
        if whole is None or without is None or whole.mean <= 1:
            return None
        return (whole.mean - without.mean) / (whole.mean - 1)


def bullwhip_causes(
    chain: Any,
    rule: str = "forecast_base_stock",
    *,
    parameters: Mapping[str, float] | None = None,
    replications: int = 400,
    seed: int = 7,
    progress: Progress | None = None,
) -> Causes:
    """Measure every node's bullwhip ratio as the chain is, and without each of its causes.

    * demand signal processing: the rule's `smoothing` is 0, so that its forecast stays at mean demand;
    * lead time: 1 on every edge that has more, and orders are known at once;
    * batching: no batches, no fixed costs of an order, a review in every period;
    * rationing: no capacities, storage limits, order limits or disruptions;
    * price variation: no discounts.

    Parameters
    ----------
    chain
        A topology, a shipped name, a path or a networkx graph.
    rule
        What all nodes play. Parameters that are not given are the rule's own for each chain, and not those that the
        file suggests, which fit the chain as it is alone.
    parameters
        Of the rule, the same at all nodes.
    replications, seed : int
        Demand, the same for all.
    """
    topology = load(chain)
    own = dict(parameters or {})
    ratios = {EVERYTHING: _ratios(topology, rule, own, replications, seed)}
    for cause, change in CHANGES.items():
        document = topology.to_dict()
        change(document)
        without = load(document)
        if without.to_dict() == topology.to_dict():
            continue
        if progress is not None:
            progress(f"without {cause}")
        ratios[cause] = _ratios(without, rule, own, replications, seed)
    known = [parameter.name for parameter in find("marl_supply.policies", Rule, rule).parameters]
    if "smoothing" in known:
        ratios[SIGNAL] = _ratios(topology, rule, {**own, "smoothing": 0.0}, replications, seed)
    return Causes(rule, ratios)


def _ratios(
    topology: Topology, rule: str, parameters: Mapping[str, float], replications: int, seed: int
) -> dict[str, Interval | None]:
    game = Game(load(topology.to_dict() | {"policies": {}}))
    players = seat_everybody(game, rule, {node: dict(parameters) for node in game.network.rows} if parameters else None)
    found = evaluate(game, players, replications, seed)
    return dict(zip(found.rows, bullwhip_intervals(found.orders, found.demand), strict=True))


def _short_lead_times(document: Document) -> None:
    for edge in document["edges"]:
        if edge.get("lead_time", 1) > 1 or edge.get("information_delay", 0) or edge.get("delay"):
            slots = edge.get("pipeline") or [0.0]
            edge.pop("delay", None)
            edge.pop("orders_in_transit", None)
            edge |= {"lead_time": min(edge["lead_time"], 1), "information_delay": 0, "pipeline": _mean(slots)}


def _no_batches(document: Document) -> None:
    for edge in document["edges"]:
        for name in ("batch", "fixed_order_cost"):
            edge.pop(name, None)
    for node in document["nodes"].values():
        for name in ("review", "review_offset"):
            node.pop(name, None)


def _no_rationing(document: Document) -> None:
    for node in document["nodes"].values():
        for name in ("capacity", "storage", "disruption"):
            node.pop(name, None)
    for edge in document["edges"]:
        for name in ("order_limit", "disruption"):
            edge.pop(name, None)
    document.pop("shared", None)


def _one_price(document: Document) -> None:
    for edge in document["edges"]:
        edge.pop("discounts", None)


def _mean(slots: Any) -> float:
    return float(sum(slots) / len(slots)) if isinstance(slots, list) else float(slots)


CHANGES: dict[str, Callable[[Document], None]] = {
    "lead time": _short_lead_times,
    "batching": _no_batches,
    "rationing": _no_rationing,
    "price variation": _one_price,
}

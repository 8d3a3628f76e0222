"""The start of a period in the slow reference simulator: what breaks, what arrives, what is lost or refused.

Lost on the way: of what arrives on an edge, arriving x `shipping_loss` x its number; whole units rounded half to even.
Refused: what arrives above the room of the rows that share a storage (their stock before receipts counts); what is
    accepted is divided in proportion over the arrivals, in the order of the edges in the file.
"""

from __future__ import annotations

from typing import Any

from reference_allocation import proportional
from reference_chain import Chain
from reference_chance import Chance, has_arrived, is_broken, is_scheduled


def break_down(chain: Chain, chance: Chance, broken: dict[str, dict[str, bool]]) -> None:
    """Bring `broken`, what is down at random, and `chain.down`, what is down for any reason, to this period."""
    places = {"node_disruption": chain.topology.nodes, "edge_disruption": chain.edges}
    for stream, those in places.items():
        for name, place in those.items():
            if place.disruption is None:
                continue
            if place.disruption.probability > 0:
                (number,) = chance(stream, name, chain.time)
                broken[stream][name] = is_broken(place.disruption, broken[stream][name], number)
            chain.down[name] = broken[stream][name] or is_scheduled(place.disruption, chain.time)


def receive(chain: Chain, chance: Chance) -> dict[str, dict[str, Any]]:
    """Put what arrives on hand; return what is missing and what was refused, by edge."""
    arriving = {name: _arriving(chain, name, chance) for name in chain.edges}
    missing = {name: _missing(chain, name, amount, chance) for name, amount in arriving.items()}
    chain.receipts = {name: arriving[name] - missing[name] for name in chain.edges}
    overflow = dict.fromkeys(chain.edges, 0)
    for rows, storage in chain.shared_storage:
        claims = {name: chain.receipts[name] for name, edge in chain.edges.items() if edge.to in rows}
        room = max(0, storage - sum(chain.on_hand[row] for row in rows))
        for name, accepted in zip(claims, proportional(room, list(claims.values()), chain.integer), strict=True):
            overflow[name] = claims[name] - accepted
            chain.receipts[name] = accepted
    for name, amount in chain.receipts.items():
        chain.on_hand[chain.edges[name].to] += amount
    return {"missing": missing, "overflow": overflow}


def _arriving(chain: Chain, name: str, chance: Chance) -> Any:
    edge, moving, total = chain.edges[name], chain.pipeline[name], 0
    numbers = chance("delay", name, chain.time) if len(edge.delay) > 1 else ()
    for left in list(moving):
        if has_arrived(edge, chain.time - left, numbers):
            total += moving[left]
            moving[left] = 0
        if chain.time - left == edge.lead_time + max(len(edge.delay) - 1, 0):
            del moving[left]
    return total


def _missing(chain: Chain, name: str, arriving: Any, chance: Chance) -> Any:
    loss = chain.edges[name].shipping_loss
    return chain.amount(arriving * loss * chance("loss", name, chain.time)[0]) if loss > 0 else 0

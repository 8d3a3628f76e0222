"""What the file format can say and the simulator does not carry yet: refused here, in one sentence."""

from __future__ import annotations

from marl_supply.errors import InputError
from marl_supply.topology.file import Topology


def refuse_unsupported(topology: Topology) -> None:
    """Raise one sentence for the first feature of a file that the simulator does not carry."""
    for name, node in topology.nodes.items():
        stated = {
            "capacity": node.capacity is not None,
            "storage": node.storage is not None,
            "shelf_life": node.shelf_life is not None,
            "review": list(node.review) != [1],
            "allocation": node.allocation == "decided",
        }
        for key, used in stated.items():
            if used:
                raise _unsupported(topology, f"nodes.{name}.{key}")
    loses = False
    for name, market in topology.markets.items():
        if market.expedite is not None:
            raise _unsupported(topology, f"markets.{name}.expedite")
        if len(market.served_by) != 1:
            raise _unsupported(topology, f"markets.{name}.served_by", "a market served by several nodes")
        loses |= market.unmet == "lost"
    for edge in topology.edges:
        if edge.unmet == "lost" and (edge.information_delay or topology.timing.decision_order == "downstream_first"):
            what = "lost orders that are known before their supplier decides"
            raise _unsupported(topology, f"edges.{edge.name}.unmet", what)
        loses |= edge.unmet == "lost"
    if loses and topology.timing.demand_visible == "before_ordering":
        raise _unsupported(topology, "timing.demand_visible", "lost sales with demand visible before ordering")


def _unsupported(topology: Topology, place: str, what: str | None = None) -> InputError:
    what = what or f"'{place.rsplit('.', 1)[-1]}'"
    return InputError(f"{topology.name}: {place}: the simulator does not carry {what} yet; leave it out.")

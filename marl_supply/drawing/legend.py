"""What is written in the boxes and on the arrows of a picture, and what is said once for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from marl_supply.drawing import paper
from marl_supply.topology import Topology
from marl_supply.topology.facts import Fact, edge_facts, node_facts, together
from marl_supply.topology.outline import Outline
from marl_supply.topology.picture import limits_and_ties

FEW = 6
"""So many boxes say everything themselves; of more, what all have in common is said once."""
DENSE, CROWD = 3, 8
"""Of more arrows than this beside each other what they share is said once; of still more, all but lead times."""
STYLES = 4
"""Kinds of line that can be told apart."""
LETTERS = 18
"""Letters in a line on an arrow."""
AT_THE_START = ("on hand", "pipeline", "orders in transit")


@dataclass(frozen=True)
class Legend:
    """Texts of a picture.

    labels: lines for each box or arrow; styles: the kind of line of each arrow; entries: what each kind of line means;
    caption: what holds for all.
    """

    labels: tuple[tuple[str, ...], ...]
    styles: tuple[int, ...] = ()
    entries: tuple[str, ...] = ()
    caption: tuple[str, ...] = ()

    def ties(self, topology: Topology) -> list[str]:
        """Return what holds between several rows, what agents pay each other, and the order of events."""
        terms = topology.contract.model_dump(exclude_none=True, exclude_defaults=True, by_alias=True)
        stated = [f"{key.replace('_', ' ')} {value:g}" for key, value in terms.items() if isinstance(value, float)]
        stated += [f"{len(terms['transfers'])} transfers"] if terms.get("transfers") else []
        timing = topology.timing
        events = f"demand seen {timing.demand_visible.replace('_', ' ')}"
        if timing.decision_order == "downstream_first":
            events += ", customers order before their suppliers"
        return [
            *limits_and_ties(topology),
            *([f"contract: {', '.join(stated)}"] if stated else []),
            f"period: {topology.period}; {events}" if topology.period != "period" else events,
        ]


def read_places(topology: Topology, parts: Outline) -> Legend:
    """Return what is written in the boxes of places; stock at the start is left out."""
    texts = [together([lasting(node_facts(topology.nodes[n])) for n in place.nodes]) for place in parts.places]
    stocks = [text for text, place in zip(texts, parts.places, strict=True) if not place.is_source]
    shared = _shared(stocks) if len(stocks) > FEW else []
    labels = tuple(
        tuple(text if place.is_source else [line for line in text if line not in shared])
        for text, place in zip(texts, parts.places, strict=True)
    )
    return Legend(labels, caption=_every("node with stock", shared))


def read_lanes(parts: Outline) -> Legend:
    """Return what is written on the arrows, or said by their kind of line where many of few kinds are side by side."""
    texts = [tuple(together([lasting(edge_facts(edge)) for edge in lane.edges])) for lane in parts.lanes]
    names = _names_of_parallel(parts)
    beside = _most_beside(parts)
    shared = _shared(texts)
    if beside <= DENSE:
        long = [line for line in shared if len(line) > LETTERS and len(texts) > 1]
        own = [tuple(line for line in text if line not in long) for text in texts]
        return Legend(_on_arrows(names, own), (0,) * len(texts), caption=_every("arrow", long))
    own = [tuple(line for line in text if line not in shared) for text in texts]
    kinds = sorted(set(own), key=own.index)
    if len(kinds) <= STYLES:
        entries = tuple(", ".join(kind) or "nothing more" for kind in kinds) if len(kinds) > 1 else ()
        styles = tuple(kinds.index(text) for text in own)
        return Legend(((),) * len(texts), styles, entries, _every("arrow", shared))
    if beside > CROWD:
        return _lead_times_only(parts, texts)
    return Legend(_on_arrows(names, own), (0,) * len(texts), caption=_every("arrow", shared))


def _most_beside(parts: Outline) -> int:
    """The most arrows that leave one level."""
    levels = [parts.places[lane.supplier].level for lane in parts.lanes]
    return max(map(levels.count, levels), default=0)


def _on_arrows(names: Sequence[Sequence[str]], texts: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(paper.wrapped([*name, *text], LETTERS)) for name, text in zip(names, texts, strict=True))


def _lead_times_only(parts: Outline, texts: Sequence[Sequence[str]]) -> Legend:
    """Numbers on the arrows, and the rest as ranges under the picture."""
    labels = tuple((text[0].removeprefix("lead time "),) for text in texts)
    every = together([lasting(edge_facts(edge)) for lane in parts.lanes for edge in lane.edges])
    return Legend(labels, (0,) * len(texts), caption=("on the arrows: lead time", *_every("arrow", every[1:])))


def lasting(facts: Sequence[Fact]) -> list[Fact]:
    """What stays true after the first period."""
    return [fact for fact in facts if fact[0] not in AT_THE_START]


def _shared(texts: Sequence[Sequence[str]]) -> list[str]:
    """What is in every text."""
    return [line for line in texts[0] if all(line in text for text in texts)]


def _every(what: str, texts: Sequence[str]) -> tuple[str, ...]:
    return (f"every {what}: {', '.join(texts)}",) if texts else ()


def _names_of_parallel(parts: Outline) -> list[list[str]]:
    """The names of edges that share both ends, without the product."""
    ends = [(lane.supplier, lane.customer) for lane in parts.lanes]
    return [
        [lane.edges[0].name.partition(":")[0]] if ends.count(end) > 1 else []
        for lane, end in zip(parts.lanes, ends, strict=True)
    ]

"""Make common chains as networkx graphs, stock and pipelines at the mean demand that passes through.

Every generator takes `demand`, the keys of a market (``{"process": "poisson", "mean": 5}``), and returns a
`networkx.MultiDiGraph` that is accepted wherever a topology file is. Nodes are numbered from the customers
upward, as stages are in Snyder & Shen; change attributes of the graph for what the parameters do not say.
Backorders cost at the markets only, so the reward is shared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import networkx as nx

from marl_supply.errors import InputError
from marl_supply.topology.graph import EDGE_ORDER
from marl_supply.topology.load import load
from marl_supply.topology.reach import mean_demand

POISSON: Mapping[str, Any] = {"process": "poisson", "mean": 5}
UP_TO_FOUR: Mapping[str, Any] = {"process": "uniform_integer", "low": 0, "high": 4}


def single(
    lead_time: int = 1,
    holding_cost: float = 1.0,
    backorder_cost: float = 9.0,
    demand: Mapping[str, Any] = POISSON,
) -> nx.MultiDiGraph:
    """Return a source and one node, `stage_1`, that serves a market."""
    graph = serial([lead_time], [holding_cost], backorder_cost, demand)
    graph.graph["name"] = "single"
    return graph


def serial(
    lead_times: Sequence[int] = (1, 1, 1),
    holding_costs: Sequence[float] = (1.0, 0.5, 0.25),
    backorder_cost: float = 9.0,
    demand: Mapping[str, Any] = POISSON,
    information_delay: int = 0,
) -> nx.MultiDiGraph:
    """Return stages in series: ``source -> stage_N -> ... -> stage_1 -> market``.

    Parameters
    ----------
    lead_times, holding_costs : sequence
        Of stage 1 (next to the customers) first; periods, and money per unit and period on local stock.
    backorder_cost : float
        Money per unit and period that stage 1 pays on its market's backorders.
    demand : mapping
        The market of stage 1.
    information_delay : int
        Periods that orders travel between stages; stage N's reach the source at once.

    Examples
    --------
    >>> sorted(serial([1, 2], [1.0, 0.5]).nodes)
    ['source', 'stage_1', 'stage_2']
    """
    _same_length("serial", lead_times=lead_times, holding_costs=holding_costs)
    graph = _graph("serial")
    graph.add_node("source", kind="source")
    count = len(lead_times)
    for number in range(count, 0, -1):
        graph.add_node(f"stage_{number}", holding_cost=holding_costs[number - 1])
        supplier = "source" if number == count else f"stage_{number + 1}"
        _join(
            graph,
            supplier,
            f"stage_{number}",
            lead_time=lead_times[number - 1],
            information_delay=0 if number == count else information_delay,
        )
    graph.nodes["stage_1"].update(backorder_cost=backorder_cost, demand=dict(demand))
    return _filled(graph)


def dual_sourcing(
    lead_times: Sequence[int] = (2, 0),
    purchase_costs: Sequence[float] = (0.0, 10.0),
    holding_cost: float = 5.0,
    backorder_cost: float = 495.0,
    demand: Mapping[str, Any] = UP_TO_FOUR,
) -> nx.MultiDiGraph:
    """Return one store with two parallel edges from a source; the sequences state `regular`, then `express`.

    The defaults are an instance of Veeraraghavan & Scheller-Wolf (2008) with full backlog.
    """
    _same_length("dual_sourcing", lead_times=lead_times, purchase_costs=purchase_costs, names=("regular", "express"))
    graph = _graph("dual_sourcing")
    graph.add_node("source", kind="source")
    graph.add_node("store", holding_cost=holding_cost, backorder_cost=backorder_cost, demand=dict(demand))
    for name, lead_time, cost in zip(("regular", "express"), lead_times, purchase_costs, strict=True):
        _join(graph, "source", "store", name, lead_time=lead_time, purchase_cost=cost)
    return _filled(graph)


def one_warehouse(
    stores: int = 3,
    warehouse_lead_time: int = 2,
    store_lead_time: int = 1,
    holding_costs: Sequence[float] = (1.0, 0.5),
    backorder_cost: float = 9.0,
    demand: Mapping[str, Any] = POISSON,
    allocation: str = "proportional",
) -> nx.MultiDiGraph:
    """Return ``source -> warehouse -> store_1 .. store_K``; `holding_costs`: a store's, the warehouse's."""
    _same_length("one_warehouse", holding_costs=holding_costs, levels=("store", "warehouse"))
    graph = _graph("one_warehouse")
    graph.add_node("source", kind="source")
    graph.add_node("warehouse", holding_cost=holding_costs[1], allocation=allocation)
    _join(graph, "source", "warehouse", lead_time=warehouse_lead_time)
    for number in range(1, _count("stores", stores) + 1):
        store = f"store_{number}"
        graph.add_node(store, holding_cost=holding_costs[0], backorder_cost=backorder_cost, demand=dict(demand))
        _join(graph, "warehouse", store, lead_time=store_lead_time)
    return _filled(graph)


def bipartite(
    suppliers: int = 2,
    customers: int = 3,
    lead_time: int = 1,
    holding_costs: Sequence[float] = (1.0, 0.5),
    backorder_cost: float = 9.0,
    demand: Mapping[str, Any] = POISSON,
) -> nx.MultiDiGraph:
    """Return a source above `suppliers` nodes that each serve all of `customers` nodes with a market each."""
    return layered([customers, suppliers], lead_time, holding_costs, backorder_cost, demand, name="bipartite")


def layered(
    widths: Sequence[int] = (2, 2, 2),
    lead_time: int = 1,
    holding_costs: Sequence[float] = (1.0, 0.75, 0.5),
    backorder_cost: float = 9.0,
    demand: Mapping[str, Any] = POISSON,
    name: str = "layered",
) -> nx.MultiDiGraph:
    """Return levels of nodes; each node orders from all of the level above, the highest from one source.

    Parameters
    ----------
    widths, holding_costs : sequence
        Nodes in each level, and their holding cost; first the level of the customers, which have a market each.
    lead_time : int
        Periods, of every edge.
    backorder_cost, demand
        Of the nodes of level 1.
    name : str
        Of the topology.
    """
    _same_length(name, widths=widths, holding_costs=holding_costs)
    graph = _graph(name)
    graph.add_node("source", kind="source")
    above = ["source"]
    for level in range(len(widths), 0, -1):
        nodes = [f"level_{level}_{number}" for number in range(1, _count("widths", widths[level - 1]) + 1)]
        for node in nodes:
            graph.add_node(node, holding_cost=holding_costs[level - 1])
        for supplier in above:
            for node in nodes:
                _join(graph, supplier, node, lead_time=lead_time)
        above = nodes
    for node in above:
        graph.nodes[node].update(backorder_cost=backorder_cost, demand=dict(demand))
    return _filled(graph)


def _graph(name: str) -> nx.MultiDiGraph:
    return nx.MultiDiGraph(name=name, game={"reward": "shared"}, **{EDGE_ORDER: []})


def _join(
    graph: nx.MultiDiGraph,
    supplier: str,
    customer: str,
    name: str | None = None,
    lead_time: int = 1,
    information_delay: int = 0,
    purchase_cost: float = 0.0,
) -> None:
    name = name or f"{supplier}-{customer}"
    graph.graph[EDGE_ORDER].append(name)
    graph.add_edge(
        supplier,
        customer,
        key=name,
        lead_time=lead_time,
        information_delay=information_delay,
        purchase_cost=purchase_cost,
    )


def _filled(graph: nx.MultiDiGraph) -> nx.MultiDiGraph:
    """Put the mean demand that reaches a node into its stock, and its share into every slot above it."""
    means = mean_demand(load(graph))
    for name, attributes in graph.nodes(data=True):
        if attributes.get("kind") != "source":
            attributes["on_hand"] = round(means[name])
    for _, customer, attributes in graph.edges(data=True):
        amount = round(means[customer] / graph.in_degree(customer))
        attributes.update(pipeline=amount, orders_in_transit=amount)
    return graph


def _same_length(generator: str, **sequences: Sequence[Any]) -> None:
    lengths = {name: len(values) for name, values in sequences.items()}
    if len(set(lengths.values())) > 1 or 0 in lengths.values():
        stated = " and ".join(f"{name} has {length}" for name, length in lengths.items())
        raise InputError(f"{generator}: {stated}; give one for each, in the same order")


def _count(name: str, value: int) -> int:
    if value < 1:
        raise InputError(f"{name}: {value} is too few; give at least 1")
    return value

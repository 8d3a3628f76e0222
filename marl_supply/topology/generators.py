"""Make common chains as networkx graphs, stock and pipelines at the mean demand that passes through.

Every generator returns a `networkx.MultiDiGraph` that is accepted wherever a topology file is, and a file can begin
with one: ``extends: {generator: serial, lead_times: [1, 2], holding_costs: [1, 0.5]}``. `demand` holds the keys of a
market (``{"process": "poisson", "mean": 5}``). Nodes are numbered from the customers upward, as stages are in
Snyder & Shen; change attributes of the graph for what the parameters do not say. Backorders cost at the markets
only, so the reward is shared.
"""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import networkx as nx

from marl_supply.errors import InputError, nearest
from marl_supply.topology.graph import EDGE_ORDER, document_of
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


def random_dag(
    nodes: int = 20,
    levels: int = 4,
    seed: int = 0,
    second_supplier: float = 0.5,
    lead_times: Sequence[int] = (1, 3),
    mean_demands: Sequence[int] = (2, 10),
    backorder_cost: float = 9.0,
    agents: str = "node",
) -> nx.MultiDiGraph:
    """Return levels that widen towards the customers, joined at random; the same chain for the same parameters.

    Each level has about twice as many nodes as the one above it. Every node has one supplier drawn from the level
    above such that none of them is left without a customer, and some have a second, drawn from all levels above.

    Parameters
    ----------
    nodes, levels : int
        Nodes that keep stock, and the levels that they form below one source.
    seed : int
        Of Python's generator, whose numbers are the same in every version.
    second_supplier : float
        Chance that a node has one, where there are levels above it.
    lead_times, mean_demands : sequence of int
        Least and largest lead time of an edge, periods, and mean of the Poisson demand of a node of level 1, units a
        period; whole numbers, each equally likely. Holding cost is 1 at level 1, 1/2 at level 2, and so on.
    backorder_cost : float
        Money per unit and period, on the backorders of the markets.
    agents : str
        `node`: every node decides for itself; `level`: one agent decides for all nodes of a level.
    """
    if agents not in ("node", "level"):
        raise InputError(f"agents: '{agents}' is neither node nor level; choose one of them")
    draw = random.Random(seed)
    graph = _graph("random_dag")
    graph.add_node("source", kind="source")
    floors = _widening(nodes, levels)
    for level in range(levels, 0, -1):
        above = ["source"] if level == levels else floors[level + 1]
        higher = [name for other in range(level + 2, levels + 1) for name in floors[other]] + above
        first = _each_once(draw, above, len(floors[level]))
        for name, supplier in zip(floors[level], first, strict=True):
            graph.add_node(name, holding_cost=round(1 / level, 2))
            if level == 1:
                demand = {"process": "poisson", "mean": _between(draw, *mean_demands)}
                graph.nodes[name].update(backorder_cost=backorder_cost, demand=demand)
            _join(graph, supplier, name, lead_time=_between(draw, *lead_times))
            others = [other for other in higher if other != supplier]
            if others and draw.random() < second_supplier:
                _join(graph, _pick(draw, others), name, lead_time=_between(draw, *lead_times))
    if agents == "level":
        decides = {f"level_{level}": {"decides": floors[level]} for level in range(levels, 0, -1)}
        graph.graph["game"]["agents"] = decides
    return _balanced(graph)


def document(generator: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of a file for the chain that a generator makes, each demand with its node.

    Raises
    ------
    InputError
        If there is no such generator, or it does not take these parameters.
    """
    known = _generators()
    if generator not in known:
        raise InputError(f"no generator '{generator}'{nearest(generator, known)}; there are {', '.join(known)}.")
    try:
        bound = inspect.signature(known[generator]).bind(**parameters)
    except TypeError as error:
        raise InputError(f"{generator}: {error}; see marl_supply.topology.generators.") from None
    made = document_of(known[generator](*bound.args, **bound.kwargs))
    for name, market in made.pop("markets").items():
        market.pop("served_by")
        made["nodes"][name]["demand"] = market
    return made


def _generators() -> dict[str, Callable[..., nx.MultiDiGraph]]:
    """The public functions of this file that return a graph, by name."""
    own = {name: thing for name, thing in globals().items() if inspect.isfunction(thing) and not name.startswith("_")}
    return {name: make for name, make in own.items() if make.__annotations__.get("return") == "nx.MultiDiGraph"}


def _widening(nodes: int, levels: int) -> dict[int, list[str]]:
    """Names by level: every level about twice as wide as the one above, the remainder in level 1."""
    if not 1 <= levels <= nodes:
        raise InputError(f"levels: {levels} do not fit {nodes} nodes; give from 1 to one for each node")
    widths = {level: max(1, nodes * 2 ** (levels - level) // (2**levels - 1)) for level in range(levels, 1, -1)}
    widths[1] = nodes - sum(widths.values())
    return {
        level: [f"level_{level}_{number}" for number in range(1, width + 1)] for level, width in sorted(widths.items())
    }


def _each_once(draw: random.Random, options: Sequence[str], count: int) -> list[str]:
    """`count` options in a random order, each of them at least once where `count` allows it."""
    chosen = [*options[:count], *(_pick(draw, options) for _ in range(count - len(options)))]
    return [name for _, name in sorted((draw.random(), name) for name in chosen)]


def _pick(draw: random.Random, options: Sequence[str]) -> str:
    return options[int(draw.random() * len(options))]  # `random()` alone is the same in every version of Python


def _between(draw: random.Random, low: int, high: int) -> int:
    return low + int(draw.random() * (high - low + 1))


def _balanced(graph: nx.MultiDiGraph) -> nx.MultiDiGraph:
    """Stocks and pipelines at the demand that passes through when every node splits its orders evenly.

    The base-stock levels that it suggests are for rules, which order from the first supplier alone: that demand over
    lead time + 1, plus one standard deviation of it if it is Poisson.
    """
    split: dict[str, float] = {}
    alone: dict[str, float] = {}
    ends = {edge[2]: edge for edge in graph.edges(keys=True)}
    first = {ends[name][1]: ends[name] for name in reversed(graph.graph[EDGE_ORDER])}
    for name in reversed(list(nx.topological_sort(graph))):
        customers = [edge[1] for edge in graph.out_edges(name, keys=True)]
        mean = graph.nodes[name].get("demand", {}).get("mean", 0)
        split[name] = mean + sum(split[customer] / graph.in_degree(customer) for customer in customers)
        alone[name] = mean + sum(alone[customer] for customer in customers if first[customer][0] == name)
    for _, customer, attributes in graph.edges(data=True):
        attributes["pipeline"] = round(split[customer] / graph.in_degree(customer))
    levels = {}
    for name, edge in first.items():
        graph.nodes[name]["on_hand"] = round(split[name])
        demand = alone[name] * (graph.edges[edge]["lead_time"] + 1)
        levels[name] = round(demand + demand**0.5)
    graph.graph["policies"] = {"base_stock": levels}
    return graph


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

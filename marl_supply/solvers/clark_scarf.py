"""Serial systems with backorders: optimal echelon base-stock levels and the cost of any levels (Clark & Scarf 1960).

Stages are numbered from the customers upward, and so are all tuples. Stage j pays h_j on its stock, stage 1 pays b on
backorders. With echelon level S_j, let X_j be the position of stage j and all below that its supplier's stock allows:
X_N = S_N and X_(j-1) = min(S_(j-1), X_j - D_j), where D_j is the demand over L_j periods. What is on hand at the end of
a period costs on average

    sum over j > 1 of h_j (E X_j - E D_j - E X_(j-1)) + E[h_1 (X_1 - D_1)^+ + b (D_1 - X_1)^+].

D_1 covers L_1 + 1 periods, or L_1 where orders are placed knowing the demand of their period: then all stages cover
their lead times, as in the textbooks of continuous review. What is on its way costs the same under all levels. Costs
are those of the end of a period throughout: recursions that charge echelon stock before demand are off by the mean
demand times the echelon costs above stage 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import signal

from marl_supply.demand.distribution import Distribution, Law
from marl_supply.demand.poisson import Poisson
from marl_supply.errors import InputError
from marl_supply.solvers.newsvendor import (
    FloatArray,
    expected_costs,
    law_of_demand,
    refuse_unplain,
    require_positive,
    way_costs,
)
from marl_supply.topology.network import Network

CELLS_PER_DEVIATION = 1000
"""How fine the cells are on which demand of real numbers is put; costs are then off by about a millionth."""
FINEST_PER_UNIT = 1_000_000
"""Values of demand are whole multiples of a unit divided by this, or are refused."""
LARGEST_LATTICE = 20_000_000
FLAT = 1e-11
"""Share of the range of a cost function below which two of its values are the same: what convolutions round."""


@dataclass(frozen=True, eq=False)
class SerialSystem:
    """A serial system; `periodic`, `textbook` and `continuous_review` make one.

    Parameters
    ----------
    lead_time_demand : tuple of Distribution
        D_1, ..., D_N, independent and on one lattice.
    holding_costs : tuple of float
        h_1, ..., h_N, money per unit and period on local stock.
    backorder_cost : float
        b, money per unit and period.
    pipeline_cost, constant_cost : float
        Money a period whatever the levels: what is on its way, and all else (purchases minus revenue).
    lattice : float
        Units; all demand is a multiple of it.
    continuous : bool
        Whether the lattice stands for the real numbers.
    rows : tuple of str
        Names of the stages.
    """

    lead_time_demand: tuple[Distribution, ...]
    holding_costs: tuple[float, ...]
    backorder_cost: float
    pipeline_cost: float = 0.0
    constant_cost: float = 0.0
    lattice: float = 1.0
    continuous: bool = False
    rows: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        _same_length(lead_time_demand=self.lead_time_demand, holding_costs=self.holding_costs)
        require_positive(
            backorder_cost=self.backorder_cost, **{"holding cost of the last stage": self.holding_costs[-1]}
        )
        if min(self.holding_costs) < 0:
            raise InputError(f"holding_costs: {min(self.holding_costs):g} is negative; give 0 or more.")
        if not self.rows:
            names = tuple(f"stage_{number}" for number in range(1, len(self.holding_costs) + 1))
            object.__setattr__(self, "rows", names)

    @property
    def echelon_holding_costs(self) -> tuple[float, ...]:
        """h_j - h_(j+1), money per unit and period."""
        return tuple(np.subtract(self.holding_costs, (*self.holding_costs[1:], 0.0)).tolist())


@dataclass(frozen=True)
class SerialSolution:
    """Echelon base-stock levels, units, stage 1 first, and what they cost, money a period.

    inventory_cost: stock on hand and backorders; pipeline_cost: what is on its way; constant_cost: all else.
    """

    levels: tuple[float, ...]
    inventory_cost: float
    pipeline_cost: float
    constant_cost: float
    rows: tuple[str, ...]

    @property
    def cost(self) -> float:
        """All of them together."""
        return self.inventory_cost + self.pipeline_cost + self.constant_cost

    @property
    def by_row(self) -> dict[str, float]:
        """The levels by the name of their stage, as the rule `echelon_base_stock` takes them."""
        return dict(zip(self.rows, self.levels, strict=True))


def local_costs(echelon_holding_costs: Sequence[float]) -> tuple[float, ...]:
    """Holding costs of local stock, h_j, from echelon ones: the sums over a stage and all above it."""
    return tuple(np.cumsum(np.asarray(echelon_holding_costs, dtype=np.float64)[::-1])[::-1].tolist())


def periodic(
    demand: Law,
    lead_times: Sequence[int],
    holding_costs: Sequence[float],
    backorder_cost: float,
    *,
    pipeline_holding_costs: Sequence[float] | None = None,
    demand_seen: bool = False,
    constant_cost: float = 0.0,
    rows: tuple[str, ...] = (),
) -> SerialSystem:
    """A system reviewed every period, as the simulator plays it.

    Parameters
    ----------
    demand
        The law of a period's demand.
    lead_times : sequence of int
        Periods, of stage 1 first.
    holding_costs : sequence of float
        Of local stock, money per unit and period.
    backorder_cost : float
        Money per unit and period.
    pipeline_holding_costs : sequence of float or None
        On what is on its way to each stage; nothing if None.
    demand_seen : bool
        Whether orders are placed knowing the demand of their period.
    """
    in_transit = [0.0] * len(lead_times) if pipeline_holding_costs is None else pipeline_holding_costs
    _same_length(lead_times=lead_times, holding_costs=holding_costs, pipeline_holding_costs=in_transit)
    if any(length != int(length) for length in lead_times):
        raise InputError(
            f"lead_times: {list(lead_times)} are not all whole periods; continuous_review takes any length."
        )
    lattice = lattice_of(demand)
    period = demand if isinstance(demand, Distribution) else demand.cells(lattice)
    covered = [lead_times[0] + (not demand_seen), *lead_times[1:]]
    return SerialSystem(
        tuple(in_units(in_cells(period, lattice).over(periods), lattice) for periods in covered),
        tuple(holding_costs),
        backorder_cost,
        float(np.dot(in_transit, lead_times)) * period.mean,
        constant_cost,
        lattice,
        not isinstance(demand, Distribution),
        rows,
    )


def textbook(
    demand: Law, lead_times: Sequence[int], echelon_holding_costs: Sequence[float], backorder_cost: float
) -> SerialSystem:
    """Echelon costs, every stage covering its lead time only, and echelon stock charged with what is on its way.

    The convention of Snyder & Shen (2019, section 6.2).
    """
    local = local_costs(echelon_holding_costs)
    in_transit = (*local[1:], 0.0)
    return periodic(demand, lead_times, local, backorder_cost, pipeline_holding_costs=in_transit, demand_seen=True)


def continuous_review(
    rate: float, lead_times: Sequence[float], echelon_holding_costs: Sequence[float], backorder_cost: float
) -> SerialSystem:
    """Poisson demand, continuous review: lead times of any length, costs a unit of time (Shang & Song 2003)."""
    _same_length(lead_times=lead_times, echelon_holding_costs=echelon_holding_costs)
    demand = tuple(
        Poisson(mean=rate * length).distribution() if length else Distribution.point(0) for length in lead_times
    )
    local = local_costs(echelon_holding_costs)
    return SerialSystem(demand, local, backorder_cost, rate * float(np.dot(lead_times, (*local[1:], 0.0))))


def lattice_of(demand: Law) -> float:
    """Units: the largest number of which all values of demand are multiples; a small cell for a law of real numbers.

    Raises
    ------
    InputError
        For values that are no whole multiples of a unit / `FINEST_PER_UNIT`.
    """
    if not isinstance(demand, Distribution):
        return float(np.sqrt(demand.variance)) / CELLS_PER_DEVIATION
    multiples = demand.values * FINEST_PER_UNIT
    if np.abs(multiples - np.rint(multiples)).max() > 1e-3:
        raise InputError(f"demand: its values are no multiples of {1 / FINEST_PER_UNIT:g} units; round them.")
    return float(np.gcd.reduce(np.rint(multiples).astype(np.int64))) / FINEST_PER_UNIT or 1.0


def cost_of_levels(system: SerialSystem, levels: Sequence[float]) -> SerialSolution:
    """What any echelon base-stock levels cost: exactly for demand of finitely many values, else to a millionth.

    Parameters
    ----------
    levels
        Of stage 1 first, units. One above that of a stage higher up does what that one does.
    """
    _same_length(holding_costs=system.holding_costs, levels=levels)
    lattice, total = system.lattice, 0.0
    position = _placed(np.array(levels[-1:]) / lattice, np.ones(1), system)
    for stage in range(len(levels) - 1, 0, -1):
        demand = in_cells(system.lead_time_demand[stage], lattice)
        arriving = position.plus(Distribution(-demand.values[::-1], demand.probabilities[::-1]))
        allowed = np.minimum(arriving.values, levels[stage - 1] / lattice)
        position = _placed(allowed, arriving.probabilities, system)
        total += system.holding_costs[stage] * lattice * (arriving.mean - position.mean)
    costs = expected_costs(
        system.lead_time_demand[0], position.values * lattice, system.holding_costs[0], system.backorder_cost
    )
    return _solution(system, levels, total + float(costs @ position.probabilities))


def _placed(values: FloatArray, probabilities: FloatArray, system: SerialSystem) -> Distribution:
    """A law of positions; on cells what lies between two of them is shared by both so that the mean stays."""
    if not system.continuous:
        return Distribution.of(values, probabilities)
    below = np.floor(values + 1e-9)
    share = np.clip(values - below, 0.0, 1.0)
    return Distribution.of(
        np.concatenate([below, below + 1]), np.concatenate([probabilities * (1 - share), probabilities * share])
    )


def in_cells(law: Distribution, lattice: float) -> Distribution:
    """The law in multiples of the lattice: on whole numbers sums of many periods stay exact."""
    return Distribution(np.rint(law.values / lattice), law.probabilities)


def in_units(law: Distribution, lattice: float) -> Distribution:
    """The law of the number whose multiple of the lattice is given."""
    return Distribution(law.values * lattice, law.probabilities)


def best_levels(system: SerialSystem) -> SerialSolution:
    """Optimal echelon base-stock levels (the smallest) and their cost.

    Where stock costs no less at a stage than at the one that supplies it, the latter keeps none: the stage gets the
    level of the next stage above that has one of its own.
    """
    return _Recursion(system).solve()


class _Recursion:
    """Costs as functions of the position that a stage's supplier allows, on all multiples of the lattice that matter.

    Below them all these functions are straight lines; above them they are flat, or straight where a stage has no level
    of its own.
    """

    def __init__(self, system: SerialSystem) -> None:
        self.system = system
        self.laws = [_dense(law, system.lattice) for law in system.lead_time_demand]
        self.first = min(0, *np.cumsum([first for first, _ in self.laws]).tolist()) - 1
        last = max(np.cumsum([first + len(mass) for first, mass in self.laws]).tolist())
        if last - self.first > LARGEST_LATTICE:
            raise InputError(
                f"demand: lead times see up to {last - self.first} multiples of {system.lattice:g} units, too many to "
                "work through; round demand to larger units."
            )
        self.positions = np.arange(self.first, last + 1) * system.lattice

    def solve(self) -> SerialSolution:
        system, levels = self.system, list[float | None]()
        local, above = system.holding_costs, (*system.holding_costs[1:], 0.0)
        cost = expected_costs(system.lead_time_demand[0], self.positions, local[0], system.backorder_cost)
        least = 0.0
        for stage, demand in enumerate(system.lead_time_demand):
            if stage:
                cost = self._expected(cost, stage) + local[stage] * (self.positions - demand.mean)
            cost = cost - above[stage] * self.positions
            level = None
            if local[stage] > above[stage]:
                level, least = self._least(cost)
                cost = np.where(self.positions < level, cost, least)
            levels.append(level)
        for stage in range(len(levels) - 2, -1, -1):
            levels[stage] = levels[stage + 1] if levels[stage] is None else levels[stage]
        return _solution(system, [level for level in levels if level is not None], least)

    def _least(self, cost: FloatArray) -> tuple[float, float]:
        """Where a function is least, and that value: on cells the lowest point of a parabola through three values."""
        low = cost.min()
        place = int(np.argmax(cost <= low + FLAT * (cost.max() - low)))
        if not self.system.continuous or not 0 < place < len(cost) - 1:
            return float(self.positions[place]), float(cost[place])
        place = int(cost.argmin())
        before, here, after = cost[place - 1 : place + 2]
        bend = before - 2 * here + after
        step = float(np.clip((before - after) / (2 * bend), -1.0, 1.0)) if bend > 0 else 0.0
        return float(self.positions[place]) + step * self.system.lattice, float(here - bend * step**2 / 2)

    def _expected(self, cost: FloatArray, stage: int) -> FloatArray:
        """E C(y - D_j) from C(y)."""
        first, mass = self.laws[stage]
        last = first + len(mass) - 1
        wanted = np.arange(-last, len(cost) - first)
        inside = np.clip(wanted, 0, len(cost) - 1)
        beyond = wanted - inside
        extended = cost[inside] + np.where(beyond < 0, cost[1] - cost[0], cost[-1] - cost[-2]) * beyond
        convolve = np.convolve if len(extended) * len(mass) < 1_000_000 else signal.fftconvolve
        return np.asarray(convolve(extended, mass, mode="valid"), dtype=np.float64)


def _dense(law: Distribution, lattice: float) -> tuple[int, FloatArray]:
    """The first value in multiples of the lattice, and the probabilities from there on."""
    places = in_cells(law, lattice).values.astype(np.int64)
    return int(places[0]), np.asarray(np.bincount(places - places[0], law.probabilities), dtype=np.float64)


def _solution(system: SerialSystem, levels: Sequence[float], inventory_cost: float) -> SerialSolution:
    own = tuple(float(level) for level in levels)
    return SerialSolution(own, inventory_cost, system.pipeline_cost, system.constant_cost, system.rows)


def _same_length(**numbers: Sequence[object]) -> None:
    """Raise InputError unless all have one entry for each stage."""
    sizes = {name: len(values) for name, values in numbers.items()}
    if len(set(sizes.values())) != 1 or not min(sizes.values()):
        told = ", ".join(f"{name} {size}" for name, size in sizes.items())
        raise InputError(
            f"a serial system: its tuples differ in length or are empty ({told}); give one for each stage."
        )


def serial_system(network: Network) -> SerialSystem:
    """Read a chain that is a serial system, in the costs that the simulator charges to all stages together.

    Raises
    ------
    InputError
        Where the chain is something else.
    """
    family = "a serial system"
    refuse_unplain(network, family)
    rows = _from_the_market(network, family)
    edges = [int(network.first_edge[row]) for row in rows]
    for edge in edges[:-1]:
        where = f"{network.topology.name}: edges.{network.edges[edge]}"
        if network.information_delay[edge]:
            raise InputError(f"{where}.information_delay: {family} is solved without it; set it to 0.")
        if network.backorder_cost[network.edge_line[edge]]:
            raise InputError(
                f"{where}: what its supplier owes costs something, and {family} pays for what customers are owed only; "
                "set its backorder_cost to 0."
            )
    demand = law_of_demand(network, family)
    purchases = float(network.purchase_cost[edges].sum() - network.price[0])
    in_transit = float(way_costs(network)[edges].sum())
    system = periodic(
        demand,
        (network.lead_time + network.information_delay)[edges].tolist(),
        network.holding_cost[rows].tolist(),
        float(network.backorder_cost[network.market_line[0]]),
        demand_seen=network.demand_first,
        constant_cost=purchases * demand.mean,
        rows=tuple(network.rows[row] for row in rows),
    )
    return replace(system, pipeline_cost=in_transit * demand.mean)


def _from_the_market(network: Network, family: str) -> list[int]:
    """Rows from the one that serves the market upward; InputError unless that is all there is."""
    counts = (len(network.markets), len(network.edges))
    if counts != (1, len(network.rows)):
        raise InputError(
            f"{network.topology.name}: {len(network.rows)} stock nodes, {counts[1]} edges and {counts[0]} markets; "
            f"{family} has one market and one edge to each node."
        )
    rows = [int(network.market_row[0])]
    while (supplier := int(network.supplier[network.first_edge[rows[-1]]])) >= 0:
        rows.append(supplier)
    if len(rows) != len(network.rows):
        apart = next(name for row, name in enumerate(network.rows) if row not in rows)
        raise InputError(f"{network.topology.name}: nodes.{apart}: it does not lead to the market; leave it out.")
    return rows

"""The end of step 5: customers whose market's node is short are offered delivery from another node."""

from __future__ import annotations

from marl_supply.simulation.allocation import divide
from marl_supply.simulation.arrays import Array, added
from marl_supply.simulation.shipping import Shipped
from marl_supply.simulation.state import State
from marl_supply.topology.network import Network


def expedite(network: Network, state: State, shipped: Shipped, owed: Array, demand: Array) -> tuple[Array, Array]:
    """Deliver what customers accept, as far as the other node's stock and capacity go.

    Parameters
    ----------
    owed : (M, B) units
        Claims before anything shipped.
    demand : (K, B) units
        This period's; only these customers are asked, and older claims are served before them.

    Returns
    -------
    expedited : (K, B) units
        Delivered to each market.
    on_hand : (N, B) units
        What is left.
    """
    arrays, markets = state.arrays, network.expedited_markets
    lines = network.market_line[markets]
    unserved = arrays.take(owed, lines) - arrays.take(shipped.served, lines)
    asked = arrays.minimum(unserved, arrays.take(demand, markets))
    probability = arrays.constant(network.expedite_probability)[:, None]
    if network.integer:
        number = arrays.take(arrays.given(state.noise.chance(state.clock)), network.expedite_chance)
        wanted = arrays.binomial(asked, probability, number)
    else:
        wanted = asked * probability
    expedited, on_hand = arrays.zeros(*demand.shape), shipped.on_hand
    left = _left(network, state, shipped, wanted)
    for row, members in network.expedite_groups:
        own = slice(row, row + 1)
        given = divide(arrays, arrays.take(wanted, members)[None], arrays.take(left, own), network.integer)[0]
        expedited = arrays.put(expedited, markets[members], given)
        on_hand = arrays.add_at(on_hand, own, -added(given, 0)[None])
    return expedited, on_hand


def _left(network: Network, state: State, shipped: Shipped, wanted: Array) -> Array:
    """(N, B) units that each row can still ship; what several share goes by what each is asked for and could ship."""
    arrays, rows = state.arrays, len(network.rows)
    gone = arrays.add_up(network.line_sum, shipped.served)
    left = shipped.on_hand
    if network.capacity is not None:
        left = arrays.minimum(left, arrays.constant(network.capacity[:rows])[:, None] - gone)
    if state.stopped is not None:
        left = left * (1.0 - state.stopped[:rows])
    for shared in network.shared_capacities:
        room = arrays.maximum(shared.limit - added(arrays.take(gone, shared.rows), 0), 0.0)
        asked = arrays.take(arrays.add_up(network.expedite_sum, wanted), shared.rows)
        alone = arrays.minimum(asked, arrays.take(left, shared.rows))
        left = arrays.put(arrays.copy(left), shared.rows, divide(arrays, alone[None], room[None], network.integer)[0])
    return left

"""Step 4 of a period: what the markets ask for, at the prices and exposures just decided."""

from __future__ import annotations

from marl_supply.simulation.arrays import Array, Arrays
from marl_supply.simulation.state import State
from marl_supply.topology.crowds import Crowd
from marl_supply.topology.network import Network

Memory = dict[int, dict[str, Array]]


def first_memory(network: Network, arrays: Arrays, replications: int) -> Memory:
    """What the responsive markets remember before an episode's first period, (n, B) each."""
    return {
        market: {name: arrays.zeros(len(v), replications) + arrays.constant(v)[:, None] for name, v in start.items()}
        for market, start in ((market, process.start()) for market, process, _ in network.responsive)
    }


def hold_prices(network: Network, state: State) -> State:
    """The state with the prices that hold, where some of those decided do not hold yet."""
    for crowd in network.crowds:
        if crowd.process.keeps_prices:
            arrays, price = state.arrays, _asked(network, state)
            remembered = [state.memory[int(market)] for market in crowd.markets]
            held = crowd.process.held_prices(arrays, remembered, arrays.take(price, crowd.entries))
            state = state.changed(price=arrays.put(arrays.copy(price), crowd.entries, held))
    return state


def demand_of_period(network: Network, state: State) -> tuple[Array, Memory]:
    """(K, B) units that every market asks for in this period, and what responsive markets remember of it."""
    arrays = state.arrays
    demand = arrays.given(state.noise.at(state.clock))
    if not network.responsive:
        return demand, state.memory
    chance = arrays.given(state.noise.chance(state.clock)) if network.chance_size else None
    demand, memory = arrays.copy(demand), {}
    price = _asked(network, state)
    for market, process, span in network.answering_alone:
        uniform = arrays.zeros(0, state.replications) if chance is None else chance[span]
        exposure = state.exposure.get(market)
        answer, memory[market] = process.respond(arrays, state.memory[market], price[market], exposure, uniform)
        demand = arrays.put(demand, slice(market, market + 1), answer[None])
    for crowd in network.crowds:
        uniform = arrays.zeros(0, state.replications) if chance is None else arrays.take(chance, crowd.chance)
        remembered = [state.memory[int(market)] for market in crowd.markets]
        asked = arrays.take(price, crowd.entries)
        answer, kept = crowd.process.respond_together(arrays, remembered, asked, _shown(state, crowd), uniform)
        memory.update(zip(map(int, crowd.markets), kept, strict=True))
        demand = arrays.put(demand, crowd.entries, answer)
    return demand, memory


def _asked(network: Network, state: State) -> Array:
    """(K, B) prices decided, or the file's."""
    if state.price is not None:
        return state.price
    return state.arrays.zeros(len(network.price), state.replications) + state.arrays.constant(network.price)[:, None]


def _shown(state: State, crowd: Crowd) -> Array | None:
    """(groups, items, B) exposure of a crowd's items; None where nobody decides any."""
    decided = [state.exposure.get(int(market)) for market in crowd.markets]
    if all(shares is None for shares in decided):
        return None
    arrays, process = state.arrays, crowd.process
    equal = arrays.zeros(process.groups, state.replications) + process.equal_exposure
    return arrays.stack([equal if shares is None else shares for shares in decided], 1)

"""The shipped topologies that tests go through one by one; the large ones have tests of their own."""

from __future__ import annotations

from marl_supply.envs.face import versioned_name
from marl_supply.topology import load
from marl_supply.topology import names as shipped

LARGE = frozenset({"random_dag_1000"})
NAMES = [name for name in shipped() if name not in LARGE]
CHAINS = {name: load(name) for name in NAMES}
VERSIONED = {versioned_name(chain): chain for chain in CHAINS.values()}
PRICES_ALONE = frozenset(
    name
    for name, chain in CHAINS.items()
    if chain.game.agents and all(part.endswith(".price") for own in chain.game.agents.values() for part in own.decides)
)
"""Those in which nobody orders: rules of orders and random orders do not play them."""
ORDERING = {name: chain for name, chain in CHAINS.items() if name not in PRICES_ALONE}

"""Checks for topologies, games and policies of your own; what fails says so in one sentence.

>>> from marl_supply.testing import check_game, check_policy, check_topology
>>> check_topology("cachon_zipkin")
>>> check_game("cachon_zipkin")
>>> check_policy("base_stock", "cachon_zipkin")
"""

from marl_supply.testing.games import check_game
from marl_supply.testing.policies import check_policy
from marl_supply.testing.topologies import check_topology

__all__ = ["check_game", "check_policy", "check_topology"]

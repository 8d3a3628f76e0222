"""What finds good policies without learning.

Exact methods are functions on a chain's parameters, one family a file; `markov/` is dynamic programming straight from
the simulator; `search/` and `tune` look for a rule's parameters. `methods/` says what applies to which game, and
`solve` puts all of it beside each other.
"""

from marl_supply.solvers.method import Method, Solution
from marl_supply.solvers.solve import Solved, solve
from marl_supply.solvers.tune import Tuned, tune

__all__ = ["Method", "Solution", "Solved", "Tuned", "solve", "tune"]

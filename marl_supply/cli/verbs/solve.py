"""``marl-supply solve``: the best that is known of a topology, by every method that applies or by one."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from marl_supply.cli.parser import add_json, add_set, print_json
from marl_supply.report.tables import aligned

if TYPE_CHECKING:
    from marl_supply.game.game import Game
    from marl_supply.solvers.solve import Solved

HELP = "exact and tuned solutions of a topology: the optimum, rules, equilibria"


def describe(parser: ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("topology", metavar="TOPOLOGY", help="a shipped name, or the path of a topology file")
    parser.add_argument("--policy", metavar="NAME", help="one method or rule (every one that applies)")
    add_set(parser, "nodes.store.lost_sale_cost=9")
    add_json(parser)


def execute(options: Namespace) -> int:
    """Solve and print."""
    from marl_supply.game.game import Game
    from marl_supply.solvers.solve import solve
    from marl_supply.topology import load

    game = Game(load(options.topology, options.set))
    solved = solve(game, options.policy, None if options.json else _say)
    if options.json:
        print_json([describe_solution(each) for each in solved])
    else:
        print(_text(" ".join([game.topology.name, *options.set]), game, solved))
    return 0


def describe_solution(solved: Solved) -> dict[str, Any]:
    """A solution as `--json` prints it."""
    solution = solved.solution
    return {
        "method": solution.method,
        "parameters": dict(solution.parameters),
        "cost": solution.cost,
        "exact": solution.exact,
        "standard_error": solution.standard_error,
        "seconds": round(solved.seconds, 3),
        **solution.details,
    }


def _say(name: str, effort: str) -> None:
    """What takes time says so in any case; names alone are for who watches."""
    if effort:
        print(f"{name}: {effort}", file=sys.stderr)
    elif sys.stderr.isatty():
        print(name, file=sys.stderr)


def _text(name: str, game: Game, solved: Sequence[Solved]) -> str:
    solutions = [each.solution for each in solved]
    optimum = next((s.cost for s in solutions if s.method == "optimal" and s.exact), None)
    per = "a period" if game.criterion == "average" else f"in {game.horizon} periods"
    rows: list[list[Any]] = [["method", "parameters", f"cost {per}", "gap", "how", "seconds"]]
    for each in solved:
        solution = each.solution
        gap = "" if optimum is None or not optimum else f"{(solution.cost - optimum) / abs(optimum):+.2%}"
        how = "exact" if solution.exact else f"simulated, s.e. {solution.standard_error:.2g}"
        cost = f"{solution.cost:,.6f}" if solution.exact else f"{solution.cost:,.3f}"
        rows.append([solution.method, _told(solution.parameters), cost, gap, how, f"{each.seconds:.2f}"])
    notes = [f"{s.method}: {_told(s.details)}" for s in solutions if s.details]
    return "\n".join([name, aligned(rows), *notes])


def _told(values: Any) -> str:
    """Numbers and names, short."""
    if isinstance(values, Mapping):
        return ", ".join(f"{key} {_told(value)}" for key, value in values.items())
    if isinstance(values, list | tuple):
        return f"({', '.join(map(_told, values))})"
    return f"{values:.6g}" if isinstance(values, float) else str(values)

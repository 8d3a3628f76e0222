"""The price of anarchy: what selfish play costs over the best cooperative play known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from marl_supply.report.results import Results, Row
from marl_supply.report.statistics import Estimate, ratio, training_ratio


@dataclass(frozen=True)
class Anarchy:
    """Measured prices of anarchy.

    Attributes
    ----------
    selfish, cooperative : Row
        The dearest row whose agents play for themselves, trained on individual rewards or in equilibrium of a rule; the
        cheapest of all others that see and decide alike, which cooperation can reach.
    team : Row or None
        The cheapest of these that was trained on a shared reward.
    measured, without_constant : Estimate or None
        Selfish over cooperative, with and without the constant that the experiment states.
    others : tuple of (Row, Row, Estimate or None)
        The other selfish rows, each with its cooperative row and the ratio, the dearest first.
    learned : Estimate or None
        Selfish over team, where that is another row.
    in_training : Estimate or None
        Selfish over team on the demand they were trained on, where scoring is on held-out demand.
    exact, exact_without_constant : float or None
        The same of the references `equilibrium` and `optimum`.
    stability : float or None
        The least of several references `equilibrium`, `equilibrium_2`, ... over `optimum`: the price of stability,
        where `exact` is that of anarchy.
    to_optimum : Estimate or None
        The selfish row over the reference `optimum`.
    constant : dict or None
        Its cost and source.
    """

    selfish: Row
    cooperative: Row
    team: Row | None
    measured: Estimate | None
    without_constant: Estimate | None
    others: tuple[tuple[Row, Row, Estimate | None], ...]
    learned: Estimate | None
    in_training: Estimate | None
    exact: float | None
    exact_without_constant: float | None
    stability: float | None
    to_optimum: Estimate | None
    constant: dict[str, Any] | None


def anarchy(results: Results) -> Anarchy | None:
    """The prices of anarchy of an experiment; None unless agents play for themselves in some rows and not in others."""
    selfish = sorted((row for row in results if row.reward == "individual"), key=_cost, reverse=True)
    pairs = [(row, cheapest) for row in selfish if (cheapest := _cheapest(_alike(results, row))) is not None]
    if not pairs:
        return None
    dearest, cheapest = pairs[0]
    team = _cheapest([row for row in _alike(results, dearest) if row.reward == "shared"])
    report = results.report
    constant = report.get("constant")
    fixed = float(constant["cost"]) if constant else 0.0
    known = {name: float(reference["cost"]) for name, reference in report["references"].items()}
    equilibria = [cost for name, cost in known.items() if re.fullmatch(r"equilibrium(_\d+)?", name)]
    optimum, equilibrium = known.get("optimum"), max(equilibria, default=None)
    both = optimum is not None and equilibrium is not None
    return Anarchy(
        selfish=dearest,
        cooperative=cheapest,
        team=team,
        measured=ratio(dearest, cheapest),
        without_constant=ratio(dearest, cheapest, fixed) if constant else None,
        others=tuple((row, other, ratio(row, other)) for row, other in pairs[1:]),
        learned=None if team is None or team is cheapest else ratio(dearest, team),
        in_training=None if team is None else training_ratio(dearest, team),
        exact=equilibrium / optimum if both else None,  # type: ignore[operator]
        exact_without_constant=(equilibrium - fixed) / (optimum - fixed) if both and constant else None,  # type: ignore[operator]
        stability=min(equilibria) / optimum if both and len(equilibria) > 1 else None,  # type: ignore[operator]
        to_optimum=None if optimum is None else ratio(dearest, optimum),
        constant=constant,
    )


def _alike(results: Results, row: Row) -> list[Row]:
    """The cooperative rows that see and decide as a selfish one does."""
    stated = {name: each.get("game", {}) for name, each in results.experiment["compare"].items()}
    return [each for each in results if each.reward != "individual" and stated[each.name] == stated[row.name]]


def _cheapest(rows: Sequence[Row]) -> Row | None:
    return min(rows, key=_cost, default=None)


def _cost(row: Row) -> float:
    return float(row.figures.mean())

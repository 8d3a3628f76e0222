"""The contract that makes a team an equilibrium, and what it moves."""

from __future__ import annotations

from typing import Any

from marl_supply.report.results import Results
from marl_supply.report.sections import ends
from marl_supply.report.tables import markdown, number

FOOT = (
    "Payments are what the transfers move while the team plays. What is left is the gain of the best deviation that "
    "the responders found on fresh demand. A fixed payment a period between agents would change nobody's incentives."
)


def section(found: dict[str, Any], results: Results) -> list[str]:
    """Rates and payments, what each agent pays before and after, and what is left to gain."""
    rates: list[list[Any]] = [["from", "to", "per", "at", "rate", "payment"]]
    for term in found["terms"]:
        rates.append([*(term[key] for key in ("from", "to", "per", "at")), term["rate"], term["payment"]])
    costs: list[list[Any]] = [["agent", "without", "with the contract", *(f"left among {w}" for w in found["left"])]]
    for agent in found["cost"]:
        left = [ends(by_agent[agent]) for by_agent in found["left"].values()]
        costs.append([agent, number(found["cost_before"][agent]), number(found["cost"][agent]), *left])
    return ["## A contract", f"The team is `{found['row']}`.", markdown(rates), markdown(costs), _verdict(found), FOOT]


def _verdict(found: dict[str, Any]) -> str:
    gains = [gain for by_agent in found["left"].values() for gain in by_agent.values()]
    sure = [gain for gain in gains if gain["low"] is not None and gain["low"] > 0]
    if not any(gain["mean"] > 0 for gain in gains):
        return "No responder found a deviation that saves anything: under the contract the team is an equilibrium."
    if not sure:
        return "What is left to gain is within its interval of nothing."
    return f"The terms do not suffice: somebody still gains {number(max(gain['mean'] for gain in sure))}."

"""What coalitions would pay, Shapley shares, and the core."""

from __future__ import annotations

from typing import Any

from marl_supply.report.results import Results
from marl_supply.report.sections import ends
from marl_supply.report.tables import markdown, number

FOOT = (
    "A coalition chooses its members' parameters of the rule for the least cost of them together, while the others "
    "play on as in the row named. A Shapley share is what an agent adds to the cost, averaged over all orders of "
    "arrival; the saving is against standing alone. Intervals are over replications that all coalitions share. "
    "The least core's shares make the strongest objection of a coalition as weak as it can be."
)


def section(found: dict[str, Any], results: Results) -> list[str]:
    """Shares, then the cost of every coalition, then who would object."""
    asked = results.experiment["analyse"]["coalitions"]
    alone = {each["members"][0]: each["cost"] for each in found["coalitions"] if len(each["members"]) == 1}
    shares: list[list[Any]] = [["agent", "alone", "Shapley share", "saving", "least core"]]
    core = dict(zip(found["agents"], found["least_core"]["allocation"], strict=True))
    for agent in found["agents"]:
        own = (ends(alone[agent]), ends(found["shares"][agent]), ends(found["savings"][agent]))
        shares.append([agent, *own, "-" if found["least_core"]["empty"] else number(core[agent])])
    costs: list[list[Any]] = [["coalition", results.measure]]
    costs += [[" + ".join(each["members"]), ends(each["cost"])] for each in found["coalitions"]]
    about = f"Coalitions choose among `{asked['policy']}`; the others play `{asked['outsiders']}`."
    return ["## Coalitions", about, markdown(shares), markdown(costs), "\n".join(_core(found)), FOOT]


def _core(found: dict[str, Any]) -> list[str]:
    lines = []
    if found["objections"]:
        told = [f"{' + '.join(each['members'])} ({ends(each['gain'])})" for each in found["objections"]]
        sure = any(each["gain"]["low"] is not None and each["gain"]["low"] > 0 for each in found["objections"])
        unsure = "" if sure else ", none of them significantly"
        lines.append(f"- The Shapley shares are not in the core: {', '.join(told)} would pay less alone{unsure}.")
    else:
        lines.append("- The Shapley shares are in the core: no coalition would pay less alone.")
    if found["least_core"]["empty"]:
        least = number(found["least_core"]["value"])
        lines.append(f"- The core is empty: whatever the shares, a coalition would pay {least} less alone.")
    if not found["subadditive"]:
        lines.append("- Not all unions save: some coalitions pay more together than apart, as the searches found them.")
    if found["convex"]:
        lines.append("- Savings are convex.")
    return lines

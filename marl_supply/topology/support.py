"""What the file format can say and the simulator does not carry: refused here, in one sentence."""

from __future__ import annotations

from marl_supply.demand.responsive import ResponsiveProcess
from marl_supply.errors import InputError
from marl_supply.topology.file import Topology


def refuse_unsupported(topology: Topology) -> None:
    """Raise one sentence for the first feature of a file that the simulator does not carry."""
    for name, market in topology.markets.items():
        if len(market.served_by) != 1:
            raise InputError(
                f"{topology.name}: markets.{name}.served_by: the simulator does not carry a market served by several "
                "nodes yet; name one."
            )
        if isinstance(market.process, ResponsiveProcess) and topology.timing.demand_visible == "before_ordering":
            raise InputError(
                f"{topology.name}: timing.demand_visible: demand of '{name}' follows the decisions of its period and "
                "cannot be seen before them; use after_ordering."
            )

"""A responsive market for tests: two customer groups, each asking in proportion to its share of the attention."""

from __future__ import annotations

from typing import Any

from marl_supply.demand.responsive import ResponsiveProcess


class Attention(ResponsiveProcess):
    """``demand = size x (share of group 0 + 2 x share of group 1)``, rounded; remembers the share of group 1."""

    size: float = 10.0

    @property
    def groups(self) -> int:
        return 2

    @property
    def public(self) -> frozenset[str]:
        return frozenset({"shown"})

    @property
    def usual_price(self) -> float:
        return 0.0

    def start(self) -> dict[str, Any]:
        import numpy as np

        return {"shown": np.array([0.5]), "secret": np.zeros(2)}

    def respond(self, arrays: Any, memory: Any, price: Any, exposure: Any, uniform: Any) -> Any:
        share = memory["shown"][0] * 0 + 0.5 if exposure is None else exposure[1]
        demand = arrays.round(self.size * (1 - share + 2 * share))
        return demand, {"shown": share[None], "secret": memory["secret"] + 1}

    def mean_at(self, price: float) -> float:
        return 1.5 * self.size

    def variance_at(self, price: float) -> float | None:
        return 0.0

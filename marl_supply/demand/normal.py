"""Normal demand, clipped and rounded."""

from typing import Any

from marl_supply.demand.distribution import Law
from marl_supply.demand.process import BLOCK, Array, GeneratorOf
from marl_supply.demand.rounding import ClippedNormal, normal_law, shape_demand


class Normal(ClippedNormal):
    """Independent normal draws, moved into bounds and then rounded."""

    def distribution(self, period: int = 0, given: float | None = None) -> Law:
        self._takes_nothing(given)
        return normal_law(self.centre, self.sd, self.clip, self.round)

    def draw(self, generator: GeneratorOf, replications: int, period_block: int, carry: Any) -> tuple[Array, None]:
        draws = self.centre + self.sd * generator("").standard_normal((BLOCK, replications))
        return shape_demand(draws, self.clip, self.round), None

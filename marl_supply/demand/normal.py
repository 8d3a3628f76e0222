"""Normal demand, clipped and rounded."""

from typing import Any

from marl_supply.demand.process import BLOCK, Array, GeneratorOf
from marl_supply.demand.rounding import ClippedNormal, shape_demand


class Normal(ClippedNormal):
    """Independent normal draws, moved into bounds and then rounded."""

    def draw(self, generator: GeneratorOf, replications: int, period_block: int, carry: Any) -> tuple[Array, None]:
        draws = self.centre + self.sd * generator("").standard_normal((BLOCK, replications))
        return shape_demand(draws, self.clip, self.round), None

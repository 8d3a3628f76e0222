"""Figures of sources that several tests hold results against, and how a simulated one is held against them."""

from __future__ import annotations

import math

from marl_supply.game.evaluate import Evaluation

LOST_SALES = {
    ("poisson", 4, 1): (4.04071, (12, 4.16280), (12, 6, 4.06542), 4.11131, 4.04071),
    ("poisson", 4, 2): (4.39530, (16, 4.63864), (17, 5, 4.40573), 4.55807, 4.40595),
    ("poisson", 4, 3): (4.59872, (20, 4.97500), (21, 5, 4.63077), 4.84348, 4.63568),
    ("poisson", 4, 4): (4.72853, (25, 5.19777), (26, 5, 4.79785), 5.06281, 4.81706),
    ("geometric", 9, 2): (15.50289, (22, 15.98817), (23, 6, 15.64102), 15.93259, 15.57303),
}
"""REFERENCE A (Zipkin 2008), by demand, p and L: optimum; base stock, cost; capped, cap, cost; myopic-1; myopic-2."""
NORMAL_QUANTILE = 3.2905  # of a two-sided interval at 99.9%


def assert_agrees(evaluation: Evaluation, stated: float, rounding: float = 0.0, width: float = 0.01) -> None:
    """Hold the figure of an evaluation against a stated one.

    Parameters
    ----------
    stated : float
        The figure of the source, money.
    rounding : float
        Half a unit of the last digit that the source states, added to the interval.
    width : float
        Most that half the interval may be, as a share of the stated figure, so that the test has teeth.
    """
    half = NORMAL_QUANTILE * evaluation.sample.std(ddof=1) / math.sqrt(evaluation.replications)
    assert half < width * stated, f"the interval is {half:.4f} wide on either side; simulate more"
    assert abs(evaluation.figure - stated) < half + rounding, f"{evaluation.figure:.5f} +- {half:.5f}, not {stated}"

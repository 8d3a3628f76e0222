"""Published figures against simulated ones: it lies in the simulation's interval, and that is narrow."""

from __future__ import annotations

import math

from marl_supply.game.evaluate import Evaluation

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

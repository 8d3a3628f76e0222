"""A3C as `train` uses it."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from marl_supply.learning.rllib.a3c.algorithm import A3CConfig
from marl_supply.learning.rllib.algorithm import GameConfig
from marl_supply.learning.rllib.trainer import OnPolicyTrainer


class A3CTrainer(OnPolicyTrainer):
    """One A3C training of K copies; an update is as many gradients as there are workers.

    With `env_runners` 0 it is repeatable and goes on bitwise from its state; with more, gradients come in the order in
    which the runners happen to finish, and what was under way when a state was taken is played anew.
    """

    config_class: ClassVar[type[GameConfig]] = A3CConfig

    @property
    def gradient_lag(self) -> float:
        """Mean over the latest update's gradients: how many others were applied while one was computed."""
        return float(np.mean(self.algorithm.lags))

"""The RLlib Learner of A3C: it holds the newest weights and applies gradients in the order it is given them."""

from __future__ import annotations

from typing import Any

import torch
from ray.rllib.utils.metrics import ALL_MODULES, NUM_ENV_STEPS_TRAINED_LIFETIME

from marl_supply.learning.rllib.a3c.gradients import Gradient, Weights, weights_of
from marl_supply.learning.rllib.learner import StackedLearner
from marl_supply.learning.rllib.modules import CRITIC

SQUARES_DECAY = 0.99
"""Of the averages of squared gradients (Mnih et al. 2016, section 4)."""
SMALLEST_SQUARE = 1e-5
"""Added to the root of those averages; gradients are clipped to a norm below 1, so the paper's .1 would rule them."""


class A3CLearner(StackedLearner):
    """Actors, critics, moments and one optimizer for the gradients of all workers."""

    def optimizer_over(self, parameters: Any) -> torch.optim.Optimizer:
        """RMSProp with statistics that all workers share, or Adam."""
        if self.config.learner.optimizer == "adam":
            return super().optimizer_over(parameters)
        rate = self.config.learner.learning_rate
        return torch.optim.RMSprop(parameters, lr=rate, alpha=SQUARES_DECAY, eps=SMALLEST_SQUARE)

    def apply_gradient(self, gradient: Gradient) -> Weights:
        """Make one step, and return the weights after it."""
        self.before_gradient_based_update(timesteps={})
        self._weights_seq_no += 1
        modules = {name: list(self.module[name].parameters()) for name in gradient.arrays}
        for name, parameters in modules.items():
            for parameter, array in zip(parameters, gradient.arrays[name], strict=True):
                parameter.grad = torch.tensor(array)
        self.step(modules)
        moments = self.module[CRITIC].moments
        moments.take_in(torch.tensor(gradient.mean_target), torch.tensor(gradient.mean_square))
        steps = gradient.env_steps
        self.metrics.log_value((ALL_MODULES, NUM_ENV_STEPS_TRAINED_LIFETIME), steps, reduce="lifetime_sum")
        self.after_gradient_based_update(timesteps={})
        return self.weights()

    def weights(self) -> Weights:
        """The newest weights."""
        return weights_of(self.module, self._weights_seq_no)

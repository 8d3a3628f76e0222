"""What learners climb, each copy for itself: advantages, clipped objectives, gradient norms and value moments."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Total = Callable[[Tensor], Tensor]
"""The sum of a tensor over all processes that share a batch; no gradient passes through it."""


def alone(values: Tensor) -> Tensor:
    """The sum over the one process that there is."""
    return values


def advantages(
    rewards: Tensor,
    values: Tensor,
    next_values: Tensor,
    cut: Tensor,
    discount: float,
    trace: float,
    decides: Tensor | None = None,
) -> Tensor:
    """Generalised advantage estimates (Schulman et al. 2016, equation 16), cut where an episode was.

    Parameters
    ----------
    rewards, values : (..., T)
        Of each period.
    next_values : (..., T)
        Value of the state each period led to, also where the episode was cut there: truncation is bootstrapped.
    cut : (..., T) bool
        Whether the episode was cut after the period.
    decides : (..., T) bool or None
        Whether there was anything to decide; None for always. What happens in periods without a decision belongs to the
        last one: lambda is 1 across them.

    Returns
    -------
    (..., T) advantages.
    """
    errors = rewards + discount * next_values - values
    carry = discount * trace * (~cut).to(rewards.dtype)
    if decides is not None:
        carry = torch.where(decides.roll(-1, -1), carry, discount * (~cut).to(rewards.dtype))
    estimates = torch.empty_like(errors)
    running = torch.zeros_like(errors[..., 0])
    for period in reversed(range(errors.shape[-1])):
        running = errors[..., period] + carry[..., period] * running
        estimates[..., period] = running
    return estimates


def standardised(values: Tensor, counted: Tensor | None = None, total: Total = alone) -> Tensor:
    """(..., rows) with mean 0 and standard deviation 1 over the counted rows of each copy; over all if None."""
    away = values - mean_over(values, counted, total).unsqueeze(-1)
    squares = total(sum_over(away.square(), counted))
    spread = (squares / (number_of(values, counted, total).clamp(min=2) - 1)).sqrt()
    scaled = away / (spread.unsqueeze(-1) + 1e-8)
    return scaled if counted is None else torch.where(counted, scaled, 0.0)


def sum_over(values: Tensor, counted: Tensor | None) -> Tensor:
    """(...) sums of (..., rows) over the counted rows; over all if None."""
    return (values if counted is None else torch.where(counted, values, 0.0)).sum(-1)


def number_of(values: Tensor, counted: Tensor | None, total: Total = alone) -> Tensor:
    """How many of (..., rows) are counted, at least 1: a number for each where some are not, else one for all."""
    number = torch.tensor(float(values.shape[-1])) if counted is None else counted.sum(-1).to(values.dtype)
    return total(number).clamp(min=1)


def mean_over(values: Tensor, counted: Tensor | None, total: Total = alone) -> Tensor:
    """(...) means of (..., rows) over the counted rows; over all if None."""
    return total(sum_over(values, counted)) / number_of(values, counted, total)


def clipped_gain(log_ratio: Tensor, advantage: Tensor, clip: float) -> Tensor:
    """(..., rows) the clipped objective of each row (Schulman et al. 2017, equation 7)."""
    ratio = log_ratio.exp()
    return torch.minimum(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage)


def clip_gradients(parameters: Sequence[Tensor], limit: float) -> None:
    """Scale the gradients of each copy's network (the leading axis) down to a norm of `limit`."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    squares = torch.stack([gradient.flatten(1).square().sum(1) for gradient in gradients]).sum(0)
    scale = (limit / (squares.sqrt() + 1e-6)).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(scale.view(-1, *[1] * (gradient.dim() - 1)))


class Moments(torch.nn.Module):
    """Running mean and standard deviation of value targets, one of each for each of G critics.

    Averages over updates with weights that fall by `DECAY` an update, corrected for their start at 0.
    """

    DECAY = 0.9
    SMALLEST = 1e-2

    first: Tensor
    second: Tensor
    weight: Tensor

    def __init__(self, critics: int) -> None:
        super().__init__()
        self.register_buffer("first", torch.zeros(critics))
        self.register_buffer("second", torch.ones(critics))
        self.register_buffer("weight", torch.zeros(1))

    def update(self, targets: Tensor, total: Total = alone) -> None:
        """Take in (G, rows) value targets."""
        self.take_in(mean_over(targets, None, total), mean_over(targets.square(), None, total))

    def take_in(self, mean: Tensor, square: Tensor) -> None:
        """Take in (G,) means of value targets and of their squares."""
        if float(self.weight) == 0:
            self.second.zero_()
        keep = self.DECAY
        self.first.mul_(keep).add_((1 - keep) * mean)
        self.second.mul_(keep).add_((1 - keep) * square)
        self.weight.mul_(keep).add_(1 - keep)

    def current(self) -> tuple[Tensor, Tensor]:
        """(G, 1) mean and standard deviation."""
        weight = self.weight if float(self.weight) > 0 else torch.ones_like(self.weight)
        mean = self.first / weight
        variance = self.second / weight - mean.square()
        return mean[:, None], variance.clamp(min=self.SMALLEST**2).sqrt()[:, None]

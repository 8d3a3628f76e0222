"""From the numbers that a network puts out to decisions, on torch; `Head.of_numpy` is the same arithmetic on numpy."""

from __future__ import annotations

import torch
from torch import Tensor

from marl_supply.learning.differentiable.head import AT_MEAN, Head

NUDGE = 0.01
"""How far a whole number is moved towards what was decided before it was rounded."""


def decided(head: Head, scores: Tensor, seen: Tensor, uniforms: Tensor | None = None) -> Tensor:
    """(n, B) values of all components from (n, B) outputs and (F, B) what is seen, units, with derivatives.

    Parameters
    ----------
    uniforms : (n, B)
        For whole units, and only for them: decisions that can be learned from, see `rounded`; None decides as the
        exported policy does.
    """
    centre, spread, unit = (torch.from_numpy(values)[:, None] for values in (head.centre, head.spread, head.unit))
    if head.kind == "demand_plus":
        return _settled(head, unit * scores, None, False, uniforms)
    level = centre + spread * scores
    if head.kind == "order_up_to":
        return _settled(head, level, None, True, uniforms)
    if not head.relative:
        return _settled(head, unit * torch.nn.functional.softplus(scores + AT_MEAN), None, True, uniforms)
    position, faster = torch.from_numpy(head.position).to(seen.dtype), torch.from_numpy(head.faster).to(seen.dtype)
    held = position @ seen
    missing = _settled(head, level, held, True, uniforms)
    for _ in range(head.depth):
        missing = _settled(head, level, held + faster @ missing, True, uniforms)
    return missing


def _settled(head: Head, levels: Tensor, held: Tensor | None, positive: bool, uniforms: Tensor | None) -> Tensor:
    """Levels less what is held, cut at 0 where they must not be negative, and whole where units are."""
    cut = torch.relu if positive else torch.nn.Identity()
    values = levels if held is None else levels - held
    if not head.whole:
        return cut(values)
    if uniforms is None:
        return torch.round(cut(values))
    exact = (levels if held is None else levels - torch.round(held)).detach()
    return rounded(cut(values + uniforms - 0.5), cut(exact + uniforms - 0.5), cut(exact))


def rounded(moved: Tensor, exact: Tensor, values: Tensor) -> Tensor:
    """Whole numbers near `values`, with the derivative of `moved`.

    Parameters
    ----------
    moved
        What is decided, with a uniform number between -1/2 and 1/2 added, cut at 0: rounded it is right in the mean.
        Where a state is a whole number, the mean derivative of a decision cut at 0 is then what one unit more or less
        would change, and not that of the corner on which the state happens to lie.
    exact
        The same for stocks that are whole numbers.
    values
        That without the uniform number.

    Returns
    -------
    (n, B) tensor
        The whole numbers are moved towards `values` by a share `NUDGE`, and make up for what stocks were moved by
        before. Costs of whole units have a corner at every whole number; so their derivative is that of the side on
        which the levels lie: the slope between two whole numbers.
    """
    whole = torch.round(exact)
    return whole + NUDGE * (values - whole) + (moved.detach() - exact) + (moved - moved.detach())

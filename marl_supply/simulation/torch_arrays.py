"""The same periods on torch: derivatives of costs with respect to decisions, and GPUs.

    arrays = TorchArrays()
    state = begin(network, replications, noise, arrays=arrays)

Nothing is changed in place. Units are the same numbers as with numpy. Whole units are exact in float32 too while no
product of a claim and a stock that a row shares out, and no sum, reaches 2**24.

Derivatives. Where units are continuous, costs are piecewise smooth in the decisions; torch gives the derivative of the
piece. None exists on a kink: a claim that equals the stock exactly, an order that is exactly 0 or at its limit, ties
of `fair_share`, an order quantity that decides whether a fixed cost is due. There torch returns a number between the
one-sided slopes or one of them; with continuous demand a kink has probability 0, but stocks and pipelines of the file
meet in whole numbers in an episode's first periods. Fixed order costs and whole units jump: the former have derivative
0, the latter are refused.

Devices. On a GPU no period waits for the host, except for the binomial acceptance of an expedited whole-unit market and
Poisson demand that answers to prices, which are worked out with numpy. The noise comes from the host.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from marl_supply.errors import InputError
from marl_supply.simulation.arrays import NUMPY, Array
from marl_supply.topology.incidence import Index, Sum

try:
    import torch
except ModuleNotFoundError as missing:
    raise InputError(
        "TorchArrays needs torch, which is not installed; run pip install 'marl-supply[rllib]', or torch alone."
    ) from missing

ALL = slice(None)


class TorchArrays:
    """What a period asks of an array library, on torch tensors; see `arrays.Arrays`.

    Parameters
    ----------
    device
        Where the tensors are: "cpu", "cuda", ...
    dtype
        torch.float64 or torch.float32.

    Raises
    ------
    InputError
        For another dtype, a CUDA device that torch does not see, and wherever a number with a derivative would be
        rounded to whole units.
    """

    def __init__(self, device: Any = "cpu", dtype: Any = torch.float64) -> None:
        self.device = torch.device(device)
        self.dtype = dtype
        if dtype not in (torch.float64, torch.float32):
            raise InputError(f"dtype: {dtype} does not hold whole units exactly; use torch.float64 or torch.float32.")
        if self.device.type == "cuda" and not torch.cuda.is_available():
            raise InputError(f"device: torch sees no '{device}' on this machine; use device='cpu'.")
        self.name = f"{self.device} {dtype}"
        self.slack = 1e-9 if dtype == torch.float64 else 1e-5
        self._zeros: dict[tuple[int, ...], Array] = {}
        self._constants = Kept(self.given)
        self._numbers = Kept(self._index)
        self._sums = Kept(self._form)

    def __reduce__(self) -> tuple[type[TorchArrays], tuple[str, Any]]:
        """What is kept does not travel: it belongs to the arrays of this process."""
        return TorchArrays, (str(self.device), self.dtype)

    def zeros(self, *shape: int) -> Array:
        kept = self._zeros.get(shape)
        if kept is None:  # one number seen everywhere: torch refuses to write into it
            kept = self._zeros[shape] = torch.zeros((), dtype=self.dtype, device=self.device).expand(shape)
        return kept

    def constant(self, values: Any) -> Array:
        return self._constants.of(values) if isinstance(values, np.ndarray) else self.given(values)

    def given(self, values: Any) -> Array:
        if isinstance(values, torch.Tensor):
            return values.to(self.device, self.dtype)
        # A copy, since a noise may write over its numbers; without waiting, since the host's memory is copied at once.
        host = torch.tensor(np.asarray(values), dtype=self.dtype)
        return host.to(self.device, non_blocking=True)

    def minimum(self, a: Array, b: Any) -> Array:
        return torch.minimum(a, b) if isinstance(b, torch.Tensor) else a.clamp_max(b)

    def maximum(self, a: Array, b: Any) -> Array:
        return torch.maximum(a, b) if isinstance(b, torch.Tensor) else a.clamp_min(b)

    def floor(self, a: Array) -> Array:
        return torch.floor(a)

    def ceil(self, a: Array) -> Array:
        return torch.ceil(a)

    def exp(self, a: Array) -> Array:
        return torch.exp(a)

    def round(self, a: Array) -> Array:
        if a.requires_grad and torch.is_grad_enabled():
            raise InputError(
                "a decision that is rounded to whole units or batches has no derivative; set units: continuous and "
                "leave out edge.batch, or play without derivatives under torch.no_grad()."
            )
        return torch.round(a)

    def less(self, a: Array, b: Any) -> Array:
        return (a < b).to(self.dtype)

    def nth_largest(self, a: Array, number: Array) -> Array:
        place = a.shape[1] - number.clamp(min=1).long()
        return torch.sort(a, dim=1).values.gather(1, place[:, None])[:, 0]

    def where(self, condition: Array, a: Any, b: Any) -> Array:
        if not (isinstance(a, torch.Tensor) or isinstance(b, torch.Tensor)):
            a = self.given(a)
        return torch.where(condition, a, b)

    def any(self, a: Array) -> bool:
        return bool(a.any()) if self.device.type == "cpu" else True

    def take(self, a: Array, index: Index) -> Array:
        if isinstance(index, slice):
            return a if index == ALL else a[index]
        taken = a.index_select(0, self._numbers.of(index))
        return taken if index.ndim == 1 else taken.view(*index.shape, *a.shape[1:])

    def put(self, a: Array, index: Index, values: Any) -> Array:
        if isinstance(index, slice):
            if index == ALL:
                return self._shaped(values, a.shape)
            shape = (index.stop - index.start, *a.shape[1:])
            return torch.slice_scatter(a, self._shaped(values, shape), 0, index.start, index.stop)
        values = self._shaped(values, (*index.shape, *a.shape[1:]))
        return a.index_copy(0, self._numbers.of(index), values.reshape(-1, *a.shape[1:]))

    def add_at(self, a: Array, index: Index, values: Any) -> Array:
        if isinstance(index, slice):
            return a + values if index == ALL else self.put(a, index, a[index] + values)
        values = self._shaped(values, (*index.shape, *a.shape[1:]))
        return a.index_add(0, self._numbers.of(index), values.reshape(-1, *a.shape[1:]))

    def put_columns(self, a: Array, columns: Index, values: Any) -> Array:
        chosen = torch.arange(a.shape[-1], device=self.device)[columns]
        return a.index_copy(-1, chosen, self._shaped(values, (*a.shape[:-1], len(chosen))))

    def concat(self, parts: list[Array]) -> Array:
        return torch.cat(parts)

    def stack(self, parts: list[Array], axis: int) -> Array:
        return torch.stack(parts, axis)

    def copy(self, a: Array) -> Array:
        return a

    def add_up(self, total: Sum, a: Array) -> Array:
        if total.is_identity:
            return a
        target, entry = self._sums.of(total)
        parts = a if entry is None else a.index_select(0, entry)
        return self.zeros(total.total, *a.shape[1:]).index_add(0, target, parts)

    def binomial(self, count: Array, probability: Any, uniform: Array) -> Array:
        return self.given(NUMPY.binomial(*map(_on_host, (count, probability, uniform))))

    def poisson(self, mean: Array, uniform: Array) -> Array:
        if isinstance(mean, torch.Tensor) and mean.requires_grad and torch.is_grad_enabled():
            raise InputError(
                "Poisson demand has no derivative with respect to a price; use linear_price with round: false, or play "
                "without derivatives under torch.no_grad()."
            )
        return self.given(NUMPY.poisson(_on_host(mean), _on_host(uniform)))

    def _shaped(self, values: Any, shape: tuple[int, ...]) -> Array:
        """The values as a tensor of that shape."""
        values = values if isinstance(values, torch.Tensor) else self.given(values)
        return values if values.shape == shape else values.expand(shape)

    def _index(self, numbers: Any) -> Array:
        """An index array, flat; copied without waiting, as the host's memory is read at once."""
        return torch.from_numpy(np.array(numbers, dtype=np.int64).reshape(-1)).to(self.device, non_blocking=True)

    def _form(self, total: Sum) -> tuple[Array, Array | None]:
        """Where each entry goes, and which entries; None for all of them in order."""
        target, entry = self._index(total.target), self._index(total.entry)
        in_order = len(total.entry) == total.size and np.array_equal(total.entry, np.arange(total.size))
        return target, None if in_order else entry


def _on_host(part: Any) -> Any:
    """A tensor as a numpy array; anything else as it is."""
    return part.detach().cpu().numpy() if isinstance(part, torch.Tensor) else part


class Kept:
    """What was made of an object, kept as long as the object lives; found by identity, since arrays have no hash."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        self._make = make
        self._held: dict[int, tuple[weakref.ref[Any], Any]] = {}

    def of(self, thing: Any) -> Any:
        number = id(thing)
        held = self._held.get(number)
        if held is not None and held[0]() is thing:
            return held[1]
        made = self._make(thing)
        self._held[number] = (weakref.ref(thing, lambda _: self._held.pop(number, None)), made)
        return made

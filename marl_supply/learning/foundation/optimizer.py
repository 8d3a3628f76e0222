"""How weights follow gradients: Muon for matrices between tokens, AdamW for all others.

Muon (Jordan et al. 2024) makes the singular values of a matrix's step alike; scaled to the size of AdamW's steps (Liu
et al. 2025), both have one learning rate. On `lost_sales` and `beer_game` of
experiments/foundation_model.yaml, 1.5 million tokens, it reached a loss of .35 and .24 on seeds held back (rate 3e-3),
AdamW alone .65 and .37 (rate 1e-3; .70 and .38 with 3e-3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from marl_supply.learning.foundation import shapes
from marl_supply.learning.foundation.settings import Pretraining
from marl_supply.learning.foundation.transformer import Transformer

BETAS = (0.9, 0.98)
"""Of AdamW."""
OUTER = (*shapes.TABLES, "returned", "head", "outcome")
"""Where weights are looked up, or stand between few numbers and tokens: AdamW's."""


class Optimizer:
    """Both, with one learning rate.

    Parameters
    ----------
    model
        Whose weights change.
    settings
        Weight decay, of matrices alone.
    """

    def __init__(self, model: Transformer, settings: Pretraining) -> None:
        named = dict(model.named_parameters())
        inner = [value for name, value in named.items() if value.ndim == 2 and name.split(".")[0] not in OUTER]
        own = {id(value) for value in inner}
        others = [value for value in named.values() if id(value) not in own]
        decay = settings.weight_decay
        groups = [
            {"params": [value for value in others if value.ndim > 1], "weight_decay": decay},
            {"params": [value for value in others if value.ndim <= 1], "weight_decay": 0.0},
        ]
        self.parameters = list(named.values())
        self.parts: tuple[torch.optim.Optimizer, ...] = (
            torch.optim.Muon(inner, weight_decay=decay, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(groups, betas=BETAS),
        )
        self._part = {id(value): self.parts[0 if id(value) in own else 1] for value in self.parameters}

    def clear(self) -> None:
        """Forget gradients."""
        for part in self.parts:
            part.zero_grad(set_to_none=True)

    def step(self, rate: float) -> None:
        """Take a step at a learning rate."""
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = rate
            part.step()

    def moments(self) -> Iterator[dict[str, NDArray[Any]]]:
        """What is remembered of the gradients of each weight, in the order of the model."""
        for value in self.parameters:
            yield {name: own.cpu().numpy() for name, own in self._part[id(value)].state[value].items()}

    def load(self, moments: Sequence[Mapping[str, Any]]) -> None:
        """Take over what `moments` gave."""
        for value, stated in zip(self.parameters, moments, strict=True):
            found = {name: torch.from_numpy(np.array(own)) for name, own in stated.items()}
            self._part[id(value)].state[value] = {
                name: own if name == "step" else own.to(value.device) for name, own in found.items()
            }

"""Small recorded datasets on common seeds, the baseline first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from marl_supply.data import Dataset, load_dataset
from marl_supply.study.dataset import record_dataset
from marl_supply.study.mixed import Mixed

LEVELS = ("base_stock store.base_stock_level=16", "base_stock store.base_stock_level=11")
BASELINE, WORSE = LEVELS


def recorded(
    chain: Any, mix: Sequence[str], episodes: int = 4, name: str = "", horizon: int = 14, **settings: Any
) -> Dataset:
    """A mix of policies on a chain, under MINARI_DATASETS_PATH."""
    own = {"common_seeds": True, "overrides": [f"game.horizon={horizon}", "game.warm_up=0"], **settings}
    folder = record_dataset(chain, name or f"{chain}/v0", [Mixed.parse(words) for words in mix], episodes, **own)
    return load_dataset(folder)

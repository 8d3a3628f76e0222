"""Training states on disk: trees of arrays, numbers and text, written whole and read without pickle's dangers."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from marl_supply.errors import InputError


def save_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Write a tree of mappings, lists, tuples, arrays, numbers, text and None; a crash leaves the file before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    torch.save(_tensors(state), partial)
    partial.replace(path)


def load_checkpoint(path: Path) -> Any:
    """Read what `save_checkpoint` wrote.

    Raises
    ------
    InputError
        If the file is truncated or something else.
    """
    try:
        return _arrays(torch.load(path, weights_only=True))
    except (RuntimeError, EOFError, ValueError, OSError, LookupError, pickle.UnpicklingError, zipfile.BadZipFile):
        raise InputError(f"{path}: the checkpoint is cut off or damaged; delete it to train from the start.") from None


def _tensors(tree: Any) -> Any:
    """The tree with arrays as tensors and numpy's numbers as Python's."""
    if isinstance(tree, Mapping):
        return {key: _tensors(value) for key, value in tree.items()}
    if isinstance(tree, tuple):
        return tuple(_tensors(value) for value in tree)
    if isinstance(tree, list):
        return [_tensors(value) for value in tree]
    if isinstance(tree, np.ndarray):
        return torch.tensor(tree)
    return tree.item() if isinstance(tree, np.generic) else tree


def _arrays(tree: Any) -> Any:
    """The tree with tensors as arrays."""
    if isinstance(tree, dict):
        return {key: _arrays(value) for key, value in tree.items()}
    if isinstance(tree, tuple):
        return tuple(_arrays(value) for value in tree)
    if isinstance(tree, list):
        return [_arrays(value) for value in tree]
    return tree.numpy() if isinstance(tree, torch.Tensor) else tree

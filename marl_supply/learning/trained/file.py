"""Files of trained policies: arrays, and a description in JSON; no pickle."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from marl_supply.errors import InputError
from marl_supply.learning.trained.trained_policy import TrainedPolicy
from marl_supply.plugins import find, names

ROOM = "marl_supply.learning.trained"


def save_policies(path: str | Path, policies: Mapping[str, TrainedPolicy]) -> None:
    """Write the policies of several agents to one file (.npz), whole or not at all."""
    arrays: dict[str, Any] = {}
    described = []
    for number, (agent, policy) in enumerate(policies.items()):
        arrays |= {f"{number}/{name}": value for name, value in policy.arrays().items()}
        described.append({"kind": policy.kind(), "agent": agent, **policy.description()})
    arrays["description"] = np.frombuffer(json.dumps(described).encode(), dtype=np.uint8)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        np.savez(file, **arrays)
    partial.replace(path)


def load_policies(path: str | Path) -> dict[str, TrainedPolicy]:
    """Read what `save_policies` wrote.

    Raises
    ------
    InputError
        If the file does not exist, is truncated, or is something else.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            described = json.loads(bytes(arrays["description"]).decode())
            return {item["agent"]: _read(item, number, arrays) for number, item in enumerate(described)}
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; give the path of trained policies (.npz).") from None
    except (zipfile.BadZipFile, OSError, EOFError, KeyError, ValueError, TypeError):
        raise InputError(f"{path}: not a whole file of trained policies; it may be cut off, so train again.") from None


def _read(item: dict[str, Any], number: int, arrays: Any) -> TrainedPolicy:
    kind = item["kind"]
    if kind not in names(ROOM, TrainedPolicy):  # a file must not say what is imported
        raise ValueError(kind)
    own = {name.removeprefix(f"{number}/"): arrays[name] for name in arrays.files if name.startswith(f"{number}/")}
    policy: TrainedPolicy = find(ROOM, TrainedPolicy, kind).restore(item, own)
    return policy

"""The chain on paper: topology files, networkx graphs, generators, pictures and checks."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from marl_supply.topology.file import Topology
from marl_supply.topology.load import load
from marl_supply.topology.shipped import names

if TYPE_CHECKING:
    from marl_supply.topology import generators
    from marl_supply.topology.graph import from_networkx

__all__ = ["Topology", "from_networkx", "generators", "load", "names"]


def __getattr__(name: str) -> Any:
    """Import what needs networkx when it is first used."""
    if name == "from_networkx":
        return importlib.import_module("marl_supply.topology.graph").from_networkx
    if name == "generators":
        return importlib.import_module("marl_supply.topology.generators")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Environments by name: one for every shipped topology, found by its file."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from marl_supply.envs.aec import SupplyChainAECEnv, aec_env
from marl_supply.envs.face import versioned_name
from marl_supply.envs.parallel import SupplyChainParallelEnv, parallel_env
from marl_supply.errors import InputError, nearest
from marl_supply.topology import load
from marl_supply.topology import names as topology_names

Env = SupplyChainParallelEnv | SupplyChainAECEnv
FACES: dict[str, Callable[..., Env]] = {"parallel": parallel_env, "aec": aec_env}


def names() -> list[str]:
    """Names of the shipped environments, topology and version: ``["beer_game_v1", ...]``."""
    return list(_topologies())


def make(name: str, face: str = "parallel", *, render_mode: str | None = None, **game_settings: Any) -> Env:
    """A shipped environment by name.

    Parameters
    ----------
    name : str
        One of `names`; a version that is not shipped is refused, since its dynamics are not those of another.
    face : "parallel" or "aec"
        PettingZoo's `ParallelEnv` or `AECEnv`.
    render_mode, **game_settings
        As `parallel_env`.

    Examples
    --------
    >>> make("beer_game_v1", horizon=10).metadata["name"]
    'beer_game_v1'
    """
    if name not in _topologies():
        raise InputError(f"no environment '{name}'{nearest(name, names())}; names() lists them.")
    if face not in FACES:
        raise InputError(f"no face '{face}'{nearest(face, FACES)}; use parallel or aec.")
    return FACES[face](_topologies()[name], render_mode=render_mode, **game_settings)


@cache
def _topologies() -> dict[str, str]:
    """Name of the topology by name of the environment."""
    return {versioned_name(load(name)): name for name in topology_names()}

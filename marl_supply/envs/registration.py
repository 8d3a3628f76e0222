"""Environments by name: one for every shipped topology, found by its file.

Importing this module makes those with one agent known to Gymnasium, under names such as ``marl_supply/LostSales-v1``;
``gymnasium.make("marl_supply.envs:marl_supply/LostSales-v1")`` imports it first.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import gymnasium

from marl_supply.envs.aec import SupplyChainAECEnv, aec_env
from marl_supply.envs.face import versioned_name
from marl_supply.envs.parallel import SupplyChainParallelEnv, parallel_env
from marl_supply.errors import InputError, nearest
from marl_supply.topology import load, strict_yaml
from marl_supply.topology import names as topology_names
from marl_supply.topology.shipped import find

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


def gymnasium_ids() -> dict[str, str]:
    """Name of the topology by Gymnasium's name of the environment, for the shipped topologies with one agent.

    Only the files are read: nothing is generated and nothing checked.
    """
    documents = {name: strict_yaml.read(find(name)) for name in topology_names()}
    return {_gymnasium_id(name, documents): name for name in documents if _one_agent(name, documents)}


def register_gymnasium() -> None:
    """Make the shipped topologies with one agent known to `gymnasium.make` and `gymnasium.make_vec`."""
    for identifier, name in gymnasium_ids().items():
        if identifier not in gymnasium.registry:
            gymnasium.register(
                identifier,
                entry_point="marl_supply.envs.gym:gym_env",
                vector_entry_point="marl_supply.envs.vector:gym_vector_env",
                kwargs={"chain": name},
            )


def _gymnasium_id(name: str, documents: dict[str, Any]) -> str:
    words = "".join(word[:1].upper() + word[1:] for word in name.split("_"))
    return f"marl_supply/{words}-v{_stated(name, documents, 'version') or 1}"


def _one_agent(name: str, documents: dict[str, Any]) -> bool:
    """Whether a file states one agent, or no agents and one row; what a generator makes has several."""
    agents = (_stated(name, documents, "game") or {}).get("agents")
    if agents is not None:
        return len(agents) == 1
    nodes: dict[str, Any] = _stated(name, documents, "nodes") or {}
    rows = [node for node, keys in nodes.items() if (keys or {}).get("kind") != "source"]
    return len(rows) == 1 and len(_stated(name, documents, "products") or "1") == 1


def _stated(name: str, documents: dict[str, Any], key: str) -> Any:
    """What a file says under a key, or the shipped file that it extends; mappings are joined."""
    base = documents[name].get("extends")
    inherited = _stated(base, documents, key) if isinstance(base, str) and base in documents else None
    own = documents[name].get(key)
    if isinstance(own, dict) and isinstance(inherited, dict):
        return inherited | own
    return inherited if own is None else own


register_gymnasium()

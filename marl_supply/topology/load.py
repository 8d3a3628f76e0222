"""Load a topology: a shipped name, a file, a mapping or a networkx graph becomes a `Topology`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from marl_supply.errors import InputError
from marl_supply.topology import strict_yaml
from marl_supply.topology.extends import extend
from marl_supply.topology.file import Topology
from marl_supply.topology.overrides import Overrides, apply, parse
from marl_supply.topology.resolve import resolve
from marl_supply.topology.shipped import find

if TYPE_CHECKING:
    import networkx as nx


def load(source: str | Path | Mapping[str, Any] | nx.Graph | Topology, overrides: Overrides = ()) -> Topology:
    """Return the resolved topology of a chain.

    Parameters
    ----------
    source : str, Path, mapping, networkx graph or Topology
        The name of a shipped topology, the path of a YAML file, the keys of a file, or a directed graph whose
        attributes are those of a file.
    overrides : sequence of str, or mapping
        Values changed before anything is checked: ``["nodes.store.holding_cost=2", "edges.0.lead_time=3"]``
        or ``{"game.horizon": 101}``. ``extends.KEY`` is a parameter of the generator that a file begins with.

    Raises
    ------
    InputError
        If there is no such topology, or for the first thing wrong in it: file, place, problem, nearest name.

    Examples
    --------
    >>> load("beer_game", ["game.horizon=50"]).game.horizon
    50
    """
    if isinstance(source, Topology) and not overrides:
        return source
    sizes, others = _split(overrides)
    document, place, directories = _open(source, sizes)
    document = apply(document, others)
    try:
        return resolve({"name": place.removesuffix(".yaml"), **document}, directories)
    except InputError as error:
        raise InputError(f"{place}: {error}") from None


GENERATED = "extends."
"""How the paths of a generator's parameters begin."""


def _split(overrides: Overrides) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parameters of the generator, and values of the chain that it makes."""
    pairs = parse(overrides)
    sizes = {path.removeprefix(GENERATED): value for path, value in pairs if path.startswith(GENERATED)}
    return sizes, {path: value for path, value in pairs if not path.startswith(GENERATED)}


def _open(source: Any, sizes: Mapping[str, Any]) -> tuple[dict[str, Any], str, list[Path]]:
    """Return the keys after `extends`, the name that begins errors, and the folders of data files."""
    if isinstance(source, Topology):
        return _sized(source.to_dict(), sizes, source.name), source.name, []
    if isinstance(source, (str, Path)):
        path = find(source)
        document, folders = _read(path, (), sizes)
        return document, path.name, folders
    networkx = sys.modules.get("networkx")
    if networkx is not None and isinstance(source, networkx.Graph):
        from marl_supply.topology.graph import document_of

        source = document_of(source)
    if not isinstance(source, Mapping):
        raise InputError(f"{type(source).__name__} is no topology; give a name, a file, a mapping or a networkx graph")
    name = str(source.get("name", "topology"))
    document, folders = _extended(_sized(dict(source), sizes, name), Path(), ())
    return document, str(document.get("name", "topology")), folders


def unsized(source: str | Path | Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a file that begins with a generator, as they stand, so that its parameters can still be others.

    Raises
    ------
    InputError
        If it begins with none.
    """
    if isinstance(source, Mapping):
        document, place = dict(source), str(source.get("name", "topology"))
    else:
        document, place = strict_yaml.read(find(source)), Path(source).name
    _generator(document, place)
    return {"name": place.removesuffix(".yaml"), **document}


def _generator(document: Mapping[str, Any], place: str) -> Mapping[str, Any]:
    """The generator that a file begins with, and its parameters."""
    base = document.get("extends")
    if not isinstance(base, Mapping):
        raise InputError(f"{place} begins with no generator; write extends: {{generator: NAME}}")
    return base


def _sized(document: dict[str, Any], sizes: Mapping[str, Any], place: str) -> dict[str, Any]:
    """The keys of a file with other parameters of its generator."""
    if not sizes:
        return document
    try:
        base = _generator(document, str(document.get("name", place)))
    except InputError as error:
        raise InputError(f"--set {GENERATED}{next(iter(sizes))}: {error}") from None
    return {**document, "extends": {**base, **sizes}}


def _read(
    path: Path, children: tuple[Path, ...], sizes: Mapping[str, Any] = MappingProxyType({})
) -> tuple[dict[str, Any], list[Path]]:
    path = path.resolve()
    if path in children:
        chain = " -> ".join(file.name for file in (*children[children.index(path) :], path))
        raise InputError(f"{path.name}: extends: {chain} is a cycle; let one of them stand alone")
    document = _sized(strict_yaml.read(path), sizes, path.name)
    return _extended(document, path.parent, (*children, path))


def _extended(document: dict[str, Any], folder: Path, children: tuple[Path, ...]) -> tuple[dict[str, Any], list[Path]]:
    base = document.pop("extends", None)
    if base is None:
        return document, [folder]
    place = children[-1].name if children else str(document.get("name", "topology"))
    if not isinstance(base, (str, Mapping)):
        raise InputError(
            f"{place}: extends: {base!r} is not text; name a shipped topology, a file, or {{generator: NAME}}"
        )
    try:
        origin = find(base, folder) if isinstance(base, str) else _generated(base)
    except InputError as error:
        raise InputError(f"{place}: extends: {error}") from None
    parent, folders = _read(origin, children) if isinstance(origin, Path) else (origin, [])
    if children:
        parent.pop("name", None)
    return extend(parent, document), [folder, *folders]


def _generated(base: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of the chain that a generator makes, with the parameters that stand beside its name."""
    from marl_supply.topology import generators

    parameters = dict(base)
    return generators.document(str(parameters.pop("generator", "")), parameters)

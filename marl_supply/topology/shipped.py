"""The topologies that come with the package."""

from __future__ import annotations

from pathlib import Path

from marl_supply.errors import InputError
from marl_supply.topology import strict_yaml
from marl_supply.topology.consistency import missing_name


def names() -> list[str]:
    """Return the names of the shipped topologies, in alphabetical order."""
    return sorted(path.stem for path in shipped_folder().glob("*.yaml"))


def shipped_folder() -> Path:
    """Return their folder: inside the package in a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "topologies"
    return inside if inside.is_dir() else package.parent / "topologies"


def source_of(name: str) -> str:
    """Return what a shipped topology says under `source`, or what it extends; the rest is not checked."""
    document = strict_yaml.read(find(name))
    return str(document.get("source") or f"extends {document.get('extends')}")


def find(source: str | Path, beside: Path = Path()) -> Path:
    """Return the file of a shipped name, or of a path relative to `beside`; a path ends in .yaml or .yml.

    Raises
    ------
    InputError
        If there is none; the nearest shipped name is given.
    """
    text = str(source)
    if isinstance(source, Path) or text.endswith((".yaml", ".yml")):
        path = beside / source
        if not path.is_file():
            raise InputError(f"{text}: no such file; give the path of a topology file, or a shipped name")
        return path
    if text not in names():
        raise InputError(f"{missing_name('topology', text, names())}; the name of your own file ends in .yaml")
    return shipped_folder() / f"{text}.yaml"

"""Imports point down: each import in marl_supply is read from its source and held against the table of rooms.

An import counts wherever it stands, inside a function or under TYPE_CHECKING too: what a file cannot be
written without knowing, it depends on.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import marl_supply

PACKAGE = Path(marl_supply.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

LAYER = {
    "demand": 0,
    "topology": 0,
    "simulation": 1,
    "economics": 2,
    "metrics": 2,
    "game": 3,
    "drawing": 4,
    "envs": 4,
    "policies": 4,
    "solvers": 5,
    "data": 5,
    "testing": 5,
    "equilibria": 5,
    "learning": 6,
    "study": 7,
    "report": 7,
    "cli": 8,
}
# Beside the layers below its own, what a room may use of its own layer ...
BESIDE = {"topology": {"demand"}, "envs": {"drawing"}, "equilibria": {"solvers"}}
# ... and the rooms that may use less than all below.
ONLY: dict[str, set[str]] = {"demand": set(), "metrics": set(), "report": {"metrics"}}
# Modules beside the rooms, which depend on nothing and which any room may use.
GROUND = {"errors", "plugins"}

# Third-party packages by room, for the rooms whose dependencies the design lists ...
ALLOWED = {
    "demand": {"numpy", "scipy", "pydantic"},
    "topology": {"numpy", "scipy", "networkx", "pydantic", "ruamel"},
    "simulation": {"numpy", "scipy", "torch"},
    "economics": {"numpy", "scipy"},
    "metrics": {"numpy", "scipy"},
    "game": {"numpy", "scipy"},
    "policies": {"numpy", "scipy"},
    "drawing": {"numpy", "matplotlib"},
    "envs": {"numpy", "gymnasium", "pettingzoo"},
}
# ... and the only places, for the packages that have one.
PLACES = {
    "ray": ("learning/rllib/",),
    "torch": ("learning/", "simulation/torch_arrays.py"),
    "gymnasium": ("envs/", "learning/", "data/"),
    "minari": ("data/",),
    "h5py": ("data/",),
    "pettingzoo": ("envs/", "learning/"),
    "networkx": ("topology/",),
    "ruamel": ("topology/", "study/"),
    "matplotlib": ("drawing/", "report/"),
    "pandas": (),
}


def imports(path: Path) -> Iterator[str]:
    """The dotted names that a file imports, in full; `from a import b` gives a.b."""
    package = ("marl_supply", *path.relative_to(PACKAGE).parent.parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*start, *filter(None, [node.module])))
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in {
            "import_module",
            "__import__",
        }:
            yield from (str(part.value) for part in node.args[:1] if isinstance(part, ast.Constant))


def room(path: Path) -> str:
    """The room of a file; "" for the files beside the rooms."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py") if first.removesuffix(".py") in LAYER or not first.endswith(".py") else ""


def may_use(place: str) -> set[str]:
    """The rooms that a room may import."""
    below = {name for name, layer in LAYER.items() if layer < LAYER[place]}
    return ONLY.get(place, below) | BESIDE.get(place, set()) | {place} | GROUND


def relative(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def test_every_room_has_a_row() -> None:
    rooms = {room(path) for path in FILES} - {""}
    assert rooms <= set(LAYER), "give the new room a row in the table of the design and here"


@pytest.mark.parametrize("path", [path for path in FILES if room(path)], ids=relative)
def test_imports_point_down(path: Path) -> None:
    for name in imports(path):
        parts = name.split(".")
        if parts[0] != "marl_supply" or name == "marl_supply.__version__":
            continue
        assert len(parts) > 1, f"{relative(path)} imports all of marl_supply; import the module it needs"
        assert parts[1] in may_use(room(path)), f"{relative(path)} may not import {name}"


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_third_party_packages_have_their_place(path: Path) -> None:
    for name in imports(path):
        package = name.split(".")[0]
        if package in sys.stdlib_module_names or package == "marl_supply":
            continue
        assert room(path), f"{relative(path)} may import only the standard library, not {package}"
        assert package in ALLOWED.get(room(path), {package}), f"{relative(path)} may not import {package}"
        places = PLACES.get(package, ("",))
        assert relative(path).startswith(places), f"{package} may be imported only in {places}, not in {relative(path)}"


@pytest.mark.parametrize("name", sorted(GROUND))
def test_the_ground_stands_on_nothing(name: str) -> None:
    used = {part.split(".")[1] for part in imports(PACKAGE / f"{name}.py") if part.startswith("marl_supply.")}
    assert used <= GROUND


def test_step_uses_no_numpy_of_its_own() -> None:
    """The step runs on numpy and on torch, so it may reach arrays only through the shim."""
    tree = ast.parse((PACKAGE / "simulation" / "step.py").read_text())
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not names & {"np", "numpy"}


def test_import_is_light() -> None:
    heavy = {"ray", "torch", "pandas", "matplotlib", "minari", "h5py"}
    code = f"import sys, marl_supply; print(sorted({heavy} & set(sys.modules)))"
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "[]"


def test_names_of_the_package_load_on_first_use() -> None:
    for name in dir(marl_supply):
        assert getattr(marl_supply, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'gmae'"):
        _ = marl_supply.gmae  # type: ignore[attr-defined]

"""What a wheel holds: every package, every shipped topology with its data, every experiment."""

import configparser
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

import marl_supply

ROOT = Path(marl_supply.__file__).parents[1]
NOT_SOURCE = shutil.ignore_patterns(".*", "build", "dist", "results", "tests", "*.egg-info", "__pycache__")

pytestmark = pytest.mark.skipif(
    not (ROOT / "setup.cfg").exists(),
    reason="these tests build from a checkout, and this is an installed package",
)


def setup_cfg() -> configparser.ConfigParser:
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(ROOT / "setup.cfg")
    return settings


def test_every_package_is_listed() -> None:
    on_disk = {path.parent.relative_to(ROOT).as_posix().replace("/", ".") for path in ROOT.glob("marl_supply/**/*.py")}
    listed = set(setup_cfg()["options"]["packages"].split())
    assert listed - {"marl_supply.topologies", "marl_supply.experiments"} == on_disk
    for name in on_disk:
        assert (ROOT / name.replace(".", "/") / "__init__.py").exists()


def test_constraints_pin_every_requirement_and_name_no_place() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert all("==" in line and "/" not in line and "+" not in line for line in lines)
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines}
    settings = setup_cfg()
    stated = [settings["options"]["install_requires"], *settings["options.extras_require"].values()]
    wanted = [requirement for text in stated for requirement in text.split() if not requirement.startswith("%(")]
    assert len(wanted) > 15
    for requirement in wanted:
        name = requirement.split(">")[0].split("=")[0].split("[")[0]
        assert name.lower().replace("_", "-") in pinned


def test_the_core_needs_neither_ray_nor_torch() -> None:
    core = setup_cfg()["options"]["install_requires"]
    assert "ray" not in core.split() and "torch" not in core and "ray[" not in core


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a new virtual environment that holds the wheel and borrows all else."""
    place = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, place / "source", ignore=NOT_SOURCE)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(place), str(place / "source")]
    subprocess.run([*pip, *build], check=True, cwd=place)
    shutil.rmtree(place / "source")
    venv.create(place / "venv", with_pip=False)
    python = place / "venv" / "bin" / "python"
    wheel = next(place.glob("*.whl"))
    subprocess.run([*pip, "--python", str(python), "install", "--no-deps", str(wheel)], check=True, cwd=place)
    packages = next((place / "venv").glob("lib/python*/site-packages"))
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def run(python: Path, code: str) -> list[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [python, "-c", code]
    place = python.parents[2]
    seen = subprocess.run(command, capture_output=True, text=True, cwd=place, env=environment, check=False)
    assert not seen.returncode, seen.stderr
    return seen.stdout.split()


def test_an_installed_wheel_lists_and_loads_every_topology(python: Path) -> None:
    names = "from marl_supply.topology import names"
    place, *listed = run(python, f"import marl_supply; {names}; print(marl_supply.__file__, *names())")
    assert Path(place).is_relative_to(python.parents[1])
    assert listed == sorted(path.stem for path in ROOT.glob("topologies/*.yaml"))
    loaded = run(python, f"import marl_supply as ms; print(*(ms.load(name).name for name in {listed}))")
    assert loaded == listed


def test_an_installed_wheel_holds_the_experiments_and_the_types(python: Path) -> None:
    code = (
        "from importlib.resources import files;"
        "names = [path.name for path in files('marl_supply.experiments').iterdir()];"
        "print(*sorted(name for name in names if name.endswith('.yaml')));"
        "print((files('marl_supply') / 'py.typed').is_file())"
    )
    *experiments, typed = run(python, code)
    assert experiments == sorted(path.name for path in ROOT.glob("experiments/*.yaml"))
    assert typed == "True"

"""What learning needs beyond the core: said in one sentence where it is missing."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

from marl_supply.errors import InputError


def check_installed(packages: Iterable[str] = ("torch", "ray")) -> None:
    """Refuse to train where a package is missing.

    Raises
    ------
    InputError
        With the command that installs them.
    """
    for module in packages:
        if find_spec(module) is None:
            raise InputError(f"training needs {module}, which is not installed; run pip install 'marl-supply[rllib]'.")

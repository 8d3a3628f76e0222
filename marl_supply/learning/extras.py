"""What learning needs beyond the core: said in one sentence where it is missing."""

from __future__ import annotations

from importlib.util import find_spec

from marl_supply.errors import InputError

NEEDED = ("torch", "ray")


def check_installed() -> None:
    """Refuse to train where ray or torch is missing.

    Raises
    ------
    InputError
        With the command that installs them.
    """
    for module in NEEDED:
        if find_spec(module) is None:
            raise InputError(f"training needs {module}, which is not installed; run pip install 'marl-supply[rllib]'.")

"""The examples in the docstrings of the topology package hold."""

import doctest
import importlib
import pkgutil

import pytest

import marl_supply.topology

MODULES = [f"marl_supply.topology.{info.name}" for info in pkgutil.iter_modules(marl_supply.topology.__path__)]


@pytest.mark.parametrize("name", [*MODULES, "marl_supply.errors", "marl_supply.plugins"])
def test_examples(name: str):
    assert doctest.testmod(importlib.import_module(name)).failed == 0

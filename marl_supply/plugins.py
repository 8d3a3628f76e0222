"""Find a class by name: a file in a package, a dotted path, or an entry point. Nothing is registered by hand.

The name of a class is its name in snake case (``BaseStock`` is ``base_stock``). A new policy, demand process,
solver or learner is one new file in its package; nothing else is edited.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from typing import Any

from marl_supply.errors import InputError, nearest


def find(package: str, base: type, name: str) -> type[Any]:
    """Return the subclass of `base` that `name` stands for.

    Parameters
    ----------
    package : str
        Where the shipped classes live, e.g. ``"marl_supply.policies"``; also the entry point group.
    base : type
        The class that every answer inherits from. If it is a Protocol, a class named by a dotted path or an
        entry point may instead have its members.
    name : str
        The snake case name of a public class defined in a module of `package`; or ``"my_pkg.my_mod:Thing"``;
        or the name of an entry point in the group `package`.

    Raises
    ------
    InputError
        If nothing has that name, or what has it is not a `base`.

    Examples
    --------
    >>> find("marl_supply.errors", Exception, "input_error").__name__
    'InputError'
    """
    if ":" in name:
        return _from_path(name, base)
    found = _home(package, base, name) or _shipped(package, base).get(name)
    if found is not None:
        return found
    points = _entry_points(package)
    if name in points:
        return _from_path(points[name], base)
    options = names(package, base)
    hint = nearest(name, options) or f"; there are: {', '.join(options)}"
    raise InputError(f"no {_noun(base)} '{name}'{hint}")


def names(package: str, base: type) -> list[str]:
    """Return the sorted names that `find` knows: the shipped classes and the entry points."""
    return sorted({*_shipped(package, base), *_entry_points(package)})


def snake_case(name: str) -> str:
    """Return a class name in snake case.

    Examples
    --------
    >>> snake_case("NegativeBinomial"), snake_case("AR1"), snake_case("OrderUpTo"), snake_case("A3C")
    ('negative_binomial', 'ar1', 'order_up_to', 'a3c')
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z0-9])(?=[A-Z][a-z])", "_", name).lower()


def _home(package: str, base: type, name: str) -> type[Any] | None:
    """Look in the module that bears the name, so that one lookup imports one file."""
    if not name.isidentifier() or name.startswith("_"):
        return None
    module_name = f"{package}.{name}"
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name not in (module_name, package):
            raise
        return None
    return _classes(module, package, base).get(name)


def _shipped(package: str, base: type) -> dict[str, type[Any]]:
    root = importlib.import_module(package)
    found = _classes(root, package, base)
    for info in pkgutil.iter_modules(getattr(root, "__path__", [])):
        if not info.name.startswith("_"):
            found |= _classes(importlib.import_module(f"{package}.{info.name}"), package, base)
    return found


def _classes(module: Any, package: str, base: type) -> dict[str, type[Any]]:
    return {
        snake_case(thing.__name__): thing
        for thing in vars(module).values()
        if inspect.isclass(thing)
        and base in thing.__mro__[1:]
        and not thing.__name__.startswith("_")
        and not inspect.isabstract(thing)
        and f"{thing.__module__}.".startswith(f"{package}.")
    }


def _entry_points(group: str) -> dict[str, str]:
    from importlib.metadata import entry_points

    return {point.name: point.value for point in entry_points(group=group)}


def _from_path(path: str, base: type) -> type[Any]:
    module_name, _, attribute = path.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise InputError(f"'{path}': cannot import '{module_name}' ({error})") from None
    if not hasattr(module, attribute):
        raise InputError(f"'{path}': '{module_name}' has no '{attribute}'{nearest(attribute, vars(module))}")
    thing = getattr(module, attribute)
    if not inspect.isclass(thing) or not _fits(thing, base):
        raise InputError(f"'{path}' is not a {_noun(base)}: make it a class that inherits from {base.__name__}")
    return thing


def _fits(thing: type, base: type) -> bool:
    if base in thing.__mro__:
        return True
    members = {*vars(base), *vars(base).get("__annotations__", ())}
    return bool(getattr(base, "_is_protocol", False)) and all(
        hasattr(thing, member) for member in members if not member.startswith("_")
    )


def _noun(base: type) -> str:
    return snake_case(base.__name__).replace("_", " ")

"""The settings of a learner as they stand in an experiment file: known, of the right kind, all stated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, get_type_hints

from pydantic import ConfigDict, create_model

from marl_supply import plugins
from marl_supply.errors import InputError
from marl_supply.learning.settings import Learner, learner_named
from marl_supply.study.file import LearnerRow
from marl_supply.topology.validate import keys_of, validate


def settings_of(names: Iterable[str]) -> dict[str, list[str]]:
    """For each of some learners the names of its settings; those that do not exist are left out."""
    known = plugins.names("marl_supply.learning.learners", Learner)
    return {name: [item.name for item in fields(learner_named(name))] for name in names if name in known or ":" in name}


def resolved(name: str, changed: Mapping[str, Any], path: str) -> dict[str, Any]:
    """All settings of a learner, those changed and the defaults, JSON-able.

    Raises
    ------
    InputError
        For an unknown learner, an unknown setting, and a value of the wrong kind.
    """
    try:
        plain = learner_named(name)
    except InputError as error:
        raise InputError(f"{path}.learner: {error}") from None
    hints = get_type_hints(type(plain))
    known = {item.name: (hints[item.name], getattr(plain, item.name)) for item in fields(plain)}
    config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    others = {key: (Any, None) for key in keys_of(LearnerRow) if key != "settings" and key not in known}
    model = create_model("Settings", __config__=config, **known, **others)  # type: ignore[call-overload]
    lists_as_tuples = {key: tuple(value) if isinstance(value, list) else value for key, value in changed.items()}
    read = validate(model, lists_as_tuples, path)
    try:
        learner = plain.changed({key: getattr(read, key) for key in known})
    except InputError as error:
        raise InputError(f"{path}.{error}") from None
    return {key: value for key, value in learner.to_dict().items() if key != "learner"}

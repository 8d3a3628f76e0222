"""The kinds of value that stand in a topology file, and how a key states its unit, default and meaning."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from marl_supply.errors import nearest
from marl_supply.topology.validate import shown


def key(default: Any, unit: str, description: str, alias: str | None = None) -> Any:
    """Return a model field: its default (``...`` for a key that must be stated), its unit and its meaning.

    `alias` is the key in the file where that is not a Python name (``from``).
    """
    extra: dict[str, Any] | None = {"unit": unit} if unit else None
    return Field(default=default, description=description, alias=alias, json_schema_extra=extra)


def _name(name: str) -> str:
    if not re.fullmatch(r"[\w-]+(:[\w-]+)?", name):
        raise ValueError(f"'{name}' is no name; use letters, digits, '_' and '-' (and 'NODE:PRODUCT')")
    return name


def _sums_to_one(probabilities: tuple[float, ...]) -> tuple[float, ...]:
    if probabilities and abs(sum(probabilities) - 1) > 1e-9:
        raise ValueError(f"the probabilities add up to {sum(probabilities):g}, not 1")
    return probabilities


def _whole(number: Any) -> Any:
    """Let 1e3 be a whole number."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _reward(reward: Any) -> Any:
    if isinstance(reward, dict):
        share: Any = reward.get("blend")
        is_number = isinstance(share, (int, float)) and not isinstance(share, bool)
        if set(reward) == {"blend"} and is_number and 0 <= share <= 1:
            return reward
    elif reward in ("individual", "shared"):
        return reward
    hint = nearest(reward, ["individual", "shared"]) if isinstance(reward, str) else ""
    raise ValueError(f"{shown(reward)} is not individual, shared or {{blend: a}} with a between 0 and 1{hint}")


Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Amount = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(strict=True, ge=0, le=1)]
Discount = Annotated[float, Field(strict=True, gt=0, le=1)]
Flag = Annotated[bool, Field(strict=True)]
Periods = Annotated[int, Field(strict=True, ge=0), BeforeValidator(_whole)]
Count = Annotated[int, Field(strict=True, ge=1), BeforeValidator(_whole)]
Reviews = Annotated[tuple[Count, ...], Field(min_length=1)]
Probabilities = Annotated[tuple[Share, ...], AfterValidator(_sums_to_one)]
Name = Annotated[str, Field(strict=True), AfterValidator(_name)]
Names = Annotated[tuple[Name, ...], Field(min_length=1)]
Slots = Annotated[
    tuple[Amount, ...],
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0},
                {"type": "array", "items": {"type": "number", "minimum": 0}},
            ]
        }
    ),
]
Reward = Annotated[
    str | dict[str, float],
    BeforeValidator(_reward),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": ["individual", "shared"]},
                {
                    "type": "object",
                    "properties": {"blend": {"type": "number", "minimum": 0, "maximum": 1}},
                    "required": ["blend"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]

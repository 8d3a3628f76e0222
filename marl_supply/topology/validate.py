"""Turn a mapping into a model, and the first thing wrong with it into one sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from marl_supply.errors import InputError, nearest

Model = TypeVar("Model", bound=BaseModel)


def validate(model: type[Model], value: Any, path: str, context: Any = None) -> Model:
    """Return `model` made from `value`.

    Parameters
    ----------
    model : type of pydantic.BaseModel
        What the value should be.
    value : Any
        What the file holds at `path`, normally a mapping.
    path : str
        The place in the file, such as ``"edges[1]"``; it begins the error, followed by the key that is wrong.
    context : Any, optional
        Handed to the model's validators.

    Raises
    ------
    InputError
        One sentence for the first error: place, what is wrong, the nearest name where there is one.
    """
    if not isinstance(value, Mapping):
        raise InputError(f"{path}: {shown(value)} is not a mapping; write {{key: value, ...}}")
    try:
        return model.model_validate(dict(value), context=context)
    except ValidationError as error:
        errors = error.errors()
        unknown = (each for each in errors if each["type"] == "extra_forbidden")  # the cause of a missing key
        raise InputError(_sentence(model, next(unknown, errors[0]), value, path)) from None


def keys_of(model: type[BaseModel]) -> list[str]:
    """Return the keys that a file may use for a model, in order."""
    return [field.alias or name for name, field in model.model_fields.items()]


def shown(value: Any) -> str:
    """Return a value as a file would show it, cut to 40 characters.

    Examples
    --------
    >>> shown({"blend": 2, "x": ["no", False, None]})
    "{blend: 2, x: ['no', false, nothing]}"
    """
    if isinstance(value, Mapping):
        text = f"{{{', '.join(f'{key}: {shown(inner)}' for key, inner in value.items())}}}"
    elif isinstance(value, (list, tuple)):
        text = f"[{', '.join(map(shown, value))}]"
    elif value is None or isinstance(value, bool):
        text = {None: "nothing", True: "true", False: "false"}[value]
    else:
        text = f"'{value}'" if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def join(path: str, parts: Iterable[str | int]) -> str:
    """Return the path in the notation of the errors.

    Examples
    --------
    >>> join("edges[1]", ["pipeline", 0])
    'edges[1].pipeline[0]'
    """
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def _sentence(model: type[BaseModel], error: Any, value: Any, path: str) -> str:
    kind, location = error["type"], _real(error["loc"], error["type"], value)
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, InputError):
        return str(cause)
    if kind in ("extra_forbidden", "missing"):
        *parents, key = location
        absent = f"no '{key}'; it has no default"
        problem = absent if kind == "missing" else f"unknown key '{key}'{_near_key(model, parents, str(key))}"
        return f"{join(path, parents)}: {problem}".removeprefix(": ")
    problem = _problem(kind, error)
    key, colon, rest = problem.partition(": ")
    if colon and location and key == location[-1]:
        problem = rest
    elif colon and not location and key in keys_of(model):
        location, problem = [key], rest
    return f"{join(path, location)}: {problem}".removeprefix(": ")


def _problem(kind: str, error: Any) -> str:
    limits, given = error.get("ctx", {}), shown(error["input"])
    if kind == "value_error":
        return str(limits["error"])
    if kind in _BOUNDS:
        bound = next(iter(limits.values()))
        return f"must be {_BOUNDS[kind]} {bound:g}, not {given}"
    if kind == "literal_error":
        options = [option.strip("'") for option in limits["expected"].replace(" or ", ", ").split(", ")]
        hint = nearest(error["input"], options) if isinstance(error["input"], str) else ""
        return f"{given} is not one of {', '.join(options)}{hint}"
    if kind == "too_short":
        return "is empty; give at least one"
    wanted = next((word for start, word in _WANTED.items() if kind.startswith(start)), None)
    return f"{given} is not {wanted}" if wanted else f"{error['msg'][0].lower()}{error['msg'][1:]} (not {given})"


_BOUNDS = {
    "greater_than": "above",
    "greater_than_equal": "at least",
    "less_than": "below",
    "less_than_equal": "at most",
}
_WANTED = {
    "int": "a whole number",
    "float": "a number",
    "finite": "a finite number",
    "string": "text",
    "bool": "true or false",
    "tuple": "a list",
    "list": "a list",
    "dict": "a mapping",
    "model": "a mapping",
}


def _real(location: tuple[str | int, ...], kind: str, value: Any) -> list[str | int]:
    """Keep the parts of a location that stand in the file: pydantic adds one for each branch of a union."""
    kept: list[str | int] = []
    for depth, part in enumerate(location):
        within = (isinstance(value, Mapping) and part in value) or (
            isinstance(value, (list, tuple)) and isinstance(part, int) and part < len(value)
        )
        if within:
            value = value[part]
        elif depth > 0 and not (kind == "missing" and depth == len(location) - 1):
            continue
        kept.append(part)
    return kept


def _near_key(model: type[BaseModel], parents: list[str | int], key: str) -> str:
    inner: Any = model
    for part in parents:
        inner = _step(inner, part)
    options = keys_of(inner) if isinstance(inner, type) and issubclass(inner, BaseModel) else []
    return nearest(key, options) or (f"; the keys are {', '.join(options)}" if options else "")


def mapping(value: Any, path: str) -> dict[str, Any]:
    """A section as a mapping, empty where it is not stated.

    Raises
    ------
    InputError
        If it is something else.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InputError(f"{path}: {shown(value)} is not a mapping; write {{key: value, ...}}")
    return dict(value)


def _step(kind: Any, part: str | int) -> Any:
    """Return the type found one part of a path further in."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            if part in (name, field.alias):
                return next(_models(field.annotation), None)
    return kind


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) is not None:
        for inner in get_args(annotation):
            yield from _models(inner)

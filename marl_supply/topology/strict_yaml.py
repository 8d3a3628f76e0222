"""YAML 1.2 without surprises: `no` and dates are text, `1e3` a number; no key twice, no tags, no aliases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from marl_supply.errors import InputError

_PREFIX = "tag:yaml.org,2002:"


def read(path: Path) -> dict[str, Any]:
    """Read a file that holds one mapping.

    Raises
    ------
    InputError
        If the file cannot be read, is not strict YAML, or holds something else than a mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else "cannot be read as UTF-8 text"
        raise InputError(f"{path}: {reason}") from None
    value = parse(text, path.name)
    if not isinstance(value, dict):
        raise InputError(f"{path.name}: holds {_kind(value)}; write a mapping of `key: value` lines")
    return value


def parse(text: str, place: str) -> Any:
    """Return the value of a YAML text as dict, list, str, int, float, bool or None; `place` begins errors.

    Examples
    --------
    >>> parse("{a: no, b: 1e3, c: [.5, 2_000, true, ~], d: 2020-01-31}", "here")
    {'a': 'no', 'b': 1000.0, 'c': [0.5, 2000, True, None], 'd': '2020-01-31'}
    """
    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"line {mark.line + 1}: " if mark else ""
        raise InputError(f"{place}: {line}{error.problem or error.context}; this is not YAML") from None
    except YAMLError as error:
        raise InputError(f"{place}: this is not YAML ({str(error).splitlines()[0]})") from None
    return None if node is None else _Reader(place).value(node)


class _Reader:
    """Turns the nodes of one document into plain values."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.seen: set[int] = set()

    def value(self, node: Any) -> Any:
        if id(node) in self.seen:
            raise self._error(node, "an alias (*) is not allowed; write the value again, or use defaults or extends")
        self.seen.add(id(node))
        kind = str(node.tag).removeprefix(_PREFIX)
        if isinstance(node.value, list):
            if kind not in ("map", "seq"):
                raise self._error(node, f"the tag '{node.tag}' is not allowed; remove it")
            return self._mapping(node) if kind == "map" else [self.value(item) for item in node.value]
        return self._scalar(node, kind)

    def _mapping(self, node: Any) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if isinstance(key, list):
                raise self._error(key_node, "a key must be text")
            if key == "<<":
                raise self._error(key_node, "the merge key << is not allowed; use defaults or extends")
            if key in mapping:
                raise self._error(key_node, f"the key '{key}' stands twice in one mapping; remove one")
            mapping[key] = self.value(value_node)
        return mapping

    def _scalar(self, node: Any, kind: str) -> Any:
        text = node.value
        try:
            if kind == "int":
                text = text.replace("_", "")
                return int(text, 0 if text.lstrip("+-")[:2].lower() in ("0x", "0o", "0b") else 10)
            if kind == "float":
                return float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError:
            raise self._error(node, f"'{node.value}' is not a number") from None
        if kind == "bool":
            return text.lower() == "true"
        if kind == "null":
            return None
        if kind not in ("str", "timestamp"):
            raise self._error(node, f"the tag '{node.tag}' is not allowed; remove it")
        return text

    def _error(self, node: Any, problem: str) -> InputError:
        return InputError(f"{self.place}: line {node.start_mark.line + 1}: {problem}")


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    return "a list" if isinstance(value, list) else "a single value"

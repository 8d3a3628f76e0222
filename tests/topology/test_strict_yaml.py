"""Strict YAML: what plain YAML would turn into something else, or accept silently."""

from pathlib import Path

import pytest

from marl_supply.errors import InputError
from marl_supply.topology import strict_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("1e3", 1000.0),
        (".3", 0.3),
        ("-.5", -0.5),
        ("2_000_000", 2_000_000),
        ("010", 10),
        ("0x1F", 31),
        ("12:30", "12:30"),
        ("true", True),
        ("~", None),
        ("", None),
        ("'12'", "12"),
        ("1997-04-01", "1997-04-01"),
        ("[1, 2.5, x]", [1, 2.5, "x"]),
        ("{1: {a: }}", {"1": {"a": None}}),
        (".inf", float("inf")),
    ],
)
def test_values(text: str, value: object):
    parsed = strict_yaml.parse(text, "here")
    assert parsed == value and type(parsed) is type(value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: 1\nb: 2\na: 3\n", "here: line 3: the key 'a' stands twice in one mapping; remove one"),
        ("a: {b: 1, 'b': 2}", "here: line 1: the key 'b' stands twice in one mapping; remove one"),
        (
            "a: &x 1\nb: *x",
            "here: line 1: an alias (*) is not allowed; write the value again, or use defaults or extends",
        ),
        ("a: {<<: {b: 1}}", "here: line 1: the merge key << is not allowed; use defaults or extends"),
        (
            "a: !!python/name:os.system ''",
            "here: line 1: the tag 'tag:yaml.org,2002:python/name:os.system' is not allowed; remove it",
        ),
        ("a: !thing {b: 1}", "here: line 1: the tag '!thing' is not allowed; remove it"),
        ("a: !!int x", "here: line 1: 'x' is not a number"),
        ("[a]: 1", "here: line 1: a key must be text"),
        ("a: b: c", "here: line 1: mapping values are not allowed here; this is not YAML"),
        ("a: 1\n---\nb: 2", "here: line 2: but found another document; this is not YAML"),
    ],
)
def test_refused(text: str, sentence: str):
    with pytest.raises(InputError) as caught:
        strict_yaml.parse(text, "here")
    assert str(caught.value) == sentence


def test_files(tmp_path: Path):
    path = tmp_path / "file.yaml"
    path.write_text("- 1\n")
    with pytest.raises(InputError, match="file.yaml: holds a list; write a mapping of `key: value` lines"):
        strict_yaml.read(path)
    path.write_text("")
    with pytest.raises(InputError, match="file.yaml: holds nothing; write a mapping"):
        strict_yaml.read(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="cannot be read as UTF-8 text"):
        strict_yaml.read(path)
    with pytest.raises(InputError, match="no such file"):
        strict_yaml.read(tmp_path / "none.yaml")

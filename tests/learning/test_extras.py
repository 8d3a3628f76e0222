"""Without the extra, training is refused in one sentence before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from marl_supply.errors import InputError
from marl_supply.learning import extras
from marl_supply.study.load import load
from marl_supply.study.plan import check


def test_training_without_ray_is_refused_beforehand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "ray" else object())
    with pytest.raises(InputError, match=r"training needs ray, which is not installed; run pip install"):
        extras.check_installed()
    with pytest.raises(InputError, match="compare.happo_shared: training needs ray"):
        check(load("cachon_zipkin"))

"""The committed page of experiment keys is what the models say now."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from marl_supply.learning.foundation.settings import Pretraining
from marl_supply.learning.settings import Learner
from marl_supply.study import file, reference_page
from marl_supply.study.model_file import RecordedTask
from marl_supply.topology.validate import keys_of

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_page_is_current() -> None:
    again = "run python -m marl_supply.study.reference_page"
    assert (DOCS / reference_page.PAGE).read_text(encoding="utf-8") == reference_page.page(), again


def test_every_key_and_setting_is_on_the_page() -> None:
    page = reference_page.page()
    models = (file.PolicyRow, file.LearnerRow, file.ModelRow, file.FineTune, file.Train, file.Evaluate, file.Report)
    for model in (*models, RecordedTask):
        assert all(f"| `{key}` |" in page for key in keys_of(model))
    assert all(f"| `{setting.name}` |" in page for kind in (Learner, Pretraining) for setting in fields(kind))

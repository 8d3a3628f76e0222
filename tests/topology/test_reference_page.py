"""The committed reference page and schema are what the models say now."""

from pathlib import Path

from marl_supply import plugins
from marl_supply.demand.process import DemandProcess
from marl_supply.topology import file, reference_page
from marl_supply.topology.resolve import PROCESSES
from marl_supply.topology.validate import keys_of

DOCS = Path(__file__).resolve().parents[2] / "docs"
AGAIN = "run python -m marl_supply.topology.reference_page"


def test_the_page_is_current():
    assert (DOCS / reference_page.PAGE).read_text(encoding="utf-8") == reference_page.page(), AGAIN


def test_the_schema_is_current():
    assert (DOCS / reference_page.SCHEMA).read_text(encoding="utf-8") == reference_page.schema_text(), AGAIN


def test_every_key_and_every_process_is_on_the_page():
    page = reference_page.page()
    for model in (file.Topology, file.Node, file.Edge, file.Market, file.Timing, file.GameDefaults, file.Contract):
        assert all(f"| `{key}` |" in page for key in keys_of(model))
    for name in plugins.names(PROCESSES, DemandProcess):
        assert f"### `{name}`" in page


def test_every_key_says_what_it_means():
    for model in vars(file).values():
        if isinstance(model, type) and issubclass(model, file.Section):
            assert all(field.description for field in model.model_fields.values()), model.__name__

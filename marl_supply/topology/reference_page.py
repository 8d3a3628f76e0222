"""Write `docs/topology.md`: every key of a topology file, from the models.

``python -m marl_supply.topology.reference_page`` writes the page, and the JSON Schema beside it.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from marl_supply import plugins
from marl_supply.demand.process import DemandProcess
from marl_supply.topology import file
from marl_supply.topology.resolve import PROCESSES
from marl_supply.topology.schema import schema
from marl_supply.topology.shipped import names, shipped_folder, source_of

PAGE, SCHEMA = "topology.md", "topology.schema.json"

_INTRODUCTION = """\
# Topology files

Generated from the models by `python -m marl_supply.topology.reference_page`; do not edit.

A topology file is one YAML mapping: the chain (`nodes`, `edges`, `markets`, `timing`, `units`), then defaults
for games on it (`game`, `contract`, `policies`). A `networkx` graph with the same attribute names is accepted
wherever a file is. [`topology.schema.json`](topology.schema.json) lets an editor complete and check a file.

```yaml
{example}```

* The YAML is version 1.2 and strict: `no` and `on` are text, `1e3` is a number, dates are text; a key that
  stands twice, a tag and an alias are refused, and so is every key that is not on this page.
* `extends:` names a shipped topology or a file relative to this one. Mappings merge key by key, edges merge
  by their name, and all else is replaced; another `process` keeps of the old parameters those that it has too (such as
  `mean`), another `kind` none.
* `defaults: {{node: ..., edge: ..., market: ...}}` hold for every node that keeps stock, every edge and every
  market that does not state the key itself.
* `--set nodes.store.holding_cost=2`, `--set edges.NAME.lead_time=3` or `edges.0.lead_time=3`, and so on for
  every key, change a value before the file is checked.
* `products: [a, b]`, or a number of them, makes every stock node, edge and market one for each product: `store`
  becomes the rows `store:a` and `store:b`. A number may then be a mapping from products to numbers, `products` of
  a node or edge says which of them it handles, and what a node can ship and stock (`capacity`, `storage`) its
  products share. By default one agent decides all rows of a node.
* `extends: {{generator: NAME, ...}}` starts from a generated chain (`marl_supply.topology.generators`); its parameters
  are values too: `--set extends.stores=4`.
* A market served by several nodes belongs to the format; the simulator does not carry it yet and says so.
* A data file is looked for beside the topology file, and beside the files it extends.
"""

_SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("The file", file.Topology),
    ("`nodes.NAME`", file.Node),
    ("`nodes.NAME.disruption`, `edges[i].disruption`", file.Disruption),
    ("`edges[i]`", file.Edge),
    ("`edges[i].discounts[j]`", file.PriceBreak),
    ("`markets.NAME`", file.Market),
    ("`markets.NAME.expedite`", file.Expedite),
    ("`shared.NAME`", file.Shared),
    ("`correlation[i]`", file.Correlation),
    ("`timing`", file.Timing),
    ("`game`", file.GameDefaults),
    ("`game.agents.NAME`", file.Agent),
    ("`contract`", file.Contract),
    ("`contract.transfers[i]`", file.Transfer),
)


def page() -> str:
    """Return the reference page as Markdown."""
    example = (shipped_folder() / "beer_game.yaml").read_text(encoding="utf-8")
    parts = [_INTRODUCTION.format(example=example)]
    parts += [f"## {title}\n\n{model.__doc__}\n\n{table(model)}" for title, model in _SECTIONS]
    parts.append(
        "## Demand processes\n\nThe name stands under `process`, the parameters beside it. A process of your "
        "own is a subclass of\n`marl_supply.demand.process.DemandProcess`, named by "
        "`my_package.my_module:MyProcess`.\n"
    )
    for name in plugins.names(PROCESSES, DemandProcess):
        kind = plugins.find(PROCESSES, DemandProcess, name)
        parts.append(f"### `{name}`\n\n{inspect.cleandoc(kind.__doc__ or '')}\n\n{table(kind)}")
    shipped = "\n".join(f"| `{name}` | {source_of(name)} |" for name in names())
    parts.append(f"## Shipped topologies\n\n| name | source |\n|---|---|\n{shipped}\n")
    return "\n".join(parts)


def schema_text() -> str:
    """Return the JSON Schema as it is written to a file."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def write(folder: Path) -> list[Path]:
    """Write the page and the schema into a folder, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PAGE).write_text(page(), encoding="utf-8")
    (folder / SCHEMA).write_text(schema_text(), encoding="utf-8")
    return [folder / PAGE, folder / SCHEMA]


def table(model: type[BaseModel]) -> str:
    """The keys of one model as a Markdown table: key, unit, default, meaning."""
    return "\n".join(["| key | unit | default | meaning |", "|---|---|---|---|", *_rows(model), ""])


def _rows(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        text, unit = _split_unit(field, _meaning(field))
        cells = [f"`{field.alias or name}`", unit, _default(field), text]
        yield f"| {' | '.join(cell.replace('|', ', ') for cell in cells)} |"


def _split_unit(field: FieldInfo, text: str) -> tuple[str, str]:
    """Return meaning and unit; demand processes state the unit in brackets at the end."""
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    found = re.search(r" \(((?:units|periods?)\b[^()]*|-)\)$", text)
    if found:
        return text[: found.start()], found[1].replace(" per ", "/")
    return text, str(extra.get("unit", ""))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value: Any = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel) or value in ((), {}, "", None):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        items = (item if isinstance(item, str) else f"{item:g}" for item in value)
        return f"`[{', '.join(items)}]`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _meaning(field: FieldInfo) -> str:
    options = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    text = field.description or ""
    if all(str(option) in text for option in options):
        return text
    return f"{text} (one of {', '.join(f'`{option}`' for option in options)})"


if __name__ == "__main__":
    for written in write(Path(__file__).resolve().parents[2] / "docs"):
        print(written)

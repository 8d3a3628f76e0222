"""Write `docs/policies/` and `docs/solvers/`: a page for every rule and every method, from their docstrings.

``python -m marl_supply.solvers.reference_page`` writes them.
"""

from __future__ import annotations

import inspect
from pathlib import Path

from marl_supply.plugins import find
from marl_supply.policies.rule import Rule
from marl_supply.policies.seating import names as rule_names
from marl_supply.solvers.method import Method, methods

POLICIES = "marl_supply.policies"
_COMMAND = "Generated from docstrings by `python -m marl_supply.solvers.reference_page`; do not edit."


def pages() -> dict[str, str]:
    """Every page as Markdown by its path below `docs/`."""
    rules = {name: find(POLICIES, Rule, name) for name in rule_names()}
    solvers = methods()
    made = {f"policies/{name}.md": _rule_page(name, rule) for name, rule in rules.items()}
    made |= {f"solvers/{name}.md": _method_page(name, method) for name, method in solvers.items()}
    made["policies/README.md"] = _index("Decision rules", {name: _first_line(rule) for name, rule in rules.items()})
    lines = {name: _first_line(type(method)) for name, method in solvers.items()}
    made["solvers/README.md"] = _index("Methods of `marl-supply solve`", lines)
    return made


def _rule_page(name: str, rule: type[Rule]) -> str:
    parts = [f"# `{name}`", _COMMAND, *_docstrings(rule), _source(rule)]
    if rule.parameters:
        rows = ["| parameter | unit | whole numbers | found by search |", "|---|---|---|---|"]
        rows += [
            f"| `{p.name}` | {p.unit} | {'yes' if p.integer else 'no'} | {'yes' if p.tuned else 'no'} |"
            for p in rule.parameters
        ]
        parts += ["## Parameters, a number for each row", "\n".join(rows)]
    needs = ", ".join(f"`{field}`" for field in sorted(rule.needs)) or "nothing"
    parts += ["## What it reads", f"{needs} ([what each is](../observations.md))."]
    return "\n\n".join(parts) + "\n"


def _method_page(name: str, method: Method) -> str:
    parts = [f"# `{name}`", _COMMAND, *_docstrings(type(method)), _source(type(method))]
    if method.is_optimal:
        parts.append("What it finds is the optimum: `marl-supply solve` shows it as `optimal` too.")
    if method.rule is not None:
        parts.append(f"Where it does not apply, the rule [`{method.rule}`](../policies/{method.rule}.md) is tuned.")
    return "\n\n".join(parts) + "\n"


def _docstrings(thing: type) -> list[str]:
    """The class's and then its module's."""
    module = inspect.getmodule(thing)
    return [inspect.getdoc(thing) or "", inspect.cleandoc(module.__doc__ or "") if module else ""]


def _source(thing: type) -> str:
    path = thing.__module__.replace(".", "/")
    return f"Code: [`{path}.py`](../../{path}.py)."


def _first_line(thing: type) -> str:
    return (inspect.getdoc(thing) or "").split("\n\n")[0].replace("\n", " ")


def _index(title: str, lines: dict[str, str]) -> str:
    rows = ["| name | what it does |", "|---|---|"]
    rows += [f"| [`{name}`]({name}.md) | {line.replace('|', ', ')} |" for name, line in lines.items()]
    return "\n\n".join([f"# {title}", _COMMAND, "\n".join(rows)]) + "\n"


def main() -> None:
    """Write the pages into this checkout."""
    docs = Path(__file__).resolve().parents[2] / "docs"
    for path, text in pages().items():
        (docs / path).parent.mkdir(exist_ok=True)
        (docs / path).write_text(text, encoding="utf-8")
    print(docs / "policies", docs / "solvers", sep="\n")


if __name__ == "__main__":
    main()

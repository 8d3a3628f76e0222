"""Write `docs/experiments.md`: every key of an experiment file and every setting of a learner.

``python -m marl_supply.study.reference_page`` writes the page.
"""

from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path

from pydantic import BaseModel

from marl_supply import plugins
from marl_supply.learning.foundation.settings import FineTuning, Pretraining
from marl_supply.learning.settings import Learner, learner_named
from marl_supply.study import file
from marl_supply.study.analyses.contract import Rate
from marl_supply.study.analysis import HOME, Analysis
from marl_supply.study.claims import Claim, Within
from marl_supply.study.load import shipped_folder
from marl_supply.study.model_file import RecordedTask
from marl_supply.topology.reference_page import table

PAGE = "experiments.md"

_INTRODUCTION = """\
# Experiment files

Generated from the models by `python -m marl_supply.study.reference_page`; do not edit.

One file is one claim: a topology, rows to compare, how they are trained and scored, what the report shows.
The keys are `name`, `topology` (a shipped name or a path), `game` (as the section `game` of a [topology
file](topology.md)), `compare`, `train`, `evaluate`, `analyse`, `report`, `sweep` and `vary`. `--set
train.env_steps=1_000_000`, `--set game.horizon=52`, `--set compare.ROW.tune=true` and so on change a value before the
file is checked.

```yaml
{example}```

`marl-supply run FILE` writes `results/NAME/HASH/`: the resolved experiment with topology and data by value,
provenance, one folder for each row with its checkpoints, `episodes.parquet`, `report.md` and figures. The
hash leaves out name, analyses, report and jobs. Run again, the same experiment goes on where it stopped and says from
where. `--dry-run` checks everything and prints the plan. `--on ADDRESS` has a ray cluster work on the rows
([from laptop to cluster](cluster.md)).

Rows that are alike but for the `observe` that they state (the same learner and reward, or the same rule) are a family:
the report then says what seeing more saves them, with intervals and a figure. Where `bullwhip` is shown, a figure has
the ratios of every row along the chain, from the market upstream.

A row with `seats_of` trains nothing: each agent plays the policy that it has in another row of the file, of trained
rows seed by seed, once those rows are finished. So policies that were trained apart meet at one table:

```yaml
compare:
  inventory_only:      {{learner: ppo, seats: {{recommender: random_exposure}}}}
  recommendation_only: {{learner: ppo, seats: {{buyer: random_order}}}}
  naive:               {{seats_of: {{buyer: inventory_only, recommender: recommendation_only}}}}
```

A rule is tuned in the seats that `seats` leaves to it, beside the policies named there.

A file with `sweep` is a search: `run` trains every combination through Ray Tune, beside the rules of `compare`,
and writes `trials.md`, `trials.parquet` and, for each learner's row, `tuned/TOPOLOGY_ROW.yaml`: the best settings
with how they were found. Each topology of `over` is a search of its own. The best trial is the one with the least
held-out cost; what it costs on the replications of `evaluate`, which nothing was chosen by, stands beside it.
Run again, finished and stopped trials are not computed again, and the others go on from their checkpoints.

```yaml
sweep:
  over:
    learning_rate: {{loguniform: [1e-4, 1e-2]}}
    minibatches: [2, 4]
  samples: 8
  scheduler: asha
```

A row with `trained_on` is tuned or trained on a topology with some other values, and scored on the experiment's like
the others: what does a policy lose that was made for another instance? What it sees and does has to be alike on both.

```yaml
compare:
  ppo:           {{learner: ppo}}
  ppo_elsewhere: {{learner: ppo, trained_on: {{nodes.store.lost_sale_cost: 4}}}}
```

A row with a `model` is played by one pretrained model, in every seat that `seats` leaves out: a file of policies
(`.npz`), or a model file, which says what is recorded and how the model is pretrained on it. `request` is the return
that it is to reach, relative to the baseline of its data, or `best`: what promises the highest return among what is
done in its data; with `fine_tune` it goes on learning on this game, once for
each seed. The model is made once, where it is needed first, and `pretrain` in a row asks for one with other settings.

```yaml
compare:
  capped_base_stock: {{policy: capped_base_stock, tune: true}}
  model:             {{model: foundation_model}}
  modest:            {{model: foundation_model, request: -0.1}}
  best:              {{model: foundation_model, request: best}}
  small:             {{model: foundation_model, pretrain: {{width: 32}}}}
  further:           {{model: foundation_model, fine_tune: {{env_steps: 20_000, seeds: 3}}}}
report: [cost, requests, inventory, scaling]
```

Where `requests` is shown, the achieved return of a model's rows stands against the requested one, and where `scaling`
is, the gap of models of several sizes or volumes of data; `inventory` draws stock over time.

A model file has the keys `name`, `record` and `pretrain`, the settings of a pretraining. `marl-supply run FILE` records
each task into `results/datasets/TASK-HASH/`, a Minari dataset on common seeds that all models with the same task share,
and pretrains `results/NAME-HASH/model.npz`, which plays any seat (`marl-supply evaluate ... --policy model.npz`).
`--dry-run` says what would be recorded, `--set pretrain.tokens=1e6` and `--set record.TASK.instances=4` change values,
and what is there is kept: a change of one task records that one alone.

```yaml
name: small_model
record:
  lost_sales:
    topology: lost_sales
    set: {{game.horizon: 100, game.observe: full}}
    vary: {{edges.0.lead_time: [1, 2, 4], nodes.store.lost_sale_cost: 4.0..19.0}}
    instances: 40
    episodes: 20
    policies: [capped_base_stock tuned=64, exact, base_stock tuned=64 random=0.2]
pretrain: {{width: 128, layers: 4}}
```

Under `analyse` stands what is worked out about the rows once they are finished, and shown in the report: how far
they are from an equilibrium, what coalitions would pay and how savings can be shared, a contract that makes a team an
equilibrium, cross-play, the game in which agents choose among the rows, and the causes of the bullwhip effect
([equilibria](equilibria.md)). What was found is kept in `analyses/`, and found again only when its keys change.

Where `paired` is shown, a table has the difference of each row from each baseline, and how often it costs less;
`density` draws how costs of episodes are distributed, or profits where a market pays a price. Under `claims` stands
what is said of rows, and the report ends with whether it holds.

```yaml
report:
  show: [cost, paired, density]
  claims:
    - {{text: PPO has the highest profit, row: ppo, below: [base_stock_list_price, myopic_price]}}
    - {{text: A3C is comparable with dual index, row: a3c, within: {{row: dual_index, percent: 1}}}}
```

A file with `vary` is a series: `run` runs the experiment once for each value, each in a folder of its own, and writes
`results/NAME/series_HASH/`: a table and a figure of costs and of the price of anarchy over what varies, beside exact
optima and equilibria where they are known. Named `cases` may set several things each; then the table has a column for
each case. Densities have a panel for each value or case, and claims one sentence over all.

```yaml
vary: {{path: contract.backorder_share, values: [0.1, 0.3, 0.5, 0.7, 0.9], label: retailer's share of backorder costs}}
```

```yaml
vary:
  label: scenario
  cases:
    waiting: {{}}
    lost: {{markets.seller.unmet: lost}}
    waiting, fixed cost: {{edges.0.fixed_order_cost: 20}}
```
"""

_SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("`compare.ROW` with a `policy`", file.PolicyRow),
    ("`compare.ROW` with a `learner`", file.LearnerRow),
    ("`compare.ROW` with a `model`", file.ModelRow),
    ("`compare.ROW.fine_tune`", file.FineTune),
    ("`compare.ROW` with `seats_of`", file.SeatsRow),
    ("`compare.ROW.tune`", file.Tune),
    ("`compare.ROW.equilibrium`", file.Answers),
    ("`train`", file.Train),
    ("`train.resources`", file.RowResources),
    ("`sweep`", file.Sweep),
    ("`vary`", file.Vary),
    ("`evaluate`", file.Evaluate),
    ("`report`", file.Report),
    ("`report.references.NAME`", file.Reference),
    ("`report.constant`", file.Constant),
    ("`report.claims[i]`", Claim),
    ("`report.claims[i].within`", Within),
    ("`record.TASK` of a model file", RecordedTask),
)


def page() -> str:
    """Return the reference page as Markdown."""
    example = (shipped_folder() / "cd_retail_chain.yaml").read_text(encoding="utf-8")
    parts = [_INTRODUCTION.format(example=example)]
    analyses = [(f"`analyse.{name}`", plugins.find(HOME, Analysis, name)) for name in plugins.names(HOME, Analysis)]
    sections: list[tuple[str, type[BaseModel]]] = [*_SECTIONS, *analyses, ("`analyse.contract.terms`", Rate)]
    parts += [f"## {title}\n\n{model.__doc__}\n\n{table(model)}" for title, model in sections]
    return "\n".join([*parts, _pretraining(), _learners()])


def _pretraining() -> str:
    """The settings of a pretraining and of a further training with their defaults, and what they mean."""
    kinds = {"`pretrain` of a model file": Pretraining, "Settings of `compare.ROW.fine_tune`": FineTuning}
    parts = []
    for title, kind in kinds.items():
        rows = [f"| `{item.name}` | `{getattr(kind(), item.name)!r}` |" for item in fields(kind)]
        parts += [f"## {title}\n", "| setting | default |", "|---|---|", *rows, "", _text(inspect.getdoc(kind) or "")]
    return "\n".join(parts)


def _text(documented: str) -> str:
    return f"```text\n{documented}\n```\n"


def _learners() -> str:
    """The settings of each learner with their defaults, and what they mean."""
    names = plugins.names("marl_supply.learning.learners", Learner)
    known = {name: learner_named(name) for name in names}
    settings = list(dict.fromkeys(item.name for learner in known.values() for item in fields(learner)))
    rows = [f"| setting | {' | '.join(f'`{name}`' for name in names)} |", f"|---|{'---|' * len(names)}"]
    for setting in settings:
        values = [f"`{getattr(known[name], setting)!r}`" if hasattr(known[name], setting) else "" for name in names]
        rows.append(f"| `{setting}` | {' | '.join(values)} |")
    meanings = [_meaning(kind) for kind in dict.fromkeys(k for n in names for k in reversed(type(known[n]).__mro__))]
    head = (
        "## Settings of learners\n\nIn a row for one learner, or under `train` for all that have the setting. "
        "`tuned: FILE` in a row takes\nthose that a sweep found and wrote (`tuned/*.yaml` of its results); "
        "what the row states goes first."
    )
    return "\n".join([head, "", *rows, "", *filter(None, meanings)])


def _meaning(kind: type) -> str:
    """What the settings mean that a class brings; nothing where it brings none."""
    documented = inspect.cleandoc(kind.__doc__ or "")
    return _text(documented) if issubclass(kind, Learner) and "Attributes\n---" in documented else ""


def write(folder: Path) -> Path:
    """Write the page into a folder, and return its path."""
    (folder / PAGE).write_text(page(), encoding="utf-8")
    return folder / PAGE


if __name__ == "__main__":
    print(write(Path(__file__).resolve().parents[2] / "docs"))

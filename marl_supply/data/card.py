"""The card of a dataset: what was recorded, by whom, how well they did; as JSON and as a page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import special

from marl_supply.metrics.intervals import LEVEL

CARD, PAGE = "card.json", "README.md"
FORMAT, VERSION = "marl_supply.dataset", 1
EXACT = "exact"
"""Instead of a rule's name: the optimal policy of each instance."""


def returns_of(by_instance: Sequence[Sequence[float]]) -> dict[str, Any]:
    """The mean return of a player's episodes, money, and a 95% t interval given the instances that were drawn.

    Episodes of one instance are independent and alike; those of different instances are not alike, so their variances
    are added instance by instance (a stratified mean). There is no interval where an instance has a single episode.

    Parameters
    ----------
    by_instance
        The returns of its episodes, as many on each instance.
    """
    returns = np.array(by_instance, dtype=np.float64)
    instances, episodes = returns.shape
    mean, half = float(returns.mean()), None
    if episodes > 1:
        error = np.sqrt((returns.var(axis=1, ddof=1) / episodes).sum()) / instances
        half = float(error * special.stdtrit(instances * (episodes - 1), (1 + LEVEL) / 2))
    ends = {"low": None, "high": None} if half is None else {"low": mean - half, "high": mean + half}
    return {"mean": mean, **ends, "episodes": returns.size}


def card_of(
    name: str,
    topology: Mapping[str, Any],
    recorded: Mapping[str, Any],
    policies: Sequence[Mapping[str, Any]],
    instances: Sequence[Mapping[str, Any]],
    versions: Mapping[str, Any],
) -> dict[str, Any]:
    """The card as JSON.

    Parameters
    ----------
    name : str
        Of the dataset.
    topology
        Name, version and source of the chain.
    recorded
        Of the recording: agents, seeds, ranges, settings of the game.
    policies
        Of each player its name, parameters and returns.
    instances
        Of each instance its dataset, drawn settings, topology by value, counts and digests.
    versions
        Of the programs.
    """
    return {
        "format": FORMAT,
        "format_version": VERSION,
        "name": name,
        "topology": dict(topology),
        "recorded": dict(recorded),
        "policies": list(policies),
        "episodes": sum(entry["episodes"] for entry in instances),
        "steps": sum(entry["steps"] for entry in instances),
        "instances": list(instances),
        "versions": dict(versions),
    }


def page_of(card: Mapping[str, Any]) -> str:
    """The card as a page in Markdown."""
    recorded, topology = card["recorded"], card["topology"]
    several = len(recorded["agents"]) > 1
    lines = [
        f"# {card['name']}",
        "",
        f"{card['episodes']:,} episodes, {card['steps']:,} periods of `{topology['name']}` (version "
        f"{topology['version']}), recorded by `marl-supply dataset`; `card.json` has every number of this page.",
        "",
        f"* Source of the chain: {topology['source'] or 'not stated'}.",
        f"* Agents: {', '.join(recorded['agents'])}. Reward: {recorded['reward']}. Observed: {recorded['observe']}. "
        f"Actions: {recorded['actions']}. Periods of an episode: {recorded['horizon']}.",
        f"* Instances: {len(card['instances'])}. {_drawn(recorded)}.",
        f"* Seeds of episodes: {recorded['first_episode_seed']} on, {_seeds(recorded)}; `reset(seed=...)` begins the "
        f"same one.{_starts(recorded)}",
        "* Rewards are money" + ("; `infos['rewards']` has each agent's, `rewards` the sum." if several else "."),
        "* Actions are those of the environment nearest to what the policies decided, and are what was played.",
        "",
        "Returns are sums of rewards over an episode, warm-up included, their mean over all instances, and its 95% t "
        "interval given these instances; `card.json` has them instance by instance.",
        "",
        "| policy | parameters | random actions | episodes | return | interval |",
        "|---|---|---|---|---|---|",
        *(_row(policy) for policy in card["policies"]),
        "",
        "```python",
        "import minari",
        "",
        f'dataset = minari.load_dataset("{card["instances"][0]["dataset_id"]}")',
        "```",
        "",
        "Versions: " + ", ".join(f"{name} {version}" for name, version in card["versions"].items() if version) + ".",
    ]
    return "\n".join(lines) + "\n"


def _drawn(recorded: Mapping[str, Any]) -> str:
    if recorded["seed"] is None:
        return "Given one by one"
    drawn = [f"`{path}` from {text}" for path, text in recorded["vary"].items()]
    cases = [json.dumps(case) for case in recorded["cases"]]
    drawn += [f"one of `{'`, `'.join(cases)}`"] if cases else []
    return f"Drawn with seed {recorded['seed']}: {', '.join(drawn) or 'nothing'}"


def _seeds(recorded: Mapping[str, Any]) -> str:
    if recorded["common_seeds"]:
        return "on an instance the same for all policies"
    return "one each"


def _starts(recorded: Mapping[str, Any]) -> str:
    most = recorded["exploring_starts"]
    if not most:
        return ""
    return f" Episodes begin with 0 to {most} periods of random actions, the same for all who play a seed."


def _row(policy: Mapping[str, Any]) -> str:
    stated = ", ".join(
        f"{node}.{key}={value:g}" for node, own in policy["parameters"].items() for key, value in own.items()
    )
    if policy["policy"] == EXACT:
        stated = "optimal on each instance"
    if policy["tuned"]:
        stated = f"tuned on each instance, {policy['tuned']} replications" + (f", from {stated}" if stated else "")
    if policy["scale"] != 1:
        stated = f"{stated or 'its own'}, times {policy['scale']:g}"
    found = policy["returns"]
    interval = "-" if found["low"] is None else f"{found['low']:,.1f} to {found['high']:,.1f}"
    cells = [policy["name"], stated or "its own", f"{policy['random_share']:g}", f"{found['episodes']:,}"]
    return f"| {' | '.join(cells)} | {found['mean']:,.1f} | {interval} |"

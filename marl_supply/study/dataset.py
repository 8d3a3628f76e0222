"""Record a mix of policies on a family of instances, as Minari datasets with a card; whole or not at all."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from marl_supply.data.card import CARD, PAGE, card_of, page_of, returns_of
from marl_supply.data.episode import Episode, Player
from marl_supply.data.minari_files import MAIN, METADATA, datasets_root, digest, imported, write_episodes
from marl_supply.data.record import record
from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.policies.seating import parameters_of
from marl_supply.study.family import Range, draw_family
from marl_supply.study.folder import write_json, write_text
from marl_supply.study.players import seat_players
from marl_supply.study.provenance import versions

NAME = re.compile(r"[A-Za-z0-9_][-A-Za-z0-9_]*(/[A-Za-z0-9_][-A-Za-z0-9_]*)*")
FORM = 'write --policy "NAME NODE.KEY=VALUE ... random=SHARE"'


@dataclass(frozen=True)
class Mixed:
    """One policy of a mix: a rule or a file of trained policies for every seat, and how it departs from it.

    Attributes
    ----------
    label : str
        As it was stated.
    policy : str
        Name of the rule, or path of the file.
    parameters : mapping
        Of the rule, by node.
    random_share : float
        Probability that an action is drawn at random instead, -.
    """

    label: str
    policy: str
    parameters: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    random_share: float = 0.0

    @classmethod
    def parse(cls, stated: str) -> Mixed:
        """From ``NAME``, or ``"NAME NODE.KEY=VALUE ... random=SHARE"``.

        Raises
        ------
        InputError
            For anything else.
        """
        name, *words = stated.split() or [""]
        parameters: dict[str, dict[str, float]] = {}
        share = 0.0
        for word in words:
            path, _, text = word.partition("=")
            node, _, key = path.rpartition(".")
            try:
                number = float(text)
            except ValueError:
                raise InputError(f"--policy {stated}: '{word}' states no number; {FORM}") from None
            if path == "random":
                share = number
            elif node and key:
                parameters.setdefault(node, {})[key] = number
            else:
                raise InputError(f"--policy {stated}: '{word}' names no parameter of a node; {FORM}")
        if not name or not 0 <= share <= 1:
            raise InputError(f"--policy {stated}: name a policy, and a share from 0 to 1; {FORM}")
        return cls(" ".join(stated.split()), name, parameters, share)


def record_dataset(
    chain: Any,
    name: str,
    mix: Sequence[Mixed],
    episodes: int,
    *,
    overrides: Sequence[str] = (),
    ranges: Sequence[Range] = (),
    instances: int = 1,
    seed: int = 0,
    first_episode_seed: int = 0,
    told: Callable[[str], None] = lambda line: None,
) -> Path:
    """Record and write a dataset, and return its folder.

    Parameters
    ----------
    chain
        What `load` takes.
    name : str
        Folders under MINARI_DATASETS_PATH, such as ``lost_sales/v0``; instance i is the Minari dataset
        ``NAME/instance_00i-v0``.
    mix
        Who plays; each plays `episodes` episodes on every instance.
    overrides, ranges, instances, seed
        The family, see `draw_family`.
    first_episode_seed : int
        Each episode has a seed of its own, one after another from here.
    told
        Gets a line after every instance.

    Raises
    ------
    InputError
        For a name that is taken or not one of Minari's, and all that the chain and the policies refuse; nothing is
        left on disk then.
    """
    imported("h5py")
    for number, own in enumerate(mix):
        if own.label in (other.label for other in mix[:number]):
            raise InputError(f"--policy {own.label}: it stands twice; give it more --episodes instead")
    final = _free_folder(name)
    partial = final.with_name(f".{final.name}.partial-{os.getpid()}")
    try:
        family = draw_family(chain, overrides, ranges, instances, seed)
        entries: list[dict[str, Any]] = []
        returns: dict[str, list[list[float]]] = {own.label: [] for own in mix}
        for number, (settings, topology) in enumerate(family):
            game = Game(topology)
            start = first_episode_seed + number * len(mix) * episodes
            players = [
                Player(own.label, seat_players(game, own.policy, own.parameters), own.random_share) for own in mix
            ]
            played = _play(game, players, episodes, start)
            earned = {own.label: _returns(played, own.label) for own in mix}
            for label, those in earned.items():
                returns[label].append(those)
            did = {own.name: _did(game, own, earned[own.name]) for own in players}
            entries.append({**_write(partial, name, number, game, settings, played), "policies": did})
            told(f"instance {number + 1} of {len(family)}: {len(played):,} episodes")
        game = Game(family[0][1])
        card = card_of(
            name,
            {key: getattr(game.topology, key) for key in ("name", "version", "source")},
            _recorded(game, ranges, seed, first_episode_seed),
            [_policy(own, returns[own.label]) for own in mix],
            entries,
            {**versions(), **{package: metadata.version(package) for package in ("minari", "h5py")}},
        )
        write_json(partial / CARD, card)
        write_text(partial / PAGE, page_of(card))
        partial.rename(final)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return final


def _free_folder(name: str) -> Path:
    if not NAME.fullmatch(name) or len(name) < 2:
        raise InputError(f"--out {name}: use letters, digits, _ and -, and / between folders, such as lost_sales/v0")
    final = datasets_root() / name
    if final.exists():
        raise InputError(f"--out {name}: there is something at {final} already; choose another name or remove it")
    return final


def _play(game: Game, players: Sequence[Player], episodes: int, first_seed: int) -> list[Episode]:
    played: list[Episode] = []
    for number, player in enumerate(players):
        start = first_seed + number * episodes
        played += record(game, player, range(start, start + episodes))
    return played


def _returns(played: Sequence[Episode], player: str) -> list[float]:
    return [float(episode.total_rewards.sum()) for episode in played if episode.player == player]


def _did(game: Game, player: Player, returns: Sequence[float]) -> dict[str, Any]:
    """What a player's parameters were on an instance, and what it earned there."""
    return {"parameters": parameters_of(game, player.policies), "returns": returns_of([returns])}


def _write(
    folder: Path, name: str, number: int, game: Game, settings: Mapping[str, Any], played: Sequence[Episode]
) -> dict[str, Any]:
    """Write an instance; return its entry in the card."""
    own = f"instance_{number:03d}-v0"
    dataset_id, document = f"{name}/{own}", game.topology.to_dict()
    about = {
        "description": f"{game.topology.name}, instance {number}, recorded by marl-supply dataset",
        "settings": dict(settings),
        "topology": json.dumps(document, allow_nan=False),
    }
    sha256 = {MAIN: write_episodes(folder / own, dataset_id, game, played, about)}
    sha256[METADATA] = digest(folder / own / "data" / METADATA)
    steps = sum(map(len, played))
    return {
        "dataset_id": dataset_id,
        "folder": own,
        "settings": dict(settings),
        "episodes": len(played),
        "steps": steps,
        "sha256": sha256,
        "topology": document,
    }


def _recorded(game: Game, ranges: Sequence[Range], seed: int, first_episode_seed: int) -> dict[str, Any]:
    return {
        "agents": list(game.agents),
        "reward": game.reward if isinstance(game.reward, str) else dict(game.reward),
        "observe": game.observe_level,
        "actions": game.action_kind,
        "horizon": game.horizon,
        "vary": {own.path: own.text for own in ranges},
        "seed": seed,
        "first_episode_seed": first_episode_seed,
    }


def _policy(own: Mixed, returns: Sequence[Sequence[float]]) -> dict[str, Any]:
    return {
        "name": own.label,
        "policy": own.policy,
        "parameters": {node: dict(values) for node, values in own.parameters.items()},
        "random_share": own.random_share,
        "returns": returns_of(returns),
    }

"""Recorded play: episodes with what was seen, done and earned, written for and read by Minari."""

from marl_supply.data.episode import Episode, Player
from marl_supply.data.load import Dataset, Instance, load_dataset
from marl_supply.data.record import record

__all__ = ["Dataset", "Episode", "Instance", "Player", "load_dataset", "record"]

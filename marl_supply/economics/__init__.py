"""Money from flows: accounts booked to places, contracts as transfers between them, rewards as blends of costs."""

from marl_supply.economics.accounts import Books
from marl_supply.economics.rewards import rewards

__all__ = ["Books", "rewards"]

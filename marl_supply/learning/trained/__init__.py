"""Trained policies: numbers and a description, played with numpy alone. One file for each kind of actor."""

from marl_supply.learning.trained.file import load_policies, save_policies
from marl_supply.learning.trained.trained_policy import TrainedPolicy

__all__ = ["TrainedPolicy", "load_policies", "save_policies"]

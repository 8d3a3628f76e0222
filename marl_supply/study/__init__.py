"""The experiment file: what is compared, trained and scored, in a folder that says where every number comes from."""

from marl_supply.study.experiment import Experiment
from marl_supply.study.load import load, names
from marl_supply.study.run import run

__all__ = ["Experiment", "load", "names", "run"]

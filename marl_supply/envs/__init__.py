"""The faces that games show to learning libraries: PettingZoo's parallel and agent-by-agent interfaces, and
Gymnasium's for games with one agent.

A face adds nothing to a game: it plays one replication, turns actions of Gymnasium spaces into decisions and what an
agent sees into float32 vectors. Everything that scores policies talks to the `Game` instead.
"""

from marl_supply.envs.aec import aec_env
from marl_supply.envs.gym import gym_env
from marl_supply.envs.parallel import parallel_env
from marl_supply.envs.registration import make, names
from marl_supply.envs.vector import gym_vector_env

__all__ = ["aec_env", "gym_env", "gym_vector_env", "make", "names", "parallel_env"]

"""A ray cluster of three nodes with a processor each on this machine, and a command line run on it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NODE = {"num_cpus": 1, "object_store_memory": 100_000_000, "include_dashboard": False}
PATIENCE = 300.0
"""Seconds that anything here may take."""


@contextmanager
def three_nodes(directory: Path) -> Iterator[Any]:
    """A cluster whose nodes start in `directory`."""
    import ray._private.utils as addresses
    from ray.cluster_utils import Cluster

    here, write = Path.cwd(), addresses.write_ray_address
    addresses.write_ray_address = lambda *_: None  # whoever else runs ray on this machine shall not find it
    os.chdir(directory)
    cluster = Cluster(initialize_head=True, head_node_args=dict(NODE))
    try:
        for _ in range(2):
            cluster.add_node(**NODE)
        yield cluster
    finally:
        os.chdir(here)
        addresses.write_ray_address = write
        cluster.shutdown()


def start(arguments: list[str], directory: Path, paths: list[Path] | None = None) -> subprocess.Popen[str]:
    """``python -m marl_supply ...`` in a directory, with more places to import from."""
    found = os.pathsep.join([*map(str, paths or []), *sys.path])
    return subprocess.Popen(
        [sys.executable, "-m", "marl_supply", *arguments],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": found, "IN_THE_DRIVER": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[Path, str]:
    """The results folder that a run printed, and what it said on the way."""
    try:
        out, said = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.terminate()
        out, said = process.communicate()
    assert process.returncode == 0, said
    return Path(out.splitlines()[-1]).parent, said


def until(condition: Any) -> Any:
    """What a condition gives when it gives something."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise TimeoutError


def workers(cluster: Any, title: str) -> dict[int, Any]:
    """Processes of the cluster whose title begins so, and the node of each."""
    nodes = {node.all_processes["raylet"][0].process.pid: node for node in cluster.list_all_nodes()}
    found = {}
    for place in Path("/proc").iterdir():
        try:
            parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
            if parent in nodes and (place / "cmdline").read_text().startswith(title):
                found[int(place.name)] = nodes[parent]
        except (OSError, IndexError, ValueError):
            continue
    return found


def kill(process: int) -> None:
    """End a process as a power cut would."""
    os.kill(process, signal.SIGKILL)

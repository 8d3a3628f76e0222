"""Reach a running ray cluster, and ship the modules that its workers are to import."""

from __future__ import annotations

import importlib.util
import logging
import os
import socket
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import ray
from ray.exceptions import AuthenticationError, RayError

from marl_supply.errors import InputError
from marl_supply.learning.rllib.session import ENVIRONMENT

REACH = 5.0
"""Seconds that a cluster's door has to open."""
CLIENT = "ray://"
TOKEN = "set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN (or RAY_AUTH_TOKEN_PATH) to those of the cluster"


def connect(address: str, modules: Sequence[Path] = ()) -> None:
    """Connect this process to a running cluster.

    Parameters
    ----------
    address : str
        ``auto`` for the cluster that this machine belongs to (or the one in RAY_ADDRESS), ``HOST:PORT`` from a machine
        of the cluster, ``ray://HOST:10001`` from anywhere.
    modules
        Packages (folders) and modules (files) that its workers shall be able to import.

    Raises
    ------
    InputError
        If it cannot be reached, or refuses the token.
    """
    if ray.is_initialized():
        raise InputError(f"--on {address}: this process is connected to ray already; call ray.shutdown() first")
    _knock(address)
    environment: dict[str, Any] = {"env_vars": {"OMP_NUM_THREADS": "1", **ENVIRONMENT}}
    if modules:
        environment["py_modules"] = [str(module) for module in modules]
    with tempfile.TemporaryFile() as said:
        try:
            with _into(said):
                ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, runtime_env=environment)
        except AuthenticationError as error:
            raise InputError(f"--on {address}: no token is set here ({first_line(error)}); {TOKEN}") from None
        except (ConnectionError, RuntimeError, ValueError, RayError, OSError) as error:
            said.seek(0)
            if b"InvalidAuthToken" in said.read():
                raise InputError(f"--on {address}: the cluster refuses this token, or wants one; {TOKEN}") from None
            hint = "start one with `ray start --head`, or give its address"
            raise InputError(f"--on {address}: no ray cluster ({first_line(error)}); {hint}") from None


@contextmanager
def _into(file: IO[bytes]) -> Iterator[None]:
    """Send what this process writes to stderr, ray's own core too, into a file."""
    sys.stderr.flush()
    before = os.dup(2)
    os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(before, 2)
        os.close(before)


def disconnect() -> None:
    """Leave the cluster; it goes on."""
    ray.shutdown()


def _knock(address: str) -> None:
    """Refuse an address that is none, or where nobody listens."""
    if address == "auto":
        return
    if address.startswith(CLIENT) and importlib.util.find_spec("grpc") is None:
        raise InputError(f'--on {address}: ray\'s client needs grpcio; pip install "ray[client]"')
    host, _, port = address.removeprefix(CLIENT).rpartition(":")
    if not host or not port.isdigit():
        raise InputError(f"--on {address}: not an address; use auto, HOST:PORT or ray://HOST:10001")
    try:
        socket.create_connection((host, int(port)), timeout=REACH).close()
    except (OSError, OverflowError) as error:
        raise InputError(f"--on {address}: nobody answers there ({error}); is the cluster up?") from None


def plug_in_modules(names: Iterable[str]) -> list[Path]:
    """Where the top packages of dotted paths ``my_pkg.my_mod:Thing`` lie here; those of this package are left out."""
    found = {}
    for name in names:
        top = name.partition(":")[0].partition(".")[0]
        if top == "marl_supply" or not top.isidentifier():
            continue
        spec = importlib.util.find_spec(top)
        if spec is not None and spec.submodule_search_locations:
            found[top] = Path(next(iter(spec.submodule_search_locations)))
        elif spec is not None and spec.origin and spec.origin.endswith(".py"):
            found[top] = Path(spec.origin)
    return list(found.values())


def first_line(error: Exception) -> str:
    """What an error says, in short."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__).split(". ")[0][:160].rstrip(".")

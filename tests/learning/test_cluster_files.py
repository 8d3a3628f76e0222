"""The cluster examples: strict YAML, what Ray's and KubeRay's schemas ask for, and commands that this package knows."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

import marl_supply
from marl_supply.cli.parser import parse
from marl_supply.study.load import names
from marl_supply.topology import strict_yaml

FOLDER = Path(marl_supply.__file__).parents[1] / "cluster"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="an installed package has no examples")


def runs(command: str) -> Any:
    """The options of a command line of ours; the experiment must be one that is shipped."""
    program, *arguments = shlex.split(command)
    assert program == "marl-supply"
    _, options = parse(arguments)
    assert options.verb == "run" and options.on == "auto" and options.experiment in names()
    return options


def test_ray_up() -> None:
    ray = pytest.importorskip("ray")
    jsonschema = pytest.importorskip("jsonschema")
    document = strict_yaml.read(FOLDER / "aws.yaml")
    schema = json.loads((Path(ray.__file__).parent / "autoscaler" / "ray-schema.json").read_text())
    jsonschema.validate(document, schema)
    assert document["head_node_type"] in document["available_node_types"]
    for part in ("head", "worker"):
        started = [line for line in document[f"{part}_start_ray_commands"] if "ray start" in line]
        assert len(started) == 1 and started[0].startswith("RAY_AUTH_MODE=token ")
    assert "~/.ray/auth_token" in document["file_mounts"].values()
    said = re.findall(r'ray exec cluster/aws.yaml "(.*)"', (FOLDER / "aws.yaml").read_text())
    assert [runs(command).results for command in said] == ["/home/ubuntu/results"]


def test_rayjob() -> None:
    document = strict_yaml.read(FOLDER / "kuberay_rayjob.yaml")
    assert (document["apiVersion"], document["kind"]) == ("ray.io/v1", "RayJob")
    spec = document["spec"]
    results = runs(spec["entrypoint"]).results
    cluster = spec["rayClusterSpec"]
    assert cluster["authOptions"] == {"mode": "token"}
    pods = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    for group in pods:
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
        assert len(group["template"]["spec"]["containers"]) == 1
    assert len({group["template"]["spec"]["containers"][0]["image"] for group in pods}) == 1
    head = pods[0]["template"]["spec"]
    mounts = {mount["name"]: mount["mountPath"] for mount in head["containers"][0]["volumeMounts"]}
    assert mounts == {head["volumes"][0]["name"]: results}
    for group in cluster["workerGroupSpecs"]:
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
    pins = (FOLDER.parent / "constraints.txt").read_text()
    assert f"ray=={cluster['rayVersion']}\n" in pins

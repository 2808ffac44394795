"""The manifest in docs/clusters: it has no field that KubeRay and Kubernetes do not know.

`KNOWN` is written by hand: the fields that a manifest of ours may use, with their kinds. KubeRay's
are those of its Go types of `ray.io/v1`, `authOptions` from its 1.5.1 on; its schema itself is in
no package that can be installed. The pod was held to Kubernetes 1.30's and 1.37's schema once, by
the package kubernetes-validate, strictly.
"""

import shlex
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from cnn_ablation.execution.options import RECORDS, StudyOptions
from cnn_ablation.options import declared

ROOT = Path(__file__).parents[1]
MANIFEST = ROOT / "docs" / "clusters" / "rayjob.yaml"
TEXT, COUNT = {"type": "string"}, {"type": "integer", "minimum": 0}


def fields(*required: str, **known: Any) -> dict[str, Any]:
    """An object of these fields and no others."""
    return {
        "type": "object",
        "properties": known,
        "required": list(required),
        "additionalProperties": False,
    }


def several(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def texts() -> dict[str, Any]:
    """A map of texts; numbers in it must be quoted."""
    return {"type": "object", "additionalProperties": TEXT}


POD = fields(
    "spec",
    spec=fields(
        "containers",
        containers=several(
            fields(
                *("name", "image"),
                name=TEXT,
                image=TEXT,
                env=several(fields("name", "value", name=TEXT, value=TEXT)),
                resources=fields(limits=texts(), requests=texts()),
                volumeMounts=several(fields("name", "mountPath", name=TEXT, mountPath=TEXT)),
            )
        ),
        volumes=several(
            fields(
                "name",
                name=TEXT,
                persistentVolumeClaim=fields("claimName", claimName=TEXT),
            )
        ),
    ),
)
WORKERS = fields(
    *("groupName", "minReplicas", "maxReplicas", "template"),
    groupName=TEXT,
    replicas=COUNT,
    minReplicas=COUNT,
    maxReplicas=COUNT,
    rayStartParams=texts(),
    template=POD,
)
CLUSTER = fields(
    "headGroupSpec",
    rayVersion=TEXT,
    authOptions=fields(mode={"enum": ["disabled", "token"]}),
    headGroupSpec=fields("template", rayStartParams=texts(), template=POD),
    workerGroupSpecs=several(WORKERS),
)
KNOWN = fields(
    *("apiVersion", "kind", "metadata", "spec"),
    apiVersion={"const": "ray.io/v1"},
    kind={"const": "RayJob"},
    metadata=fields("name", name=TEXT),
    spec=fields(
        *("entrypoint", "rayClusterSpec"),
        entrypoint=TEXT,
        shutdownAfterJobFinishes={"type": "boolean"},
        rayClusterSpec=CLUSTER,
    ),
)


@pytest.fixture
def manifest() -> Any:
    return yaml.safe_load(MANIFEST.read_text())


def test_the_manifest_has_known_fields_alone(manifest: Any) -> None:
    jsonschema.validate(manifest, KNOWN)
    cluster = manifest["spec"]["rayClusterSpec"]
    volumes = {volume["name"] for volume in cluster["headGroupSpec"]["template"]["spec"]["volumes"]}
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        for container in group["template"]["spec"]["containers"]:
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes


@pytest.mark.parametrize(
    "damage",
    [
        lambda it: it["spec"].update(entryPoint="x"),
        lambda it: it["spec"]["rayClusterSpec"]["authOptions"].update(mode="on"),
        lambda it: it["spec"]["rayClusterSpec"]["headGroupSpec"]["rayStartParams"].update(cpus=0),
        lambda it: it["spec"]["rayClusterSpec"]["workerGroupSpecs"][0].update(replicas="8"),
    ],
)
def test_what_is_not_known_is_refused(manifest: Any, damage: Any) -> None:
    damage(manifest)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(manifest, KNOWN)


def test_its_command_is_one_of_ours(manifest: Any) -> None:
    python, m, module, *words = shlex.split(manifest["spec"]["entrypoint"])
    assert (python, m) == ("python", "-m")
    assert (ROOT / f"{module.replace('.', '/')}.py").is_file()
    flags = {word.removeprefix("--").partition("=")[0] for word in words}
    known = [declared(StudyOptions), *map(declared, RECORDS.values())]
    assert flags <= {name for options in known for name in options} | {"data_dir"}
    cluster = manifest["spec"]["rayClusterSpec"]
    (workers,) = cluster["workerGroupSpecs"]
    (container,) = workers["template"]["spec"]["containers"]
    cores = int(container["resources"]["limits"]["cpu"])
    assert f"--workers={cores * workers['replicas']}" in words

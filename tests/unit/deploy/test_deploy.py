"""What lies in `deploy/` speaks of things that are there: metrics, settings, paths, commands."""

from __future__ import annotations

import configparser
import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its stubs would be one more requirement

from backend.config.settings import Settings
from backend.metrics.metrics import Metrics
from backend.routes.application import build_app
from backend.routes.permissions import needed

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"


def expressions() -> Iterator[tuple[str, str]]:
    rules = yaml.safe_load((DEPLOY / "prometheus" / "tensoe.rules.yml").read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            assert rule["annotations"].keys() == {"summary", "description"}, rule["alert"]
            assert rule["labels"]["severity"] in {"critical", "warning", "info"}
            yield rule["alert"], rule["expr"]
    board = json.loads((DEPLOY / "grafana" / "tensoe.json").read_text())
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def names_and_labels() -> dict[str, set[str]]:
    registry = Metrics().registry
    return {
        name: set(getattr(collector, "_labelnames", ()))
        for collector, names in registry._collector_to_names.items()
        for name in names
    }


@pytest.mark.parametrize(("where", "expression"), list(expressions()))
def test_rules_and_board_ask_for_metrics_and_labels_that_are_served(where: str, expression: str) -> None:
    there = names_and_labels()
    asked = set(re.findall(r"tensoe_[a-z_]+", expression))
    assert asked or expression.startswith("up{"), where
    labels = {"instance", "le"}
    for name in asked:
        assert name in there, f"{where}: {name}"
        labels |= there[name]
    for listed in re.findall(r"by \(([^)]*)\)", expression):
        assert set(listed.replace(" ", "").split(",")) <= labels, where
    for label in re.findall(r"[{,]\s*([a-z_]+)\s*[=!]", expression.replace('up{job="tensoe"}', "")):
        assert label in labels, where


@pytest.mark.parametrize("unit", sorted((DEPLOY / "systemd").iterdir()), ids=lambda path: path.name)
def test_units_start_what_there_is_and_may_little(unit: Path) -> None:
    found = configparser.ConfigParser(strict=False, interpolation=None)
    found.optionxform = str  # type: ignore[assignment,method-assign]  # as the library documents it
    found.read(unit)
    service = found["Service"]
    _, flag, module, *_ = service["ExecStart"].split()
    assert flag == "-m"
    assert importlib.util.find_spec(module) is not None
    assert service["User"] == "tensoe"
    assert (service["NoNewPrivileges"], service["ProtectSystem"], service["CapabilityBoundingSet"]) == (
        "yes",
        "strict",
        "",
    )


def documents() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / "kubernetes" / "tensoe.yaml").read_text()))


def test_manifests_set_what_is_a_setting_and_look_at_what_is_served() -> None:
    kinds = {(d["kind"], d["metadata"]["name"]): d for d in documents()}
    settings = {name for group in Settings().shown().values() for name in group}
    assert set(kinds["ConfigMap", "tensoe"]["data"]) <= settings
    paths = build_app(Settings()).openapi()["paths"]
    api = kinds["Deployment", "tensoe"]["spec"]["template"]["spec"]["containers"][0]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        path = api[probe]["httpGet"]["path"]
        assert path in paths
        assert needed("GET", path) is None, "a probe has no key"
    assert (
        kinds["Service", "tensoe"]["spec"]["selector"]
        == kinds["Deployment", "tensoe"]["spec"]["selector"]["matchLabels"]
    )


@pytest.mark.parametrize("name", ["tensoe", "tensoe-worker"])
def test_containers_run_as_the_image_s_user_and_may_little(name: str) -> None:
    pod = next(d for d in documents() if d["kind"] == "Deployment" and d["metadata"]["name"] == name)["spec"][
        "template"
    ]["spec"]
    user = re.search(r"--uid (\d+)", (ROOT / "Dockerfile").read_text())
    assert user is not None
    assert pod["securityContext"]["runAsUser"] == int(user[1])
    assert pod["securityContext"]["runAsNonRoot"]
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    mounted = {m["name"] for m in container["volumeMounts"]}
    assert mounted == {v["name"] for v in pod["volumes"]}
    assert container["resources"]["limits"]["memory"]

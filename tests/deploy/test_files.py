"""What is deployed: the linters' verdict, and that the files agree with each other and with the app."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyOptions

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
MANIFESTS = {
    (found["kind"], found["metadata"]["name"]): found
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    for found in yaml.safe_load_all(path.read_text("utf-8"))
    if "metadata" in found
}
PODS = {
    name: found["spec"]["template"]["spec"] for (_, name), found in MANIFESTS.items() if "template" in found["spec"]
}
ONCE = {"bucket", "certificates"}  # they do their work and end


def lint(*command: str) -> str:
    """What a linter that is installed here prints."""
    program = shutil.which(command[0], path=str(Path(sys.executable).parent))
    assert program, f"{command[0]} isn't installed"
    done = subprocess.run([program, *command[1:]], cwd=DEPLOY, capture_output=True, text=True, check=False)
    return f"{done.stdout}{done.stderr}" if done.returncode else ""


def test_the_container_file_passes_hadolint() -> None:
    assert not lint("hadolint", "Containerfile")


def test_the_yaml_files_pass_yamllint() -> None:
    assert not lint("yamllint", "--strict", "compose.yaml", "kubernetes", "traefik/traefik.yaml")


def test_the_compose_file_is_what_compose_accepts() -> None:
    options = PyOptions()
    options.apply_merge = True
    found = options.from_yaml((DEPLOY / "compose.yaml").read_text("utf-8"))
    found.validate()
    assert set(found.service_names()) == set(COMPOSE["services"])


@pytest.mark.parametrize("name", ["web", "training", "storage"])
def test_the_manifests_are_what_kubernetes_accepts(name: str) -> None:
    assert not lint("kubernetes-validate", "--strict", f"kubernetes/{name}.yaml")


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_a_part_has_a_health_check_and_no_rights_beyond_its_own(name: str) -> None:
    part = COMPOSE["services"][name]
    assert part["read_only"] is True
    assert part["cap_drop"] == ["ALL"]
    assert name in ONCE or part["security_opt"] == ["no-new-privileges:true"]
    # The images of web and worker bring theirs.
    own = part["image"] in ("lstm-lab-web", "lstm-lab-worker") and "healthcheck" not in part
    assert own or name in ONCE or part["healthcheck"]["test"]


@pytest.mark.parametrize("name", PODS)
def test_a_pod_runs_without_rights_and_says_what_it_needs(name: str) -> None:
    pod = PODS[name]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    for container in pod["containers"]:
        rights = container["securityContext"]
        assert rights["readOnlyRootFilesystem"] is True
        assert rights["allowPrivilegeEscalation"] is False
        assert rights["capabilities"] == {"drop": ["ALL"]}
        assert {"requests", "limits"} <= set(container["resources"])
        assert name in ONCE or "livenessProbe" in container
        mounted = {each["name"] for each in container["volumeMounts"]}
        claims = {each["metadata"]["name"] for _, each in _claims(name)}
        assert mounted == {each["name"] for each in pod["volumes"]} | claims


def _claims(name: str) -> list[tuple[str, dict[str, Any]]]:
    found = MANIFESTS.get(("StatefulSet", name))
    return [(name, each) for each in found["spec"]["volumeClaimTemplates"]] if found else []


def test_both_have_the_same_parts() -> None:
    composed = {re.sub(r"-\d$", "", name) for name in COMPOSE["services"]} - {"certificates", "proxy"}
    assert set(PODS) == composed
    for (kind, name), found in MANIFESTS.items():
        if kind == "Service":
            assert found["spec"]["selector"]["app"] in PODS, name


def test_no_secret_is_written_down() -> None:
    for path in (
        each for each in DEPLOY.rglob("*") if each.suffix in (".yaml", ".template") or "Container" in each.name
    ):
        for line in path.read_text("utf-8").splitlines():
            if found := re.search(r"(?i)(password|operator_key|secret_access_key)(_file)?[\"']?\s*[:=]\s*(.+)", line):
                assert found[2] or "/secrets/" in found[3] or "secrets/" in found[3], line


def test_who_is_asked_to_end_has_the_time_that_the_app_takes() -> None:
    grace = int(re.search(r"LSTM_LAB_GRACE=(\d+)", (DEPLOY / "Containerfile").read_text("utf-8"))[1])  # type: ignore[index]
    assert PODS["web"]["terminationGracePeriodSeconds"] > grace
    for name in ("web-1", "web-2"):
        assert 60 * int(COMPOSE["services"][name]["stop_grace_period"].removesuffix("m")) > grace


def test_proxies_take_what_the_app_takes() -> None:
    megabytes = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["server"]["maxUploadSize"]
    nginx = (DEPLOY / "nginx" / "lstm-lab.conf.template").read_text("utf-8")
    traefik = (DEPLOY / "traefik" / "lstm-lab.yaml").read_text("utf-8")
    assert f"client_max_body_size {megabytes + 1}m;" in nginx
    assert f"maxRequestBodyBytes: {(megabytes + 1) * 2**20} " in traefik


def test_every_setting_is_one_of_the_app() -> None:
    ours = {
        "LSTM_LAB_LISTEN",
        "LSTM_LAB_PREFIX",
        "LSTM_LAB_SERVERS",
        "LSTM_LAB_WEB",
        "LSTM_LAB_STORE",
    }  # of the proxies
    known = "".join(
        path.read_text("utf-8") for part in ("lstm_core", "ui", "pages") for path in (ROOT / part).rglob("*.py")
    )
    for path in (each for each in DEPLOY.rglob("*") if each.is_file() and each.suffix in (".yaml", "", ".py")):
        for name in re.findall(r"LSTM_LAB_[A-Z_]*[A-Z]", path.read_text("utf-8", "replace")):
            assert name.removesuffix("_FILE") in ours or name.removesuffix("_FILE") in known, (path.name, name)


def test_the_web_image_needs_no_tensorflow_and_no_compiler() -> None:
    text = (DEPLOY / "Containerfile").read_text("utf-8")
    web = text.split("AS web-packages")[1].split("FROM")[0]
    assert re.findall(r"-r (\S+)", web) == ["deploy/requirements.txt"]
    wanted = (DEPLOY / "requirements.txt").read_text("utf-8") + (ROOT / "requirements-web.txt").read_text("utf-8")
    assert not re.search(r"(?m)^(tensorflow|keras|jax|torch)", wanted)
    assert not re.search(r"apt-get|build-essential|gcc", text)
    assert text.count("USER 10001:10001") == 2


def test_an_image_holds_what_it_needs_and_no_secret() -> None:
    text = (DEPLOY / "Containerfile").read_text("utf-8")
    allowed = {
        line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line[:1] == "!"
    }
    for line in re.findall(r"(?m)^COPY (?!--from)(.+) \S+$", text):
        for pattern in line.split():
            found = list(ROOT.glob(pattern))
            assert found, pattern
            for each in found:
                name = each.relative_to(ROOT)
                assert any(name.match(one) for one in allowed), name
                assert name != Path("deploy")  # it has the folders `secrets` and `certificates`
    web = text.split("AS web-packages")[1].split("FROM")[0]
    copied = [
        each for line in re.findall(r"(?m)^COPY (.+) \S+$", web) for one in line.split() for each in ROOT.glob(one)
    ]
    files = [file for each in copied for file in ([each] if each.is_file() else each.rglob("*"))]
    size = sum(file.stat().st_size for file in files if file.is_file() and "__pycache__" not in file.parts)
    assert size < 80e6  # of which deploy/README.md says what the image takes


def test_programs_that_do_not_look_in_their_folder_find_the_lab() -> None:
    base = (DEPLOY / "Containerfile").read_text("utf-8").split("AS base")[1].split("FROM")[0]
    (scheduler,) = PODS["scheduler"]["containers"]
    for command in (COMPOSE["services"]["scheduler"]["command"], scheduler["args"]):
        assert command[0] == "dask"  # its script, beside which Python looks for modules
        assert {"--preload=lstm_core.logs", "--preload=lstm_core.jobs.tls"} <= {*command}
        assert re.search(r"PYTHONPATH=/lab\b", base)

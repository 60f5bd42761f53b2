"""Secrets are in the cluster alone: the manifests name them, one pod makes them, and neither shows one."""

import importlib.util
import sys
from copy import deepcopy
from pathlib import Path
from types import ModuleType

import pytest
from deploy.manifests import K8S, PROJECT, Pod, of_kind, pods, roots
from salon_common.tokens import AppRegistry, sign_app_token, verify_app_token


def load_script() -> ModuleType:
    path = K8S / "components" / "secrets-generated" / "make_secrets.py"
    spec = importlib.util.spec_from_file_location("make_secrets", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


make_secrets = load_script()
OPERATORS = {
    ("salon-alertmanager", ""),
    ("nats-tls", ""),
    ("nats-trust", ""),
    ("nats-leaf-tls", ""),
    ("turn-tls", "tls.crt"),
    ("turn-tls", "tls.key"),
    ("salon-turn", "password"),
    ("salon-nats", "leaf"),
}
"""Those that cert-manager makes, and those that only an operator can know."""


class Cluster:
    """The secrets of a cluster."""

    def __init__(self) -> None:
        self.secrets: dict[tuple[str, str], dict[str, str]] = {}

    def read(self, secret: object) -> dict[str, str] | None:
        return self.secrets.get(self._key(secret))

    def create(self, secret: object, content: dict[str, str]) -> None:
        assert self._key(secret) not in self.secrets
        self.secrets[self._key(secret)] = dict(content)

    def add(self, secret: object, content: dict[str, str]) -> None:
        present = self.secrets[self._key(secret)]
        assert not present.keys() & content.keys(), "what is there is never changed"
        present |= content

    def _key(self, secret: object) -> tuple[str, str]:
        return secret.namespace, secret.name  # type: ignore[attr-defined]


def test_a_new_cluster_gets_every_secret_and_a_second_run_changes_none() -> None:
    cluster = Cluster()
    made = make_secrets.ensure_all(cluster)
    before = deepcopy(cluster.secrets)
    assert len(made) == len(cluster.secrets) == 5
    assert make_secrets.ensure_all(cluster) == []
    assert cluster.secrets == before


def test_the_lines_that_are_logged_show_no_secret() -> None:
    cluster = Cluster()
    lines = "\n".join(make_secrets.ensure_all(cluster))
    for content in cluster.secrets.values():
        for value in content.values():
            assert value.strip() not in lines


def test_media_has_its_own_password_and_no_other() -> None:
    cluster = Cluster()
    make_secrets.ensure_all(cluster)
    assert cluster.secrets["salon-media", "salon-nats"] == {
        "media": cluster.secrets["salon", "salon-nats"]["media"]
    }


def test_a_user_that_a_new_version_brings_is_added_to_those_there() -> None:
    cluster = Cluster()
    make_secrets.ensure_all(cluster)
    passwords = cluster.secrets["salon", "salon-nats"]
    kept = dict(passwords)
    del passwords["operator"]
    assert make_secrets.ensure_all(cluster) == ["salon/salon-nats: operator"]
    assert passwords.keys() == kept.keys()
    assert passwords["operator"] != kept.pop("operator")
    assert kept.items() <= passwords.items()


def test_passwords_are_read_by_nats_as_text() -> None:
    cluster = Cluster()
    make_secrets.ensure_all(cluster)
    for password in cluster.secrets["salon", "salon-nats"].values():
        assert password[0].isalpha()
        assert password.isalnum()
        assert len(password) >= 40


def test_the_demo_app_signs_what_signaling_verifies(tmp_path: Path) -> None:
    cluster = Cluster()
    make_secrets.ensure_all(cluster)
    apps = tmp_path / "apps.json"
    apps.write_text(cluster.secrets["salon", "salon-keys"]["apps.json"])
    private = cluster.secrets["salon", "salon-demo-app"]["app.pem"]
    token = sign_app_token(private, "demo", "somebody", None, 1_000.0, "nonce")
    assert verify_app_token(AppRegistry.load(apps), token, 1_000.0).subject == "somebody"


@pytest.mark.parametrize("root", roots())
def test_no_manifest_holds_a_secret(root: str) -> None:
    assert of_kind(root, "Secret") == []
    for pod in pods(root):
        for container in pod.containers:
            for variable in container.get("env", []):
                name, value = variable["name"], variable.get("value", "")
                if any(word in name for word in ("PASSWORD", "SECRET", "TOKEN", "KEY")):
                    assert not value or value.startswith("/"), name


@pytest.mark.parametrize("root", roots())
def test_every_secret_that_is_used_is_made_or_brought(root: str) -> None:
    cluster = Cluster()
    make_secrets.ensure_all(cluster)
    for pod in pods(root):
        for name, key in _used(pod):
            made = cluster.secrets.get((pod.namespace, name), {})
            assert key in made or {(name, key), (name, "")} & OPERATORS, f"{pod.owner}: {name}/{key}"


def test_the_pod_may_look_at_the_secrets_it_makes_and_at_no_other() -> None:
    cluster = Cluster()
    make_secrets.ensure_all(cluster)
    for role in of_kind("overlays/single", "Role"):
        namespace = role["metadata"]["namespace"]
        made = sorted(name for place, name in cluster.secrets if place == namespace)
        rights = [
            (rule["resources"], sorted(rule.get("resourceNames", [])), rule["verbs"])
            for rule in role["rules"]
        ]
        assert rights == [(["secrets"], [], ["create"]), (["secrets"], made, ["get", "patch"])]


def test_each_version_makes_the_secrets_that_it_brings() -> None:
    """A pod that has ended runs no more, whatever is applied to it."""
    (pod,) = of_kind("overlays/single", "Pod")
    (container,) = pod["spec"]["containers"]
    version = container["image"].partition(":")[2]
    assert pod["metadata"]["name"] == f"make-secrets-{version}"


def test_the_image_has_what_the_script_imports() -> None:
    """It runs in the image of rooms, which has what salon-common has."""
    common = (PROJECT / "services" / "common" / "pyproject.toml").read_text()
    assert "cryptography" in common


def _used(pod: Pod) -> set[tuple[str, str]]:
    used = set()
    for volume in pod.spec.get("volumes", []):
        if "secret" in volume:
            secret = volume["secret"]
            used |= {(secret["secretName"], item["key"]) for item in secret.get("items", [{"key": ""}])}
        for source in volume.get("projected", {}).get("sources", []):
            if "secret" in source:
                used |= {(source["secret"]["name"], item["key"]) for item in source["secret"]["items"]}
    for container in pod.containers:
        for variable in container.get("env", []):
            reference = variable.get("valueFrom", {}).get("secretKeyRef")
            if reference:
                used.add((reference["name"], reference["key"]))
    return used

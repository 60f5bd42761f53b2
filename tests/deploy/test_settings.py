"""The services would start with what the manifests tell them: read by the settings classes themselves."""

import json
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import pytest
from deploy.manifests import Pod, of_kind, pods, roots
from salon_common.net import parse_bind
from salon_common.process import STOP_SECONDS
from salon_common.settings import ServiceSettings, read, variable
from salon_media.config import MediaSettings
from salon_rooms.config import RoomsSettings
from salon_rooms.scaling.config import ScalerSettings
from salon_signaling.config import SignalingSettings

CLASSES: Mapping[str, type[ServiceSettings]] = {
    "rooms": RoomsSettings,
    "signaling": SignalingSettings,
    "media": MediaSettings,
    "scaler": ScalerSettings,
}
FIELDS = {"metadata.name": "rooms-5d4f8c7b9-abcde", "status.hostIP": "192.0.2.7", "status.podIP": "10.1.0.7"}

ALL = [
    pytest.param(root, pod, id=f"{root}-{pod.name}")
    for root in roots()
    for pod in pods(root)
    if pod.name in CLASSES
]
every_service = pytest.mark.parametrize(("root", "pod"), ALL)


@pytest.fixture
def settings(pod: Pod, monkeypatch: pytest.MonkeyPatch) -> ServiceSettings:
    for name, value in environment(pod).items():
        monkeypatch.setenv(name, value)
    return read(CLASSES[pod.name])


@every_service
def test_every_setting_is_known_and_good(root: str, pod: Pod, settings: ServiceSettings) -> None:
    prefix = variable(CLASSES[pod.name], "")
    strangers = [
        name for name in environment(pod) if name.startswith("SALON_") and not name.startswith(prefix)
    ]
    assert strangers == []
    assert settings.log_level == "info"


@every_service
def test_files_that_are_named_are_mounted(root: str, pod: Pod, settings: ServiceSettings) -> None:
    mounted = mounted_files(pod)
    for field, value in settings.model_dump().items():
        if field.endswith("_file") and value is not None:
            assert str(value) in mounted, field


@every_service
def test_who_logs_in_to_nats_has_the_password_of_that_user_alone(
    root: str, pod: Pod, settings: ServiceSettings
) -> None:
    expected = {"scaler": "operator"}.get(pod.name, pod.name)
    assert settings.nats_user == expected
    keys = {
        item["key"]
        for volume in pod.spec["volumes"]
        if volume.get("secret", {}).get("secretName") == "salon-nats"
        for item in volume["secret"]["items"]
    }
    assert keys == {expected}


@every_service
def test_nats_is_where_its_service_is(root: str, pod: Pod, settings: ServiceSettings) -> None:
    (service,) = [each for each in of_kind(root, "Service") if each["metadata"]["name"] == "nats"]
    (port,) = service["spec"]["ports"]
    host = "nats.salon" if pod.namespace == "salon-media" else "nats"
    assert re.fullmatch(rf"(nats|tls)://{re.escape(host)}:{port['port']}", settings.nats_url)
    assert settings.nats_url.startswith("tls://") is root.startswith("overlays/region-")


@every_service
def test_ports_are_those_that_the_pod_names(root: str, pod: Pod, settings: ServiceSettings) -> None:
    binds = {"health": settings.health_bind}
    if isinstance(settings, SignalingSettings):
        binds |= {"grpc": settings.grpc_bind, "connect": settings.web_bind}
    if pod.spec.get("hostNetwork"):
        assert pod.ports() == {}, "its ports are found when it starts"
        return
    assert {name: parse_bind(bind) for name, bind in binds.items()} == {
        name: ("0.0.0.0", port) for name, port in pod.ports().items()
    }


@every_service
def test_who_is_told_to_end_has_the_time_to(root: str, pod: Pod, settings: ServiceSettings) -> None:
    drain = settings.drain_seconds if isinstance(settings, MediaSettings) else 0.0
    container = pod.spec["containers"][0]
    before = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    assert pod.spec.get("terminationGracePeriodSeconds", 30) >= before + drain + STOP_SECONDS


@pytest.mark.parametrize("root", roots())
def test_a_region_agrees_with_itself(root: str) -> None:
    regions = {
        value
        for pod in pods(root)
        for name, value in environment(pod).items()
        if re.fullmatch(r"SALON_([A-Z]+_)?REGION", name)
    }
    assert len(regions) == 1
    assert root.rpartition("-")[2] in regions or not root.startswith("overlays/region-")
    (prometheus,) = [
        each["data"]["prometheus.yaml"]
        for each in of_kind(root, "ConfigMap")
        if each["metadata"]["name"].startswith("prometheus-") and "prometheus.yaml" in each["data"]
    ]
    assert f"region: &region '{regions.pop()}'" in prometheus


@pytest.mark.parametrize("root", roots())
def test_streams_are_kept_by_as_many_servers_as_there_are(root: str) -> None:
    (nats,) = [each for each in of_kind(root, "StatefulSet") if each["metadata"]["name"] == "nats"]
    (rooms,) = [pod for pod in pods(root) if pod.name == "rooms"]
    assert int(environment(rooms)["SALON_ROOMS_STREAM_REPLICAS"]) == nats["spec"]["replicas"]


@pytest.mark.parametrize("root", roots())
def test_media_nodes_answer_probes_where_they_are_asked(root: str) -> None:
    (media,) = [pod for pod in pods(root) if pod.name == "media"]
    socket = environment(media)["SALON_MEDIA_HEALTH_SOCKET"]
    (container,) = media.containers
    assert str(PurePosixPath(socket).parent) in {mount["mountPath"] for mount in container["volumeMounts"]}
    asked = {
        kind: container[kind]["exec"]["command"]
        for kind in ("startupProbe", "readinessProbe", "livenessProbe")
    }
    probe = ["python", "-m", "salon_common.probe", socket]
    assert asked == {
        "startupProbe": [*probe, "livez"],
        "readinessProbe": [*probe, "readyz"],
        "livenessProbe": [*probe, "livez"],
    }


@pytest.mark.parametrize("root", roots())
def test_the_page_is_told_where_signaling_is(root: str) -> None:
    (web,) = [each for each in of_kind(root, "ConfigMap") if each["metadata"]["name"] == "web"]
    page = json.loads(web["data"]["config.json"])
    assert page["signaling"] == ["/"]
    (grpc,) = page["grpc"]
    ports = [
        port.get("nodePort")
        for service in of_kind(root, "Service")
        for port in service["spec"]["ports"]
        if port["targetPort"] == "grpc"
    ]
    hosts = [
        host
        for gateway in of_kind(root, "Gateway")
        for host in (gateway["spec"]["listeners"][0]["hostname"],)
    ]
    assert grpc in [f":{port}" for port in ports if port] + [f"https://{host}" for host in hosts]


def environment(pod: Pod) -> dict[str, str]:
    """The variables of the pod's first container as the kubelet would set them; secrets by their keys."""
    values: dict[str, str] = {}
    for variable_ in pod.spec["containers"][0].get("env", []):
        values[variable_["name"]] = _value(variable_, values)
    return values


def _value(entry: Mapping[str, Any], before: Mapping[str, str]) -> str:
    if "value" in entry:
        return re.sub(r"\$\((\w+)\)", lambda found: before[found[1]], entry["value"])
    source = entry["valueFrom"]
    if "fieldRef" in source:
        return FIELDS[source["fieldRef"]["fieldPath"]]
    return f"secret:{source['secretKeyRef']['key']}"


def mounted_files(pod: Pod) -> set[str]:
    """The paths of the files of secrets and configuration that are mounted one by one."""
    items = {
        volume["name"]: [item["path"] for item in volume["secret"].get("items", [])]
        for volume in pod.spec["volumes"]
        if "secret" in volume
    }
    return {
        f"{mount['mountPath']}/{path}"
        for mount in pod.spec["containers"][0]["volumeMounts"]
        for path in items.get(mount["name"], [])
    }

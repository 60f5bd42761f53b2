"""Names lead to somebody: Services to pods, routes to Services, mounts to what is made, autoscalers to their workloads."""

import pytest
from deploy.manifests import K8S, Pod, name_of, namespace_of, of_kind, pods, roots

PUBLIC_PORTS = {"turns": 443}
"""Those whose number clients' networks must let pass."""


@pytest.mark.parametrize("root", roots())
def test_a_service_leads_to_ports_of_one_kind_of_pod(root: str) -> None:
    for service in of_kind(root, "Service"):
        spec = service["spec"]
        chosen = [
            pod
            for pod in pods(root)
            if pod.namespace == namespace_of(service) and spec["selector"].items() <= pod.labels.items()
        ]
        assert len(chosen) == 1, name_of(service)
        for port in spec["ports"]:
            number = chosen[0].ports()[port["targetPort"]]
            assert port["port"] == PUBLIC_PORTS.get(port["targetPort"], number), name_of(service)


@pytest.mark.parametrize("root", roots())
def test_a_stateful_set_has_its_service(root: str) -> None:
    services = {(namespace_of(each), each["metadata"]["name"]) for each in of_kind(root, "Service")}
    for manifest in of_kind(root, "StatefulSet"):
        assert (namespace_of(manifest), manifest["spec"]["serviceName"]) in services


@pytest.mark.parametrize("root", roots())
def test_probes_and_mounts_name_what_is_there(root: str) -> None:
    for pod in pods(root):
        claims = [
            template["metadata"]["name"]
            for manifest in of_kind(root, "StatefulSet")
            if name_of(manifest) == pod.owner
            for template in manifest["spec"]["volumeClaimTemplates"]
        ]
        volumes = {volume["name"] for volume in pod.spec.get("volumes", [])} | set(claims)
        mounted = {
            mount["name"] for container in pod.containers for mount in container.get("volumeMounts", [])
        }
        assert mounted == volumes, pod.owner
        for container in pod.containers:
            for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
                probe = container.get(kind, {})
                for way in {"httpGet", "tcpSocket"} & probe.keys():
                    assert probe[way]["port"] in pod.ports(), pod.owner


@pytest.mark.parametrize("root", roots())
def test_configuration_that_is_mounted_is_made(root: str) -> None:
    made = {
        (namespace_of(each), each["metadata"]["name"]): each["data"] for each in of_kind(root, "ConfigMap")
    }
    for pod in pods(root):
        for name in _config_maps(pod):
            assert (pod.namespace, name) in made, f"{pod.owner} mounts {name}"


@pytest.mark.parametrize("root", roots())
def test_an_autoscaler_has_its_workload_to_itself(root: str) -> None:
    workloads = {(namespace_of(each), each["metadata"]["name"]): each for each in of_kind(root, "Deployment")}
    for scaler in of_kind(root, "HorizontalPodAutoscaler"):
        target = workloads[namespace_of(scaler), scaler["spec"]["scaleTargetRef"]["name"]]
        assert "replicas" not in target["spec"], "each apply would undo what it did"


@pytest.mark.parametrize("root", roots())
def test_routes_lead_to_services(root: str) -> None:
    services = {
        (namespace_of(each), each["metadata"]["name"], port["port"])
        for each in of_kind(root, "Service")
        for port in each["spec"]["ports"]
    }
    for route in of_kind(root, "HTTPRoute"):
        for rule in route["spec"]["rules"]:
            for backend in rule["backendRefs"]:
                assert (namespace_of(route), backend["name"], backend["port"]) in services


def _config_maps(pod: Pod) -> list[str]:
    names = []
    for volume in pod.spec.get("volumes", []):
        sources = [volume, *volume.get("projected", {}).get("sources", [])]
        names += [source["configMap"]["name"] for source in sources if "configMap" in source]
    return names


@pytest.mark.parametrize("folder", ["rules", "alerts", "dashboards"])
def test_every_file_of_monitoring_is_mounted(folder: str) -> None:
    files = {path.name for path in (K8S / "components" / "monitoring" / folder).iterdir()}
    prefix = "dashboard-" if folder == "dashboards" else f"prometheus-{folder}-"
    mounted = {
        name
        for each in of_kind("overlays/single", "ConfigMap")
        if each["metadata"]["name"].startswith(prefix)
        for name in each["data"]
    }
    assert mounted == files

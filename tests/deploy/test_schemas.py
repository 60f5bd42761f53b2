"""Everything that would be applied is what Kubernetes knows, and no field of it would be dropped in silence."""

import functools
import json

import kubernetes_validate
import pytest
from deploy.manifests import K8S, OVERLAYS, name_of, of_kind, render, roots

OTHERS = {
    ("cert-manager.io/v1", "Certificate"),
    ("cert-manager.io/v1", "ClusterIssuer"),
    ("gateway.networking.k8s.io/v1", "Gateway"),
    ("gateway.networking.k8s.io/v1", "HTTPRoute"),
}
"""Kinds that come with what an overlay says it needs; Kubernetes has no schema of them."""


def test_every_overlay_of_the_contract_is_there() -> None:
    assert OVERLAYS == ["overlays/region-ap", "overlays/region-eu", "overlays/region-us", "overlays/single"]


@pytest.mark.parametrize("root", roots())
def test_every_object_has_only_fields_of_its_schema(root: str) -> None:
    for manifest in render(root):
        if (manifest["apiVersion"], manifest["kind"]) not in OTHERS:
            check(json.dumps(manifest))


@functools.cache
def check(manifest: str) -> None:
    """Overlays have most objects in common: each is looked at once."""
    kubernetes_validate.validate(json.loads(manifest), kubernetes_validate.latest_version(), strict=True)


def test_a_misspelt_field_is_noticed() -> None:
    (first, *_) = of_kind("overlays/single", "Deployment")
    broken = {**first, "spec": {**first["spec"], "replcas": 1}}
    with pytest.raises(kubernetes_validate.ValidationError, match="replcas"):
        kubernetes_validate.validate(broken, kubernetes_validate.latest_version(), strict=True)


def test_one_machine_needs_nothing_but_kubernetes() -> None:
    used = {(manifest["apiVersion"], manifest["kind"]) for manifest in render("overlays/single")}
    assert not used & OTHERS


@pytest.mark.parametrize("root", roots())
def test_no_object_is_there_twice(root: str) -> None:
    names = [name_of(manifest) for manifest in render(root)]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("root", roots())
def test_the_values_are_used_and_not_applied(root: str) -> None:
    assert "ConfigMap /values" not in [name_of(manifest) for manifest in render(root)]


@pytest.mark.parametrize("root", roots())
def test_an_object_is_small_enough_to_be_applied(root: str) -> None:
    """`kubectl apply` keeps an object in one of its own annotations, which together may have 256 KiB."""
    for manifest in render(root):
        assert len(json.dumps(manifest)) < 200_000, name_of(manifest)


def test_every_component_is_part_of_something_that_is_built() -> None:
    text = "\n".join(path.read_text() for path in K8S.glob("*/*/kustomization.yaml"))
    for component in (K8S / "components").glob("*/kustomization.yaml"):
        assert f"/{component.parent.name}\n" in text, component

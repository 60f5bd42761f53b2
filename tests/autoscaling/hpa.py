"""The HorizontalPodAutoscaler's algorithm, as Kubernetes documents it and its controller does it, for one metric of pods.

Pure: told the pods and their metrics, it says how many there should be. Left out is what the manifests here do not use: several
metrics at once, and the Disabled policy. https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

SYNC_SECONDS: Final = 15.0
TOLERANCE: Final = 0.1
"""The controller's own, where the manifest gives none."""


@dataclass(frozen=True)
class Policy:
    """How much may change in a period."""

    kind: Literal["Pods", "Percent"]
    value: int
    seconds: float


@dataclass(frozen=True)
class Rules:
    """One direction's."""

    stabilization: float
    policies: tuple[Policy, ...]
    fastest: bool = True
    """Whether the policy that allows most counts (Max), or the one that allows least."""
    tolerance: float = TOLERANCE


DEFAULT_UP: Final = Rules(0.0, (Policy("Pods", 4, 15.0), Policy("Percent", 100, 15.0)))
DEFAULT_DOWN: Final = Rules(300.0, (Policy("Percent", 100, 15.0),))


@dataclass(frozen=True)
class Spec:
    """What a manifest says."""

    least: int
    most: int
    target: float
    """The wanted average of the metric over the pods."""
    up: Rules = DEFAULT_UP
    down: Rules = DEFAULT_DOWN


@dataclass(frozen=True)
class Sample:
    """One pod that is not being deleted."""

    ready: bool
    value: float | None
    """None while there is no metric of it yet."""


class Autoscaler:
    """One HorizontalPodAutoscaler."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._advised: list[tuple[float, int]] = []
        self._changes: list[tuple[float, int]] = []

    def sync(self, current: int, pods: Sequence[Sample], now: float) -> int:
        """How many pods there should be from now on."""
        advised = self._advised_by(current, pods)
        stable = self._stabilized(current, advised, now)
        wanted = self._limited(current, stable, now)
        if wanted != current:
            self._changes.append((now, wanted - current))
        return wanted

    def _advised_by(self, current: int, pods: Sequence[Sample]) -> int:
        """What the metric alone asks for; pods without one count against any change."""
        known = [pod.value for pod in pods if pod.ready and pod.value is not None]
        if not known:
            return current
        missing = sum(pod.ready and pod.value is None for pod in pods)
        unready = sum(not pod.ready for pod in pods)
        ratio = sum(known) / len(known) / self._spec.target
        if not missing and not (unready and ratio > 1):
            return current if self._is_near(ratio) else math.ceil(ratio * len(known))
        counted = len(known) + missing + (unready if ratio > 1 else 0)
        assumed = missing * self._spec.target if ratio < 1 else 0.0
        careful = (sum(known) + assumed) / counted / self._spec.target
        if self._is_near(careful) or (careful > 1) != (ratio > 1):
            return current
        wanted = math.ceil(careful * counted)
        return current if (wanted > current) != (careful > 1) else wanted

    def _is_near(self, ratio: float) -> bool:
        return 1 - self._spec.down.tolerance <= ratio <= 1 + self._spec.up.tolerance

    def _stabilized(self, current: int, advised: int, now: float) -> int:
        """No more than the least that was advised in the window, and no fewer than the most."""
        up, down = self._spec.up.stabilization, self._spec.down.stabilization
        self._advised = [(at, n) for at, n in self._advised if now - at < max(up, down)]
        least = min([advised, *(n for at, n in self._advised if now - at < up)])
        most = max([advised, *(n for at, n in self._advised if now - at < down)])
        self._advised.append((now, advised))
        return min(max(current, least), most)

    def _limited(self, current: int, wanted: int, now: float) -> int:
        if wanted > current:
            limits = [self._limit(policy, current, now, +1) for policy in self._spec.up.policies]
            limit = max(limits) if self._spec.up.fastest else min(limits)
            wanted = min(wanted, max(limit, current))
        elif wanted < current:
            limits = [self._limit(policy, current, now, -1) for policy in self._spec.down.policies]
            limit = min(limits) if self._spec.down.fastest else max(limits)
            wanted = max(wanted, min(limit, current))
        return min(max(wanted, self._spec.least), self._spec.most)

    def _limit(self, policy: Policy, current: int, now: float, sign: Literal[1, -1]) -> int:
        """How far one policy lets the number go, counted from what it was a period ago."""
        before = current - sum(change for at, change in self._changes if now - at < policy.seconds)
        if policy.kind == "Pods":
            return before + sign * policy.value
        share = before * (1 + sign * policy.value / 100)
        return math.ceil(share) if sign > 0 else math.floor(share)


def read_spec(manifest: Mapping[str, Any]) -> Spec:
    """What a manifest with one metric says, with Kubernetes's own defaults where it says nothing."""
    spec = manifest["spec"]
    (metric,) = spec["metrics"]
    target = metric["resource" if metric["type"] == "Resource" else "pods"]["target"]
    behavior = spec.get("behavior", {})
    return Spec(
        spec["minReplicas"],
        spec["maxReplicas"],
        read_quantity(target["averageValue"]),
        _read_rules(behavior.get("scaleUp", {}), DEFAULT_UP),
        _read_rules(behavior.get("scaleDown", {}), DEFAULT_DOWN),
    )


def read_quantity(text: str | float) -> float:
    """A number as Kubernetes writes it: `600m` is 0.6."""
    text = str(text)
    return float(text[:-1]) / 1000 if text.endswith("m") else float(text)


def _read_rules(said: Mapping[str, Any], default: Rules) -> Rules:
    policies = tuple(
        Policy(each["type"], each["value"], each["periodSeconds"]) for each in said.get("policies", ())
    )
    return Rules(
        said.get("stabilizationWindowSeconds", default.stabilization),
        policies or default.policies,
        said.get("selectPolicy", "Max") == "Max",
        read_quantity(said.get("tolerance", TOLERANCE)),
    )

"""A real Prometheus that scrapes running stacks, with the rules that are shipped, and answers as Grafana would ask it."""

import asyncio
import json
import math
import re
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from salon_client.run.stack import Stack
from support.nats_server import free_port
from support.prometheus import prometheus_binary

MONITORING = Path(__file__).parents[3] / "deploy" / "k8s" / "components" / "monitoring"
SCRAPE_SECONDS = 1
_START_SECONDS = 30.0
_RULE_FILES = ("rules", "alerts")


@dataclass(frozen=True)
class Series:
    """The labels of one series and its samples as (time, value)."""

    labels: Mapping[str, str]
    samples: Sequence[tuple[float, float]]

    @property
    def finite(self) -> list[float]:
        """Values that are numbers."""
        return [value for _, value in self.samples if math.isfinite(value)]


class Prometheus:
    """The server's API."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def query(self, expr: str, at: float | None = None) -> list[Series]:
        """Now, or at a time. Raises AssertionError with what Prometheus says of a bad expression."""
        moment = {} if at is None else {"time": f"{at}"}
        data = await self._call("query", {"query": expr, **moment})
        if data["resultType"] == "scalar":
            return [Series({}, [_sample(data["result"])])]
        return [Series(each["metric"], [_sample(each["value"])]) for each in data["result"]]

    async def query_range(self, expr: str, start: float, end: float, step: float) -> list[Series]:
        """Over a time."""
        times = {"start": f"{start}", "end": f"{end}", "step": f"{step}"}
        data = await self._call("query_range", {"query": expr, **times})
        return [Series(each["metric"], [_sample(pair) for pair in each["values"]]) for each in data["result"]]

    async def label_values(self, selector: str, label: str, start: float, end: float) -> list[str]:
        """As Grafana's function of that name."""
        found = await self._call("series", {"match[]": selector, "start": f"{start}", "end": f"{end}"})
        return sorted({series[label] for series in found if label in series})

    async def unhealthy_rules(self) -> list[str]:
        """What the rules that failed say."""
        groups = (await self._call("rules", {}))["groups"]
        return [
            f"{rule['name']}: {rule.get('lastError')}"
            for group in groups
            for rule in group["rules"]
            if rule["health"] == "err"
        ]

    async def rules(self) -> list[tuple[str, str]]:
        """Each rule by name, and whether it is recording or alerting."""
        groups = (await self._call("rules", {}))["groups"]
        return [(rule["name"], rule["type"]) for group in groups for rule in group["rules"]]

    async def is_ready(self) -> bool:
        """Whether it answers."""
        try:
            await asyncio.to_thread(_get, f"http://{self._address}/-/ready")
        except (OSError, urllib.error.HTTPError):
            return False
        return True

    async def _call(self, what: str, fields: Mapping[str, str]) -> Any:
        url = f"http://{self._address}/api/v1/{what}?{urllib.parse.urlencode(fields)}"
        try:
            said = json.loads(await asyncio.to_thread(_get, url))
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{fields}: {error.read().decode()}") from None
        return said["data"]


@asynccontextmanager
async def prometheus(stacks: Mapping[str, Stack], directory: Path) -> AsyncIterator[Prometheus]:
    """Scrapes the stacks, which are named by their regions, until the block ends."""
    config = _write_config(stacks, directory)
    address = f"127.0.0.1:{free_port()}"
    with (directory / "log").open("wb") as log, tempfile.TemporaryDirectory(dir=directory) as data:
        process = await asyncio.create_subprocess_exec(
            prometheus_binary(),
            f"--config.file={config}",
            f"--storage.tsdb.path={data}",
            f"--web.listen-address={address}",
            "--query.lookback-delta=10s",
            stdout=log,
            stderr=log,
        )
        try:
            server = Prometheus(address)
            async with asyncio.timeout(_START_SECONDS):
                while not await server.is_ready():
                    assert process.returncode is None, (directory / "log").read_text()[-2000:]
                    await asyncio.sleep(0.1)  # the interval at which it is asked
            yield server
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


def _write_config(stacks: Mapping[str, Stack], directory: Path) -> Path:
    directory.mkdir(parents=True)
    config = directory / "prometheus.yaml"
    config.write_text(yaml.safe_dump(_config(stacks, _quick_rules(directory))))
    return config


def _config(stacks: Mapping[str, Stack], rules: Sequence[Path]) -> dict[str, Any]:
    """As the shipped one, but that replicas are named here instead of found by Kubernetes."""
    jobs = [
        {
            "job_name": job,
            "static_configs": [
                _target(stack, name, region)
                for region, stack in stacks.items()
                for name in stack.names
                if name.startswith(f"{job}-")
            ],
        }
        for job in ("rooms", "signaling")
    ]
    lists = [f"http://{stack.health_address('rooms-1')}/sd/media" for stack in stacks.values()]
    media = {
        "job_name": "media",
        "http_sd_configs": [{"url": url, "refresh_interval": f"{SCRAPE_SECONDS}s"} for url in lists],
    }
    every = f"{SCRAPE_SECONDS}s"
    return {
        "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
        "rule_files": [str(path) for path in rules],
        "scrape_configs": [*jobs, media],
    }


def _target(stack: Stack, name: str, region: str) -> dict[str, Any]:
    return {
        "targets": [stack.health_address(name)],
        "labels": {"region": region, "instance": f"{region}-{name}"},
    }


def _quick_rules(directory: Path) -> list[Path]:
    """The shipped rules, all of them evaluated as often as is scraped: a test has no time for slow ones."""
    copies = []
    for kind in _RULE_FILES:
        for path in sorted((MONITORING / kind).glob("*.yaml")):
            copy = directory / f"{kind}-{path.name}"
            copy.write_text(re.sub(r"(?m)^ *interval: .*\n", "", path.read_text()))
            copies.append(copy)
    return copies


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return bytes(answer.read())


def _sample(pair: Sequence[Any]) -> tuple[float, float]:
    return float(pair[0]), float(pair[1])

"""One cluster and one installation for all tests here; removed at the end unless $KEEP is set."""

import os
from collections.abc import AsyncIterator, Generator
from pathlib import Path

import pytest
import pytest_asyncio
from cluster import access, evidence
from cluster.installation import ForeignSalonError, Installation, say
from cluster.kubectl import Kubectl
from cluster.people import Host
from faults.crowd import NativeCrowd

IMAGES = (
    *("salon/rooms:dev", "salon/signaling:dev", "salon/media:dev", "salon/web:dev"),
    *("salon/test-nats:dev", "salon/test-prometheus:dev"),
)
_kubectl = pytest.StashKey[Kubectl]()


@pytest.fixture(scope="session")
def kubectl(request: pytest.FixtureRequest) -> Kubectl:
    """A cluster that has our images."""
    try:
        found = access.find()
        access.bring_images(found, IMAGES)
    except SystemExit as error:
        pytest.exit(str(error), returncode=1)
    request.config.stash[_kubectl] = Kubectl(found.kubeconfig)
    return request.config.stash[_kubectl]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def installation(kubectl: Kubectl) -> AsyncIterator[Installation]:
    """Salon, ready."""
    made = Installation(kubectl)
    try:
        await made.make()
    except ForeignSalonError as error:
        pytest.exit(str(error), returncode=1)
    yield made
    if os.environ.get("KEEP"):
        say("Salon stays: KEEP is set")
    else:
        say("removing it")
        await made.remove()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def host(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Host]:
    """Somebody outside the cluster who makes rooms and brings people."""
    log: Path = tmp_path_factory.mktemp("people") / "natives.log"
    async with NativeCrowd.start(log) as crowd:
        app_key = await installation.secret("salon-demo-app", "app.pem")
        yield Host(await installation.node_port("signaling-public"), crowd, app_key)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure says what the cluster looked like."""
    report = yield
    if report.failed and (found := item.config.stash.get(_kubectl, None)):
        report.sections.append(("the cluster", evidence.gather(found)))
    return report

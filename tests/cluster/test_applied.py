"""One apply is enough, another changes nothing, and the site answers."""

import json

import pytest
from cluster.installation import NAMESPACES, Installation, say
from cluster.people import Host
from cluster.web import fetch
from salon_client.link import find_signaling
from salon_common.errors import Code, SalonError

pytestmark = [pytest.mark.cluster, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]


async def test_second_apply_changes_nothing(installation: Installation) -> None:
    say("applying again")
    assert await installation.diff() == ""
    before = await installation.objects()
    await installation.apply()
    assert await installation.objects() == before
    assert await installation.diff() == ""


async def test_no_container_was_started_twice(installation: Installation) -> None:
    assert {name: count for name, count in (await installation.restarts()).items() if count} == {}


async def test_every_pod_is_of_a_workload_that_says_what_it_may_use(installation: Installation) -> None:
    for namespace in NAMESPACES:
        for pod in await installation.kubectl.get(namespace, "pods"):
            assert pod["status"]["qosClass"] in ("Burstable", "Guaranteed"), pod["metadata"]["name"]


async def test_web_app_and_its_api_share_one_address(installation: Installation, host: Host) -> None:
    address = await installation.node_port("web-public")
    page = fetch(f"http://{address}/r/anything")
    assert b"<html" in page.lower()
    assert await find_signaling(f"http://{address}") == [await installation.node_port("signaling-public")]
    async with host.party(1) as party:
        room = {"roomId": party.link.room_id, "inviteSecret": party.link.secret}
        preview = json.loads(fetch(f"http://{address}/salon.signaling.v1.SignalingService/PreviewRoom", room))
        assert preview["occupancy"] == 1


async def test_wrong_link_is_refused(host: Host) -> None:
    with pytest.raises(SalonError) as refused:
        await host.preview(f"local-{'a' * 20}", "w" * 22)
    assert refused.value.code is Code.NOT_FOUND

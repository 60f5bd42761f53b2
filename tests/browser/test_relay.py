"""A page whose network lets no UDP through: it comes to the relay of a region by TCP or TLS, and talks as everybody does."""

from pathlib import Path
from typing import Any

import pytest
from deploy.relay_server import PASSWORD, USER, Relay, address_of_this_machine, running_relay
from playwright.async_api import Route
from salon_client.run.stack import Stack
from support.native import Native
from support.pages import Participant, participants, until
from support.synthetic_media import PEOPLE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

ADA, BO = PEOPLE[:2]
TRUSTING = ["--ignore-certificate-errors"]
"""The relay's certificate is of an authority of the test alone."""

WAYS = """async () => {
  const ways = [];
  for (const connection of salonMeasure.connections) {
    const report = await connection.getStats();
    for (const { type, selectedCandidatePairId } of report.values()) {
      if (type !== "transport" || !selectedCandidatePairId) continue;
      const pair = report.get(selectedCandidatePairId);
      const local = report.get(pair.localCandidateId);
      ways.push(`${local.candidateType} by ${local.relayProtocol}`);
    }
  }
  return ways;
}"""
"""How each of the page's connections goes."""


@pytest.mark.parametrize("by", ["tcp", "tls"])
async def test_a_page_talks_by_the_relay_alone(tmp_path: Path, by: str) -> None:
    address = address_of_this_machine()
    with running_relay(tmp_path / "relay", address, f"{address}-{address}") as relay:
        async with (
            Stack(rooms=1, signaling=1, media=1, directory=tmp_path / "stack", advertise=[address]) as stack,
            participants([ADA], tmp_path, flags=TRUSTING) as (page,),
        ):
            await tell_of(relay, by, page)
            link = await stack.create_room("By a relay")
            await page.join(link.url)
            async with Native.join(link.url, BO) as native:
                await until("the page sees the other", lambda: sees(page, BO.name))
                await until("the page hears the other", lambda: hears(page, BO.name))
                await until("the other sees the page", lambda: native.sees({ADA.name}))
                await until("the other hears the page", lambda: native.hears({ADA.name: ADA.tone}))
            assert await page.page.evaluate(WAYS) == [f"relay by {by}"]


async def test_a_page_that_can_go_directly_does(tmp_path: Path) -> None:
    address = address_of_this_machine()
    with running_relay(tmp_path / "relay", address, f"{address}-{address}") as relay:
        async with (
            Stack(rooms=1, signaling=1, media=1, directory=tmp_path / "stack", advertise=[address]) as stack,
            participants([ADA], tmp_path) as (page,),
        ):
            await tell_of(relay, "tcp", page, policy="all")
            link = await stack.create_room("Directly")
            await page.join(link.url)
            async with Native.join(link.url, BO):
                await until("the page sees the other", lambda: sees(page, BO.name))
            (way,) = await page.page.evaluate(WAYS)
            assert not way.startswith("relay")


async def tell_of(relay: Relay, by: str, participant: Participant, policy: str = "relay") -> None:
    """Have the page's configuration name the relay, as `page` of a region's values does."""
    place = f"turn:{relay.address}:{relay.tcp}" if by == "tcp" else f"turns:{relay.address}:{relay.tls}"
    server = {"urls": f"{place}?transport=tcp", "username": USER, "credential": PASSWORD}

    async def answer(route: Route) -> None:
        config: dict[str, Any] = await (await route.fetch()).json()
        await route.fulfill(json=config | {"ways": {"iceServers": [server], "iceTransportPolicy": policy}})

    await participant.context.route("**/config.json", answer)


async def sees(page: Participant, name: str) -> bool:
    return await page.tiles() == {name: name}


async def hears(page: Participant, name: str) -> bool:
    return name in await page.heard()

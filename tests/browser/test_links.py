"""What a page says when the room cannot be entered as hoped: what happened, and what to do."""

import time
from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from playwright.async_api import Page, async_playwright
from salon.rooms.v1 import room_pb2
from salon.signaling.v1 import signaling_pb2
from salon_client.api import SignalingApi
from salon_client.run.stack import Link, Stack
from salon_common.errors import Code, SalonError
from support.chromium import FLAGS, require
from support.control_client import ControlClient
from support.pages import participants, until
from support.synthetic_media import PEOPLE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


async def title_of(page: Page, url: str) -> str:
    await page.goto(url)
    title = page.get_by_test_id("error-title")
    await title.wait_for(timeout=10_000)
    return await title.inner_text()


async def test_wrong_expired_revoked_and_full_links_say_so(tmp_path: Path) -> None:
    async with (
        Stack(rooms=1, signaling=1, media=0, directory=tmp_path / "stack") as stack,
        participants(PEOPLE[:1], tmp_path) as pages,
    ):
        page = pages[0].page
        link = await stack.create_room("Doors")
        titles = {
            await title_of(page, f"{stack.web_origin}/r/{link.room_id}#AAAAAAAAAAAAAAAAAAAAAA"),
            await title_of(page, f"{stack.web_origin}/r/{link.room_id}#short"),
            await title_of(page, f"{stack.web_origin}/r/local-{'a' * 20}#{link.secret}"),
        }
        assert all(titles), "a wrong link has a page that says so"
        expired, revoked = await dead_links(stack, link)
        expired_title, revoked_title = await title_of(page, expired), await title_of(page, revoked)
        assert len({*titles, expired_title, revoked_title}) == len(titles) + 2, (
            "each says what is wrong with it"
        )
        async with SignalingApi(stack.signaling_grpc) as api:
            small = await api.create_room(
                stack.keys.app_token("Host"), "Small", settings=room_pb2.RoomSettings(capacity=1)
            )
        first = ControlClient(stack.signaling_grpc, small.room.id, small.invite_secret, "First")
        await first.join()
        await page.goto(f"{stack.web_origin}/r/{small.room.id}#{small.invite_secret}")
        await page.get_by_test_id("name-input").fill("Second")
        await page.get_by_test_id("join").click()
        title = page.get_by_test_id("error-title")
        await title.wait_for(timeout=10_000)
        assert await title.inner_text() not in {*titles, revoked_title, expired_title}
        await first.close()


async def dead_links(stack: Stack, link: Link) -> tuple[str, str]:
    """Two more links to the room, made by its host: one whose time is over, and a revoked one."""
    assert link.host_secret
    host = ControlClient(stack.signaling_grpc, link.room_id, link.host_secret, "Host")
    await host.join()
    at = Timestamp()
    at.FromMilliseconds(int(time.time() * 1000) + 700)
    expiring = await host.call("CreateInvite", signaling_pb2.CreateInviteRequest(expires_at=at))
    revoked = await host.call("CreateInvite", signaling_pb2.CreateInviteRequest(label="for Zed"))
    await host.call("RevokeInvite", signaling_pb2.RevokeInviteRequest(invite_id=revoked.invite_id))
    await host.leave()
    async with SignalingApi(stack.signaling_grpc) as api:

        async def is_over() -> bool:
            try:
                await api.preview_room(link.room_id, expiring.invite_secret)
            except SalonError as error:
                return error.code is Code.PERMISSION_DENIED
            return False

        await until("the link expires", is_over)
    room = f"{stack.web_origin}/r/{link.room_id}"
    return f"{room}#{expiring.invite_secret}", f"{room}#{revoked.invite_secret}"


async def test_a_refused_camera_is_explained_and_joining_goes_on_without(tmp_path: Path) -> None:
    async with (
        Stack(rooms=1, signaling=1, media=1, directory=tmp_path / "stack") as stack,
        async_playwright() as playwright,
    ):
        link = await stack.create_room("No camera")
        flags = [flag for flag in FLAGS if flag != "--use-fake-ui-for-media-stream"]
        browser = await playwright.chromium.launch(
            executable_path=require(), args=[*flags, "--deny-permission-prompts"]
        )
        page = await browser.new_page()
        await page.goto(link.url)
        notice = page.get_by_role("alert").first
        await notice.wait_for(timeout=10_000)
        assert "camera" in (await notice.inner_text()).lower()
        assert "allow" in (await notice.inner_text()).lower(), "it says what to do"
        await page.get_by_test_id("name-input").fill("Shy")
        await page.get_by_test_id("join").click()
        await page.get_by_test_id("leave").wait_for(timeout=20_000)

        async def connected() -> bool:
            return bool(await page.evaluate("window.__salon.state === 'connected'"))

        await until("in, with media", connected)
        await browser.close()


async def test_a_room_is_started_from_the_start_page(tmp_path: Path) -> None:
    async with (
        Stack(rooms=1, signaling=1, media=1, directory=tmp_path / "stack") as stack,
        participants(PEOPLE[:2], tmp_path) as (ada, bo),
    ):
        await ada.page.goto(stack.web_origin)
        await ada.page.get_by_test_id("name-input").fill("Ada")
        await ada.page.get_by_test_id("start-room").click()
        await ada.page.get_by_test_id("join").click()
        await ada.page.get_by_test_id("leave").wait_for(timeout=20_000)
        # What is granted here replaces all that was: the camera must stay.
        await ada.context.grant_permissions(["clipboard-read", "clipboard-write", "camera", "microphone"])
        await ada.page.get_by_test_id("copy-link").click()
        link = await ada.page.evaluate("navigator.clipboard.readText()")
        await bo.join(link)

        async def together() -> bool:
            return await ada.tiles() == {"Bo": "Bo"} and await bo.tiles() == {"Ada": "Ada"}

        await until("they see each other", together)

"""Rolled back too far: a room that a later release made is still there, is not touched, and goes on once that release is back."""

import asyncio
from pathlib import Path

import pytest
from salon_client.api import SignalingApi
from salon_client.run.stack import Stack
from salon_common.errors import Code, SalonError
from support.control_client import ControlClient
from upgrade.releases import LATER_FORMAT, SAYS, THIS, later

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]


async def test_a_room_of_a_later_format_is_read_and_not_written(tmp_path: Path) -> None:
    release = later(tmp_path)
    rooms = dict(release)
    async with Stack(
        rooms=1, signaling=1, media=0, web=False, directory=tmp_path / "stack", settings={"rooms": rooms}
    ) as stack:
        assert SAYS in stack.log_path("rooms-1").read_text()

        async def roll(settings: dict[str, str]) -> None:
            rooms.clear()
            rooms.update(settings)
            await stack.terminate("rooms-1")
            await stack.start("rooms-1")

        link = await stack.create_room("From the future")
        ada = ControlClient(stack.signaling_grpc, link.room_id, link.secret, "Ada")
        await ada.join()
        await ada.chat("before")

        await roll(THIS)
        async with SignalingApi(stack.signaling_grpc) as api:
            preview = await api.preview_room(link.room_id, link.secret)
            assert preview.room.title == "From the future"
            with pytest.raises(SalonError) as error:
                await api.send_chat(ada._token, "during")
        assert error.value.code is Code.UNAVAILABLE, "tried again, another replica may do it"
        log = stack.log_path("rooms-1").read_text()
        assert "this room is of a later release" in log
        assert f'"format": {LATER_FORMAT}' in log
        assert ada.ended is None

        await roll(release)
        await ada.chat("after")
        async with asyncio.timeout(30):
            while ada.chats != ["before", "after"]:
                await ada.wait_until_seen(ada.last + 1)
        ada.assert_contiguous()
        await ada.close()

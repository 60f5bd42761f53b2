"""Who may say and hear what on NATS, asked of a real server with the accounts that clusters run with."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from nats.aio.msg import Msg
from salon_client.run.apps import NATS_USERS, make_password
from salon_common import nats as salon_nats
from salon_common.nats_access import NatsAccess
from support.nats_server import NatsServer

pytestmark = pytest.mark.stack

SERVICES = tuple(user for user in NATS_USERS if user != "system")

SAY: Mapping[str, set[str]] = {
    # What is stored is written by rooms alone, and neither read nor destroyed in other ways than its own.
    "room.0.local-1.head": {"rooms"},
    "$JS.API.STREAM.CREATE.ROOMS_0": {"rooms"},
    "$JS.API.STREAM.UPDATE.ROOMS_0": {"rooms"},
    "$JS.API.STREAM.INFO.ROOMS_0": {"rooms"},
    "$JS.API.DIRECT.GET.ROOMS_0": {"rooms"},
    "$JS.API.STREAM.MSG.GET.ROOMS_0": set(),
    "$JS.API.STREAM.DELETE.ROOMS_0": set(),
    "$JS.API.STREAM.PURGE.ROOMS_0": set(),
    "$JS.API.CONSUMER.CREATE.ROOMS_0": set(),
    # Events come from the store, which repeats what it has.
    "live.local-1.7": set(),
    # Calls.
    "rpc.local.rooms.Join": {"signaling"},
    "rpc.local.rooms._cancel.77": {"signaling"},
    "rpc.local.nodes.SetNodeMode": {"operator"},
    "rpc.local.media.n1.Admit": {"signaling"},
    "rpc.local.media.n1.Remove": {"rooms", "signaling"},
    "rpc.local.media.n1.SetMode": {"rooms"},
    "rpc.local.media.n1.Inspect": set(),
    "rpc.local.media.n1._cancel.77": {"rooms", "signaling"},
    # Who lives, who is there, who took over.
    "beat.local.media.n1": {"media"},
    "beat.local.rooms.r1": {"rooms"},
    "vouch.local.media.n1": {"media"},
    "vouch.local.signaling.s1": {"signaling"},
    "doubt.local.n1": {"rooms"},
    "takeover.local.local-1": {"signaling"},
    # Answers are sent to whom a call came from, and to nobody else.
    "_INBOX.rooms.1": set(),
    "_INBOX.signaling.1": set(),
    # The system's own.
    "$SYS.ACCOUNT.APP.DISCONNECT": set(),
    "$SYS.REQ.SERVER.PING.STATSZ": {"rooms"},
    "$SYS.REQ.SERVER.PING.CONNZ": set(),
    "anything.else": set(),
}

HEAR: Mapping[str, set[str]] = {
    ">": set(),
    # A refused write reaches whoever listens.
    "room.>": set(),
    "room.0.local-1.head": set(),
    "live.local-1.*": {"signaling"},
    "live.>": set(),
    "rpc.local.rooms.*": {"rooms"},
    "rpc.local.nodes.*": {"rooms"},
    "rpc.local.rooms._cancel.*": {"rooms"},
    "rpc.local.media.n1.*": {"media"},
    "beat.local.media.*": {"rooms"},
    "beat.local.rooms.*": {"rooms"},
    "vouch.local.*.*": {"rooms"},
    "doubt.local.*": {"rooms"},
    "takeover.local.local-1": {"signaling"},
    **{f"_INBOX.{user}.1": {user} for user in SERVICES},
    "_INBOX.>": set(),
    "$SYS.ACCOUNT.APP.DISCONNECT": {"rooms"},
    "$SYS.>": set(),
    "$JS.EVENT.ADVISORY.>": set(),
}


@pytest.fixture(scope="module")
def server() -> Iterator[NatsServer]:
    with NatsServer() as server:
        yield server


class Guest(salon_nats._Client):
    """One user's connection, whose flush comes after what was sent before it, and what the server refused it."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: list[str] = []

    async def note(self, error: Exception) -> None:
        self.refused.append(str(error))


@asynccontextmanager
async def connected(server: NatsServer, user: str) -> AsyncIterator[Guest]:
    guest, access = Guest(), server.access(user)
    await guest.connect(access.url, user=user, password=access.password(), error_cb=guest.note)
    yield guest
    await guest.close()


@pytest.mark.parametrize("user", SERVICES)
async def test_each_user_says_what_is_its_own_and_nothing_else(server: NatsServer, user: str) -> None:
    said = set()
    async with connected(server, user) as guest:
        for subject in SAY:
            guest.refused.clear()
            await guest.publish(subject, b"", reply="_INBOX.nobody.1")
            await guest.flush()
            if not guest.refused:
                said.add(subject)
            else:
                assert guest.refused == [f'nats: permissions violation for publish to "{subject.lower()}"']
    assert said == {subject for subject, users in SAY.items() if user in users}


@pytest.mark.parametrize("user", SERVICES)
async def test_each_user_hears_what_is_its_own_and_nothing_else(server: NatsServer, user: str) -> None:
    async def ignore(_message: Msg) -> None:
        """What is heard does not matter here."""

    heard = set()
    async with connected(server, user) as guest:
        for subject in HEAR:
            guest.refused.clear()
            await guest.subscribe(subject, cb=ignore)
            await guest.flush()
            if not guest.refused:
                heard.add(subject)
            else:
                wanted = f'nats: permissions violation for subscription to "{subject.lower()}"'
                assert guest.refused == [wanted]
    assert heard == {subject for subject, users in HEAR.items() if user in users}


@pytest.mark.parametrize(
    ("asker", "answerer", "subject"),
    [
        ("signaling", "rooms", "rpc.local.rooms.Join"),
        ("signaling", "media", "rpc.local.media.n1.Admit"),
        ("rooms", "media", "rpc.local.media.n1.Remove"),
        ("operator", "rooms", "rpc.local.nodes.ListNodes"),
    ],
)
async def test_who_is_asked_answers_once(server: NatsServer, asker: str, answerer: str, subject: str) -> None:
    async with connected(server, answerer) as there:
        asked: asyncio.Queue[Msg] = asyncio.Queue()
        await there.subscribe(subject, cb=asked.put)
        await there.flush()
        here = await salon_nats.connect(server.access(asker), name="asker")
        answer = asyncio.create_task(here.request(subject, b"?", timeout=5))
        call = await asyncio.wait_for(asked.get(), 5)
        assert call.reply.startswith(f"_INBOX.{asker}.")
        await call.respond(b"!")
        assert (await answer).data == b"!"
        await call.respond(b"again")
        await there.flush()
        assert "permissions violation for publish" in there.refused[0]
        await here.close()


async def test_every_servers_figures_are_told_to_rooms(server: NatsServer) -> None:
    nc = await salon_nats.connect(server.access("rooms"), name="rooms-1")
    answer = await nc.request("$SYS.REQ.SERVER.PING.STATSZ", b"", timeout=5)
    figures = json.loads(answer.data)
    assert figures["server"]["name"]
    assert figures["statsz"]["connections"] >= 1
    await nc.close()


@pytest.mark.parametrize(
    "login", [{}, {"user": "rooms"}, {"user": "rooms", "pass": "guessed"}, {"user": "anybody", "pass": ""}]
)
async def test_nobody_else_gets_in(server: NatsServer, login: dict[str, str]) -> None:
    reader, writer = await asyncio.open_connection(*server.address.removeprefix("nats://").split(":"))
    assert (await reader.readline()).startswith(b"INFO ")
    writer.write(f"CONNECT {json.dumps({'verbose': True, **login})}\r\n".encode())
    assert await asyncio.wait_for(reader.readline(), 5) == b"-ERR 'Authorization Violation'\r\n"
    writer.close()
    await writer.wait_closed()


# Of an attempt that the server refused, nats-py closes the stream without waiting for its end.
@pytest.mark.filterwarnings("ignore:.*StreamWriter.__del__:pytest.PytestUnraisableExceptionWarning")
async def test_a_new_password_is_used_at_the_next_connect_and_no_log_has_any(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    back = asyncio.Event()
    with NatsServer() as server:
        passwords = [server.passwords["media"].read_text().strip(), make_password()]
        access = NatsAccess(server.address, "media", tmp_path / "password")
        (tmp_path / "password").write_text(passwords[0])
        nc = await salon_nats.connect(access, name="media-1", on_reconnected=back.set)
        server.passwords["media"].write_text(passwords[1])
        await asyncio.to_thread(server.restart)
        async with asyncio.timeout(10):
            while "authorization violation" not in caplog.text.lower():  # noqa: ASYNC110 - a log has no event
                await asyncio.sleep(0.02)
        assert not back.is_set(), "the old password opens nothing"
        (tmp_path / "password").write_text(passwords[1])
        await asyncio.wait_for(back.wait(), 10)
        await nc.close()
    assert not [password for password in passwords if password in caplog.text]

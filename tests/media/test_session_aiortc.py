"""A real aiortc client against the node's DTLS, SCTP and sessions, over UDP on loopback; media is not in it."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from media.harness import Client, Node, until
from media.loopback_engine import LoopbackEngine
from salon.media.v1 import channel_pb2
from salon.rooms.v1 import presence_pb2, room_pb2
from salon_media.core.channel import MAX_HEIGHT


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    node = Node(await LoopbackEngine.start())
    yield node
    await node.stop()


@pytest.fixture
async def client(node: Node) -> AsyncIterator[Client]:
    client = Client()
    client.pc.addTransceiver("audio", direction="recvonly")
    client.pc.addTransceiver("video", direction="recvonly")
    yield client
    await client.pc.close()


def fake(node: Node) -> LoopbackEngine:
    assert isinstance(node.engine, LoopbackEngine)
    return node.engine


def only_session(node: Node) -> int:
    (entry,) = node.state.entries()
    return entry.session


async def test_a_client_connects_and_the_engine_has_its_keys(node: Node, client: Client) -> None:
    answer = await node.admit(client)
    assert node.statuses()[client.participant_id] == presence_pb2.PRESENCE_STATUS_EXPECTED
    await client.accept(answer)
    await asyncio.wait_for(client.opened.wait(), 10)
    keys = fake(node).sessions[only_session(node)].keys
    assert keys is not None
    profile, client_key, client_salt, node_key, node_salt = keys
    assert profile == 7
    assert (len(client_key), len(client_salt), len(node_key), len(node_salt)) == (16, 12, 16, 12)
    await until(lambda: node.statuses() == {client.participant_id: presence_pb2.PRESENCE_STATUS_CONNECTED})


async def test_slots_and_speakers_reach_the_client(node: Node, client: Client) -> None:
    await client.join(node)
    (entry,) = node.state.entries()
    fake(node).tell(("slots", entry.session, [(3, 0, 21, 4000)]))
    fake(node).tell(("speakers", entry.room, [20, 24], 20))
    message = await client.heard(lambda message: message.WhichOneof("body") == "slot_map")
    assert message.slot_map.slots == [
        channel_pb2.SlotAssignment(kind=channel_pb2.SLOT_KIND_VIDEO, slot=0, source=21, first_timestamp=4000)
    ]
    message = await client.heard(lambda message: message.WhichOneof("body") == "speakers")
    assert message.speakers == channel_pb2.Speakers(sources=[20, 24], dominant=20)


async def test_the_roster_names_all_who_have_connected(node: Node, client: Client) -> None:
    def names(*microphones: int) -> Callable[[channel_pb2.NodeMessage], bool]:
        return lambda message: list(message.roster.microphones) == [*microphones]

    await client.join(node)
    own = client.source(room_pb2.SOURCE_KIND_MICROPHONE)
    await client.heard(names(own))
    other = Client(ordinal=2)
    other.pc.addTransceiver("audio", direction="recvonly")
    await other.join(node)
    both = names(own, other.source(room_pb2.SOURCE_KIND_MICROPHONE))
    await client.heard(both)
    await other.heard(both)
    client.messages.clear()
    await other.pc.close()
    await client.heard(names(own))


async def test_slots_that_changed_before_the_channel_opened_are_told_then(node: Node, client: Client) -> None:
    answer = await node.admit(client)
    fake(node).tell(("slots", only_session(node), [(1, 0, 20, 7)]))
    await client.accept(answer)
    message = await client.heard(lambda message: message.WhichOneof("body") == "slot_map")
    assert message.slot_map.slots[0].source == 20


async def test_a_layout_reaches_the_engine(node: Node, client: Client) -> None:
    await client.join(node)
    wish = channel_pb2.SlotWish(slot=0, source=9, max_height=100_000)
    client.say(channel_pb2.ClientMessage(layout=channel_pb2.Layout(slots=[wish])))
    session = fake(node).sessions[only_session(node)]
    await until(lambda: session.layouts == [[(0, 9, MAX_HEIGHT)]])


async def test_odd_messages_are_dropped_and_the_session_goes_on(node: Node, client: Client) -> None:
    await client.join(node)
    session = fake(node).sessions[only_session(node)]
    refused = "salon_media_client_messages_refused_total"
    client.channel.send(b"\xff\xff\xff")
    client.channel.send("text")
    too_many = channel_pb2.SlotWish(slot=25, source=9)
    client.say(channel_pb2.ClientMessage(layout=channel_pb2.Layout(slots=[too_many])))
    client.say(channel_pb2.ClientMessage(layout=channel_pb2.Layout()))
    await until(lambda: session.layouts == [[]])
    assert node.registry.get_sample_value(refused) == 2


async def test_a_client_that_closes_is_gone_at_once(node: Node, client: Client) -> None:
    await client.join(node)
    session = only_session(node)
    node.statuses()
    await client.pc.close()
    await until(lambda: fake(node).closed == [session])
    assert node.statuses() == {client.participant_id: presence_pb2.PRESENCE_STATUS_GONE}
    assert node.state.participants == 0


async def test_a_silent_client_is_gone(node: Node, client: Client) -> None:
    await client.join(node)
    session = only_session(node)
    fake(node).tell(("silent", session))
    await until(lambda: fake(node).closed == [session])
    assert node.state.participants == 0


async def test_the_client_notices_when_it_is_removed(node: Node, client: Client) -> None:
    await client.join(node)
    (entry,) = node.state.entries()
    await node.node.remove(entry.key.room_id, entry.key.participant_id, 1)
    await until(lambda: client.pc.connectionState == "closed" or client.channel.readyState == "closed")
    assert node.state.participants == 0


async def test_a_newer_session_replaces_the_older(node: Node, client: Client) -> None:
    await client.join(node)
    older = only_session(node)
    again = Client()
    again.pc.addTransceiver("audio", direction="recvonly")
    await again.join(node, session_number=2)
    assert fake(node).closed == [older]
    assert node.state.participants == 1
    await until(lambda: node.statuses() == {client.participant_id: presence_pb2.PRESENCE_STATUS_CONNECTED})
    await again.pc.close()


async def test_a_client_that_was_placed_elsewhere_is_let_go(node: Node, client: Client) -> None:
    await client.join(node)
    client.say(channel_pb2.ClientMessage(epoch_seen=channel_pb2.EpochSeen(epoch=1)))
    client.say(channel_pb2.ClientMessage(epoch_seen=channel_pb2.EpochSeen(epoch=2)))
    await until(lambda: node.state.participants == 0)


async def test_a_failed_room_ends_its_sessions(node: Node, client: Client) -> None:
    await client.join(node)
    (entry,) = node.state.entries()
    fake(node).tell(("failed", entry.room))
    await until(lambda: node.state.participants == 0)


async def test_lost_handshake_datagrams_are_sent_again(node: Node, client: Client) -> None:
    fake(node).lose_next = 1
    await client.join(node)


async def test_a_client_with_another_certificate_is_refused(node: Node, client: Client) -> None:
    other = Client()
    other.pc.addTransceiver("audio", direction="recvonly")
    offer = await other.offer()
    line = next(line for line in offer.splitlines() if line.startswith("a=fingerprint:sha-256"))
    genuine = client.offer

    async def forged() -> str:
        lines = (await genuine()).splitlines()
        kept = [text for text in lines if not text.startswith("a=fingerprint")]
        index = next(number for number, text in enumerate(kept) if text.startswith("m="))
        return "\r\n".join([*kept[: index + 1], line, *kept[index + 1 :], ""])

    client.offer = forged  # type: ignore[method-assign]
    await client.accept(await node.admit(client))
    await until(lambda: node.state.participants == 0)
    failed = node.registry.get_sample_value("salon_media_dtls_handshakes_total", {"outcome": "failed"})
    assert failed == 1
    await other.pc.close()

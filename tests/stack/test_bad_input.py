"""Bad input to the running whole: a status that names the field and the limit, one log line, and the room goes on."""

import asyncio
import json
import random
import socket
import urllib.request
from pathlib import Path

import grpc
import grpc.aio
import pytest
from prometheus_client.parser import text_string_to_metric_families
from salon.signaling.v1 import signaling_pb2, signaling_pb2_grpc
from salon_client.run.stack import Link, Stack
from support.control_client import ControlClient

pytestmark = [pytest.mark.stack, pytest.mark.timeout(120)]

OFFER_LIMIT = 128 * 1024
TEXT_LIMIT = 2000


async def refusal(
    call: grpc.aio.UnaryStreamCall[signaling_pb2.JoinRequest, signaling_pb2.JoinResponse],
) -> str:
    """The status of a Join that is refused, as `CODE: message`."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call.read()
    return f"{refused.value.code().name}: {refused.value.details()}"


async def test_bad_joins_name_the_field_and_leave_the_room_unharmed(tmp_path: Path) -> None:
    async with Stack(rooms=1, signaling=1, media=1, directory=tmp_path) as stack:
        link = await stack.create_room("Sturdy")
        resident = ControlClient(stack.signaling_grpc, link.room_id, link.secret, "Resident")
        await resident.join()
        async with grpc.aio.insecure_channel(stack.signaling_grpc[0]) as channel:
            stub = signaling_pb2_grpc.SignalingServiceStub(channel)
            for number, (request, code, words) in enumerate(bad_joins(link)):
                request.request_id = f"bad-{number}"
                said = await refusal(stub.Join(request))
                assert said.startswith(code), said
                assert all(word in said for word in words), said
        before = resident.last
        await resident.chat("still here")
        await resident.wait_until_seen(before + 1)
        assert resident.chats == ["still here"]
        assert len(resident.present) == 1, "nobody came in"
        await resident.close()
        lines = [json.loads(line) for line in stack.log_path("signaling-1").read_text().splitlines()]
        refused = [line["message"] for line in lines if str(line.get("message")).startswith("refused: ")]
        assert len(refused) == len(bad_joins(link)), "one line each"
        assert not [line for line in lines if "stack" in line], "and no traceback"
        assert link.secret not in stack.log_path("signaling-1").read_text()


def bad_joins(link: Link) -> list[tuple[signaling_pb2.JoinRequest, str, list[str]]]:
    def request(**fields: str) -> signaling_pb2.JoinRequest:
        good = {"room_id": link.room_id, "invite_secret": link.secret, "name": "Mallory"}
        return signaling_pb2.JoinRequest(**{**good, **fields})  # type: ignore[arg-type]

    return [
        (request(name=""), "INVALID_ARGUMENT", ["name", "64"]),
        (request(name="x" * 65), "INVALID_ARGUMENT", ["name", "64"]),
        (request(name="a\x00b"), "INVALID_ARGUMENT", ["name"]),
        (request(offer="v=0\r\nnonsense"), "INVALID_ARGUMENT", ["offer"]),
        (request(offer="v" * (OFFER_LIMIT + 1)), "INVALID_ARGUMENT", ["offer", "128"]),
        (request(room_id="nowhere"), "INVALID_ARGUMENT", ["room_id"]),
        (request(app_token="x" * 5000), "INVALID_ARGUMENT", ["app_token", "4 KiB"]),
        (request(app_token="x.y.z"), "UNAUTHENTICATED", ["token"]),
        (request(invite_secret="A" * 22), "NOT_FOUND", ["link"]),
    ]


async def test_bad_messages_and_tokens_are_refused(tmp_path: Path) -> None:
    async with Stack(rooms=1, signaling=1, media=0, directory=tmp_path) as stack:
        link = await stack.create_room("Sturdy")
        resident = ControlClient(stack.signaling_grpc, link.room_id, link.secret, "Resident")
        await resident.join()
        for text, limit in (("", "empty"), ("x" * (TEXT_LIMIT + 1), str(TEXT_LIMIT))):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await resident.chat(text)
            assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
            assert "text" in str(refused.value.details())
            assert limit in str(refused.value.details())
        async with grpc.aio.insecure_channel(stack.signaling_grpc[0]) as channel:
            stub = signaling_pb2_grpc.SignalingServiceStub(channel)
            for token in ("", "garbage", "x.y.z"):
                with pytest.raises(grpc.aio.AioRpcError) as refused:
                    await stub.Leave(
                        signaling_pb2.LeaveRequest(), metadata=(("authorization", f"Bearer {token}"),)
                    )
                assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
        await resident.chat("still here")
        await resident.close()


async def test_garbage_on_the_media_port_is_counted_and_nothing_else(tmp_path: Path) -> None:
    chance = random.Random(11)
    async with Stack(rooms=1, signaling=1, media=1, directory=tmp_path) as stack:
        before = await metrics(stack, "media-1")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for number in range(300):
                size = (0, 1, 19, 40, 1200)[number % 5]
                sender.sendto(chance.randbytes(size), ("127.0.0.1", stack.ports("media-1")["udp"]))
        async with asyncio.timeout(10):
            while (dropped := drops(await metrics(stack, "media-1")) - drops(before)) < 300:  # noqa: ASYNC110 - it can only be asked
                await asyncio.sleep(0.1)  # the interval at which the node is asked
        assert dropped == 300
        assert (await metrics(stack, "media-1"))["salon_media_engine_datagrams_out_total"] == 0, (
            "no answer to strangers"
        )


async def test_every_service_tells_its_metrics_without_a_label_that_grows(tmp_path: Path) -> None:
    async with Stack(rooms=1, signaling=1, media=1, directory=tmp_path) as stack:
        link = await stack.create_room("Watched")
        resident = ControlClient(stack.signaling_grpc, link.room_id, link.secret, "Resident")
        await resident.join()
        for service in ("rooms", "signaling", "media"):
            found = await metrics(stack, f"{service}-1")
            assert any(name.startswith(f"salon_{service}_") for name in found)
            text = await asyncio.to_thread(fetch, stack, f"{service}-1", "metrics")
            assert link.room_id not in text
            assert resident.participant_id not in text
            assert await asyncio.to_thread(fetch, stack, f"{service}-1", "livez")
            assert await asyncio.to_thread(fetch, stack, f"{service}-1", "readyz")
        await resident.close()


def fetch(stack: Stack, name: str, path: str) -> str:
    url = f"http://127.0.0.1:{stack.ports(name)['health']}/{path}"
    with urllib.request.urlopen(url, timeout=5) as answer:
        return str(answer.read().decode())


async def metrics(stack: Stack, name: str) -> dict[str, float]:
    """Sums over labels, by sample name."""
    text = await asyncio.to_thread(fetch, stack, name, "metrics")
    sums: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
    return sums


def drops(found: dict[str, float]) -> float:
    return found.get("salon_media_engine_drops_total", 0.0)

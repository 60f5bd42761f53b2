from pathlib import Path

import grpc
import pytest
from salon.rooms.v1 import room_pb2
from salon_client.api import SignalingApi
from salon_common.errors import Code, SalonError
from support.certificates import make_certificates
from unit.client.fake_signaling import FakeSignaling, Refuse

NOBODY = "127.0.0.1:9"


async def test_every_call_carries_its_token_and_ids() -> None:
    async with FakeSignaling() as fake, SignalingApi([fake.address]) as api:
        assert (await api.create_room("app-token", "Title")).room.id == "r"
        assert (await api.preview_room("r", "s")).occupancy == 3
        assert await api.send_chat("t", "hello") == 7
        assert await api.set_sources("t", [room_pb2.SOURCE_KIND_CAMERA]) == 8
        assert (await api.create_invite("t", room_pb2.ROLE_VIEWER)).invite_id == "i"
        await api.revoke_invite("t", "i")
        await api.leave("t")
    with_token = {method for method, _, authorization in fake.calls if authorization == "Bearer t"}
    assert with_token == {"SendChat", "SetSources", "CreateInvite", "RevokeInvite", "Leave"}
    ids = [request.request_id for method, request, _ in fake.calls if method in ("CreateRoom", "SendChat")]
    assert len(set(ids)) == 2
    assert all(ids)


async def test_call_goes_elsewhere_while_a_replica_is_away_and_stays_there() -> None:
    async with FakeSignaling() as fake, SignalingApi([NOBODY, fake.address]) as api:
        assert await api.send_chat("t", "one") == 7
        assert await api.send_chat("t", "two") == 7
        assert api.preferred == fake.address


async def test_an_address_of_https_is_called_by_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = make_certificates(tmp_path)
    monkeypatch.setenv("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", str(files.ca))
    credentials = grpc.ssl_server_credentials([(files.key.read_bytes(), files.cert.read_bytes())])
    async with FakeSignaling(credentials=credentials) as fake, SignalingApi([fake.address]) as api:
        assert await api.send_chat("t", "hello") == 7


async def test_all_away_is_unavailable() -> None:
    async with SignalingApi([NOBODY, NOBODY]) as api:
        with pytest.raises(SalonError) as caught:
            await api.preview_room("r", "s")
    assert caught.value.code is Code.UNAVAILABLE


async def test_refusal_is_told_and_not_tried_elsewhere() -> None:
    async with FakeSignaling(refuse_calls=[Refuse(Code.INVALID_ARGUMENT, "text: too long")]) as first:
        async with FakeSignaling() as second, SignalingApi([first.address, second.address]) as api:
            with pytest.raises(SalonError, match="text: too long") as caught:
                await api.send_chat("t", "x")
        assert second.calls == []
    assert caught.value.code is Code.INVALID_ARGUMENT


def test_refuses_to_have_no_address() -> None:
    with pytest.raises(ValueError, match="address"):
        SignalingApi([])

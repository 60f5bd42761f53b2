"""Media nodes stand on their hosts' network, which policies do not reach: there, what a password opens is what protects."""

import base64
import json
from typing import Any

import pytest
from cluster.installation import MEDIA, NAMESPACES, SALON, Installation
from cluster.kubectl import KubectlError

pytestmark = [pytest.mark.cluster, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

ATTEMPTS = '''
import asyncio, json, os, sys
import nats

URL, REGION = os.environ["SALON_MEDIA_NATS_URL"], os.environ["SALON_MEDIA_REGION"]
PASSWORD = open(os.environ["SALON_MEDIA_NATS_PASSWORD_FILE"]).read().strip()

async def enters(**login):
    try:
        client = await nats.connect(URL, allow_reconnect=False, connect_timeout=3, error_cb=ignore, **login)
    except Exception:
        return False
    await client.close()
    return True

async def ignore(error):
    pass

async def refused(attempt, subjects):
    """Those of the subjects for which the server says so."""
    found = await asyncio.gather(*(is_refused(attempt, subject.replace("{region}", REGION)) for subject in subjects))
    return [subject for subject, each in zip(subjects, found) if each]

async def is_refused(attempt, subject):
    said = asyncio.Queue()
    client = await nats.connect(URL, user="media", password=PASSWORD, inbox_prefix=b"_INBOX.media", error_cb=said.put)
    await attempt(client, subject)
    await client.flush()
    try:
        return "permissions violation" in str(await asyncio.wait_for(said.get(), 2)).lower()
    except asyncio.TimeoutError:
        return False
    finally:
        await client.close()

async def publish(client, subject):
    await client.publish(subject, b"")

async def subscribe(client, subject):
    await client.subscribe(subject)

async def main():
    published, subscribed = json.loads(sys.argv[1]), json.loads(sys.argv[2])
    print(json.dumps({
        "own login": await enters(user="media", password=PASSWORD),
        "no login": await enters(),
        "wrong password": await enters(user="media", password="x" * 32),
        "another's name": await enters(user="rooms", password=PASSWORD),
        "published": await refused(publish, published),
        "subscribed": await refused(subscribe, subscribed),
    }))

asyncio.run(main())
'''

NOT_PUBLISHED = [
    *("room.local-1.head", "live.local-1.1", "vouch.{region}.signaling-1"),
    *("rpc.{region}.media.another.Admit", "rpc.{region}.rooms.Reserve", "rpc.{region}.nodes.SetNodeMode"),
    *("$JS.API.STREAM.LIST", "$JS.API.STREAM.DELETE.ROOMS_0", "$SYS.REQ.SERVER.PING"),
]
"""What a node has no business to say: rooms' state, others' calls, the store, the servers."""
NOT_HEARD = [">", "live.>", "room.>", "_INBOX.>", "_INBOX.rooms.>", "$SYS.>", "rpc.{region}.rooms.>"]
"""What it has no business to hear."""


async def try_as_media(installation: Installation) -> Any:
    (pod, *_) = await installation.pods_of(MEDIA, "deployment/media")
    return await installation.kubectl.python(
        MEDIA, pod["metadata"]["name"], ATTEMPTS, json.dumps(NOT_PUBLISHED), json.dumps(NOT_HEARD)
    )


async def test_nats_lets_media_do_its_work_and_no_more(installation: Installation) -> None:
    found = await try_as_media(installation)
    assert found == {
        "own login": True,
        "no login": False,
        "wrong password": False,
        "another's name": False,
        "published": NOT_PUBLISHED,
        "subscribed": NOT_HEARD,
    }


async def test_media_has_its_own_password_alone(installation: Installation) -> None:
    all_of_them = await installation.kubectl.get(SALON, "secret/salon-nats")
    secrets = await installation.kubectl.get(MEDIA, "secrets")
    held = {key: value for secret in secrets for key, value in secret["data"].items()}
    assert held == {"media": all_of_them["data"]["media"]}
    assert len(set(all_of_them["data"].values())) == len(all_of_them["data"]), "a password for each"
    assert all(len(base64.b64decode(each).strip()) >= 32 for each in all_of_them["data"].values())


@pytest.mark.parametrize("workload", ["rooms", "signaling", "web", "media"])
async def test_services_have_no_rights_at_the_kubernetes_api(
    installation: Installation, workload: str
) -> None:
    namespace = MEDIA if workload == "media" else SALON
    spec = (await installation.kubectl.get(namespace, f"deployment/{workload}"))["spec"]["template"]["spec"]
    assert spec["automountServiceAccountToken"] is False
    account = f"system:serviceaccount:{namespace}:{spec['serviceAccountName']}"
    for where in NAMESPACES:
        with pytest.raises(KubectlError, match="no"):
            await installation.kubectl("auth", "can-i", "get", "secrets", "-n", where, f"--as={account}")

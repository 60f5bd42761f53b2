"""The JetStream streams that hold rooms: their settings and the names of the subjects in them.

A partition is one stream. A room's subjects begin with its partition's number, so that streams do not overlap:
`room.<partition>.<room>.head`, `.p.<participant>`, `.inv.<invite>` and `.ev.<number>`. Nobody may subscribe to them: a
publish that JetStream rejects still reaches subscribers. Events reach the living by republication to
`live.<room>.<number>`, which sends only what was stored.
"""

from dataclasses import dataclass

from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RePublish, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError
from salon_common.errors import SettingsError

from salon_rooms.store import partition_of

_PARTITIONS = "salon-partitions"
"""Kept with each stream: rooms are found by their number."""


@dataclass(frozen=True)
class Subjects:
    """The subjects of one room."""

    stream: str
    root: str

    @property
    def head(self) -> str:
        """The head's."""
        return f"{self.root}.head"

    def participant(self, participant_id: str) -> str:
        """A participant's; `*` for all."""
        return f"{self.root}.p.{participant_id}"

    def invite(self, invite_id: str) -> str:
        """An invite's; `*` for all."""
        return f"{self.root}.inv.{invite_id}"

    def event(self, number: int) -> str:
        """An event's."""
        return f"{self.root}.ev.{number}"


def stream_name(partition: int) -> str:
    """The stream of a partition."""
    return f"ROOMS_{partition}"


def subjects_of(room_id: str, partitions: int) -> Subjects:
    """The subjects of a room."""
    partition = partition_of(room_id, partitions)
    return Subjects(stream_name(partition), f"room.{partition}.{room_id}")


def all_participants(partition: int) -> str:
    """The subjects of every participant of a partition."""
    return f"room.{partition}.*.p.*"


def stream_config(partition: int, partitions: int, replicas: int) -> StreamConfig:
    """How a partition's stream must be."""
    return StreamConfig(
        name=stream_name(partition),
        description="Rooms: heads, participants, invites and events",
        metadata={_PARTITIONS: str(partitions)},
        subjects=[f"room.{partition}.>"],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        max_msgs_per_subject=1,
        num_replicas=replicas,
        allow_direct=True,
        allow_atomic=True,
        allow_msg_ttl=True,
        republish=RePublish(
            src=f"room.{partition}.*.ev.*", dest="live.{{wildcard(1)}}.{{wildcard(2)}}", headers_only=False
        ),
    )


async def ensure_streams(jetstream: JetStreamContext, partitions: int, replicas: int) -> None:
    """Make the streams that are missing, and bring the others' settings up to date. Several replicas may do so at once.

    Raises SettingsError when they were made for another number of partitions.
    """
    for partition in range(partitions):
        config = stream_config(partition, partitions, replicas)
        try:
            info = await jetstream.stream_info(stream_name(partition))
        except NotFoundError:
            await jetstream.add_stream(config)
            continue
        made_for = (info.config.metadata or {}).get(_PARTITIONS, str(partitions))
        if made_for != str(partitions):
            raise SettingsError(
                f"SALON_ROOMS_PARTITIONS: is {partitions}, and the streams were made for {made_for}: rooms would not be found"
            )
        await jetstream.update_stream(config)

"""Puts the parts of a replica together, around one NATS connection. Knows no process: tests build it too."""

import secrets

from nats.aio.client import Client
from salon.signaling.v1 import signaling_pb2_grpc
from salon_common.clock import Clock
from salon_common.rpc import NatsChannel, ServiceRegistry
from salon_common.tokens import AppRegistry, SessionTokens

from salon_signaling.admission import Admission
from salon_signaling.auth import Authority
from salon_signaling.chores import Chores
from salon_signaling.config import SignalingSettings
from salon_signaling.core.join_plan import AdmitTimes
from salon_signaling.core.limits import Rate
from salon_signaling.core.presence import PresenceLedger, Sender
from salon_signaling.core.stream import StreamTimes
from salon_signaling.guards import Guards, Rates
from salon_signaling.join import JoinParts, Joins
from salon_signaling.live import LiveRooms
from salon_signaling.media_client import MediaClient
from salon_signaling.presence import PresenceReporter
from salon_signaling.quality import QualityMeter
from salon_signaling.replays import SharedReplays
from salon_signaling.rooms_client import RoomsClient
from salon_signaling.servicer import PublicSettings, SignalingServicer


class SignalingApp:
    """One replica: `registry` is what the mounts serve."""

    def __init__(self, nc: Client, settings: SignalingSettings, clock: Clock) -> None:
        """Raises SettingsError for files that cannot be used."""
        rooms = RoomsClient(
            lambda region: NatsChannel(nc, region=region, timeout=settings.rooms_timeout),
            region=settings.region,
            regions=settings.regions,
            timeout=settings.rooms_timeout,
        )
        media = MediaClient(lambda node: NatsChannel(nc, region=settings.region, node=node))
        ledger = PresenceLedger(Sender(settings.replica_id, secrets.token_hex(8)))
        authority = Authority(
            AppRegistry.load(settings.apps_file) if settings.apps_file else AppRegistry(()),
            SessionTokens.load(settings.session_key_file, settings.token_lifetime),
            clock,
        )
        self.live = LiveRooms(nc)
        self.presence = PresenceReporter(nc, ledger, region=settings.region, replica_id=settings.replica_id)
        self.chores = Chores()
        self._replays = SharedReplays(rooms)
        admit_times = AdmitTimes(settings.admit_timeout, settings.second_admit_timeout)
        joins = Joins(
            JoinParts(
                rooms=rooms,
                admission=Admission(rooms, media, admit_times, self.chores),
                live=self.live,
                replays=self._replays,
                ledger=ledger,
                authority=authority,
                chores=self.chores,
                clock=clock,
                times=StreamTimes(keepalive=settings.keepalive, token_lifetime=settings.token_lifetime),
            )
        )
        public = PublicSettings(settings.link_base, settings.trusted_proxies)
        guards = Guards(_rates(settings), clock)
        servicer = SignalingServicer(rooms, joins, authority, guards, QualityMeter(clock), public)
        self.registry = ServiceRegistry()
        signaling_pb2_grpc.add_SignalingServiceServicer_to_server(servicer, self.registry)

    def handle_reconnected(self) -> None:
        """NATS was away."""
        self._replays.handle_reconnected()
        self.live.handle_reconnected()
        self.presence.handle_reconnected()

    async def drain(self) -> None:
        """End the streams, finish what was begun, say who is gone."""
        self.live.drain()
        await self.chores.finish()
        await self.presence.report()


def _rates(settings: SignalingSettings) -> Rates:
    return Rates(
        address=Rate(settings.address_rate, settings.address_burst),
        room=Rate(settings.room_rate, settings.room_burst),
        failures=Rate(settings.failure_rate, settings.failure_burst),
        participant=Rate(settings.participant_rate, settings.participant_burst),
    )

"""The end of a node: it goes on serving while its people are moved elsewhere, and says how far that has come.

Owns the waiting; who moves them is the rooms service, which reads the mode in the heartbeats.
"""

import asyncio
import logging
from typing import Final

from salon_common.clock import Clock

from salon_media.core.mode import draining
from salon_media.core.node_state import NodeState
from salon_media.node import MediaNode

_log = logging.getLogger(__name__)

PROGRESS_SECONDS: Final = 5.0


async def drain(node: MediaNode, state: NodeState, clock: Clock, seconds: float) -> None:
    """Take nobody new, and wait until nobody is left or the time is over."""
    node.set_mode(draining(clock.now(), seconds, ending=True))
    while state.participants and (left := state.mode.seconds_left(clock.now())):
        _log.info(
            "draining",
            extra={"participants": state.participants, "rooms": state.rooms, "seconds_left": round(left)},
        )
        try:
            async with asyncio.timeout(min(PROGRESS_SECONDS, left)):
                await node.empty.wait()
        except TimeoutError:
            continue
    _log.info("drained", extra={"participants": state.participants})

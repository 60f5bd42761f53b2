"""All dashboards, in the order in which somebody who looks for a cause opens them."""

from collections.abc import Mapping

from dashboards.boards import joins, nats, node, quality, region, worldwide
from dashboards.model import Board

BOARDS: Mapping[str, Board] = {
    "worldwide": worldwide.BOARD,
    "region": region.BOARD,
    "node": node.BOARD,
    "quality": quality.BOARD,
    "joins": joins.BOARD,
    "nats": nats.BOARD,
}
"""By the name of their file."""

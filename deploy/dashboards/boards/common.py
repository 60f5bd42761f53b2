"""What several dashboards share: the choices of their readers, and the events that explain a curve's bend."""

from dashboards import colours
from dashboards.model import Annotation, Link, Variable

REGION = Variable("region", "Region", "salon_build_info")
NODE = Variable("node", "Media node", 'salon_media_sessions{region="$region"}')

TO_REGION = Link("salon-region", "region")
TO_NODE = Link("salon-node", "node", keeps=("region",))


def node_events(where: str) -> tuple[Annotation, ...]:
    """Deaths and moves of media nodes in the regions that `where` selects."""
    return (
        Annotation(
            "Node dead",
            # Every replica comes to the same verdict.
            f'max by (region) (increase(salon_rooms_node_verdicts_total{{{where}health="dead"}}[1m])) > 0',
            "A media node of {{region}} is dead",
            colours.BAD,
        ),
        Annotation(
            "Node draining",
            f'max by (region) (salon_rooms_media_nodes{{{where}mode="draining"}}) > 0',
            "A media node of {{region}} is being drained",
            colours.CALM,
        ),
    )

"""Writes docs/config.md from the settings classes; with --check says whether it is as the code has it."""

import sys
from pathlib import Path

from salon_common.settings import ServiceSettings
from salon_common.settings_doc import markdown_table
from salon_media.config import MediaSettings
from salon_rooms.config import RoomsSettings
from salon_rooms.scaling.config import ScalerSettings
from salon_signaling.config import SignalingSettings

PAGE = Path(__file__).parent / "config.md"
HEAD = """# Settings

Made from the code by `make docs`. Settings come from the environment. An unknown or bad one stops the start, with one line that names it.
"""


def page() -> str:
    """The whole page."""
    services: dict[str, type[ServiceSettings]] = {
        "rooms": RoomsSettings,
        "signaling": SignalingSettings,
        "media": MediaSettings,
        "scaler": ScalerSettings,
    }
    sections = [f"## {name}\n\n{markdown_table(settings).strip()}\n" for name, settings in services.items()]
    return "\n".join([HEAD, *sections])


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(
            None if PAGE.read_text() == page() else "docs/config.md is not as the code has it: run make docs"
        )
    PAGE.write_text(page())

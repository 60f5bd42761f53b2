"""Offers from real clients, and shorthands to change them."""

from collections.abc import Callable
from pathlib import Path

import pytest

VECTORS = Path(__file__).parents[2] / "vectors" / "sdp"
NAMES = sorted(path.stem for path in VECTORS.glob("*.sdp"))

Offers = Callable[[str], str]


def read_vector(name: str) -> str:
    return (VECTORS / f"{name}.sdp").read_bytes().decode()


@pytest.fixture
def offers() -> Offers:
    """Reads an offer by the name of its file."""
    return read_vector


@pytest.fixture(params=NAMES)
def any_offer(request: pytest.FixtureRequest) -> str:
    """Each recorded offer in turn."""
    return read_vector(request.param)

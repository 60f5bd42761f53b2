"""The text form of a call's remaining time: gRPC's `grpc-timeout`, at most eight digits and a unit."""

import re

from salon_common.errors import invalid

_TIMEOUT = re.compile(r"([0-9]{1,8})([HMSmun])")
_SECONDS = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}


def encode_timeout(seconds: float) -> str:
    """In microseconds while they fit (100 s), else in milliseconds or seconds, rounded up."""
    for unit in ("u", "m", "S"):
        count = -int(-max(seconds, 0.0) / _SECONDS[unit] // 1)
        if count < 100_000_000:
            return f"{count}{unit}"
    return "99999999S"


def decode_timeout(text: str) -> float:
    """Seconds. Raises SalonError INVALID_ARGUMENT."""
    match = _TIMEOUT.fullmatch(text)
    if match is None:
        raise invalid("timeout", "must be 1-8 digits and a unit of H, M, S, m, u or n")
    return int(match[1]) * _SECONDS[match[2]]

"""Writes libsrtp.txt: packets as libsrtp, through pylibsrtp, protects them. Run it in this folder; its output never changes.

Lines: `profile NUMBER KEY SALT`, then for that profile `rtp CLEAR PROTECTED` and `rtcp CLEAR PROTECTED` in sending order.
"""

from pathlib import Path
from struct import pack

from pylibsrtp import Policy, Session

PROFILES = [
    (1, Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14),
    (7, Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12),
    (8, Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 32, 12),
]


def rtp(ssrc: int, seq: int, payload: bytes, *, csrcs: tuple[int, ...] = (), extension: bytes = b"") -> bytes:
    first = 0x80 | len(csrcs) | (0x10 if extension else 0)
    header = pack("!BBHII", first, 96, seq, 90 * seq, ssrc) + b"".join(pack("!I", csrc) for csrc in csrcs)
    if extension:
        header += pack("!HH", 0xBEDE, len(extension) // 4) + extension
    return header + payload


def packets() -> list[bytes]:
    plain = [rtp(0xCAFE0001, seq, b"around the wrap") for seq in (65533, 65535, 0, 1, 3)]
    plain.append(rtp(0xCAFE0002, 7, b""))
    plain.append(rtp(0xCAFE0002, 8, bytes(range(256)) * 4, csrcs=(77,)))
    plain.append(
        rtp(0xCAFE0002, 9, b"extended", csrcs=(77, 78), extension=b"\x10\x85\x21\x61\x62\x00\x00\x00")
    )
    return plain


def reports() -> list[bytes]:
    receiver = pack("!BBHI", 0x80, 201, 1, 0xCAFE0001)
    sender = pack("!BBHIQIII", 0x80, 200, 6, 0xCAFE0001, 1 << 40, 90000, 10, 12000)
    loss = pack("!BBHII", 0x81, 206, 2, 0xCAFE0001, 0xBEEF)
    return [receiver, sender + loss, receiver]


def main() -> None:
    lines: list[str] = []
    for number, profile, key_length, salt_length in PROFILES:
        key, salt = bytes(range(1, key_length + 1)), bytes(range(0xA0, 0xA0 + salt_length))
        session = Session(Policy(key=key + salt, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile))
        lines.append(f"profile {number} {key.hex()} {salt.hex()}")
        lines += [f"rtp {packet.hex()} {session.protect(packet).hex()}" for packet in packets()]
        lines += [f"rtcp {packet.hex()} {session.protect_rtcp(packet).hex()}" for packet in reports()]
    Path("libsrtp.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

"""A network namespace for a part of a stack, whose link can be cut without a word: no reset, no ICMP, no error.

For tests on Linux, with the rights of root. The link is a veth pair; cutting it gives both ends a neighbour's hardware address that
nobody has, so that every packet is sent and none arrives. Names carry the process that made them: what a killed one left behind is
removed by the next.
"""

import itertools
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from salon_common.errors import Code, SalonError

_PREFIX = "salon-cut"
_NAMESPACES = Path("/run/netns")
_NOBODY = "02:00:00:00:00:99"
"""A locally administered hardware address."""


@dataclass(frozen=True)
class IsolatedHost:
    """One namespace, and its link to this machine."""

    namespace: str
    link: str
    """The link's end on this machine; the other end has the same name, in the namespace."""
    outside: str
    """This machine's address on the link."""
    inside: str
    """The address of what runs in the namespace."""

    def enter(self, command: Sequence[str]) -> list[str]:
        """The command that runs `command` in the namespace, as the same process."""
        return ["nsenter", f"--net={_NAMESPACES / self.namespace}", *command]

    def cut(self) -> None:
        """From now on nothing passes, in either direction."""
        _ip("neigh", "replace", self.inside, "lladdr", _NOBODY, "nud", "permanent", "dev", self.link)
        _ip(
            *("-n", self.namespace),
            *("neigh", "replace", self.outside, "lladdr", _NOBODY, "nud", "permanent", "dev", self.link),
        )

    def mend(self) -> None:
        """What is sent arrives again; no effect on a whole link."""
        for end, of in (((), self.inside), (("-n", self.namespace), self.outside)):
            if _NOBODY in _ip(*end, "neigh", "show", of, "dev", self.link):
                _ip(*end, "neigh", "del", of, "dev", self.link)

    def remove(self) -> None:
        """Take link and namespace away."""
        _ip("link", "del", self.link)
        _ip("netns", "del", self.namespace)


def make_host() -> IsolatedHost:
    """A namespace with a whole link. Raises SalonError that says which right or program is missing."""
    remove_orphans()
    network = _free_network()
    host = IsolatedHost(
        namespace=f"{_PREFIX}-{os.getpid()}-{network}",
        link=f"cut{os.getpid() % 1_000_000}n{network}",
        outside=f"10.231.{network}.1",
        inside=f"10.231.{network}.2",
    )
    _ip("netns", "add", host.namespace)
    try:
        _ip("link", "add", host.link, "type", "veth", "peer", "name", host.link, "netns", host.namespace)
        _ip("addr", "add", f"{host.outside}/24", "dev", host.link)
        _ip("link", "set", host.link, "up")
        within = ("-n", host.namespace)
        _ip(*within, "link", "set", "lo", "up")
        _ip(*within, "addr", "add", f"{host.inside}/24", "dev", host.link)
        _ip(*within, "link", "set", host.link, "up")
        _ip(*within, "route", "add", "default", "via", host.outside)
    except SalonError:
        _ip("netns", "del", host.namespace)  # takes the link with it
        raise
    return host


def remove_orphans() -> None:
    """Remove the namespaces of processes that are gone; their links go with them."""
    if not _NAMESPACES.is_dir():
        return
    for each in _NAMESPACES.glob(f"{_PREFIX}-*"):
        owner = each.name.removeprefix(f"{_PREFIX}-").partition("-")[0]
        if not Path("/proc", owner).exists():
            _ip("netns", "del", each.name)


def _free_network() -> int:
    taken = _ip("-o", "-4", "addr", "show")
    return next(number for number in itertools.count(1) if f" 10.231.{number}." not in taken)


def _ip(*arguments: str) -> str:
    command = ["ip", *arguments]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "") or error
        raise SalonError(
            Code.FAILED_PRECONDITION,
            f"a part cannot be isolated ({' '.join(command)}: {str(said).strip()}): this needs Linux, iproute2, nsenter and root",
        ) from None

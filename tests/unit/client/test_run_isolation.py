"""Commands and clear refusals of isolation; that packets really vanish is shown where real namespaces are."""

import subprocess
from typing import Any

import pytest
from salon_client.run.isolation import IsolatedHost, make_host
from salon_client.run.processes import Program
from salon_common.errors import SalonError

HOST = IsolatedHost("salon-cut-1-7", "cut1n7", "10.231.7.1", "10.231.7.2")


class FakeIp:
    """Takes the place of `ip`: what was asked, and what is shown."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.fails_at = "nothing"
        self.shows = ""
        monkeypatch.setattr(subprocess, "run", self._run)

    def _run(self, command: list[str], **_: Any) -> "subprocess.CompletedProcess[str]":
        line = " ".join(command)
        self.asked.append(line)
        if self.fails_at in line:
            raise subprocess.CalledProcessError(1, command, stderr="Operation not permitted\n")
        return subprocess.CompletedProcess(command, 0, stdout=self.shows)


@pytest.fixture
def fake_ip(monkeypatch: pytest.MonkeyPatch) -> FakeIp:
    return FakeIp(monkeypatch)


def test_a_cut_is_made_at_both_ends(fake_ip: FakeIp) -> None:
    HOST.cut()
    assert fake_ip.asked == [
        "ip neigh replace 10.231.7.2 lladdr 02:00:00:00:00:99 nud permanent dev cut1n7",
        "ip -n salon-cut-1-7 neigh replace 10.231.7.1 lladdr 02:00:00:00:00:99 nud permanent dev cut1n7",
    ]


def test_mending_a_whole_link_does_nothing(fake_ip: FakeIp) -> None:
    HOST.mend()
    assert not any(" del " in line for line in fake_ip.asked)
    fake_ip.shows = "10.231.7.2 lladdr 02:00:00:00:00:99 PERMANENT"
    HOST.mend()
    assert sum(" del " in line for line in fake_ip.asked) == 2


def test_a_network_in_use_is_not_taken(fake_ip: FakeIp) -> None:
    fake_ip.shows = "7: a    inet 10.231.1.1/24 scope global a\n8: b    inet 10.231.2.1/24 scope global b"
    assert make_host().outside == "10.231.3.1"


def test_missing_rights_are_told_and_leave_nothing(fake_ip: FakeIp) -> None:
    fake_ip.fails_at = "link add"
    with pytest.raises(SalonError, match=r"link add.*Operation not permitted.*needs Linux.*root"):
        make_host()
    assert "netns del" in fake_ip.asked[-1]


def test_a_program_within_keeps_its_name_and_environment() -> None:
    program = Program("media-1", lambda ports: ["node", str(ports)], lambda _: {"A": "b"}, lambda _: None)
    within = program.within(HOST.enter)
    assert within.name == "media-1"
    assert within.command({}) == ["nsenter", "--net=/run/netns/salon-cut-1-7", "node", "{}"]
    assert within.environment({}) == {"A": "b"}

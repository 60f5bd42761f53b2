import socket

import pytest
from salon_client.run.addresses import LOOPBACK, default_advertised, require_free_port
from salon_common.errors import SalonError


def test_busy_port_is_named_with_its_option() -> None:
    with socket.create_server((LOOPBACK, 0)) as busy:
        port = busy.getsockname()[1]
        with pytest.raises(SalonError, match=f"port {port} is in use: choose another with --port"):
            require_free_port(LOOPBACK, port, "--port")
    require_free_port(LOOPBACK, port, "--port")


def test_port_that_may_not_be_had_is_named_too() -> None:
    with pytest.raises(SalonError, match=r"port 4321 cannot be used on 198\.51"):
        require_free_port("198.51.100.7", 4321, "--port")


def test_loopback_is_always_advertised() -> None:
    advertised = default_advertised()
    assert advertised[0] == LOOPBACK
    assert len(set(advertised)) == len(advertised) <= 2

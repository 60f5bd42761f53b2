"""How an address of NATS with a name and password is taken apart."""

from salon_common.nats_access import split_url


def test_an_address_without_a_user_stays_as_it_is() -> None:
    assert split_url("nats://127.0.0.1:4222") == (["nats://127.0.0.1:4222"], None, None)


def test_the_first_user_is_for_all_servers_and_stays_in_no_address() -> None:
    servers, user, password = split_url(
        "nats://rooms:a%40b@nats-1:4222, tls://[::1]:4223,nats://x:y@nats-3:1"
    )
    assert servers == ["nats://nats-1:4222", "tls://[::1]:4223", "nats://nats-3:1"]
    assert (user, password) == ("rooms", "a@b")

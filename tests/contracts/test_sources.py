"""What every registered source must do; a source with a fake in `tests/fakes` is asked over real sockets as well."""

from __future__ import annotations

import copy
import importlib
import importlib.util
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

import aiohttp
import msgspec
import orjson
import pytest
from aiohttp import web
from pydantic import SecretStr

from backend.ingestion.registry import source_types
from backend.ingestion.source import Payload, Source
from backend.ingestion.transport import Transport, open_session
from backend.models.ingestion_models import AUDIO_FEATURES, AlbumQuery, AlbumRecord, TrackRecord
from backend.utils.errors import (
    RateLimitedError,
    RecordNotFoundError,
    ServerFaultError,
    SourceError,
    TerminalError,
    ThrottledError,
    TransientError,
)
from tests.fakes.music import ARTIST, HARBOUR
from tests.fakes.server import OOPS, Answer, Fake, fault, reset, says, too_many, truncated

PAYLOADS = Path(__file__).parents[1] / "payloads"
SOURCES = source_types()
NAMES = [source().profile.name for source in SOURCES]
NETWORKED = [name for name in NAMES if importlib.util.find_spec(f"tests.fakes.{name}")]
FILES = [file for name in NAMES for file in sorted((PAYLOADS / name).glob("*.json"))]
QUERY = AlbumQuery(album=HARBOUR.title, artist=ARTIST)


def build(name: str) -> Source:
    return SOURCES[NAMES.index(name)]()


@dataclass
class Asking:
    """A source, its fake, and a transport between them that does not wait long."""

    source: Source
    fake: Fake
    transport: Transport
    query: AlbumQuery = QUERY

    async def fetch(self, query: AlbumQuery | None = None) -> Payload:
        return await self.source.fetch(query or self.query, self.transport)

    @property
    def names(self) -> bool:
        """Whether it names albums; others are asked by what they are called elsewhere, and repeat no names."""
        return "title" in self.source.profile.gives


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session() as opened:
        yield opened


@pytest.fixture(params=NETWORKED)
async def asking(
    request: pytest.FixtureRequest, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Asking]:
    module = importlib.import_module(f"tests.fakes.{request.param}")
    fake = module.make()
    async with fake.running() as base:
        for name, value in fake.environment(base).items():
            monkeypatch.setenv(name, value)
        source = build(request.param)
        limits = replace(source.profile.limits, backoff=0.001)
        transport = Transport(source.profile.name, limits=limits, session=session)
        yield Asking(source, fake, transport, getattr(module, "QUERY", QUERY))


# -- without asking ------------------------------------------------------------------------------


def test_names_are_unique() -> None:
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_profile_is_whole(name: str) -> None:
    profile = build(name).profile
    known = {f.name for f in (*fields(AlbumRecord), *fields(TrackRecord))} | set(AUDIO_FEATURES)
    assert re.fullmatch(r"[a-z][a-z0-9]*", profile.name)
    assert profile.gives.keys() <= known
    assert all(0 < weight <= 1 for weight in profile.gives.values())
    assert profile.terms.endswith(".")
    limits = profile.limits
    assert min(limits.rate, limits.concurrent, limits.timeout, limits.attempts, limits.patience) > 0


@pytest.mark.parametrize("name", NAMES)
def test_a_source_that_needs_a_key_says_which(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(f"{name.upper()}_ENABLED", raising=False)
    source = build(name)
    reason = source.unconfigured()
    assert (reason is not None) == source.profile.keyed
    if reason is not None:
        assert any(variable in reason for variable in source.settings.shown())


@pytest.mark.parametrize(
    "name", [n for n in NAMES if f"{n.upper()}_ENABLED" in {v.upper() for v in build(n).settings.shown()}]
)
def test_a_source_that_is_switched_off_says_by_what(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{name.upper()}_ENABLED", "false")
    assert build(name).unconfigured() == f"{name.upper()}_ENABLED is false"


@pytest.mark.parametrize("name", NAMES)
def test_secrets_are_secret(name: str) -> None:
    group = build(name).settings
    for field, value in group:
        if re.search(r"key|secret|token|password|client_id", field):
            assert isinstance(value, SecretStr), field


@pytest.mark.parametrize("name", NAMES)
def test_there_are_payloads(name: str) -> None:
    assert any(file.parent.name == name for file in FILES)


@pytest.mark.parametrize("file", FILES, ids=lambda f: f"{f.parent.name}/{f.stem}")
def test_payloads_become_records(file: Path) -> None:
    source = build(file.parent.name)
    payload = orjson.loads(file.read_bytes())
    untouched = copy.deepcopy(payload)
    record = source.normalise(payload)
    assert payload == untouched
    assert record == source.normalise(payload)
    assert msgspec.json.decode(msgspec.json.encode(record), type=AlbumRecord) == record
    names = "title" in source.profile.gives
    assert bool(record.title.strip() and record.artist.strip()) is names
    assert 0 <= record.match_score <= 1
    tags = [*record.tags, *(t for track in record.tracks for t in track.tags)]
    assert all(t.name.strip() and 0 < t.weight <= 1 for t in tags)
    assert all(t.level in {"album", "artist"} for t in record.tags)
    for track in record.tracks:
        assert bool(track.title.strip()) is names
        assert set(track.audio_features) <= set(AUDIO_FEATURES)
        assert track.duration_ms is None or track.duration_ms > 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("payload", [{}, {"album": None}, {"album": {}}, {"html": "<html></html>"}, {"album": "?"}])
def test_what_is_no_payload_is_refused_by_name(name: str, payload: Payload) -> None:
    with pytest.raises(SourceError, match=r"\w{3}"):
        build(name).normalise(payload)


# -- over sockets --------------------------------------------------------------------------------


async def test_an_album_is_found(asking: Asking) -> None:
    payload = await asking.fetch()
    record = asking.source.normalise(payload)
    if asking.names:
        assert (record.title, record.artist) == (HARBOUR.title, ARTIST)
        assert asking.source.profile.name in record.ids
        assert [t.title for t in record.tracks] == [s.title for s in HARBOUR.songs]
    else:
        assert (record.title, record.artist) == ("", "")
        assert all(t.ids for t in record.tracks)
    # Plain JSON values: what is kept can be read again.
    assert asking.source.normalise(orjson.loads(orjson.dumps(payload))) == record


async def test_faults_of_every_request_are_overcome(asking: Asking) -> None:
    expected = asking.source.normalise(await asking.fetch())
    kinds = [fault(500), truncated, says(""), OOPS, reset, fault(503), says('{"a": [')]
    good = asking.fake.answer
    seen: set[tuple[str, str]] = set()

    # By the request and not by their order: of those on their way at the same time none meets more than one fault.
    async def the_first_time(request: web.BaseRequest) -> web.StreamResponse:
        key = request.method, str(request.rel_url)
        answer = good if key in seen else kinds[len(seen) % len(kinds)]
        seen.add(key)
        return await answer(request)

    asking.fake.answer = the_first_time
    assert asking.source.normalise(await asking.fetch()) == expected


async def test_an_unknown_album_is_not_found(asking: Asking) -> None:
    with pytest.raises(RecordNotFoundError):
        await asking.fetch(AlbumQuery(album="Quintessence of Nothing", artist="Nobody At All"))


@pytest.mark.parametrize(
    ("retry_after", "error"),
    [(None, RateLimitedError), ("0", RateLimitedError), ("soon", RateLimitedError), ("52531", ThrottledError)],
)
@pytest.mark.parametrize("after", range(6))
async def test_too_many_requests_is_never_not_found(
    after: int, retry_after: str | None, error: type[SourceError], asking: Asking
) -> None:
    always_after(asking.fake, after, too_many(retry_after))
    problem = await problem_of(asking)
    # None: it needed no more requests than it was given.
    assert type(problem) is error if len(asking.fake.asked) > after else problem is None


@pytest.mark.parametrize("broken", [fault(500), fault(503), reset, truncated, OOPS, says(""), says("[]"), says("{}")])
@pytest.mark.parametrize("after", range(6))
async def test_a_broken_service_is_never_not_found(after: int, broken: Answer, asking: Asking) -> None:
    always_after(asking.fake, after, broken)
    problem = await problem_of(asking)
    assert isinstance(problem, TransientError) if len(asking.fake.asked) > after else problem is None


async def test_a_source_that_is_down_says_so(asking: Asking) -> None:
    always_after(asking.fake, 0, fault(502))
    with pytest.raises(ServerFaultError, match="502"):
        await asking.fetch()


@pytest.mark.parametrize(
    "name",
    [
        '"',
        "a" * 500,
        "🎵🎶",
        "ألبوم",
        "'; DROP TABLE albums; --",
        "../../etc/passwd",
        "a&api_key=b#c?d%00",
        "%",
        "+",
        "\\",
        "<b>",
    ],
)
async def test_odd_names_are_asked_safely(name: str, asking: Asking) -> None:
    for query in (AlbumQuery(album=name, artist=ARTIST), AlbumQuery(album="Tide", artist=name)):
        problem = await problem_of(asking, query)
        assert problem is None or isinstance(problem, TerminalError)


async def test_errors_show_no_secret(asking: Asking) -> None:
    secrets = [v.get_secret_value() for _, v in asking.source.settings if isinstance(v, SecretStr)]
    secrets = [s for s in secrets if len(s) > 6]
    for broken in (fault(500), reset, says("no json"), says('{"error": {"status": 400}}', 400), too_many()):
        always_after(asking.fake, 0, broken)
        with pytest.raises(SourceError) as found:
            await asking.fetch()
        assert not [s for s in secrets if s in f"{found.value!r} {found.value.__cause__!r}"]


def always_after(fake: Fake, number: int, broken: Answer) -> None:
    """From the given request on only broken answers."""
    start = len(fake.asked)

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return await (fake.usual if len(fake.asked) - start <= number else broken)(request)

    fake.answer = answer


async def problem_of(asking: Asking, query: AlbumQuery | None = None) -> SourceError | None:
    try:
        asking.source.normalise(await asking.fetch(query))
    except SourceError as problem:
        return problem
    return None

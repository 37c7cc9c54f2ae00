"""The runner over small sources of our own and a store in memory: what fails stays where it fails."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from backend.config.settings import SettingsGroup
from backend.ingestion.asking import Asked
from backend.ingestion.ingest_runner import IngestRunner
from backend.ingestion.insert_to_supabase import Merging
from backend.ingestion.merger import Levels
from backend.ingestion.policy import MergePolicy
from backend.ingestion.source import Payload, Source, SourceProfile, Stage
from backend.ingestion.transport import Transport
from backend.models.ingestion_models import (
    AlbumNames,
    AlbumQuery,
    AlbumRecord,
    MergedAlbum,
    Outcome,
    Rights,
    RightsLevel,
    SourceRecord,
    Tag,
    TrackRecord,
)
from backend.models.results import IngestResult
from backend.utils.errors import (
    AmbiguousError,
    BlockedError,
    HintError,
    InvalidInputError,
    MalformedReplyError,
    RateLimitedError,
    RecordNotFoundError,
    ServerFaultError,
    ThrottledError,
    UnconfiguredError,
)

QUERY = AlbumQuery(album="Paper Harbour", artist="The Amber Lanterns")
RECORD = AlbumRecord(
    title="Paper Harbour",
    artist="The Amber Lanterns",
    tracks=(TrackRecord(title="Tide", track_number=1), TrackRecord(title="Quay", track_number=2)),
)
TOMORROW = datetime(2100, 1, 1, tzinfo=UTC)
GIVES = {"title": 1.0, "artist": 1.0, "tracks": 1.0, "tags": 1.0, "duration_ms": 1.0}


class Store:
    """Keeps albums in memory, one transaction at a time."""

    def __init__(self) -> None:
        self.albums: dict[str, MergedAlbum] = {}
        self.said: dict[str, dict[str, SourceRecord]] = {}
        self.saves = 0

    @contextlib.asynccontextmanager
    async def transaction(self, lock: Sequence[str]) -> AsyncIterator[Store]:
        assert lock
        yield self

    async def locate(self, names: Sequence[AlbumNames]) -> list[str | None]:
        by_name = {(a.artist_key, a.title_key): a.id for a in self.albums.values()}
        return [by_name.get((n.artist_key, n.title_key)) for n in names]

    async def taken(self, album_ids: Collection[str]) -> set[str]:
        return set(album_ids) & self.albums.keys()

    async def records(self, album_ids: Collection[str]) -> dict[str, list[SourceRecord]]:
        return {album_id: list(self.said[album_id].values()) for album_id in album_ids}

    async def save(self, albums: Sequence[tuple[Levels, Sequence[SourceRecord]]]) -> None:
        for levels, records in albums:
            self.saves += 1
            album = levels[RightsLevel.ANY]
            self.albums[album.id] = album
            self.said.setdefault(album.id, {}).update({r.source: r for r in records})


class Says:
    """A source that answers with a record or an error."""

    def __init__(
        self,
        name: str,
        answer: AlbumRecord | Exception,
        *,
        stage: Stage = "identity",
        missing: str | None = None,
        seen: Callable[[AlbumQuery], object] = lambda _: None,
    ) -> None:
        self._name, self._answer, self._stage, self._missing, self._seen = name, answer, stage, missing, seen
        self.asked = 0

    @property
    def profile(self) -> SourceProfile:
        return SourceProfile(name=self._name, rights=Rights.OPEN, gives=GIVES, stage=self._stage)

    @property
    def settings(self) -> SettingsGroup:
        return SettingsGroup()

    def unconfigured(self) -> str | None:
        return self._missing

    async def fetch(self, query: AlbumQuery, transport: Transport) -> Payload:
        self.asked += 1
        self._seen(query)
        await asyncio.sleep(0)
        if isinstance(self._answer, Exception):
            raise self._answer
        return {}

    def normalise(self, payload: Payload) -> AlbumRecord:
        assert isinstance(self._answer, AlbumRecord)
        return self._answer


def runner(*sources: Says, store: Store | None = None) -> IngestRunner:
    async def stored() -> None:
        return None

    unused = cast(Transport, None)  # these sources do no I/O
    return IngestRunner(
        [Asked(cast(Source, s), unused) for s in sources],
        store or Store(),
        merging=Merging(profiles={s.profile.name: s.profile for s in sources}, policy=MergePolicy()),
        stored=stored,
    )


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (RecordNotFoundError("no such album"), Outcome.NOT_FOUND),
        (AmbiguousError("two fit"), Outcome.AMBIGUOUS),
        (BlockedError("a challenge"), Outcome.BLOCKED),
        (ThrottledError("quota", until=TOMORROW), Outcome.THROTTLED),
        (RateLimitedError("too fast", retry_after=5), Outcome.THROTTLED),
        (UnconfiguredError("key refused"), Outcome.UNCONFIGURED),
        (ServerFaultError("502"), Outcome.FAILED),
        (MalformedReplyError("no JSON"), Outcome.FAILED),
        (ZeroDivisionError("a bug"), Outcome.FAILED),
    ],
)
async def test_a_source_that_fails_is_named_and_the_album_is_stored_all_the_same(
    error: Exception, outcome: Outcome
) -> None:
    store = Store()
    report = await runner(Says("good", RECORD), Says("bad", error, stage="enrichment"), store=store).run(QUERY)
    assert {s.source: s.outcome for s in report.sources} == {"good": Outcome.OK, "bad": outcome}
    unharmed = {Outcome.NOT_FOUND, Outcome.UNCONFIGURED}
    assert report.result is (IngestResult.COMPLETE if outcome in unharmed else IngestResult.PARTIAL)
    assert [t.title for t in store.albums[report.album_id or ""].tracks] == ["Tide", "Quay"]


async def test_throttled_says_until_when() -> None:
    before = datetime.now(UTC)
    report = await runner(
        Says("quota", ThrottledError("hours", until=TOMORROW)), Says("rate", RateLimitedError("s", retry_after=60))
    ).run(QUERY)
    until = {s.source: s.retry_at for s in report.sources}
    assert until["quota"] == TOMORROW
    assert until["rate"] is not None
    assert timedelta(seconds=59) < until["rate"] - before < timedelta(seconds=90)


@pytest.mark.parametrize(
    ("errors", "result"),
    [
        ([RecordNotFoundError("no")], IngestResult.NOT_FOUND),
        ([RecordNotFoundError("no"), RecordNotFoundError("no")], IngestResult.NOT_FOUND),
        # A refusal is never taken for "not found": who was throttled may know the album.
        ([RecordNotFoundError("no"), RateLimitedError("429", retry_after=1)], IngestResult.THROTTLED),
        ([RecordNotFoundError("no"), BlockedError("challenge")], IngestResult.BLOCKED),
        ([AmbiguousError("two"), RecordNotFoundError("no")], IngestResult.AMBIGUOUS),
        ([UnconfiguredError("no key")], IngestResult.FAILED),
    ],
)
async def test_nothing_is_stored_when_nobody_knows_the_album(errors: list[Exception], result: IngestResult) -> None:
    store = Store()
    report = await runner(*(Says(f"s{n}", e) for n, e in enumerate(errors)), store=store).run(QUERY)
    assert (report.result, report.album_id, store.saves) == (result, None, 0)
    assert report.detail


async def test_a_source_without_its_key_is_not_asked() -> None:
    missing = Says("keyless", RECORD, missing="KEYLESS_API_KEY is not set")
    report = await runner(missing, Says("good", RECORD)).run(QUERY)
    assert missing.asked == 0
    assert report.sources[0].detail == "KEYLESS_API_KEY is not set"
    assert report.result is IngestResult.COMPLETE


async def test_what_identity_sources_found_is_passed_on() -> None:
    seen: list[AlbumQuery] = []
    canonical = AlbumRecord(title="Paper Harbour", artist="Amber Lanterns", ids={"first": "a1"})
    await runner(Says("first", canonical), Says("second", RECORD, stage="enrichment", seen=seen.append)).run(QUERY)
    assert seen[0].known == canonical
    assert (seen[0].album, seen[0].artist) == (QUERY.album, QUERY.artist)


async def test_two_requests_for_one_album_at_once_share_one_run() -> None:
    store, source = Store(), Says("good", RECORD)
    shared = runner(source, store=store)
    other = AlbumQuery(album=QUERY.album, artist=QUERY.artist)
    reports = await asyncio.gather(shared.run(QUERY), shared.run(other), shared.run(QUERY))
    assert (source.asked, store.saves) == (1, 1)
    assert len({r.album_id for r in reports}) == 1
    await shared.run(QUERY)
    assert source.asked == 2


async def test_a_source_that_fails_later_loses_nothing_it_said_before() -> None:
    store = Store()
    tagged = AlbumRecord(
        title=RECORD.title, artist=RECORD.artist, tags=(Tag(name="rock", weight=1.0, level="album"),), tracks=()
    )
    await runner(Says("names", RECORD), Says("tags", tagged, stage="enrichment"), store=store).run(QUERY)
    down = Says("tags", ServerFaultError("503"), stage="enrichment")
    report = await runner(Says("names", RECORD), down, store=store).run(QUERY)
    assert store.albums[report.album_id or ""].genres == ("rock",)


async def test_what_several_sources_say_alike_is_said_once() -> None:
    alike = [Says(name, RecordNotFoundError("no album 'X'; the nearest is 'Y'")) for name in ("one", "two")]
    report = await runner(*alike, Says("three", RecordNotFoundError("Album not found")), store=Store()).run(QUERY)
    assert report.detail == "one, two: no album 'X'; the nearest is 'Y'; three: Album not found"


async def test_a_page_that_the_caller_gave_wrongly_is_refused_and_nothing_is_stored() -> None:
    store = Store()
    wrong = Says("page", HintError("the page given is of another album"), stage="enrichment")
    with pytest.raises(InvalidInputError, match="another album"):
        await runner(Says("good", RECORD), wrong, store=store).run(QUERY)
    assert store.saves == 0


async def test_closing_ends_what_is_under_way() -> None:
    began = asyncio.Event()

    class Slow(Says):
        async def fetch(self, query: AlbumQuery, transport: Transport) -> Payload:
            began.set()
            await asyncio.sleep(600)
            return {}

    shared = runner(Slow("slow", RECORD))
    waiting = asyncio.create_task(shared.run(QUERY))
    await began.wait()
    await shared.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting

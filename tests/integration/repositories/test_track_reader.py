"""Reading tracks from a real PostgreSQL: filters that don't leak, pages that don't skip, streams that keep every sign."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.ingestion.vocabulary import genres, moods
from backend.models.results import TrackFilter
from backend.repositories.album_reader import AlbumReader
from backend.repositories.album_store import AlbumRepository
from backend.repositories.database import Database
from backend.repositories.tag_spellings import spellings
from backend.repositories.track_columns import FLAT_COLUMNS, TRACK_COLUMNS
from backend.repositories.track_pages import TrackPages
from backend.repositories.track_reader import TrackReader
from backend.utils.errors import InvalidInputError, NotFoundError
from backend.utils.identifiers import derive
from backend.utils.text import fold
from tests.integration.repositories.samples import album, record, track
from tests.levels import whole

AWKWARD = 'quote " comma, \\ back\nnewline; مرحبا 🎸 \\N'


@pytest.fixture
async def reader(database: Database) -> TrackReader:
    store = AlbumRepository(database)
    rock = album("a1")
    soul = album(
        "a2",
        title="Other",
        title_key="other",
        artist="Björk",
        artist_key="bjork",
        artist_id="artist-2",
        release_date="1971",
    )
    soul = replace(
        soul,
        synthetic=True,
        tracks=tuple(
            replace(
                t, artist="Björk", genres=("soul", "r&b"), moods=(), album="Other", popularity=None, title=f"100%_{n}"
            )
            for n, t in enumerate(soul.tracks)
        ),
    )
    odd = album("a3", title_key="odd", release_date=None, tracks=0)
    odd = replace(odd, tracks=(track(1, album="a3", title=AWKWARD, genres=(AWKWARD,), moods=(), audio_features={}),))
    await store.save_many([(whole(rock), [record()]), (whole(soul), [record()]), (whole(odd), [record()])])
    return TrackReader(database)


async def joined(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])


@pytest.mark.parametrize(
    ("track_filter", "titles"),
    [
        (TrackFilter(genres=("rock",)), {"Song 1", "Song 2", "Song 3"}),
        (TrackFilter(genres=("ROCK", "soul"), year_to=1980), {"100%_0", "100%_1", "100%_2"}),
        (TrackFilter(moods=("calm",), min_popularity=20), {"Song 2", "Song 3"}),
        (TrackFilter(artist="bjork"), {"100%_0", "100%_1", "100%_2"}),
        (TrackFilter(artist="BJÖRK", year_from=1972), set()),
        (TrackFilter(year_from=1999, year_to=1999), {"Song 1", "Song 2", "Song 3"}),
        (TrackFilter(album_id="a3"), {AWKWARD}),
        (TrackFilter(q="%_1"), {"100%_1"}),
        (TrackFilter(q="back\nnew"), {AWKWARD}),
        (TrackFilter(q="' OR 1=1 --"), set()),
        (TrackFilter(synthetic=True), {"100%_0", "100%_1", "100%_2"}),
        (TrackFilter(genres=("no such",)), set()),
        (TrackFilter(genres=("R and B",)), {"100%_0", "100%_1", "100%_2"}),
        (TrackFilter(genres=("Indie-Rock",)), {"Song 1", "Song 2", "Song 3"}),
        (TrackFilter(q="bjork"), {"100%_0", "100%_1", "100%_2"}),
        (TrackFilter(q="\\"), {AWKWARD}),
        (TrackFilter(q="_"), {"100%_0", "100%_1", "100%_2"}),
        (TrackFilter(max_popularity=20), {"Song 1", "Song 2", AWKWARD}),
        (TrackFilter(min_popularity=20, max_popularity=20), {"Song 2"}),
        (TrackFilter(tempo_from=120.25, tempo_to=120.25, genres=("rock",)), {"Song 1", "Song 2", "Song 3"}),
        (TrackFilter(tempo_from=120.5), set()),
        (TrackFilter(tempo_to=120), set()),
        (TrackFilter(min_critic_score=1e-300, genres=("rock",)), {"Song 1", "Song 2", "Song 3"}),
        (TrackFilter(max_critic_score=1e-249), set()),
        (TrackFilter(explicit=True), set()),
        (TrackFilter(explicit=False, genres=("rock",)), {"Song 1", "Song 2", "Song 3"}),
        (TrackFilter(genres=("rock",), seen=(derive("track", "a1", 2), "no such id")), {"Song 1", "Song 3"}),
        (TrackFilter(genres=("rock",), seen=("' OR true --",)), {"Song 1", "Song 2", "Song 3"}),
        (TrackFilter(genres=("rock",), seen_by="nobody"), {"Song 1", "Song 2", "Song 3"}),
    ],
)
async def test_every_way_of_reading_keeps_to_the_filter(
    reader: TrackReader, track_filter: TrackFilter, titles: set[str]
) -> None:
    page = await reader.page(track_filter, limit=100)
    assert {row["title"] for row in page.items} == titles
    streamed = orjson.loads(await joined(reader.stream(track_filter, limit=100, form="json")))
    assert streamed == page.items
    table = await asyncio.to_thread(reader.arrow, track_filter, limit=100)
    assert set(table.column("title").to_pylist()) == titles
    rows = csv.DictReader(io.StringIO((await joined(reader.stream(track_filter, limit=100, form="csv"))).decode()))
    assert {row["title"] for row in rows} == titles


async def test_every_form_says_the_same(reader: TrackReader) -> None:
    every = TrackFilter()
    rows = orjson.loads(await joined(reader.stream(every, limit=100, form="json")))
    assert [r["id"] for r in rows] == sorted(r["id"] for r in rows)
    assert list(rows[0]) == list(TRACK_COLUMNS)
    lines = (await joined(reader.stream(every, limit=100, form="ndjson"))).splitlines()
    assert [orjson.loads(line) for line in lines] == rows
    records = list(csv.DictReader(io.StringIO((await joined(reader.stream(every, limit=100, form="csv"))).decode())))
    assert tuple(records[0]) == FLAT_COLUMNS
    assert [r["title"] for r in records] == [r["title"] for r in rows]
    assert [r["genres"] for r in records] == ["; ".join(r["genres"]) for r in rows]
    table = (await asyncio.to_thread(reader.arrow, every, limit=100)).to_pylist()
    for flat, row in zip(table, rows, strict=True):
        assert (flat["id"], flat["genres"], flat["popularity"]) == (row["id"], row["genres"], row["popularity"])
        assert flat["tempo"] == (row["audio_features"] or {}).get("tempo")
        assert orjson.loads(flat["provenance"]) == row["provenance"]


@pytest.mark.parametrize(("form", "empty"), [("json", b"[]"), ("ndjson", b"")])
async def test_nothing_is_said_well(database: Database, form: Any, empty: bytes) -> None:
    reader = TrackReader(database)
    assert await joined(reader.stream(TrackFilter(), limit=5, form=form)) == empty
    assert (await joined(reader.stream(TrackFilter(), limit=5, form="csv"))).decode().strip() == ",".join(FLAT_COLUMNS)
    assert (await asyncio.to_thread(reader.arrow, TrackFilter(), limit=5)).num_rows == 0
    assert (await reader.page(TrackFilter(), limit=5)).items == []


async def test_pages_give_each_row_once_while_rows_are_added(database: Database) -> None:
    store, reader = AlbumRepository(database), TrackReader(database)
    await store.save_many([(whole(album(f"a{n}", title_key=f"t{n}")), [record()]) for n in range(20)])
    before = {row["id"] for row in (await reader.page(TrackFilter(), limit=1_000)).items}
    seen: list[str] = []
    cursor = None
    for turn in range(1_000):
        page = await reader.page(TrackFilter(), limit=7, cursor=cursor)
        seen += [row["id"] for row in page.items]
        await store.save_many([(whole(album(f"b{turn}", title_key=f"u{turn}")), [record()])])
        if (cursor := page.next_cursor) is None or turn > 60:
            break
    assert len(seen) == len(set(seen))
    assert before <= set(seen) or cursor is not None


async def test_a_cursor_belongs_to_its_listing(reader: TrackReader) -> None:
    cursor = (await reader.page(TrackFilter(), limit=2)).next_cursor
    for bad, wanted in (
        (cursor, TrackFilter(genres=("rock",))),
        ("nonsense", TrackFilter()),
        ("", TrackFilter(q="x" * 9)),
    ):
        if bad:
            with pytest.raises(InvalidInputError, match="cursor"):
                await reader.page(wanted, limit=2, cursor=bad)


async def test_one_track(reader: TrackReader) -> None:
    some = (await reader.page(TrackFilter(), limit=1)).items[0]
    assert await reader.track(some["id"]) == some
    with pytest.raises(NotFoundError, match="nothing"):
        await reader.track("nothing")


async def test_only_readable_columns_are_read(reader: TrackReader) -> None:
    with pytest.raises(InvalidInputError, match="no column"):
        await asyncio.to_thread(reader.arrow, TrackFilter(), limit=1, columns=["id", 'id" FROM pg_shadow --'])


async def test_the_version_changes_with_the_tracks(database: Database, reader: TrackReader) -> None:
    before = await reader.version()
    assert await reader.version() == before
    await AlbumRepository(database).save_many([(whole(album("a9", title_key="t9")), [record()])])
    assert await reader.version() != before


@pytest.mark.parametrize("form", ["json", "csv"])
async def test_a_reader_that_goes_away_gives_its_connection_back(database: Database, form: Any) -> None:
    many = [(whole(album(f"a{n}", title_key=f"t{n}", tracks=20)), [record()]) for n in range(400)]
    await AlbumRepository(database).save_many(many)
    reader = TrackReader(database)
    for _ in range(30):  # more often than the pool is deep
        chunks = reader.stream(TrackFilter(), limit=8_000, form=form)
        assert await anext(chunks)
        await chunks.aclose()
    assert await database.ping() < 60


@pytest.mark.parametrize("bad", ["a\x00b", "a\ud800b"])
@pytest.mark.parametrize("field", ["q", "artist", "album_id", "genres"])
async def test_text_that_postgresql_cannot_hold_is_refused(reader: TrackReader, field: str, bad: str) -> None:
    values: dict[str, Any] = {field: (bad,) if field == "genres" else bad}
    wanted = TrackFilter(**values)
    with pytest.raises(InvalidInputError):
        await reader.page(wanted, limit=1)
    with pytest.raises(InvalidInputError):
        await asyncio.to_thread(reader.arrow, wanted, limit=1)


async def test_csv_is_what_rfc_4180_says(reader: TrackReader) -> None:
    text = (await joined(reader.stream(TrackFilter(), limit=100, form="csv"))).decode()
    assert text.endswith("\r\n")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert {row["title"] for row in rows} >= {AWKWARD, "Song 1"}
    assert {row["explicit"] for row in rows} == {"false"}
    assert {row["synthetic"] for row in rows} == {"false", "true"}
    assert {row["aoty_critic_score"] for row in rows} == {"81.5"}
    assert all(orjson.loads(row["provenance"]) for row in rows)


async def test_a_page_is_read_to_the_end_that_was_told_though_rows_were_added(database: Database) -> None:
    store, reader, pages = AlbumRepository(database), TrackReader(database), TrackPages(database)
    await store.save_many([(whole(album(f"a{n}", title_key=f"t{n}")), [record()]) for n in range(20)])
    before = {row["id"] for row in (await reader.page(TrackFilter(), limit=1_000)).items}
    seen: list[str] = []
    cursor, turn = None, 0
    while turn == 0 or cursor is not None:
        page = await pages.bounds(TrackFilter(), limit=7, cursor=cursor)
        if turn < 10:
            await store.save_many([(whole(album(f"b{turn}", title_key=f"u{turn}")), [record()])])
        rows = orjson.loads(await joined(reader.stream(page.rows, limit=7, form="json")))
        table = await asyncio.to_thread(reader.arrow, page.rows, limit=7)
        assert table.column("id").to_pylist() == [row["id"] for row in rows]
        seen += [row["id"] for row in rows]
        cursor, turn = page.next_cursor, turn + 1
    assert len(seen) == len(set(seen))
    assert before <= set(seen)


@pytest.mark.parametrize("limit", [7, 1_000])
async def test_a_page_of_text_holds_what_was_counted_though_rows_were_added(database: Database, limit: int) -> None:
    store, pages = AlbumRepository(database), TrackPages(database)
    await store.save_many([(whole(album(f"a{n}", title_key=f"t{n}")), [record()]) for n in range(20)])
    cursor, seen = None, 0
    while seen == 0 or cursor is not None:
        page, rows = await pages.texts(TrackFilter(), limit=limit, cursor=cursor, form="json")
        await store.save_many([(whole(album(f"b{seen}-{n}", title_key=f"u{seen}-{n}")), [record()]) for n in range(5)])
        found = orjson.loads(await joined(rows))
        assert len(found) == page.count <= limit
        cursor, seen = page.next_cursor, seen + len(found)
        if seen > 200:
            break
    async with database.connection() as connection:
        left = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND datname = current_database()"
        assert await connection.fetchval(left) == 0


async def test_text_that_nobody_reads_to_its_end_gives_the_connection_back(database: Database) -> None:
    store, pages = AlbumRepository(database), TrackPages(database)
    await store.save_many([(whole(album(f"a{n}", title_key=f"t{n}")), [record()]) for n in range(20)])
    _, rows = await pages.texts(TrackFilter(), limit=50, form="ndjson")
    assert await anext(rows)
    left = (
        "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND datname = current_database()"
    )
    async with database.connection() as connection:
        assert await connection.fetchval(left) == 1
        await rows.aclose()
        assert await connection.fetchval(left) == 0


@pytest.mark.parametrize("change", ["value", "gone", "removed"])
async def test_the_version_changes_with_any_change(database: Database, reader: TrackReader, change: str) -> None:
    before = await reader.version()
    stored = album("a1")
    if change == "removed":
        await AlbumReader(database).delete("a1")
    else:
        tracks = stored.tracks[:2] if change == "gone" else (replace(stored.tracks[0], rating=3.0), *stored.tracks[1:])
        await AlbumRepository(database).save_many([(whole(replace(stored, tracks=tracks)), [])])
    assert await reader.version() != before


async def test_an_older_transaction_that_ends_later_changes_the_version_too(database: Database) -> None:
    store, reader = AlbumRepository(database), TrackReader(database)
    await store.save_many([(whole(album("a1")), [])])
    async with store.transaction(["old"]) as transaction:
        async with store.transaction(["new"]) as newer:
            await newer.save([(whole(album("a2", title_key="t2")), [])])
        before = await reader.version()
        await transaction.save([(whole(album("a1", label="Other")), [])])
    assert await reader.version() != before


async def test_the_first_chunk_is_small_and_memory_bounded(database: Database) -> None:
    many = [(whole(album(f"a{n}", title_key=f"t{n}", tracks=20)), [record()]) for n in range(200)]
    await AlbumRepository(database).save_many(many)
    sizes = [
        chunk.count(b"\n") async for chunk in TrackReader(database).stream(TrackFilter(), limit=4_000, form="ndjson")
    ]
    assert sizes[0] <= 100
    assert max(sizes) <= 1_000
    assert sum(sizes) == 4_000


texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=30)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=texts, artist=texts, tag=texts)
async def test_any_text_comes_out_of_every_form_as_it_went_in(
    database: Database, title: str, artist: str, tag: str
) -> None:
    given_ = album("any", tracks=0)
    given_ = replace(given_, tracks=(track(1, album="any", title=title, artist=artist, genres=(tag,)),))
    await AlbumRepository(database).save_many([(whole(given_), [record()])])
    reader = TrackReader(database)
    (row,) = orjson.loads(await joined(reader.stream(TrackFilter(), limit=5, form="json")))
    text = (await joined(reader.stream(TrackFilter(), limit=5, form="csv"))).decode()
    (line,) = csv.DictReader(io.StringIO(text, newline=""))
    (flat,) = (await asyncio.to_thread(reader.arrow, TrackFilter(), limit=5)).to_pylist()
    for found in (row, line, flat):
        assert (found["title"], found["artist"]) == (title, artist)
    assert row["genres"] == flat["genres"] == [tag]
    assert line["genres"] == tag


def test_nearly_all_tags_are_found_in_any_spelling() -> None:
    names = {*genres().values(), *moods().values()}
    missed = {name for name in names if name not in spellings(fold(name))}
    # Only accents and apostrophes must be given, since folding them away cannot be undone without the vocabulary.
    assert len(missed) < len(names) / 40, missed
    assert all(name in spellings(name.upper()) for name in names)

"""Writing albums, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.ingestion.store import AlbumStore, AlbumTransaction
from backend.models.ingestion_models import AlbumNames, MergedAlbum, Rights, SourceRecord, Tag, TrackRecord
from backend.repositories import album_store
from backend.repositories.album_store import AlbumRepository
from backend.repositories.database import Database
from backend.utils.errors import InvalidInputError
from tests.integration.repositories.albums import NOW, album, record, track
from tests.levels import whole

TABLES = ("artists", "albums", "enhanced_tracks", "album_identifiers", "source_records")

NOTHING: dict[str, list[Any]] = {table: [] for table in TABLES}


@pytest.fixture
def store(database: Database) -> AlbumRepository:
    return AlbumRepository(database)


async def save(store: AlbumRepository, given: MergedAlbum, *records: SourceRecord, lock: str | None = None) -> None:
    async with store.transaction([lock or given.id]) as transaction:
        await transaction.save([(whole(given), records)])


async def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables with the transaction that wrote them."""
    async with database.connection() as connection:
        return {
            table: [
                tuple(row)
                for row in await connection.fetch(f"SELECT xmin::text, ctid::text, * FROM {table} ORDER BY 3, 4")
            ]
            for table in TABLES
        }


async def fetch(database: Database, query: str, *arguments: object) -> list[Any]:
    async with database.connection() as connection:
        return list(await connection.fetch(query, *arguments))


def test_it_is_what_collecting_needs(store: AlbumRepository) -> None:
    needed: AlbumStore = store
    kind: type[AlbumTransaction] = album_store.AlbumTransaction
    assert needed is store
    assert kind is album_store.AlbumTransaction


async def test_an_album_is_stored_with_all_it_has(store: AlbumRepository, database: Database) -> None:
    given = album(release_date="1969-09", aoty_user_score=88.3, aoty_critic_score=90.0, tracks=2)
    await save(store, given, record(title=given.title, tracks=(TrackRecord(title="x"),)))
    (row,) = await fetch(database, "SELECT * FROM albums")
    assert (row["id"], row["title"], row["artist"]) == (given.id, given.title, given.artist)
    assert (row["release_date"], row["release_precision"]) == (date(1969, 9, 1), "month")
    assert row["total_tracks"] == 2
    (artist,) = await fetch(database, "SELECT * FROM artists")
    assert (artist["id"], artist["name_key"]) == (given.artist_id, given.artist_key)
    tracks = await fetch(database, "SELECT *, aoty_score::text AS score FROM enhanced_tracks ORDER BY track_number")
    assert [t["title"] for t in tracks] == [t.title for t in given.tracks]
    assert {(t["score"], t["release_year"], t["energy"], t["album_id"]) for t in tracks} == {
        ("88.3", 1969, 0.5, given.id)
    }
    identifiers = await fetch(database, "SELECT source, external_id, album_id FROM album_identifiers")
    assert [tuple(i) for i in identifiers] == [(*next(iter(given.ids.items())), given.id)]


async def test_provenance_names_the_source_of_inherited_fields(store: AlbumRepository, database: Database) -> None:
    given = album(aoty_user_score=80.0, provenance={"title": "a", "artist": "a", "aoty_user_score": "b"})
    await save(store, given, record())
    (row,) = await fetch(
        database, "SELECT provenance->>'album' AS album, provenance->>'artist' AS artist, provenance->>'aoty_score' AS score,"
        " provenance->>'popularity' AS popularity FROM enhanced_tracks"
    )  # fmt: skip
    assert tuple(row) == ("a", "a", "b", "spotify")


names = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=20)
optional_score = st.none() | st.floats(0, 100, width=32)


@st.composite
def albums(draw: st.DrawFn) -> MergedAlbum:
    return album(
        title=draw(names),
        artist=draw(names),
        release_date=draw(st.none() | st.sampled_from(["1969", "1969-09", "1969-09-26", "0000", "2021-02-31"])),
        label=draw(st.none() | names),
        genres=tuple(draw(st.lists(names, max_size=3))),
        ids=draw(st.dictionaries(st.sampled_from(["spotify", "aoty"]), names, max_size=2)),
        aoty_user_score=draw(optional_score),
        tracks=draw(st.integers(0, 4)),
        audio_features=draw(st.dictionaries(st.sampled_from(["energy", "tempo"]), st.floats(-60, 400), max_size=2)),
    )


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given=albums(), bulk=st.booleans())
async def test_saving_the_same_again_changes_nothing(
    store: AlbumRepository, database: Database, given: MergedAlbum, bulk: bool
) -> None:
    said = record(title=given.title)
    await save(store, given, said)
    before = await everything(database)
    if bulk:
        await store.save_many([(whole(given), [said])])
    else:
        await save(store, given, said)
    assert await everything(database) == before


async def test_only_what_changed_is_touched(store: AlbumRepository, database: Database) -> None:
    given, other = album(tracks=3), album(title="Other", tracks=1)
    await save(store, given, record())
    await save(store, other, record())
    before = {row["id"]: row for row in await fetch(database, "SELECT xmin::text AS x, * FROM enhanced_tracks")}
    changed = replace(given.tracks[1], popularity=99)
    await save(store, replace(given, tracks=(given.tracks[0], changed, given.tracks[2])), record())
    after = {row["id"]: row for row in await fetch(database, "SELECT xmin::text AS x, * FROM enhanced_tracks")}
    touched = {key for key in after if after[key]["x"] != before[key]["x"]}
    assert touched == {changed.id}
    assert after[changed.id]["updated_at"] > before[changed.id]["updated_at"]
    assert after[changed.id]["created_at"] == before[changed.id]["created_at"]


@pytest.mark.parametrize("change", ["track", "gone", "new", "album"])
async def test_an_albums_time_moves_with_its_tracks(store: AlbumRepository, database: Database, change: str) -> None:
    given = album(tracks=2)
    await save(store, given)
    ((before,),) = await fetch(database, "SELECT updated_at FROM albums")
    first, second = given.tracks
    changed = {
        "track": replace(given, tracks=(first, replace(second, rating=1.0))),
        "gone": replace(given, tracks=(first,)),
        "new": replace(given, tracks=(first, second, track(given.id, 7))),
        "album": replace(given, label="Apple"),
    }[change]
    await save(store, changed)
    ((after,),) = await fetch(database, "SELECT updated_at FROM albums")
    assert after > before
    stored = await fetch(database, "SELECT id FROM enhanced_tracks")
    assert {row["id"] for row in stored} == {t.id for t in changed.tracks}


async def test_source_records_are_versions(store: AlbumRepository, database: Database) -> None:
    given = album()
    later, latest = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    await save(store, given, record(popularity=1))
    await save(store, given, record(popularity=1, at=later))
    query = "SELECT fetched_at, valid_from, valid_to, record->>'popularity' AS p FROM source_records ORDER BY id"
    assert [tuple(r) for r in await fetch(database, query)] == [(later, NOW, None, "1")]
    await save(store, given, record(popularity=2, at=latest), record(source="lastfm", at=latest))
    rows = [tuple(r) for r in await fetch(database, query)]
    assert rows == [(later, NOW, latest, "1"), (latest, latest, None, None), (latest, latest, None, "2")]


async def test_other_rights_are_another_version(store: AlbumRepository, database: Database) -> None:
    await save(store, album(), record())
    await save(store, album(), replace(record(), rights=Rights.OPEN))
    rows = await fetch(database, "SELECT rights, valid_to IS NULL FROM source_records ORDER BY id")
    assert [tuple(r) for r in rows] == [("restricted", False), ("open", True)]


async def test_an_answer_that_overtook_another_leaves_no_gap(store: AlbumRepository, database: Database) -> None:
    await save(store, album(), record(popularity=1))
    await save(store, album(), record(popularity=2, at=NOW - timedelta(hours=1)))
    first, second = await fetch(database, "SELECT valid_from, valid_to FROM source_records ORDER BY id")
    assert first["valid_from"] <= first["valid_to"] == second["valid_from"]


async def test_records_come_back_as_they_were(store: AlbumRepository) -> None:
    said = record(
        title="“Ænima” \\ 'x' \"y\"\n\t🎵 \u202eעברית",
        tags=(Tag(name="art rock", weight=0.25, level="album"),),
        tracks=(TrackRecord(title="Eulogy", audio_features={"tempo": 120.0, "energy": 0.1}, ids={"spotify": "1"}),),
    )
    given = album()
    await save(store, given, said)
    async with store.transaction(["x"]) as transaction:
        assert await transaction.records([given.id, "nobody"]) == {given.id: [said], "nobody": []}
        assert await transaction.taken([given.id, "nobody"]) == {given.id}


async def test_albums_are_found_by_what_services_call_them_then_by_name(store: AlbumRepository) -> None:
    blue = album(title="Weezer", artist="Weezer", ids={"spotify": "blue", "aoty": "1"})
    await save(store, blue, record())
    by_name = {"artist_key": "weezer", "title_key": "weezer"}
    async with store.transaction(["x"]) as transaction:

        async def locate(**names: Any) -> str | None:
            # Beside others, of which none is in its way.
            others = [AlbumNames(ids={"spotify": "x"}, artist_key="a", title_key="b"), AlbumNames(ids={}, **by_name)]
            nobody, found, known = await transaction.locate([others[0], AlbumNames(**names), others[1]])
            assert (nobody, known) == (None, blue.id)
            return found

        assert await locate(ids={"spotify": "blue"}, artist_key="any", title_key="any") == blue.id
        assert await locate(ids={}, **by_name) == blue.id
        assert await locate(ids={"lastfm": "9"}, **by_name) == blue.id
        assert await locate(ids={"spotify": "green"}, **by_name) is None, "another album of the same name"
        assert await locate(ids={"aoty": "blue"}, artist_key="any", title_key="any") is None, "another service's id"
        assert await locate(ids={}, artist_key="weezer", title_key="pinkerton") is None


async def test_an_identifier_stays_with_the_album_that_had_it(store: AlbumRepository, database: Database) -> None:
    first, second = album(title="A", ids={"spotify": "1"}), album(title="B", ids={"spotify": "1"})
    await save(store, first)
    await save(store, second)
    assert [tuple(r) for r in await fetch(database, "SELECT album_id FROM album_identifiers")] == [(first.id,)]


async def test_two_at_once_are_one_album(store: AlbumRepository, database: Database) -> None:
    given = album(tracks=5)

    async def ingest(locks: list[str]) -> bool:
        async with store.transaction(locks) as transaction:
            names = AlbumNames(ids=given.ids, artist_key=given.artist_key, title_key=given.title_key)
            (found,) = await transaction.locate([names])
            await asyncio.sleep(0.01)
            await transaction.save([(whole(given), [record()])])
            return found is None

    # In either order of the locks: each waits for the other's first lock unless locks are taken in one order.
    new = await asyncio.gather(*(ingest(["a", "b", "c"][:: 1 if i % 2 else -1]) for i in range(8)))
    assert sum(new) == 1
    counts = [len(await fetch(database, f"SELECT 1 FROM {table}")) for table in TABLES]
    assert counts == [1, 1, 5, 1, 1]


async def test_albums_with_other_locks_do_not_wait(store: AlbumRepository) -> None:
    async with store.transaction(["a"]), asyncio.timeout(5), store.transaction(["b"]) as other:
        assert not await other.taken(["x"])


async def test_a_bulk_write_waits_for_albums_in_work(store: AlbumRepository) -> None:
    given = album()
    async with store.transaction([given.id]) as transaction:
        await transaction.save([(whole(given), [])])
        writing = asyncio.create_task(store.save_many([(whole(album()), [])]))
        await asyncio.sleep(0.05)
        assert not writing.done()
    assert await writing == 1


@pytest.mark.parametrize("point", ["before", "in", "after"])
async def test_a_failure_midway_leaves_nothing(store: AlbumRepository, database: Database, point: str) -> None:
    async def fail() -> None:
        async with store.transaction(["x"]) as transaction:
            if point != "before":
                await transaction.save([(whole(album(tracks=3)), [record()])])
            if point == "in":
                await transaction.save([(whole(album(title="B", listeners=2**31)), [record()])])
            raise ZeroDivisionError

    with pytest.raises((ZeroDivisionError, InvalidInputError)):
        await fail()
    assert await everything(database) == NOTHING


async def test_a_cancelled_save_leaves_nothing(store: AlbumRepository, database: Database) -> None:
    saved = asyncio.Event()

    async def work() -> None:
        async with store.transaction(["x"]) as transaction:
            await transaction.save([(whole(album(tracks=3)), [record()])])
            saved.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await saved.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await everything(database) == NOTHING
    await save(store, album())


@pytest.mark.parametrize("bad", [{"listeners": 2**31}, {"aoty_user_score": 1e300}])
async def test_values_that_fit_no_column_are_refused_by_name(store: AlbumRepository, bad: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match="column"):
        await save(store, album(**bad))


async def test_text_that_postgresql_cannot_hold(store: AlbumRepository, database: Database) -> None:
    given = replace(album(ids={"spotify": "1\x00"}, genres=("ro\x00ck",)), title="A\x00B\ud83c", artist="\ud83c\udfb5")
    features = {"energy": float("nan"), "tempo": float("inf"), "valence": 0.25}
    said = record(
        title="A\x00B",
        critic_score=float("nan"),
        tags=(Tag(name="x\ud800", weight=float("inf"), level="album"),),
        tracks=(TrackRecord(title="\x00", audio_features=features),),
    )
    await save(store, given, said)
    (row,) = await fetch(database, "SELECT title, artist, genres FROM albums")
    assert tuple(row) == ("AB\ufffd", "🎵", ["rock"])
    async with store.transaction(["x"]) as transaction:
        ((stored,),) = (await transaction.records([given.id])).values()
    assert (stored.album.title, stored.album.tags[0].name, stored.album.critic_score) == ("AB", "x\ufffd", None)
    assert stored.album.tracks[0].audio_features == {"valence": 0.25}


async def test_an_innocent_backslash_stays(store: AlbumRepository, database: Database) -> None:
    given = album(title="a\\u0000b")
    await save(store, given, record(title="a\\u0000b"))
    ((title,),) = await fetch(database, "SELECT title FROM albums")
    assert title == "a\\u0000b"


async def test_an_album_credited_to_several_and_spelt_in_several_ways(
    store: AlbumRepository, database: Database
) -> None:
    both = album(title="Watch the Throne", artist="JAY-Z & Kanye West")
    await save(store, both)
    await save(store, album(title="Watch the Throne", artist="JAY-Z"))
    assert len(await fetch(database, "SELECT 1 FROM albums")) == 2
    first, second = album(title="A", artist="Bjork"), album(title="B", artist="Björk")
    await save(store, first)
    await save(store, second)
    name = "SELECT name FROM artists WHERE name_key = 'bjork'"
    assert [tuple(r) for r in await fetch(database, name)] == [("Bjork",)], "the first spelling stays"
    await save(store, replace(first, artist="BJÖRK"))
    assert [tuple(r) for r in await fetch(database, name)] == [("BJÖRK",)], "an album took its spelling along"


async def test_an_album_may_change_its_artist(store: AlbumRepository, database: Database) -> None:
    given = album(title="A", artist="Prince")
    await save(store, given)
    renamed = album(title="A", artist="The Artist")
    await save(store, replace(renamed, id=given.id, tracks=given.tracks))
    rows = await fetch(database, "SELECT r.name FROM albums a JOIN artists r ON r.id = a.artist_id")
    assert [tuple(r) for r in rows] == [("The Artist",)]


async def test_ids_of_artists_are_gathered(store: AlbumRepository, database: Database) -> None:
    await save(store, album(), record(artist_ids={"spotify": "1"}))
    await save(store, album(title="B"), record(artist_ids={"spotify": "2", "musicbrainz": "m"}))
    ((ids,),) = await fetch(database, "SELECT ids::text FROM artists")
    assert orjson.loads(ids) == {"spotify": "1", "musicbrainz": "m"}


async def test_many_at_once(store: AlbumRepository, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    given = [album(title=f"T{i}", artist=f"A{i % 7}", tracks=i % 4) for i in range(50)]
    assert await store.save_many((whole(a), [record(title=a.title)]) for a in given) == 50
    counts = [len(await fetch(database, f"SELECT 1 FROM {table}")) for table in TABLES]
    assert counts == [7, 50, sum(len(a.tracks) for a in given), 50, 50]
    # The same album twice in one chunk: the last is taken.
    newest = replace(given[0], label="Last")
    assert await store.save_many([(whole(given[0]), []), (whole(newest), [])]) == 2
    assert [tuple(r) for r in await fetch(database, "SELECT label FROM albums WHERE id = $1", newest.id)] == [("Last",)]
    assert await store.save_many([]) == 0


async def test_a_bad_album_keeps_its_chunk_out(store: AlbumRepository, database: Database) -> None:
    with pytest.raises(InvalidInputError):
        await store.save_many([(whole(album()), []), (whole(album(title="B", listeners=2**31)), [])])
    assert await everything(database) == NOTHING

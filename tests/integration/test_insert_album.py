"""The last step of ingestion on a real PostgreSQL: what is one album, what is two."""

from __future__ import annotations

import asyncio
from typing import Any

from backend.ingestion.insert_to_supabase import Merging, Wanted, insert_album, insert_albums
from backend.ingestion.policy import MergePolicy
from backend.ingestion.registry import build_sources
from backend.models.ingestion_models import AlbumRecord, MergedAlbum, SourceRecord, TrackRecord
from backend.repositories.album_store import AlbumRepository
from backend.repositories.database import Database
from tests.integration.repositories.samples import NOON

PROFILES = {s.profile.name: s.profile for s in build_sources()}
TRACKS = (TrackRecord(title="Tide", track_number=1), TrackRecord(title="Quay", track_number=2))


def said(source: str, **more: Any) -> SourceRecord:
    values: dict[str, Any] = {"title": "Paper Harbour", "artist": "The Amber Lanterns", "tracks": TRACKS}
    record = AlbumRecord(**{**values, **more})
    return SourceRecord(source=source, rights=PROFILES[source].rights, fetched_at=NOON, album=record)


async def insert(database: Database, *records: SourceRecord) -> MergedAlbum:
    store = AlbumRepository(database)
    return await insert_album(store, records, merging=Merging(profiles=PROFILES, policy=MergePolicy()))


async def titles(database: Database) -> list[str]:
    async with database.connection() as connection:
        return [r["title"] for r in await connection.fetch("SELECT title FROM albums ORDER BY title")]


async def test_asking_again_keeps_ids_and_loses_nothing(database: Database) -> None:
    first = await insert(database, said("spotify", ids={"spotify": "s1"}), said("aoty", user_score=80.0, user_count=9))
    again = await insert(database, said("spotify", ids={"spotify": "s1"}))
    assert again.id == first.id
    assert [t.id for t in again.tracks] == [t.id for t in first.tracks]
    assert again.aoty_user_score == 80.0
    assert len(await titles(database)) == 1


async def test_two_editions_of_one_name_that_share_an_entry_elsewhere_are_two_albums(database: Database) -> None:
    shared = said("lastfm", ids={"lastfm": "one-entry"})
    live = await insert(database, said("spotify", title="Live From Home", ids={"spotify": "s1"}), shared)
    other = await insert(database, said("spotify", title="Live from Home", ids={"spotify": "s2"}), shared)
    assert live.id != other.id
    assert sorted(await titles(database)) == ["Live From Home", "Live from Home"]
    # And each is found again.
    assert (
        await insert(database, said("spotify", title="Live from Home", ids={"spotify": "s2"}), shared)
    ).id == other.id


async def test_an_album_that_only_another_source_knew_is_taken_up_by_name(database: Database) -> None:
    first = await insert(database, said("lastfm", ids={"lastfm": "entry"}))
    later = await insert(database, said("spotify", ids={"spotify": "s1"}))
    assert later.id == first.id
    assert later.ids == {"lastfm": "entry", "spotify": "s1"}


async def test_made_up_values_go_when_a_real_source_speaks(database: Database) -> None:
    made_up = said("synthetic", popularity=50, user_score=70.0)
    demo = await insert(database, said("demo"), made_up)
    assert demo.synthetic
    real = await insert(database, said("spotify", ids={"spotify": "s1"}))
    assert (real.id, real.synthetic, real.popularity, real.aoty_user_score) == (demo.id, False, None, None)


async def test_two_requests_at_once_make_one_album(database: Database) -> None:
    records = said("spotify", ids={"spotify": "s1"}), said("lastfm", listeners=5)
    found = await asyncio.gather(*(insert(database, *records) for _ in range(6)))
    assert len({album.id for album in found}) == 1
    assert len(await titles(database)) == 1


async def test_a_source_that_may_say_less_today_erases_nothing_it_said(database: Database) -> None:
    rich = tuple(
        TrackRecord(title=t.title, track_number=t.track_number, popularity=7, audio_features={"energy": 0.5})
        for t in TRACKS
    )
    await insert(database, said("spotify", ids={"spotify": "s1"}, tracks=rich, label="Tide", popularity=9))
    again = await insert(database, said("spotify", ids={"spotify": "s1"}, release_date="1999"))
    assert (again.label, again.popularity, again.release_date) == ("Tide", 9, "1999")
    assert [(t.popularity, t.audio_features) for t in again.tracks] == [(7, {"energy": 0.5})] * 2


async def test_another_album_under_the_same_name_takes_nothing_over(database: Database) -> None:
    first = await insert(database, said("lastfm", ids={"lastfm": "one"}, listeners=9))
    again = await insert(database, said("lastfm", ids={"lastfm": "two"}))
    assert (again.listeners, first.listeners) == (None, 9)


async def test_albums_that_are_given_together_are_told_apart_as_if_they_came_one_by_one(database: Database) -> None:
    known = await insert(database, said("spotify", title="Known", ids={"spotify": "k"}))
    given = [
        [said("spotify", ids={"spotify": "s1"})],
        [said("lastfm", title="Other", tracks=())],
        [said("spotify", title="Known", ids={"spotify": "k"}), said("lastfm", title="Known", listeners=7)],
        [said("aoty", ids={"aoty": "9"}, user_score=80.0)],  # the first once more, by its name
        [said("spotify", ids={"spotify": "s2"})],  # another of this name
        [said("spotify", title="Elsewise", ids={"spotify": "k"})],  # the third once more, by its identifier
    ]
    found = await insert_albums(
        AlbumRepository(database),
        [Wanted(records=records) for records in given],
        merging=Merging(profiles=PROFILES, policy=MergePolicy()),
    )
    first, other, third, again, namesake, renamed = (album.id for album in found)
    assert (third, renamed, again) == (known.id, known.id, first)
    assert len({first, other, third, namesake}) == 4
    assert (found[3].aoty_user_score, found[3].ids["spotify"]) == (80.0, "s1")
    assert found[5].listeners == 7
    assert await titles(database) == ["Elsewise", "Other", "Paper Harbour", "Paper Harbour"]

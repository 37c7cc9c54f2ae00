"""Listening histories on a real PostgreSQL: stored once, laid onto the catalogue, forgotten without a trace."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from backend.ingestion.histories.files import Given, files_at
from backend.ingestion.insert_to_supabase import Merging, insert_album
from backend.ingestion.policy import MergePolicy
from backend.ingestion.registry import build_sources
from backend.models.ingestion_models import AlbumRecord, MergedAlbum, SourceRecord, TrackRecord
from backend.models.listening import HistoryReport
from backend.repositories.album_store import AlbumRepository
from backend.repositories.database import Database
from backend.repositories.listens import ListenRepository
from backend.services.listening_service import ListeningService
from backend.utils.errors import ConflictError, InvalidInputError, NotFoundError
from tests.fakes.music import ARTIST, DELUXE, HARBOUR, Album
from tests.integration.repositories.samples import NOON
from tests.unit.ingestion.histories.given import PAYLOADS, given, payload, zipped

PROFILES = {s.profile.name: s.profile for s in build_sources()}
MERGING = Merging(profiles=PROFILES, policy=MergePolicy())
MBID = "22222222-2222-4222-8222-222222222222"
START = datetime(2020, 1, 1, tzinfo=UTC)


class Listening:
    """The service, and what its tests need around it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.gone = 0
        self.service = ListeningService(ListenRepository(database), gone=self._gone)

    async def _gone(self) -> None:
        self.gone += 1

    async def take(self, *files: Given, listener: str = "me") -> HistoryReport:
        return await self.service.take_in(files, listener=listener, consent=True)

    async def rows(self, columns: str = "listened_at, track", listener: str = "me") -> list[tuple[Any, ...]]:
        async with self.database.connection() as connection:
            found = await connection.fetch(
                f"SELECT {columns} FROM listens WHERE listener = $1 ORDER BY listened_at, source, track", listener
            )
        return [tuple(row) for row in found]

    async def store(self, album: Album, **of_tracks: Sequence[Any]) -> MergedAlbum:
        """Store an album as Spotify knows it; values of its tracks in their order."""
        tracks = [
            TrackRecord(
                title=s.title, disc_number=s.disc, track_number=s.number, duration_ms=s.seconds * 1000,
                **{name: values[place] for name, values in of_tracks.items() if place < len(values)},
            )
            for place, s in enumerate(album.songs)
        ]  # fmt: skip
        said = AlbumRecord(
            title=album.title, artist=ARTIST, release_date=album.date, ids={"spotify": album.id}, tracks=tuple(tracks)
        )
        record = SourceRecord(source="spotify", rights=PROFILES["spotify"].rights, fetched_at=NOON, album=said)
        return await insert_album(AlbumRepository(self.database), [record], merging=MERGING)


@pytest.fixture
def listening(database: Database) -> Listening:
    return Listening(database)


def stream(track: str, *, minute: float = 0, ms: int = 60_000, artist: str = ARTIST, **more: Any) -> dict[str, Any]:
    """A row of the extended history, begun so many minutes after the start."""
    ended = START + timedelta(minutes=minute, milliseconds=ms)
    return {
        "ts": ended.isoformat(), "ms_played": ms, "master_metadata_track_name": track,
        "master_metadata_album_artist_name": artist, "master_metadata_album_album_name": "", **more,
    }  # fmt: skip


def scrobble(track: str, *, album: str = "", artist: str = ARTIST, minute: int = 0, mbid: str = "") -> str:
    uts = int((START + timedelta(minutes=minute)).timestamp())
    return f'{uts},,"{artist}",,"{album}",,"{track}",{mbid}\n'


HEAD = "uts,utc_time,artist,artist_mbid,album,album_mbid,track,track_mbid\n"


# -- once ------------------------------------------------------------------------------------------


async def test_everything_is_kept_as_it_was_said(listening: Listening) -> None:
    report = await listening.take(payload("Streaming_History_Audio_2021_0.json"))
    assert (report.listens, report.added, report.resolved) == (4, 4, 0)
    columns = "listened_at, source, track, artist, album, spotify_id, ms_played, skipped, track_id"
    assert (await listening.rows(columns))[0] == (
        datetime(2021, 5, 20, 17, 55, 46, tzinfo=UTC), "spotify", "Tide", ARTIST, "Paper Harbour",
        "s0ng010101000000000000", 107_000, False, None,
    )  # fmt: skip
    # Heard for no time at all is kept too, and is no play.
    assert (await listening.rows("track, ms_played"))[2] == ("Salt & Rope", 0)
    found = await listening.service.summary()
    assert (found.listens, found.plays, found.tracks, found.artists) == (4, 2, 4, 2)
    assert (found.first, found.last) == (
        datetime(2021, 5, 20, 17, 55, 46, tzinfo=UTC), datetime(2021, 5, 20, 18, 59, tzinfo=UTC),
    )  # fmt: skip
    assert (found.ms_played, found.sources) == (171_200, {"spotify": 4})


@pytest.mark.parametrize(
    "name",
    ["Streaming_History_Audio_2021_0.json", "endsong_0.json", "StreamingHistory_music_0.json", "lastfm_bare.csv",
     "lastfm_ghan.csv", "lastfm_page.json", "lastfm_pages.json", "lastfmstats.json", "lastfmstats.csv",
     "listenbrainz_5.jsonl", "listenbrainz.json", "listenbrainz_api.json"],
)  # fmt: skip
async def test_twice_is_once(name: str, listening: Listening) -> None:
    first = await listening.take(payload(name))
    rows = await listening.rows("*")
    again = await listening.take(payload(name))
    assert first.added == len(rows) > 0
    assert (again.added, again.listens) == (0, first.listens)
    assert await listening.rows("*") == rows


async def test_exports_that_overlap_add_only_what_is_new(listening: Listening) -> None:
    await listening.take(payload("endsong_0.json"))
    report = await listening.take(payload("Streaming_History_Audio_2021_0.json"))
    assert (report.listens, report.added) == (4, 3)
    assert [track for _, track in await listening.rows()].count("Tide") == 1


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("together", [True, False])
async def test_the_short_history_and_the_long_one_say_the_same_once(
    order: tuple[int, int], together: bool, listening: Listening
) -> None:
    exports = [payload("StreamingHistory_music_0.json"), payload("Streaming_History_Audio_2021_0.json")]
    files = [exports[i] for i in order]
    reports = [await listening.take(*files)] if together else [await listening.take(file) for file in files]
    rows = await listening.rows("track, listened_at, spotify_id, to_the_minute")
    assert len(rows) == sum(report.added for report in reports) == 5
    (tide,) = [row[1:] for row in rows if row[0] == "Tide"]
    # What was said to the second, and with more, stays.
    assert tide == (datetime(2021, 5, 20, 17, 55, 46, tzinfo=UTC), "s0ng010101000000000000", False)
    assert sum(report.replaced for report in reports) == (1 if order == (0, 1) and not together else 0)
    assert (await listening.take(*files)).added == 0
    assert await listening.rows("track, listened_at, spotify_id, to_the_minute") == rows


async def test_another_play_within_the_minute_is_another(listening: Listening) -> None:
    short = [{"endTime": "2020-01-01 00:01", "artistName": ARTIST, "trackName": "Tide", "msPlayed": 60_000}]
    await listening.take(given(short))
    others = [
        stream("Tide", minute=0.5, ms=61_000),
        stream("Quay"),
        stream("Tide", minute=1),
        stream("Tide", artist="Others"),
    ]
    report = await listening.take(given(others))
    assert (report.added, report.replaced) == (4, 0)


async def test_two_spellings_at_one_time_are_one_listen(listening: Listening) -> None:
    report = await listening.take(payload("lastfm_bare.csv"))
    assert (report.listens, report.added) == (3, 2)


async def test_two_listeners_are_kept_apart(listening: Listening) -> None:
    files = payload("lastfm_page.json"), payload("listenbrainz.json")
    # The same evening, of which ListenBrainz knows one listen more.
    for listener in ("me", "Zoë Smith"):
        report = await listening.take(*files, listener=listener)
        assert (report.added, report.elsewhere) == (3, {"lastfm": 2})
    assert [(s.listener, s.sources) for s in await listening.service.listeners()] == [
        ("Zoë Smith", {"lastfm": 2, "listenbrainz": 1}), ("me", {"lastfm": 2, "listenbrainz": 1}),
    ]  # fmt: skip


async def test_imports_of_one_listener_at_the_same_time(listening: Listening) -> None:
    rows = [stream(f"Song {n % 50}", minute=n) for n in range(2_000)]
    halves = [given(rows[:1_500]), given(rows[500:][::-1]), given(rows), given(rows[::-1])]
    reports = await asyncio.gather(*(listening.take(half) for half in halves))
    assert sum(report.added for report in reports) == len(await listening.rows()) == 2_000


async def test_nothing_is_stored_when_one_file_is_no_history(listening: Listening) -> None:
    with pytest.raises(InvalidInputError, match="is no listening history"):
        await listening.take(payload("lastfm_ghan.csv"), given("hello"))
    with pytest.raises(InvalidInputError, match="more than 200 times"):
        await listening.take(payload("lastfm_ghan.csv"), given(zipped(a__json=b" " * 3_000_000)))
    with pytest.raises(InvalidInputError, match="no file is given"):
        await listening.take()
    assert await listening.rows() == []


async def test_many_more_than_fit_at_once(listening: Listening) -> None:
    rows = [stream(f"Song {n % 700}", minute=n) for n in range(45_000)]
    told: list[int] = []
    report = await listening.service.take_in([given(rows)], consent=True, progress=lambda r: told.append(r.added))
    assert (report.added, told) == (45_000, [20_000, 40_000, 45_000])
    assert (await listening.take(given(rows))).added == 0


# -- once over sources -----------------------------------------------------------------------------


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("together", [True, False])
async def test_what_two_sources_say_of_one_play_is_one_listen(
    order: tuple[int, int], together: bool, listening: Listening
) -> None:
    exports = [given([stream("Tide", minute=1.5, ms=200_000)]), given(HEAD + scrobble("Tide - Remastered 2017"))]
    files, first = [exports[i] for i in order], ("spotify", "lastfm")[order[0]]
    reports = [await listening.take(*files)] if together else [await listening.take(file) for file in files]
    assert sum(report.added for report in reports) == 1
    assert reports[-1].elsewhere == {first: 1}
    rows = await listening.rows("source, ms_played")
    assert rows == [(first, 200_000)], "the first stays, and takes what only the other says"
    again = await listening.take(*files)
    assert (again.added, await listening.rows("source, ms_played")) == (0, rows)


async def test_a_short_track_that_ran_again_is_not_taken_for_the_same(listening: Listening) -> None:
    await listening.take(given([stream("Tide", ms=50_000)]))
    report = await listening.take(given(HEAD + scrobble("Tide") + scrobble("Tide", minute=1)))
    assert (report.added, report.elsewhere) == (1, {"spotify": 1})
    assert [source for (source,) in await listening.rows("source")] == ["spotify", "lastfm"]


@pytest.mark.parametrize(
    "other",
    [stream("Tide", minute=2.1), stream("Quay"), stream("Tide", artist="Ada"), stream("Tide", ms=29_000)],
    ids=["later", "another track", "another artist", "broken off"],
)
async def test_another_listen_of_another_source_is_another(other: dict[str, Any], listening: Listening) -> None:
    await listening.take(given(HEAD + scrobble("Tide")))
    report = await listening.take(given([other]))
    assert (report.added, report.elsewhere) == (1, {})


# -- resolving -------------------------------------------------------------------------------------


async def test_by_spotify_then_recording_then_isrc_then_names(listening: Listening) -> None:
    album = await listening.store(
        HARBOUR,
        ids=[{"spotify": HARBOUR.songs[0].id}, {"musicbrainz": MBID}],
        isrc=[None, None, "NLABC8700003"],
    )
    lines = [
        {"listened_at": int(START.timestamp()) + n * 300, "track_metadata": {"artist_name": "?", "track_name": f"Odd {n}",
         "additional_info": more}}
        for n, more in enumerate(
            [{"spotify_id": f"https://open.spotify.com/track/{HARBOUR.songs[0].id}"}, {"recording_mbid": MBID},
             {"isrc": "NLABC8700003"}, {"isrc": "NLABC8799999", "recording_mbid": MBID.replace("2", "9")}]
        )
    ]  # fmt: skip
    report = await listening.take(
        given(lines), given(HEAD + scrobble("long way out (remastered)", artist="the amber lanterns", minute=60))
    )
    assert report.resolved == 4
    ids = [track.id for track in album.tracks]
    assert await listening.rows("track, track_id") == [
        ("Odd 0", ids[0]), ("Odd 1", ids[1]), ("Odd 2", ids[2]), ("Odd 3", None), ("long way out (remastered)", ids[5]),
    ]  # fmt: skip
    assert (await listening.service.summary()).resolved == 4


async def test_of_several_the_one_on_the_album_that_was_said_else_the_earliest(listening: Listening) -> None:
    deluxe, harbour = await listening.store(DELUXE), await listening.store(HARBOUR)
    rows = [
        scrobble("Tide", album="Paper Harbour (Deluxe Edition)"),
        scrobble("Tide - Remastered 2017", album="Paper Harbour", minute=1),
        scrobble("Tide", album="A Compilation", minute=2),
        scrobble("Tide", minute=3),
        scrobble("Tide - Demo", album="Paper Harbour", minute=4),
        scrobble("Tide", artist="Other Lanterns", minute=5),
    ]
    await listening.take(given(HEAD + "".join(rows)))
    tide, demo = deluxe.tracks[0].id, deluxe.tracks[5].id
    assert await listening.rows("track_id") == [
        (tide,), (harbour.tracks[0].id,), (harbour.tracks[0].id,), (harbour.tracks[0].id,), (demo,), (None,),
    ]  # fmt: skip


async def test_what_is_ingested_later_is_found_by_asking_again_or_by_another_import(listening: Listening) -> None:
    await listening.take(given(HEAD + scrobble("Tide")))
    await listening.take(given(HEAD + scrobble("Tide")), listener="you")
    assert await listening.service.resolve() == 0
    await listening.store(HARBOUR)
    report = await listening.take(given(HEAD + scrobble("Nothing", minute=1)))
    assert (report.added, report.resolved) == (1, 1), "of the listener, and of him alone"
    assert await listening.rows("track_id", "you") == [(None,)]
    assert await listening.service.resolve("me") == 0
    assert await listening.service.resolve() == 1
    assert await listening.rows("track_id", "you") != [(None,)]


async def test_importing_resolving_and_forgetting_at_the_same_time(listening: Listening) -> None:
    await listening.store(HARBOUR)
    rows = [stream("Tide", minute=n) for n in range(500)]
    await listening.take(given(rows))
    async with listening.database.connection() as connection:
        await connection.execute("UPDATE listens SET track_id = NULL")

    async def forget() -> None:
        with contextlib.suppress(NotFoundError):
            await listening.service.forget("me")

    async def take(rows: list[dict[str, Any]]) -> None:
        with contextlib.suppress(ConflictError):  # forgotten meanwhile
            await listening.take(given(rows))

    resolving = [listening.service.resolve() for _ in range(3)] + [listening.service.resolve("me") for _ in range(2)]
    await asyncio.gather(*resolving, forget(), take(rows[::-1]), forget(), take(rows))
    await listening.service.resolve()
    assert all(track for (track,) in await listening.rows("track_id"))


async def test_a_large_history_is_resolved_right_after_it_came_in(listening: Listening) -> None:
    """Planned without figures of the new rows, this took longer than anybody waits."""
    await listening.store(HARBOUR)
    async with listening.database.connection() as connection:
        await connection.execute(
            "INSERT INTO enhanced_tracks (id, title, artist, recording_key) "
            "SELECT 't' || i, 'x', 'x', 'amberlanterns/song ' || i FROM generate_series(0, 29999) i"
        )
    rows = [stream(f"Song {n}", minute=n) for n in range(30_000)]
    assert (await listening.take(given(rows))).resolved == 30_000


async def test_a_track_that_leaves_the_catalogue_leaves_its_listens(listening: Listening) -> None:
    album = await listening.store(HARBOUR)
    await listening.take(given(HEAD + scrobble("Tide")))
    assert await listening.rows("track_id") == [(album.tracks[0].id,)]
    async with listening.database.connection() as connection:
        await connection.execute("DELETE FROM albums WHERE id = $1", album.id)
    assert await listening.rows("track, track_id") == [("Tide", None)]
    await listening.store(HARBOUR)
    assert await listening.service.resolve() == 1


async def test_nothing_of_it_enters_the_catalogue(listening: Listening) -> None:
    await listening.take(payload("Streaming_History_Audio_2021_0.json"))
    async with listening.database.connection() as connection:
        for table in ("albums", "artists", "enhanced_tracks", "source_records", "unmatched_albums"):
            assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0


# -- shown and forgotten ---------------------------------------------------------------------------


async def test_artists_by_plays_under_the_spelling_said_most(listening: Listening) -> None:
    await listening.store(HARBOUR)
    rows = [stream("Tide", minute=n) for n in range(3)] + [
        stream("Quay", minute=10, artist="the amber lanterns"),
        stream("Skipped", minute=11, ms=3_000),
        *(stream(f"Song {n}", minute=20 + n, artist="Ada") for n in range(2)),
    ]
    await listening.take(given(rows))
    top = (await listening.service.summary()).top_artists
    assert [(a.name, a.plays, a.resolved) for a in top] == [(ARTIST, 4, 4), ("Ada", 2, 0)]


async def everywhere(database: Database, *words: str) -> dict[str, list[str]]:
    """The tables of every schema, PostgreSQL's own among them, in which one of the words stands."""
    async with database.connection() as connection:
        tables = await connection.fetch(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname !~ '^pg_temp' "
            "UNION ALL SELECT 'pg_catalog.pg_stats'"
        )
        found = {}
        for (table,) in tables:
            rows = [text for (text,) in await connection.fetch(f"SELECT t::text FROM {table} t") if text]
            if hits := [word for word in words if any(word in row for row in rows)]:
                found[table] = hits
    return found


@pytest.mark.parametrize("others", [True, False])
async def test_forgetting_leaves_nothing_of_one_and_all_of_others(others: bool, listening: Listening) -> None:
    needles = ("secret-name", "Needle Artist", "Needle Song", "Needle Album", "needleartist", "needle song")
    rows = [stream("Needle Song", artist="Needle Artist", minute=n) for n in range(300)]
    rows = [{**row, "master_metadata_album_album_name": "Needle Album"} for row in rows]
    if others:
        await listening.take(payload("listenbrainz.json"), listener="you")
    await listening.take(given(rows), listener="secret-name")
    await listening.take(given(HEAD + scrobble("Needle Song", artist="Needle Artist")), listener="secret-name")
    planted = await everywhere(listening.database, *needles)
    assert {"public.listens", "public.listener_consents", "pg_catalog.pg_statistic"} <= planted.keys()
    assert await listening.service.forget("secret-name") == 300
    assert await everywhere(listening.database, *needles) == {}
    assert len(await listening.rows(listener="you")) == (3 if others else 0)
    with pytest.raises(NotFoundError, match="No listens of 'secret-name' are stored"):
        await listening.service.forget("secret-name")
    with pytest.raises(NotFoundError, match="tensoe listens import"):
        await listening.service.summary("secret-name")


async def test_nothing_is_kept_without_consent_and_consent_holds_until_forgotten(listening: Listening) -> None:
    # A title that no other test has: the planner's samples of earlier ones outlive their rows.
    file = given(HEAD + scrobble("Never Agreed To"))
    with pytest.raises(
        InvalidInputError, match=r"only with consent.*Kept of each listen.*Why:.*DELETE /listeners/NAME"
    ):
        await listening.service.take_in([file])
    assert await everywhere(listening.database, "Never Agreed To") == {}
    await listening.service.take_in([file], consent=True)
    agreed = (await listening.service.summary()).consented_at
    assert agreed is not None
    await listening.service.take_in([file])
    await listening.service.take_in([file], consent=True)
    assert (await listening.service.summary()).consented_at == agreed, "the first time counts"
    await listening.service.forget("me")
    with pytest.raises(InvalidInputError, match="only with consent"):
        await listening.service.take_in([file])


async def test_an_import_ends_when_its_listener_is_forgotten(listening: Listening) -> None:
    rows = [stream(f"Song {n % 700}", minute=n) for n in range(45_000)]
    told = asyncio.Event()
    taking = asyncio.create_task(listening.service.take_in([given(rows)], consent=True, progress=lambda _: told.set()))
    await told.wait()
    assert await listening.service.forget("me")
    with pytest.raises(ConflictError, match="forgotten while"):
        await taking
    assert await listening.rows() == []


@pytest.mark.parametrize("name", ["", " me", "me ", "a/b", "x" * 65, "a\nb", "a\x00b", ".", "-v", "a\n"])
async def test_names_that_cannot_be(name: str, listening: Listening) -> None:
    for work in (listening.take(payload("lastfm_ghan.csv"), listener=name), listening.service.forget(name)):
        with pytest.raises(InvalidInputError, match="cannot be a listener's name"):
            await work


async def test_a_folder(listening: Listening, tmp_path: Path) -> None:
    for name in ("endsong_0.json", "Userdata.json", "lastfm_ghan.csv"):
        (tmp_path / name).write_bytes((PAYLOADS / name).read_bytes())
    (tmp_path / "more.jsonl").write_text(json.dumps({"a": 1}))
    report = await listening.service.take_in(files_at([tmp_path]), consent=True)
    assert (report.listens, report.added, report.elsewhere) == (4, 3, {"spotify": 1})
    assert [Path(name).name for name in report.passed_over] == ["Userdata.json", "more.jsonl"]

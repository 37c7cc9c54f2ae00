"""Tables on a real PostgreSQL: what they are laid onto, what is told, what a second time changes, and going on after a kill."""

from __future__ import annotations

import asyncio
import gzip
import io
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from backend.ingestion.insert_to_supabase import Merging, insert_album
from backend.ingestion.policy import MergePolicy
from backend.ingestion.registry import all_profiles, build_sources
from backend.models.bulk_import import TableReport
from backend.models.ingestion_models import AlbumRecord, MergedAlbum, Rights, SourceRecord, TrackRecord
from backend.repositories.album_store import AlbumRepository
from backend.repositories.database import Database
from backend.repositories.import_targets import ImportTargets
from backend.repositories.remerging import Remerging
from backend.repositories.table_store import TableStore
from backend.repositories.tag_targets import TagTargets
from backend.services.page_import import PageImport
from backend.services.table_import import TableImport
from backend.services.table_preparing import Options
from backend.services.tag_import import TagImport
from backend.utils.errors import InvalidInputError
from tests.fixtures.twin import SHARED
from tests.integration.repositories.samples import NOON
from tests.integration.test_table_rows import everything
from tests.table_files import HEAD, TRACKS, albums_table, file, generated, row, spotify_id

PROFILES = all_profiles(build_sources())
MERGING = Merging(profiles=PROFILES, policy=MergePolicy())
REAL = SHARED / "data" / "tables" / "spotify_songs.csv"
WHENS = {"fetched_at", "valid_from", "valid_to", "known_from", "known_to"}


def service(database: Database, merging: Merging = MERGING) -> TableImport:
    async def stored() -> None:
        """Nobody keeps answers here."""

    store, remerging = AlbumRepository(database), Remerging(database)
    return TableImport(
        store,
        TableStore(database),
        remerging,
        pages=PageImport(store, ImportTargets(database), merging=merging, stored=stored),
        tags=TagImport(TagTargets(database), remerging, merging=merging),
        merging=merging,
        stored=stored,
    )


class Tables:
    """The service, and what its tests ask of the database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.service = service(database)

    async def take(self, text: str | bytes, name: str = "table.csv", **options: Any) -> TableReport:
        chosen = replace(Options(columns={}), **options)
        return await self.service.run(file(name, text), chosen)

    async def fetch(self, query: str) -> list[tuple[Any, ...]]:
        async with self.database.connection() as connection:
            return [tuple(found) for found in await connection.fetch(query)]

    async def rows(self) -> dict[str, list[dict[str, Any]]]:
        """Everything stored, without when."""
        return {
            table: [{k: v for k, v in row.items() if k not in WHENS} for row in rows]
            for table, rows in (await everything(self.database)).items()
        }

    async def store(self, source: str = "musicbrainz", **values: Any) -> MergedAlbum:
        said = SourceRecord(source=source, rights=PROFILES[source].rights, fetched_at=NOON, album=AlbumRecord(**values))
        return await insert_album(AlbumRepository(self.database), [said], merging=MERGING)


@pytest.fixture
def tables(database: Database) -> Tables:
    return Tables(database)


async def test_a_second_time_changes_nothing(tables: Tables) -> None:
    first = await tables.take(TRACKS)
    assert (first.counts["new"], first.rows, first.tracks, first.source, first.rights) == (
        3, 6, 6, "spotify_table", "restricted",
    )  # fmt: skip
    before = await everything(tables.database)
    again = await tables.take(TRACKS)
    assert (again.counts["new"], again.counts["unchanged"]) == (0, 3)
    assert await everything(tables.database) == before


async def test_what_was_changed_meanwhile_is_put_right(tables: Tables) -> None:
    """That an import was finished once is not taken for granted."""
    await tables.take(TRACKS)
    before = await tables.rows()
    async with tables.database.transaction() as connection:
        await connection.execute("DELETE FROM albums WHERE title = 'Album 2'")
    found = await tables.take(TRACKS)
    assert (found.counts["new"], found.counts["unchanged"]) == (1, 2)
    assert await tables.rows() == before


async def test_duplicates_and_contradictions_are_told_and_the_first_value_wins(tables: Tables) -> None:
    text = "\n".join((
        HEAD, row(1, 1, playlist_genre="pop", energy=""), row(2, 1), row(1, 1, playlist_genre="rock", energy=0.25),
        row(2, 1, track_popularity=99), row(2, 5), row(3, 1, track_artist=""), row(4, 1, track_album_release_date="2001"),
    ))  # fmt: skip
    found = await tables.take(text)
    told = {(f.kind, f.lines, f.detail) for f in found.examples}
    assert told >= {
        ("duplicate", (4,), "says again what line 2 says"),
        ("duplicate", (5,), "says again what line 3 says"),
        ("contradiction", (3, 5), "popularity: 2 or 99; the first is taken"),
        ("unusable row", (7,), "no artist"),
    }
    assert any(
        f.kind == "contradiction" and f.detail.startswith("release_date: 2019-12-13 or 2001") for f in found.examples
    )
    # Another album's track of the same id is no duplicate.
    assert found.found == {"duplicate": 2, "contradiction": 2, "unusable row": 1}
    rows = await tables.fetch(
        "SELECT title, popularity, energy, genres FROM enhanced_tracks WHERE album = 'Album 1' ORDER BY title"
    )
    assert [(r[0], r[1], r[2]) for r in rows] == [
        ("Song 1", 1, 0.25),
        ("Song 2", 2, pytest.approx(0.815)),
        ("Song 4", 4, pytest.approx(0.815)),
    ]
    assert {"pop", "rock"} <= set(rows[0][3])


async def test_a_stored_album_is_found_by_identifier_by_names_and_by_nothing_else(tables: Tables) -> None:
    tracks = (TrackRecord(title="Song 1", track_number=1), TrackRecord(title="Song 2", track_number=2))
    by_id = await tables.store(
        "spotify", title="Another Name", artist="Somebody", ids={"spotify": spotify_id(1, "a")}, tracks=tracks
    )
    by_name = await tables.store(
        title="Album 2 (Deluxe Edition)", artist="Artist 2", ids={"musicbrainz": "m2"}, tracks=tracks
    )
    other = await tables.store(
        "spotify", title="Album 3", artist="Artist 3", ids={"spotify": spotify_id(99, "a")}, tracks=tracks
    )
    found = await tables.take(TRACKS)
    assert (found.counts["matched"], found.counts["new"]) == (2, 1)
    said = dict(await tables.fetch("SELECT album_id, match_method FROM source_records WHERE source = 'spotify_table'"))
    assert said[by_id.id] == "id"
    assert said[by_name.id] == "name"
    assert other.id not in said
    # The album keeps the names of who knows them better, its tracks get the table's figures.
    title, energy, whose = (await tables.fetch(
        "SELECT a.title, t.energy, t.provenance FROM albums a JOIN enhanced_tracks t ON t.album_id = a.id "
        f"WHERE a.id = '{by_id.id}' AND t.title = 'Song 1'"
    ))[0]  # fmt: skip
    assert (title, energy) == ("Another Name", pytest.approx(0.815))
    assert '"energy": "spotify_table"' in whose
    before = await everything(tables.database)
    assert (await tables.take(TRACKS)).counts["unchanged"] == 3
    assert await everything(tables.database) == before


async def test_rights_reach_every_level(tables: Tables) -> None:
    await tables.take(TRACKS)
    assert await tables.fetch("SELECT * FROM tracks_open UNION ALL SELECT * FROM tracks_noncommercial") == []
    own = "\n".join((HEAD, row(50, 50)))
    found = await tables.take(own, name="mine.csv", rights=Rights.OPEN)
    assert (found.source, found.why) == ("table_open", "you said so")
    assert await tables.fetch("SELECT title FROM tracks_open") == [("Song 50",)]


async def test_two_tables_of_one_source_add_up(tables: Tables) -> None:
    one, other = "\n".join((HEAD, row(1, 1), row(2, 1))), "\n".join((HEAD, row(2, 1), row(3, 1)))
    await tables.take(one, "one.csv")
    await tables.take(other, "other.csv")
    assert [r[0] for r in await tables.fetch("SELECT title FROM enhanced_tracks ORDER BY title")] == [
        "Song 1",
        "Song 2",
        "Song 3",
    ]
    before = await everything(tables.database)
    assert (await tables.take(one, "one.csv")).counts["matched"] == 0
    assert await everything(tables.database) == before


async def test_tracks_without_albums_and_albums_without_tracks(tables: Tables) -> None:
    no_album = (
        "id,name,popularity,duration_ms,explicit,artists,id_artists,release_date,danceability,energy,speechiness\n"
        + "".join(
            f'{spotify_id(n)},Song {n},{n},200000,{n % 2},"[\'Ada\', ""O\'Neil""]",x,19{60 + n},0.5,0.5,0.1\n'
            for n in range(4)
        )
    )
    found = await tables.take(no_album)
    assert (found.shape, found.singles, found.albums) == ("spotify", 4, 4)
    assert await tables.fetch(
        "SELECT DISTINCT artist, match_method FROM enhanced_tracks t JOIN source_records USING (album_id)"
    ) == [("Ada, O'Neil", "single")]
    found = await tables.take(albums_table(), "albums.csv")
    assert (found.shape, found.rights, found.counts["new"]) == ("albums", "unknown", 13)


async def test_tags_go_onto_the_albums_of_their_artists(tables: Tables) -> None:
    album = await tables.store(
        title="Tide",
        artist="The Ada",
        ids={"musicbrainz": "m"},
        tracks=(TrackRecord(title="Quay"), TrackRecord(title="Sand")),
    )
    text = "artist,track,tag,count\nAda,,shoegaze,10\nAda,,dream pop,5\nADA,Quay (Remastered),melancholy,3\n"
    text += "Bo,,rock,1\nAda,,Shoegaze,9\n"
    found = await tables.take(text, "tags.csv")
    assert (found.shape, found.source, found.rights) == ("tags", "lastfm_table", "noncommercial")
    assert (found.counts["matched"], found.counts["artists not stored"], found.found) == (1, 1, {"duplicate": 1})
    rows = dict(await tables.fetch("SELECT title, moods FROM tracks_noncommercial"))
    assert (rows["Quay"], rows["Sand"]) == (["melancholic"], [])
    genres = await tables.fetch(f"SELECT genres FROM albums WHERE id = '{album.id}'")
    assert genres[0][0][:2] == ["shoegaze", "dream pop"]
    assert await tables.fetch("SELECT genres FROM tracks_open WHERE genres <> '{}'") == []
    before = await everything(tables.database)
    assert (await tables.take(text, "tags.csv")).counts["unchanged"] == 1
    assert await everything(tables.database) == before


async def test_scores_go_to_their_own_reader(tables: Tables) -> None:
    found = await tables.take("Artist,Title,AOTY User Score\nAda,Tide,70\nAda,Quay,seventy\n")
    assert (found.shape, found.source, found.counts) == ("scores", "aoty", {"new": 1, "unreadable": 1})
    assert found.found == {"unusable row": 1}
    with pytest.raises(InvalidInputError, match="leave out --map"):
        await tables.take("Artist,Title,AOTY User Score\nAda,Tide,70\n", rights=Rights.OPEN)


async def test_nothing_is_stored_by_a_dry_run(tables: Tables) -> None:
    found = await tables.take(TRACKS, dry_run=True)
    assert (found.dry_run, found.albums, found.counts) == (True, 3, {})
    assert found.columns[1].samples == ("Song 1", "Song 2", "Song 3")
    assert await tables.fetch("SELECT id FROM albums UNION ALL SELECT id FROM bulk_imports") == []


async def test_every_form_of_a_table_gives_the_same(tables: Tables) -> None:
    frame = pl.read_csv(TRACKS.encode())
    parquet, lines = io.BytesIO(), io.BytesIO()
    frame.write_parquet(parquet)
    frame.write_ndjson(lines)
    forms = {
        "t.csv": TRACKS.encode(), "t.csv.gz": gzip.compress(TRACKS.encode()), "t.parquet": parquet.getvalue(),
        "t.ndjson": lines.getvalue(), "t.tsv": frame.write_csv(separator="\t").encode(),
        "u.csv": b"\xef\xbb\xbf" + TRACKS.encode(),
        "w.csv": TRACKS.encode("utf-16"),
    }  # fmt: skip
    await tables.take(forms.pop("t.csv"))
    before = await everything(tables.database)
    for name, written in forms.items():
        found = await tables.take(written, name)
        assert (found.counts["unchanged"], found.rows) == (3, 6), name
    assert await everything(tables.database) == before


async def test_policies_and_estimates_take_the_general_way_and_give_the_same(tables: Tables) -> None:
    text = generated(120)
    await tables.take(text)
    quick = await tables.rows()
    async with tables.database.transaction() as connection:
        await connection.execute("TRUNCATE albums, artists, bulk_imports RESTART IDENTITY CASCADE")
    policy = MergePolicy(order={"upc": ("spotify_table",)})  # of a field that the table does not have
    tables.service = service(tables.database, Merging(profiles=PROFILES, policy=policy))
    await tables.take(text)
    slow = await tables.rows()
    assert slow == quick


async def test_an_import_that_is_killed_goes_on_and_ends_the_same(
    tables: Tables, postgres_dsn: str, tmp_path: Path
) -> None:
    path = tmp_path / "big.csv"
    path.write_text(generated(30_000), "utf-8")
    environment = {
        **os.environ,
        "DATABASE_URL": postgres_dsn,
        "TENSOE_HOME": str(tmp_path / "home"),
        "TENSOE_DEMO": "off",
    }
    command = (sys.executable, "-m", "backend.cli", "import", "table", str(path))
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    while True:
        done = await tables.fetch("SELECT done_parts FROM bulk_imports")
        if done and done[0][0] >= 2:
            break
        assert process.returncode is None, "it ended before it could be killed"
        await asyncio.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    assert await tables.fetch("SELECT 1 FROM bulk_imports WHERE finished_at IS NULL") == [(1,)]
    found = await tables.service.run(file(str(path), path.read_bytes()), Options(columns={}))
    assert found.resumed > 0
    assert found.counts["new"] < found.albums
    interrupted = await tables.rows()
    async with tables.database.transaction() as connection:
        await connection.execute("TRUNCATE albums, artists, bulk_imports RESTART IDENTITY CASCADE")
    whole = await tables.service.run(file(str(path), path.read_bytes()), Options(columns={}))
    assert (whole.counts["new"], whole.resumed) == (whole.albums, 0)
    assert await tables.rows() == interrupted


@pytest.mark.skipif(not REAL.exists(), reason="the real tables are not beside the project")
async def test_a_real_table(tables: Tables) -> None:
    found = await tables.take(REAL.read_bytes(), "spotify_songs.csv")
    assert (found.rows, found.tracks, found.found) == (16_445, 14_200, {"unusable row": 5, "duplicate": 2_240})
    assert (await tables.take(REAL.read_bytes(), "spotify_songs.csv")).counts["unchanged"] == found.albums

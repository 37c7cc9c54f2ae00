"""Saved pages and tables of scores on a real PostgreSQL: what they are laid onto, what is told, and what nothing changes."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from backend.ingestion.aoty_page import PARSER_VERSION
from backend.ingestion.aoty_scraper import AotySource
from backend.ingestion.aoty_table import TABLE_VERSION
from backend.ingestion.insert_to_supabase import Merging, insert_album
from backend.ingestion.policy import MergePolicy
from backend.ingestion.registry import build_sources
from backend.ingestion.transport import Transport, open_session
from backend.models.import_results import ImportedItem, ImportReport, ImportResult
from backend.models.ingestion_models import AlbumQuery, AlbumRecord, MergedAlbum, SourceRecord, TrackRecord
from backend.repositories.album_reader import AlbumReader
from backend.repositories.album_store import AlbumRepository
from backend.repositories.database import Database
from backend.repositories.import_targets import ImportTargets
from backend.services.import_files import Given, files_at
from backend.services.page_import import PageImport
from backend.utils.errors import InvalidInputError
from tests.fakes.aoty import SITE, FakeAoty, page, path
from tests.fakes.music import ARTIST, DELUXE, HARBOUR, SIGN, Album
from tests.fixtures.twin import SHARED
from tests.integration.repositories.samples import NOON

PROFILES = {s.profile.name: s.profile for s in build_sources()}
MERGING = Merging(profiles=PROFILES, policy=MergePolicy())
HEAD = "Artist,Title,Release Year,Genre,AOTY Critic Score,AOTY Critic Reviews,AOTY User Score,AOTY User Reviews"
TABLE = SHARED / "data" / "tables" / "album_ratings.csv"
REAL_PAGE = SHARED / "data" / "payloads" / "albumoftheyear" / "album__slug.html"


class Importing:
    """The service, and what its tests need around it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.store = AlbumRepository(database)
        self.announced = 0
        self.service = PageImport(self.store, ImportTargets(database), merging=MERGING, stored=self._stored)

    async def _stored(self) -> None:
        self.announced += 1

    async def take(self, **files: str | bytes) -> ImportReport:
        """Take files in, their names with two underscores for the dot."""
        return await self.service.run([given(n.replace("__", "."), text) for n, text in files.items()])

    async def table(self, *lines: str, head: str = HEAD) -> ImportReport:
        return await self.take(scores__csv="\n".join((head, *lines)) + "\n")

    async def spotify(self, album: Album, **more: Any) -> MergedAlbum:
        """Store an album as Spotify knows it."""
        tracks = tuple(TrackRecord(title=s.title, disc_number=s.disc, track_number=s.number) for s in album.songs)
        values = {
            "title": album.title,
            "artist": ARTIST,
            "ids": {"spotify": album.id},
            "tracks": tracks,
            "release_date": album.date,
        }
        record = AlbumRecord(**{**values, **more})
        said = SourceRecord(source="spotify", rights=PROFILES["spotify"].rights, fetched_at=NOON, album=record)
        return await insert_album(self.store, [said], merging=MERGING)

    async def albums(self) -> list[tuple[str, str, float | None]]:
        async with self.database.connection() as connection:
            rows = await connection.fetch("SELECT title, artist, aoty_user_score FROM albums ORDER BY title, artist")
        return [tuple(row) for row in rows]

    async def rows(self) -> list[tuple[Any, ...]]:
        """Everything stored, without when."""
        async with self.database.connection() as connection:
            found = []
            for statement in (
                "SELECT to_jsonb(a) - 'created_at' - 'updated_at' AS row FROM albums a ORDER BY id",
                "SELECT to_jsonb(t) - 'created_at' - 'updated_at' AS row FROM enhanced_tracks t ORDER BY id",
                "SELECT source, rights, digest, record, match_method, match_score, valid_to FROM source_records"
                " ORDER BY album_id, source, id",
                "SELECT * FROM album_identifiers ORDER BY 1, 2, 3",
            ):
                found += [tuple(row) for row in await connection.fetch(statement)]
        return found


def given(name: str, text: str | bytes) -> Given:
    return Given(name, lambda: io.BytesIO(text.encode() if isinstance(text, str) else text))


def told(report: ImportReport) -> list[tuple[str, int | None, str]]:
    return [(i.file, i.line, i.result.value) for i in report.items]


def one(report: ImportReport) -> ImportedItem:
    (item,) = report.items
    return item


@pytest.fixture
def importing(database: Database) -> Importing:
    return Importing(database)


# -- pages ---------------------------------------------------------------------------------------


async def test_a_page_is_laid_onto_the_album_that_it_links_to(importing: Importing) -> None:
    stored = await importing.spotify(HARBOUR, title="紙の港")
    item = one(await importing.take(a__html=page(HARBOUR)))
    assert (item.result, item.album_id, item.method, item.score) == (ImportResult.MATCHED, stored.id, "link", 1.0)
    assert await importing.albums() == [("紙の港", ARTIST, 74.5)]
    assert importing.announced == 1


async def test_without_its_link_a_page_is_laid_on_by_names(importing: Importing) -> None:
    stored = await importing.spotify(HARBOUR, title="Paper Harbour (Remastered)")
    unlinked = page(HARBOUR).replace("open.spotify.com", "elsewhere.invalid")
    item = one(await importing.take(a__html=unlinked))
    assert (item.result, item.album_id, item.method) == (ImportResult.MATCHED, stored.id, "page")
    assert item.score is not None
    assert 0.5 < item.score <= 1


async def test_the_page_of_an_unknown_album_becomes_an_album_of_its_own(importing: Importing) -> None:
    await importing.spotify(SIGN)
    item = one(await importing.take(a__html=page(HARBOUR)))
    assert (item.result, item.name) == (ImportResult.NEW, f"{ARTIST} – {HARBOUR.title}")
    album = await AlbumReader(importing.database).album(item.album_id or "")
    assert [t["title"] for t in album["tracks"]] == [s.title for s in HARBOUR.songs]
    assert (album["label"], album["aoty_critic_count"]) == ("Quayside", 24)
    # And is found again: by Spotify, and by the page.
    assert (await importing.spotify(HARBOUR)).id == item.album_id
    assert one(await importing.take(a__html=page(HARBOUR))).result is ImportResult.UNCHANGED


async def test_the_same_page_four_ways_is_the_same_to_the_last_bit(
    importing: Importing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fetched, given while collecting, as a file of a folder, and uploaded."""
    fake = FakeAoty()
    saved = tmp_path / "saved" / "deep"
    saved.mkdir(parents=True)
    (saved / "page.html").write_text(page(HARBOUR), "utf-8")

    async def collected(**hints: str) -> None:
        known = AlbumRecord(title=HARBOUR.title, artist=ARTIST, ids={"spotify": HARBOUR.id})
        query = AlbumQuery(album=HARBOUR.title, artist=ARTIST, hints=hints, known=known)
        async with fake.running() as base, open_session() as session:
            for name, value in fake.environment(base).items():
                monkeypatch.setenv(name, value)
            source = AotySource()
            transport = Transport("aoty", limits=source.profile.limits, session=session)
            record = source.normalise(await source.fetch(query, transport))
        said = SourceRecord(source="aoty", rights=source.profile.rights, fetched_at=NOON, album=record)
        await insert_album(importing.store, [said], merging=MERGING)

    async def imported(files: Sequence[Given]) -> None:
        assert one(await importing.service.run(files)).result is ImportResult.MATCHED

    ways: list[Callable[[], Awaitable[None]]] = [
        lambda: collected(aoty_url=SITE + path(HARBOUR)),
        lambda: collected(aoty_html=page(HARBOUR)),
        lambda: imported(files_at([tmp_path])),
        lambda: imported([given("upload.html", page(HARBOUR))]),
    ]
    found = []
    for way in ways:
        async with importing.database.transaction() as connection:
            await connection.execute("TRUNCATE albums, artists CASCADE")
        await importing.spotify(HARBOUR)
        await way()
        found.append(await importing.rows())
    assert [row for row in found[0] if row[0] == "aoty"]
    assert found[0] == found[1] == found[2] == found[3]


async def test_pages_that_cannot_be_read_are_named_and_cost_no_other(importing: Importing) -> None:
    report = await importing.take(
        shopping__html="<html>milk</html>",
        challenge__html="<html><title>Just a moment...</title></html>",
        huge__html=b"x" * 5_000_001,
        good__html=page(HARBOUR),
        photo__jpg=b"\xff\xd8",
        scores__csv="Artist,Title\nA,B\n",
        broken__csv=b"Artist,Title,User Score\nA\xff,B,70\n",
    )
    assert [i.result.value for i in report.items] == ["unreadable"] * 3 + ["new"] + ["unreadable"] * 3
    said = [i.detail for i in report.items]
    assert "the score boxes (.albumCriticScoreBox" in said[0]
    assert "challenge" in said[1]
    assert "5,000,000 bytes" in said[2]
    assert "neither a saved page (.html) nor a table (.csv)" in said[4]
    assert "no column for a score" in said[5]
    assert "not UTF-8 text (byte 25)" in said[6]
    assert [a[0] for a in await importing.albums()] == [HARBOUR.title]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
async def test_pages_in_the_encodings_that_browsers_write(encoding: str, importing: Importing) -> None:
    text = page(HARBOUR).replace(HARBOUR.title, "Ñandú – Café")
    assert one(await importing.take(a__html=text.encode(encoding))).name == f"{ARTIST} – Ñandú – Café"


async def test_what_browsers_save_beside_a_page_is_left_out(importing: Importing, tmp_path: Path) -> None:
    (tmp_path / "page_files").mkdir()
    (tmp_path / "page_files" / "frame.html").write_text("<html>an advertisement</html>")
    (tmp_path / "page.HTM").write_text(page(HARBOUR), "utf-8")
    (tmp_path / "notes.docx").write_bytes(b"")
    report = await importing.service.run(files_at([tmp_path]))
    assert told(report) == [(str(tmp_path / "page.HTM"), None, "new")]


def test_paths_that_hold_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"holds no saved page \(\.html\) and no table"):
        files_at([tmp_path])
    with pytest.raises(InvalidInputError, match="is not there"):
        files_at([tmp_path / "x.html"])


async def test_nothing_given_is_refused(importing: Importing) -> None:
    with pytest.raises(InvalidInputError, match="no file is given"):
        await importing.service.run([])


# -- tables --------------------------------------------------------------------------------------


async def test_rows_are_laid_on_or_stored_and_bad_ones_named(importing: Importing) -> None:
    stored = await importing.spotify(DELUXE, title="Paper Harbour [Deluxe Edition]")
    report = await importing.table(
        f"{ARTIST},Paper Harbour,1987,Folk,81,24,74,12489",
        "Ada,Tide,1999,Rock,seventy,9,70,9",
        "Ada,Quay,1999,Rock,70,9,71,9",
    )
    assert told(report) == [("scores.csv", 2, "matched"), ("scores.csv", 3, "unreadable"), ("scores.csv", 4, "new")]
    matched, bad, new = report.items
    assert (matched.album_id, matched.method) == (stored.id, "name")
    assert "critic score 'seventy' is no number" in bad.detail
    assert new.name == "Ada – Quay"
    assert report.counts == {"matched": 1, "unreadable": 1, "new": 1}
    assert ("Quay", "Ada", 71.0) in await importing.albums()


async def test_doing_it_twice_changes_nothing(importing: Importing) -> None:
    await importing.spotify(HARBOUR)
    lines = (
        f"{ARTIST},Paper Harbour (Deluxe),1987,Folk,81,24,74,12489", "Ada,Ada,1999,Rock,70,9,71,9", "Ada,Ada,2009,Rock,60,9,61,9",
        "Ada,Ada,1999,Rock,1,9,2,9", "TÅ\u008dth,Tide,,,70,1,70,1",
    )  # fmt: skip
    first = await importing.table(*lines)
    assert [i.result.value for i in first.items] == ["matched", "new", "new", "unchanged", "new"]
    assert first.items[3].detail == "repeats line 3 of scores.csv"
    before = await importing.rows()
    again = await importing.table(*lines)
    assert {i.result.value for i in again.items} == {"unchanged"}
    assert await importing.rows() == before
    assert [i.album_id for i in again.items if i.album_id] == [i.album_id for i in first.items if i.album_id]
    assert importing.announced == 1


async def test_two_albums_of_one_name_are_told_apart_by_year(importing: Importing) -> None:
    stored = await importing.spotify(HARBOUR, title="Ada", artist="Ada", release_date="2009-05-01")
    report = await importing.table("Ada,Ada,2009,Rock,70,9,71,9", "Ada,Ada,1999,Rock,60,9,61,9")
    assert [i.result.value for i in report.items] == ["matched", "new"]
    assert report.items[0].album_id == stored.id
    assert sorted(score for _, _, score in await importing.albums() if score) == [61.0, 71.0]


async def test_rows_of_one_table_are_never_laid_onto_each_other(importing: Importing) -> None:
    lines = [f"Ada,Greatest Hits Vol. {n},20{n:02d},Rock,70,9,{n},9" for n in range(1, 8)]
    report = await importing.table(
        *lines, "Ada,Greatest Hits,2000,Rock,70,9,50,9", "Ada,Greatest Hit,2000,Rock,70,9,51,9"
    )
    assert len({i.album_id for i in report.items}) == 9
    again = await importing.table(*reversed(lines))
    assert {i.result.value for i in again.items} == {"unchanged"}


async def test_a_table_does_not_displace_what_a_page_says_exactly(importing: Importing) -> None:
    await importing.take(a__html=page(HARBOUR).replace("/label/", "/lbl/"))
    row = one(await importing.table(f"{ARTIST},Paper Harbour,1987,Rock,81,24,75,12489,Quayside", head=f"{HEAD},Label"))
    assert row.result is ImportResult.MATCHED
    async with importing.database.connection() as connection:
        found = await connection.fetchrow("SELECT aoty_critic_score, aoty_user_score, label FROM albums")
    assert tuple(found) == (81.25, 74.5, "Quayside")  # the page's, and what it left open


async def test_a_page_displaces_what_a_table_says(importing: Importing) -> None:
    await importing.table(f"{ARTIST},Paper Harbour,1987,Rock,80,20,70,10")
    assert one(await importing.take(a__html=page(HARBOUR))).result is ImportResult.MATCHED
    assert await importing.albums() == [(HARBOUR.title, ARTIST, 74.5)]
    async with importing.database.connection() as connection:
        records = await connection.fetch("SELECT record->>'parser' AS parser FROM source_records ORDER BY valid_from")
    assert [r["parser"] for r in records] == [TABLE_VERSION, PARSER_VERSION]


async def test_a_page_and_a_row_of_one_album_given_together_meet(importing: Importing) -> None:
    row = f"{HEAD},Label\n{ARTIST},{HARBOUR.title},1987,Rock,80,20,70,10,Quayside\n"
    for names in (("a__html", "b__csv"), ("b__csv", "a__html")):
        async with importing.database.transaction() as connection:
            await connection.execute("TRUNCATE albums, artists CASCADE")
        texts = {"a__html": page(HARBOUR).replace("/label/", "/lbl/"), "b__csv": row}
        report = await importing.take(**{name: texts[name] for name in names})
        assert [i.result.value for i in report.items] == ["new", "matched"]
        assert report.items[0].album_id == report.items[1].album_id
        async with importing.database.connection() as connection:
            found = await connection.fetchrow("SELECT aoty_user_score, label, total_tracks FROM albums")
        assert tuple(found) == (74.5, "Quayside", len(HARBOUR.songs))


async def test_what_other_sources_said_stays(importing: Importing) -> None:
    await importing.spotify(HARBOUR, popularity=41, upc="4000000000013")
    await importing.table(f"{ARTIST},{HARBOUR.title},1987,Folk,81,24,74,12489")
    async with importing.database.connection() as connection:
        found = await connection.fetchrow("SELECT popularity, total_tracks, aoty_user_score FROM albums")
    assert tuple(found) == (41, len(HARBOUR.songs), 74.0)


async def test_imports_at_once_meet(importing: Importing) -> None:
    reports = await asyncio.gather(*(importing.take(a__html=page(HARBOUR)) for _ in range(4)))
    assert sorted(one(r).result.value for r in reports) == ["new", "unchanged", "unchanged", "unchanged"]


async def test_more_rows_than_are_taken_at_once(importing: Importing) -> None:
    report = await importing.table(*(f"Artist {n % 97},Album {n},2001,Rock,70,9,71,9" for n in range(2_300)))
    assert report.counts == {"new": 2_300}
    assert len({i.album_id for i in report.items}) == len(await importing.albums()) == 2_300


async def test_a_value_that_no_column_holds_costs_its_own_row_alone(importing: Importing) -> None:
    report = await importing.table(
        "Ada,Quay,1999,Rock,70,9,71,9",
        "Ada,Tide,1999,Rock,70,99999999999999999999,71,9",
        "Ada,Salt,1999,Rock,70,9,71,9",
    )
    results = [i.result.value for i in report.items]
    assert results[0] == results[2] == "new"
    assert {"Quay", "Salt"} <= {a[0] for a in await importing.albums()}


@pytest.mark.skipif(not TABLE.is_file(), reason="the real table is not beside the project")
async def test_a_real_table(importing: Importing) -> None:
    text = TABLE.read_text("utf-8").splitlines(keepends=True)[:2_001]
    report = await importing.take(ratings__csv="".join(text))
    assert report.counts["new"] >= 1_995
    assert not report.counts["unreadable"]
    assert "Metacritic User Score" in report.unused_columns["ratings.csv"]


@pytest.mark.skipif(not REAL_PAGE.is_file(), reason="the real page is not beside the project")
async def test_a_real_page(importing: Importing) -> None:
    report = await importing.service.run(files_at([REAL_PAGE]))
    assert one(report).name == "A$AP Rocky – Don't Be Dumb"
    assert one(report).result is ImportResult.NEW

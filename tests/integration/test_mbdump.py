"""MusicBrainz's dump tables: joined, laid onto stored albums, and only those unless all are wanted."""

from __future__ import annotations

import tarfile
from pathlib import Path
from uuid import UUID

import pytest

from backend.repositories.database import Database
from backend.services.table_preparing import Options
from backend.utils.errors import InvalidInputError
from tests.integration.test_table_import import Tables
from tests.integration.test_table_rows import everything


def gid(number: int) -> str:
    return str(UUID(int=number))


TABLES: dict[str, list[tuple[str, ...]]] = {
    "artist_credit": [("1", "The Amber Lanterns", "1", "9", "x", "0", gid(901)),
                      ("2", "Ada feat. Bo", "2", "1", "x", "0", gid(902))],
    "release": [
        ("10", gid(10), "Paper Harbour", "1", "5", "1", "\\N", "\\N", "\\N", "0602445790128", "", "0", "-1", "x"),
        ("11", gid(11), "Paper Harbour", "1", "5", "2", "\\N", "\\N", "\\N", "\\N", "promo", "0", "-1", "x"),
        ("12", gid(12), "Never Stored", "2", "6", "1", "\\N", "\\N", "\\N", "\\N", "", "0", "-1", "x"),
    ],
    "medium": [("20", "10", "1", "1", "", "0", "x", "2"), ("21", "10", "2", "1", "", "0", "x", "1"),
               ("22", "12", "1", "1", "", "0", "x", "1"),
               ("23", "11", "1", "1", "", "0", "x", "1")],
    "track": [
        ("30", gid(30), "40", "20", "2", "2", "Quay \\\\ Sand", "2", "200500", "0", "x", "f"),
        ("31", gid(31), "41", "20", "1", "1", "Tide", "1", "\\N", "0", "x", "f"),
        ("32", gid(32), "41", "21", "1", "A1", "Tide", "1", "180000", "0", "x", "f"),
        ("33", gid(33), "42", "22", "1", "1", "Else", "2", "180000", "0", "x", "f"),
        ("34", gid(34), "42", "23", "1", "1", "Promo", "1", "180000", "0", "x", "f"),
    ],
    "recording": [(n, gid(int(n)), "R", "1", "\\N", "", "0", "x", "f") for n in ("40", "41", "42")],
    "isrc": [("50", "40", "GBAYE0601691", "\\N", "0", "x"), ("51", "40", "GBAYE0601690", "\\N", "0", "x")],
    "release_country": [("10", "222", "1999", "5", "\\N"), ("10", "81", "1999", "5", "7"), ("12", "81", "2001", "\\N", "\\N")],
}  # fmt: skip


@pytest.fixture
def tables(database: Database) -> Tables:
    return Tables(database)


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    folder = tmp_path / "mbdump"
    folder.mkdir()
    for name, rows in TABLES.items():
        (folder / name).write_text("".join("\t".join(row) + "\n" for row in rows), "utf-8")
    return folder


async def test_only_albums_that_are_stored(tables: Tables, dump: Path) -> None:
    album = await tables.store("deezer", title="Paper Harbour", artist="Amber Lanterns", ids={"deezer": "1"})
    found = await tables.service.run_dump(dump, Options(columns={}))
    assert (found.source, found.rights, found.rows, found.counts["matched"], found.counts["new"]) == (
        "musicbrainz",
        "open",
        3,
        1,
        0,
    )
    rows = await tables.fetch(
        "SELECT disc_number, track_number, title, artist, isrc, recording_mbid, duration_ms FROM tracks_open ORDER BY 1, 2"
    )
    assert rows == [
        (1, 1, "Tide", "The Amber Lanterns", None, gid(41), None),
        (1, 2, "Quay \\ Sand", "Ada feat. Bo", "GBAYE0601690", gid(40), 200_500),
        (2, 1, "Tide", "The Amber Lanterns", None, gid(41), 180_000),
    ]
    stored = await tables.fetch("SELECT id, release_date::text, release_precision, upc FROM albums_open")
    assert stored == [(album.id, "1999-05-01", "month", "602445790128")]
    assert await tables.fetch("SELECT external_id FROM album_identifiers WHERE source = 'musicbrainz'") == [(gid(10),)]
    before = await everything(tables.database)
    assert (await tables.service.run_dump(dump, Options(columns={}))).counts["unchanged"] == 1
    assert await everything(tables.database) == before


async def test_all_of_an_archive(tables: Tables, dump: Path, tmp_path: Path) -> None:
    archive = tmp_path / "mbdump.tar.bz2"
    with tarfile.open(archive, "w:bz2") as file:
        file.add(dump, "mbdump")
    found = await tables.service.run_dump(archive, Options(columns={}, everything=True))
    assert (found.albums, found.counts["new"], found.found) == (3, 3, {})
    assert await tables.fetch("SELECT count(*) FROM tracks_open") == [(5,)]
    with pytest.raises(InvalidInputError, match="leave out --map"):
        await tables.service.run_dump(dump, Options(columns={"title": "x"}))


async def test_a_table_that_is_missing_is_named(tables: Tables, dump: Path) -> None:
    (dump / "recording").unlink()
    with pytest.raises(InvalidInputError, match="no table recording"):
        await tables.service.run_dump(dump, Options(columns={}))

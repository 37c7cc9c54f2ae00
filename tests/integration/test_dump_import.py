"""Dumps of AcousticBrainz in their true form: filtered, laid onto the catalogue, twice the same; broken ones refused."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import tracemalloc
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from backend.ingestion.insert_to_supabase import Merging, insert_album
from backend.ingestion.policy import MergePolicy
from backend.ingestion.registry import build_dumps, build_sources
from backend.models.ingestion_models import AlbumRecord, SourceRecord, TrackRecord
from backend.repositories.album_store import AlbumRepository
from backend.repositories.database import Database
from backend.repositories.remerging import Remerging
from backend.repositories.wanted import Wanted
from backend.services.dump_import import DumpImport
from backend.utils.errors import InvalidInputError
from tests.fakes.acousticbrainz import high, low
from tests.fakes.music import HARBOUR, Song
from tests.fakes.open_music import mbid
from tests.integration.test_upkeep import NOON, everything

PROFILES = {s.profile.name: s.profile for s in build_sources()}
MERGING = Merging(profiles=PROFILES, policy=MergePolicy())


def of(song: Song) -> str:
    return mbid("recording", song.id)


@pytest.fixture
async def importer(database: Database) -> DumpImport:
    tracks = tuple(
        TrackRecord(title=s.title, disc_number=s.disc, track_number=s.number, ids={"musicbrainz": of(s)})
        for s in HARBOUR.songs
    )
    for title in ("Paper Harbour", "Paper Harbour (Deluxe Edition)"):
        album = AlbumRecord(title=title, artist="The Amber Lanterns", tracks=tracks, ids={"musicbrainz": title})
        said = SourceRecord(source="musicbrainz", rights=PROFILES["musicbrainz"].rights, fetched_at=NOON, album=album)
        await insert_album(AlbumRepository(database), [said], merging=MERGING)

    async def stored() -> None:
        return None

    return DumpImport(build_dumps(), Wanted(database), Remerging(database), merging=MERGING, stored=stored)


def entry(level: str, recording: str, submission: int, document: object) -> tuple[str, bytes]:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return f"{level}/{recording[:2]}/{recording[2]}/{recording}-{submission}.json", body


def dump(path: Path, entries: Iterable[tuple[str, bytes]]) -> Path:
    """An archive as its suffix says."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, body in entries:
            info = tarfile.TarInfo(name)
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
    kind = {".zst": "zstd", ".gz": "gzip"}.get(path.suffix)
    path.write_bytes(pa.compress(raw.getvalue(), kind, asbytes=True) if kind == "zstd" else _gzip(raw, kind))
    return path


def _gzip(raw: io.BytesIO, kind: str | None) -> bytes:
    import gzip

    return gzip.compress(raw.getvalue()) if kind else raw.getvalue()


def lows(*songs: Song) -> list[tuple[str, bytes]]:
    return [entry("lowlevel", of(s), n, low(s, n)) for s in songs for n in range(3)]


def highs(*songs: Song) -> list[tuple[str, bytes]]:
    return [entry("highlevel", of(s), n, high(s, n)) for s in songs for n in range(3)]


def others(count: int) -> list[tuple[str, bytes]]:
    body = json.dumps(low(HARBOUR.songs[0], 0)).encode() + b" " * 2_000
    names = (str(uuid.UUID(int=n)) for n in range(count))
    return [(f"lowlevel/{m[:2]}/{m[2]}/{m}-0.json", body) for m in names]


async def features(database: Database, table: str = "tracks_open") -> dict[str, dict[str, float]]:
    async with database.connection() as connection:
        rows = await connection.fetch(f"SELECT recording_mbid, audio_features::text AS f FROM {table}")
    return {row["recording_mbid"]: json.loads(row["f"] or "{}") for row in rows}


@pytest.mark.parametrize("suffix", [".tar.zst", ".tar.gz", ".tar"])
async def test_what_the_catalogue_has_is_taken_and_a_second_time_nothing_changes(
    importer: DumpImport, database: Database, tmp_path: Path, suffix: str
) -> None:
    tide, quay, *_ = HARBOUR.songs
    path = dump(tmp_path / f"low{suffix}", [*others(50), *lows(tide, quay), *others(20)])
    report = await importer.run("acousticbrainz", [path])
    assert (report.entries, report.wanted, report.recordings, report.albums, report.changed) == (76, 6, 2, 2, 2)
    found = await features(database)
    assert found[of(tide)] == {"tempo": 101.0, "key": 9.0, "mode": 0.0}
    assert found[of(HARBOUR.songs[2])] == {}
    before = await everything(database)
    again = await importer.run("acousticbrainz", [path])
    assert (again.wanted, again.changed) == (6, 0)
    assert await everything(database) == before


async def test_the_two_levels_may_come_one_after_the_other_or_together(
    importer: DumpImport, database: Database, tmp_path: Path
) -> None:
    tide = HARBOUR.songs[0]
    one, two = dump(tmp_path / "l.tar.zst", lows(tide)), dump(tmp_path / "h.tar.zst", highs(tide))
    await importer.run("acousticbrainz", [one])
    await importer.run("acousticbrainz", [two])
    after = await features(database)
    assert {"tempo", "danceability", "energy"} <= after[of(tide)].keys()
    assert (await importer.run("acousticbrainz", [one, two])).changed == 0
    assert await features(database) == after


async def test_a_folder_of_unpacked_files_does_as_well(
    importer: DumpImport, database: Database, tmp_path: Path
) -> None:
    for name, body in lows(HARBOUR.songs[0]):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(body)
    assert (await importer.run("acousticbrainz", [tmp_path])).changed == 2


async def test_a_broken_entry_is_named_and_passed_over(
    importer: DumpImport, database: Database, tmp_path: Path
) -> None:
    tide, quay, *_ = HARBOUR.songs
    path = dump(
        tmp_path / "low.tar.zst",
        [entry("lowlevel", of(tide), 0, b'{"rhythm": {'), *lows(quay), entry("lowlevel", of(tide), 1, [])],
    )
    report = await importer.run("acousticbrainz", [path])
    assert (report.broken, report.recordings) == (2, 1)
    assert f"{of(tide)}-0.json" in report.examples[0]


async def test_a_cut_off_archive_is_refused_and_nothing_is_written(
    importer: DumpImport, database: Database, tmp_path: Path
) -> None:
    path = dump(tmp_path / "low.tar.zst", [*lows(*HARBOUR.songs), *others(3_000)])
    path.write_bytes(path.read_bytes()[:-1_000])
    before = await everything(database)
    with pytest.raises(InvalidInputError, match=r"low\.tar\.zst is no whole tar archive"):
        await importer.run("acousticbrainz", [path])
    assert await everything(database) == before


@pytest.mark.parametrize("damage", ["no header", "cut between entries", "cut in a header"])
async def test_an_archive_that_ends_at_no_end_is_refused(
    importer: DumpImport, database: Database, tmp_path: Path, damage: str
) -> None:
    path = dump(tmp_path / "low.tar", [*lows(*HARBOUR.songs), *others(9)])
    with tarfile.open(path) as archive:
        start = archive.getmembers()[-5].offset
    whole = bytearray(path.read_bytes())
    whole[start] ^= 0xFF
    cut = {"no header": len(whole), "cut between entries": start, "cut in a header": start + 100}[damage]
    path.write_bytes(whole[:cut])
    before = await everything(database)
    with pytest.raises(InvalidInputError, match=r"low\.tar is no whole .* entries were read .* nothing is stored"):
        await importer.run("acousticbrainz", [path])
    assert await everything(database) == before


async def test_each_file_is_looked_at_for_what_it_is(importer: DumpImport, tmp_path: Path) -> None:
    good, other = dump(tmp_path / "low.tar", lows(HARBOUR.songs[0])), dump(tmp_path / "o.tar", [("a/b.csv", b"x")])
    with pytest.raises(InvalidInputError, match=r"o\.tar is no dump of acousticbrainz; what is expected"):
        await importer.run("acousticbrainz", [good, other])
    with pytest.raises(InvalidInputError, match="holds no entry of a dump"):
        await importer.run("acousticbrainz", [tmp_path])  # a folder of archives, not of unpacked ones


async def test_what_is_no_dump_is_refused_with_what_is_expected(importer: DumpImport, tmp_path: Path) -> None:
    text = tmp_path / "notes.tar.zst"
    text.write_bytes(b"not an archive at all")
    other = dump(tmp_path / "other.tar", [("a/b.txt", b"x"), ("a/c.json", b"{}")])
    for path, words in (
        (text, "no whole tar archive"),
        (other, "is no dump of acousticbrainz"),
        (tmp_path / "x", "not there"),
    ):
        with pytest.raises(InvalidInputError, match=words):
            await importer.run("acousticbrainz", [path])
    with pytest.raises(InvalidInputError, match="there are acousticbrainz"):
        await importer.run("discogs", [other])


async def test_sums_beside_the_file_are_checked(importer: DumpImport, tmp_path: Path) -> None:
    path = dump(tmp_path / "low.tar.zst", lows(HARBOUR.songs[0]))
    sums = tmp_path / "sha256sums"
    sums.write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")
    assert (await importer.run("acousticbrainz", [path])).changed == 2
    sums.write_text(f"{'0' * 64}  {path.name}\n")
    with pytest.raises(InvalidInputError, match="SHA-256 differs"):
        await importer.run("acousticbrainz", [path])


async def test_memory_does_not_grow_with_what_is_not_wanted(importer: DumpImport, tmp_path: Path) -> None:
    paths = [dump(tmp_path / f"{n}.tar.zst", [*others(n), *lows(*HARBOUR.songs)]) for n in (1_000, 20_000)]
    peaks = []
    for path in paths:
        tracemalloc.start()
        report = await importer.run("acousticbrainz", [path])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert report.entries == 20_000 + 3 * len(HARBOUR.songs)
    assert peaks[1] < 1.5 * peaks[0] + 2_000_000


def test_only_what_features_are_read_from_is_kept_of_an_entry() -> None:
    tide = HARBOUR.songs[0]
    known = build_dumps()["acousticbrainz"]
    name, body = highs(tide)[0]
    many = json.loads(body)
    many["highlevel"] |= {f"genre_{n}": {"all": {f"class{k}": 0.1 for k in range(10)}} for n in range(10)}
    kept = known.read(name, json.dumps(many).encode())
    assert kept == known.read(name, body)
    assert len(json.dumps(kept)) < 600


async def test_progress_ends_at_the_files_size(importer: DumpImport, tmp_path: Path) -> None:
    path = dump(tmp_path / "low.tar", others(500))
    told: list[Any] = []
    await importer.run("acousticbrainz", [path], progress=lambda *seen: told.append(seen))
    assert told[-1][0] == "low.tar"
    assert all(0 <= done <= total == path.stat().st_size for _, done, total in told)
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


async def test_a_recording_s_submissions_may_lie_in_several_archives(
    importer: DumpImport, database: Database, tmp_path: Path
) -> None:
    tide = HARBOUR.songs[0]
    whole = lows(tide)
    first, last = dump(tmp_path / "0.tar", whole[:2]), dump(tmp_path / "1.tar", whole[2:])
    for path in (last, first):
        await importer.run("acousticbrainz", [path])
    fuller = (await features(database))[of(tide)]
    assert fuller["tempo"] == 102.0  # the median of two
    assert (await importer.run("acousticbrainz", [last])).changed == 0
    assert (await importer.run("acousticbrainz", [first])).changed == 0
    assert (await importer.run("acousticbrainz", [first, last])).changed == 2
    assert (await features(database))[of(tide)]["tempo"] == 101.0
    assert (await importer.run("acousticbrainz", [first])).changed == 0


async def test_asking_the_service_afterwards_loses_nothing_of_the_dump(
    importer: DumpImport, database: Database, tmp_path: Path
) -> None:
    tide, quay, *_ = HARBOUR.songs
    await importer.run("acousticbrainz", [dump(tmp_path / "all.tar", [*lows(tide, quay), *highs(tide, quay)])])
    before = await features(database)
    only = AlbumRecord(
        title="", artist="", match_method="mbid",
        tracks=(TrackRecord(title="", audio_features={"tempo": 99.0}, ids={"musicbrainz": of(tide)}),),
    )  # fmt: skip
    profile = PROFILES["acousticbrainz"]
    said = SourceRecord(source="acousticbrainz", rights=profile.rights, fetched_at=NOON.replace(year=2027), album=only)
    names = AlbumRecord(
        title="Paper Harbour", artist="The Amber Lanterns", ids={"musicbrainz": "Paper Harbour"},
        tracks=tuple(
            TrackRecord(title=s.title, disc_number=s.disc, track_number=s.number, ids={"musicbrainz": of(s)})
            for s in HARBOUR.songs
        ),
    )  # fmt: skip
    named = SourceRecord(source="musicbrainz", rights=PROFILES["musicbrainz"].rights, fetched_at=NOON, album=names)
    made = await insert_album(AlbumRepository(database), [named, said], merging=MERGING)
    found = {t.recording_mbid: t.audio_features for t in made.tracks}
    assert found[of(tide)] == before[of(tide)] | {"tempo": 99.0}
    assert found[of(quay)] == before[of(quay)]

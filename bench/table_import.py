"""The import of a whole table (read, mapped, matched, merged, all layers) against binary COPY of the finished rows alone."""

from __future__ import annotations

import csv
import random
from pathlib import Path
from typing import Any

from backend.ingestion.insert_to_supabase import Merging
from backend.ingestion.policy import MergePolicy
from backend.ingestion.registry import all_profiles, build_sources
from backend.ingestion.tables.reading import at
from backend.ingestion.titles import heart_of, take_apart
from backend.models.bulk_import import TableReport
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
from backend.utils.text import fold, fold_name
from bench.bulk_write import COLUMNS, rows_for_copy
from bench.timing import Result, in_turns

REAL = Path(__file__).parents[2] / "shared" / "data" / "tables" / "spotify_songs.csv"
_HEAD = (
    "track_id", "track_name", "track_artist", "track_popularity", "track_album_id", "track_album_name",
    "track_album_release_date", "playlist_genre", "playlist_subgenre", "danceability", "energy", "key", "loudness", "mode",
    "speechiness", "acousticness", "instrumentalness", "liveness", "valence", "tempo", "duration_ms",
)  # fmt: skip
_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_WORDS = (
    "amber", "paper", "silver", "quiet", "northern", "broken", "golden", "hollow", "electric", "velvet",
    "crimson", "winter", "harbour", "lantern", "river", "machine", "garden", "signal", "mirror", "parade",
    "orchard", "engine", "letter", "tide", "morning", "window", "castle", "ocean", "summer", "shadow",
    "thunder", "ribbon", "candle", "forest",
)  # fmt: skip
# What real titles have behind them, about as often.
_TAILS = ("",) * 14 + (" (feat. {})", " - Remastered 2011", " - Live", " - Radio Edit", " (with {})", ", Pt. 2")
_GENRES = (
    ("pop", "dance pop"),
    ("rock", "album rock"),
    ("rap", "trap"),
    ("latin", "reggaeton"),
    ("r&b", "neo soul"),
    ("edm", "big room"),
)


def generate(path: Path, rows: int) -> None:
    """Write a table in the shape of Spotify's features: so many tracks on albums of about ten (seed 0)."""
    rng = random.Random(0)

    def key() -> str:
        number, text = rng.getrandbits(130), ""
        for _ in range(22):
            number, digit = divmod(number, 62)
            text += _ALPHABET[digit]
        return text

    def name(most: int) -> str:
        return " ".join(rng.choice(_WORDS).title() for _ in range(rng.randint(1, most)))

    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_HEAD)
        left, artist = 0, ""
        album: tuple[Any, ...] = ()
        for _ in range(rows):
            if not left:
                left = rng.randint(1, 19)
                artist = f"{name(2)} {rng.randrange(1 + rows // 50)}"
                album = (key(), name(4), f"{rng.randint(1960, 2020)}-{rng.randint(1, 12):02d}-01", *rng.choice(_GENRES))
            left -= 1
            share = [round(rng.random(), 4) for _ in range(6)]
            title = name(4) + rng.choice(_TAILS).format(name(2))
            writer.writerow((
                key(), title, artist, rng.randint(0, 100), *album, share[0], share[1], rng.randrange(12),
                round(-20 * rng.random(), 3), rng.randrange(2), share[2], share[3], f"{rng.random() ** 9:.3g}", share[4],
                share[5], round(60 + 120 * rng.random(), 3), rng.randint(90_000, 400_000),
            ))  # fmt: skip


async def measure(database: Database, path: Path, *, rounds: int) -> list[Result]:
    """Import a table, and copy the rows that it becomes; then import it once more."""
    reports: list[TableReport] = []

    async def emptied() -> None:
        async with database.transaction() as connection:
            await connection.execute("TRUNCATE albums, artists, bulk_imports CASCADE")
            await connection.execute("TRUNCATE raw_tracks")
        # A new import knows no name yet; those kept from the last one would be a gift.
        for known in (take_apart, heart_of, fold, fold_name):
            known.cache_clear()

    async def ours() -> None:
        reports.append(await _service(database).run(at(path), Options(columns={})))

    async with database.transaction() as connection:
        await connection.execute("TRUNCATE albums, artists, bulk_imports CASCADE")
    await ours()
    rows = await rows_for_copy(database)

    async def raw() -> None:
        async with database.transaction() as connection:
            await connection.copy_records_to_table("raw_tracks", records=rows, columns=COLUMNS)

    ours_seconds, raw_seconds = await in_turns(ours, raw, rounds=rounds, before=emptied)
    await emptied()
    await ours()

    async def once() -> None:
        """Nothing: what is compared with was measured."""

    again_seconds, _ = await in_turns(ours, once, rounds=rounds)
    assert reports[-1].counts["new"] == 0
    report = reports[0]
    what = f"{report.rows:,} rows of {path.name} ({report.tracks:,} tracks, {report.albums:,} albums)"
    against = "binary COPY of the finished rows into the same table"
    return [
        Result(
            what=f"import {what}", against=against, ours=ours_seconds, other=raw_seconds, rows=len(rows),
            wanted="≤ 2 (rows/s ≥ 0.5 of COPY's)",
        ),
        Result(
            what=f"import {what} once more, nothing new", against="the first import", ours=again_seconds, other=ours_seconds,
            rows=len(rows), wanted="< 1",
        ),
    ]  # fmt: skip


def _service(database: Database) -> TableImport:
    async def stored() -> None:
        """Nobody keeps answers here."""

    merging = Merging(profiles=all_profiles(build_sources()), policy=MergePolicy())
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

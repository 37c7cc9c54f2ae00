"""`tensoe evaluate` as its own process: files by themselves, a file over the catalogue, listening histories."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backend.repositories.database import Database
from tests.acceptance.test_cli import Cli
from tests.unit.features.evaluation.made_up import playlists_csv, plays_csv, tags_csv


@pytest.fixture
def tensoe(database: Database, postgres_dsn: str, tmp_path: Path) -> Cli:
    return Cli(postgres_dsn, tmp_path / "home of data")


def test_playlists_and_plays_of_files(tensoe: Cli, tmp_path: Path) -> None:
    lists, plays, tags = (tmp_path / f"{name}.csv" for name in ("lists", "plays", "tags"))
    lists.write_text(playlists_csv())
    plays.write_text(plays_csv())
    tags.write_text(tags_csv())
    said = tensoe("evaluate", "playlists", str(lists), "--tags", str(tags))
    assert "playlist continuation: 30 of 30 lists asked" in said
    assert "| method " in said
    assert "| same artist " in said
    assert "similar tracks: " in said
    assert "Tensoe is ahead of " in said
    (found,) = tensoe.json("evaluate", "artists", str(plays), "--tags", str(tags))
    assert (found["protocol"], found["asked"], found["seeds"]) == ("artists for listeners", 40, [0])
    ours = found["lines"][-1]
    assert ours["method"] == "Tensoe"
    assert set(ours["measures"]["ndcg@100"]) == {"mean", "low", "high", "units"}


def test_what_cannot_be_evaluated_says_what_to_do(tensoe: Cli, tmp_path: Path) -> None:
    assert "tensoe listens import" in tensoe("evaluate", code=2)
    path = tmp_path / "lists.csv"
    path.write_text("playlist,track_id\na,b\n")
    assert "0 playlists have 10 tracks of the catalogue or more" in tensoe("evaluate", "playlists", str(path), code=2)
    assert "--tags is for files that bring audio features" in tensoe(
        "evaluate", "playlists", str(path), "--tags", str(path), code=2
    )


async def test_histories_and_playlists_over_the_catalogue(tensoe: Cli, database: Database, tmp_path: Path) -> None:
    """24 sittings of 12 tracks: ten minutes apart is one sitting, a day is another."""
    await asyncio.to_thread(tensoe, "demo", "load")
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT DISTINCT ON (recording_key) id, title, artist, album FROM enhanced_tracks"
        )
    tracks = sorted(rows, key=lambda row: str(row["id"]))
    begin, heard, listed = datetime(2021, 5, 1, tzinfo=UTC), io.StringIO(), io.StringIO()
    table, playlists = csv.writer(heard), csv.writer(listed)
    table.writerow(["artist", "album", "track", "date"])
    playlists.writerow(["playlist", "track_id"])
    for sitting in range(24):
        for place in range(12):
            row = tracks[(7 * sitting + place) % len(tracks)]
            when = begin + timedelta(days=sitting, minutes=10 * place)
            table.writerow([row["artist"], row["album"], row["title"], f"{when:%d %b %Y %H:%M}"])
            playlists.writerow([f"list {sitting}", row["id"]])
    for name, text in (("heard.csv", heard), ("lists.csv", listed)):
        (tmp_path / name).write_text(text.getvalue())
    said = await asyncio.to_thread(tensoe, "listens", "import", "--consent", str(tmp_path / "heard.csv"))
    assert "288 listens of me laid onto tracks" in said
    continued, similar = await asyncio.to_thread(tensoe.json, "evaluate")
    assert (continued["lists"], continued["asked"]) == (24, 24)
    assert similar["protocol"] == "similar tracks"
    continued, _ = await asyncio.to_thread(tensoe.json, "evaluate", "playlists", str(tmp_path / "lists.csv"))
    assert (continued["lists"], continued["asked"]) == (24, 24)

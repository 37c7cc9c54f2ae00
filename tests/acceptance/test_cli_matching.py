"""What a person must decide, by the `tensoe` command as its own process."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.models.ingestion_models import AlbumQuery, MatchCandidate, Outcome, SourceOutcome
from backend.models.results import IngestReport, IngestResult
from backend.repositories.database import Database
from backend.repositories.unmatched import UnmatchedRepository
from tests.acceptance.test_cli import Cli

NEAR = MatchCandidate(
    source="spotify", hint="spotify_id", id="x", title="Abbey Road (Live)", artist="The Beatles", year=1999, total_tracks=17,
    score=0.4, penalties={"performance": 0.6},
)  # fmt: skip


@pytest.fixture
async def entry(database: Database) -> int:
    entries = UnmatchedRepository(database)
    said = SourceOutcome(source="spotify", outcome=Outcome.NOT_FOUND, candidates=(NEAR,))
    query = AlbumQuery(album="Abbey Road", artist="The Beatles")
    await entries.keep(
        query, IngestReport(album=query.album, artist=query.artist, result=IngestResult.NOT_FOUND, sources=(said,))
    )
    (row,) = (await entries.page(limit=1)).items
    return int(row["id"])


def test_a_person_decides_at_the_terminal(database: Database, tmp_path: Path, entry: int) -> None:
    tensoe = Cli(database.dsn, tmp_path)
    listed = tensoe("unmatched")
    assert f"{entry}  Abbey Road – The Beatles: spotify not_found" in listed
    assert "Abbey Road (Live)" in listed
    assert "performance 0.60" in listed
    (data,) = tensoe.json("unmatched")["data"]
    assert data["candidates"][0]["id"] == "x"
    assert "the entry has 1" in tensoe("match", str(entry), "2", code=2)
    assert "No unmatched album" in tensoe("match", "4711", "1", code=1)
    assert "dismissed" in tensoe("dismiss", str(entry))
    assert "Nothing to decide" in tensoe("unmatched")

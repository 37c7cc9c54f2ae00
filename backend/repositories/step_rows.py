"""Steps as rows of `ingest_steps` and back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import orjson

from backend.models.ingestion_models import AlbumQuery, MatchCandidate, Outcome, Rights, SourceOutcome, SourceRecord
from backend.models.steps import StepView
from backend.repositories import records as kept

OUTCOME_COLUMNS: Final = (
    "job_id", "position", "source", "state", "outcome", "detail", "not_before", "tracks", "seconds", "candidates",
)  # fmt: skip

_RECORD: Final = msgspec.json.Decoder(SourceRecord)


class _Told(msgspec.Struct):
    """A `SourceRecord` whose album is JSON already."""

    source: str
    rights: Rights
    fetched_at: datetime
    album: msgspec.Raw


def outcome_of(row: Any) -> SourceOutcome:
    """A step's row as an outcome."""
    offered = row["candidates"]
    return SourceOutcome(
        source=row["source"],
        outcome=Outcome(row["outcome"]),
        detail=row["detail"],
        retry_at=row["not_before"],
        tracks=row["tracks"],
        seconds=row["seconds"],
        candidates=msgspec.json.decode(offered, type=tuple[MatchCandidate, ...]) if offered else (),
    )


def outcome_rows(job_id: str, position: int, outcomes: Sequence[SourceOutcome]) -> list[tuple[Any, ...]]:
    """Rows of `ingest_steps` (`OUTCOME_COLUMNS`) of an album that was ingested at once."""
    return [
        (
            job_id, position, o.source, "done", o.outcome.value, tidy_detail(o.detail), o.retry_at, o.tracks, o.seconds,
            candidates_of(o),
        )
        for o in outcomes
    ]  # fmt: skip


def tidy_detail(text: str) -> str:
    """A message without what PostgreSQL cannot hold: services are quoted in it."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def candidates_of(outcome: SourceOutcome) -> str | None:
    """What was offered and not taken, as JSON."""
    return tidy_detail(msgspec.json.encode(outcome.candidates).decode()) if outcome.candidates else None


def encoded(record: SourceRecord) -> str:
    """What a source said, as it is kept until its album is done."""
    _, written = kept.encode(record.album)
    told = _Told(record.source, record.rights, record.fetched_at, msgspec.Raw(written))
    return msgspec.json.encode(told).decode()


def said(row: Any) -> SourceRecord:
    """What a source said: in this job, or as it is stored of the album."""
    if row["rights"] is None:
        return _RECORD.decode(row["record"])
    return kept.decode(row["record"], source=row["source"], rights=row["rights"], fetched_at=row["fetched_at"])


def view(row: Any) -> StepView:
    """How a step stands."""
    return StepView(row["state"], Outcome(row["outcome"]) if row["outcome"] else None, row["round"])


def query_of(row: Any) -> AlbumQuery:
    """The album of an item's row."""
    return AlbumQuery(album=row["album"], artist=row["artist"], hints=orjson.loads(row["hints"]))

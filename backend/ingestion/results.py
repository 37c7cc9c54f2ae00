"""An album's result as a whole, from how each source answered. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from backend.models.ingestion_models import AlbumQuery, Outcome, SourceOutcome
from backend.models.results import IngestReport, IngestResult

UNFINISHED: Final = frozenset({Outcome.BLOCKED, Outcome.THROTTLED, Outcome.FAILED, Outcome.AMBIGUOUS})
"""Outcomes after which a later try may know more: they make an album partial."""
# Of an album of which nothing is stored: what a person can do most about comes first.
_NOTHING: Final = (
    (Outcome.AMBIGUOUS, IngestResult.AMBIGUOUS),
    (Outcome.THROTTLED, IngestResult.THROTTLED),
    (Outcome.FAILED, IngestResult.FAILED),
    (Outcome.BLOCKED, IngestResult.BLOCKED),
    (Outcome.NOT_FOUND, IngestResult.NOT_FOUND),
)


def report_of(query: AlbumQuery, outcomes: Sequence[SourceOutcome], *, album_id: str | None) -> IngestReport:
    """What became of an album.

    Args:
        query: as it was asked for.
        outcomes: of every source asked.
        album_id: the album as stored; None when nobody gave anything.
    """
    result, detail = _stored(outcomes) if album_id is not None else _nothing(outcomes)
    return IngestReport(
        album=query.album,
        artist=query.artist,
        result=result,
        detail=detail,
        album_id=album_id,
        sources=tuple(outcomes),
    )


def _stored(outcomes: Sequence[SourceOutcome]) -> tuple[IngestResult, str]:
    unfinished = [o for o in outcomes if o.outcome in UNFINISHED]
    result = IngestResult.PARTIAL if unfinished else IngestResult.COMPLETE
    return result, "; ".join(f"{o.source}: {o.outcome}" for o in unfinished)


def _nothing(outcomes: Sequence[SourceOutcome]) -> tuple[IngestResult, str]:
    """Nothing was found out: because it is not there, or because nobody could say."""
    said = {o.outcome for o in outcomes}
    result = next((result for outcome, result in _NOTHING if outcome in said), IngestResult.FAILED)
    by_detail: dict[str, list[str]] = {}
    for o in outcomes:
        if o.outcome != Outcome.UNCONFIGURED:
            by_detail.setdefault(o.detail or o.outcome, []).append(o.source)
    detail = "; ".join(f"{', '.join(sources)}: {said}" for said, sources in by_detail.items())
    return result, detail or "no source is configured; set a provider's key or TENSOE_DEMO=on"

"""Made-up albums, merged as the pipeline merges them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from backend.demo.generator import generate
from backend.ingestion.merger import merge_levels
from backend.ingestion.policy import MergePolicy
from backend.ingestion.synthetic_fetcher import SyntheticSource
from backend.models.ingestion_models import MergedAlbum, RightsLevel, SourceRecord

Item = tuple[dict[RightsLevel, MergedAlbum], tuple[SourceRecord, ...]]
_WHEN = datetime(2025, 1, 1, tzinfo=UTC)


def made_up(tracks: int) -> list[Item]:
    """Albums with at least so many tracks together."""
    items, found = [], 0
    for item in _items():
        items.append(item)
        found += len(item[0][RightsLevel.ANY].tracks)
        if found >= tracks:
            break
    return items


def _items() -> Iterator[Item]:
    profile = SyntheticSource().profile
    for album in generate(10**9):
        record = SourceRecord(source=profile.name, rights=profile.rights, fetched_at=_WHEN, album=album)
        merged = merge_levels([record], {profile.name: profile}, album_id=None, policy=MergePolicy())
        yield merged, (record,)

"""Made-up albums in the database, as the pipeline merges them."""

from __future__ import annotations

from datetime import UTC, datetime

from backend.demo.generator import generate
from backend.ingestion.merger import merge_levels
from backend.ingestion.policy import MergePolicy
from backend.ingestion.synthetic_fetcher import SyntheticSource
from backend.models.ingestion_models import RightsLevel, SourceRecord
from backend.repositories.album_store import AlbumRepository
from backend.repositories.database import Database

_WHEN = datetime(2025, 1, 1, tzinfo=UTC)


async def fill(database: Database, *, albums: int, seed: int = 0) -> int:
    """Store made-up albums.

    Returns:
        How many tracks they have.
    """
    profile = SyntheticSource().profile
    items = []
    for album in generate(albums, seed=seed):
        record = SourceRecord(source=profile.name, rights=profile.rights, fetched_at=_WHEN, album=album)
        merged = merge_levels([record], {profile.name: profile}, album_id=None, policy=MergePolicy())
        items.append((merged, [record]))
    await AlbumRepository(database).save_many(items)
    return sum(len(merged[RightsLevel.ANY].tracks) for merged, _ in items)

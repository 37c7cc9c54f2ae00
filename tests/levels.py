"""Albums as the store takes them, for tests that care for one level only."""

from __future__ import annotations

from backend.models.ingestion_models import MergedAlbum, RightsLevel


def whole(album: MergedAlbum) -> dict[RightsLevel, MergedAlbum]:
    """An album that is there at no level but the whole one."""
    return {RightsLevel.ANY: album}

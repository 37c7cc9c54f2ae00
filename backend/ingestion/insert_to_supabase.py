"""The last step of collecting: merge what the sources said and store it, one transaction per album.

The name is what users were told of; the store is any PostgreSQL (a Supabase project's by its `DATABASE_URL`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from backend.config.settings import IngestionSettings
from backend.ingestion.merger import merge
from backend.ingestion.replenish import replenish
from backend.ingestion.source import SourceProfile
from backend.ingestion.store import AlbumStore
from backend.models.ingestion_models import MergedAlbum, SourceRecord
from backend.utils.identifiers import derive


async def insert_album(
    store: AlbumStore,
    records: Sequence[SourceRecord],
    *,
    profiles: Mapping[str, SourceProfile],
    settings: IngestionSettings,
) -> MergedAlbum:
    """Store an album from the records asked for now and those already known of it.

    A source that failed this time keeps what it said before: asking again never loses anything.

    Args:
        store: where albums are kept.
        records: at least one record; one per source.
        profiles: every source's profile by name, for the merge policy.
        settings: how many genres and moods a track keeps.

    Returns:
        The album as stored.
    """
    limits = {"max_genres": settings.max_genres_per_track, "max_moods": settings.max_moods_per_track}
    draft = merge(records, profiles, album_id=None, **limits)
    # By every name it may be found under, so that two requests that spell it differently still meet.
    locks = [f"album:{draft.artist_key}/{draft.title_key}", *(f"id:{k}:{v}" for k, v in draft.ids.items())]
    async with store.transaction(locks) as transaction:
        ids = _defining(draft, profiles)
        album_id = await transaction.locate(ids=ids, artist_key=draft.artist_key, title_key=draft.title_key)
        merged = draft
        if album_id is None and await transaction.is_taken(draft.id):
            # Another album of the same artist and name: told apart by what the services call this one.
            own_id = derive("album", draft.artist_key, draft.title_key, *sorted(ids.items()))
            merged = merge(records, profiles, album_id=own_id, **limits)
        elif album_id is not None:
            before = {r.source: r for r in await transaction.records(album_id)}
            records = [
                replace(r, album=replenish(r.album, before[r.source].album)) if r.source in before else r
                for r in records
            ]
            fresh = {r.source for r in records}
            kept = [r for r in before.values() if r.source not in fresh]
            merged = merge([*kept, *records], profiles, album_id=album_id, **limits)
        await transaction.save(merged, records)
    return merged


def _defining(album: MergedAlbum, profiles: Mapping[str, SourceProfile]) -> dict[str, str]:
    """The identifiers that tell an album: those of identity sources, where there are any.

    The others lay editions together: two editions with their own id there may share a page or an entry elsewhere.
    """
    own = {k: v for k, v in album.ids.items() if k in profiles and profiles[k].stage == "identity"}
    return own or album.ids

"""The last step of collecting: merge what the sources said and store it, one transaction per album.

The name is what users were told of; the store is any PostgreSQL (a Supabase project's by its `DATABASE_URL`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from backend.ingestion.merger import Levels, merge_levels
from backend.ingestion.policy import MergePolicy
from backend.ingestion.replenish import replenish
from backend.ingestion.source import SourceProfile
from backend.ingestion.store import AlbumStore, AlbumTransaction, Estimate, Prepare
from backend.models.ingestion_models import MergedAlbum, RightsLevel, SourceRecord
from backend.utils.identifiers import derive


@dataclass(frozen=True, slots=True, kw_only=True)
class Merging:
    """How records become rows.

    Attributes:
        profiles: every registered source's by name, those not in use included: their earlier records still count.
        policy: who is believed on what.
        estimate: fills in audio features that nobody measured, level by level; None where nothing is estimated.
        prepare: awaited before albums are merged, so that `estimate` works with the newest models.
    """

    profiles: Mapping[str, SourceProfile]
    policy: MergePolicy
    estimate: Estimate | None = None
    prepare: Prepare | None = None

    def levels(self, records: Sequence[SourceRecord], *, album_id: str | None) -> Levels:
        """The album at each level of rights; a pure function of the records, the policy and the estimating model.

        Raises:
            InvalidInputError: nobody says what the album is called.
        """
        levels = merge_levels(records, self.profiles, album_id=album_id, policy=self.policy)
        return levels if self.estimate is None else self.estimate(levels)


async def insert_album(
    store: AlbumStore, records: Sequence[SourceRecord], *, merging: Merging, album_id: str | None = None
) -> MergedAlbum:
    """Store an album from the records asked for now and those already known of it.

    A source that failed this time keeps what it said before: asking again never loses anything.

    Args:
        store: where albums are kept.
        records: at least one record; one per source.
        merging: how they become rows.
        album_id: the stored album that the sources were asked for, however they spell it; None when it is not known.

    Returns:
        The album as stored, from all sources.
    """
    if merging.prepare is not None:
        await merging.prepare()
    drafts = merging.levels(records, album_id=None)
    draft = drafts[RightsLevel.ANY]
    ids = _defining(records, merging.profiles) or draft.ids
    # By every name it may be found under, so that two requests that spell it differently still meet.
    locks = [f"album:{draft.artist_key}/{draft.title_key}", *(f"id:{k}:{v}" for k, v in draft.ids.items())]
    if album_id is not None:
        locks.append(f"found:{album_id}")
    async with store.transaction(locks) as transaction:
        if album_id is None or not await _is_meant(transaction, album_id, ids, merging.profiles):
            album_id = await transaction.locate(ids=ids, artist_key=draft.artist_key, title_key=draft.title_key)
        if album_id is None and await transaction.is_taken(draft.id):
            # Another album of the same artist and name: told apart by what the services call this one.
            album_id = derive("album", draft.artist_key, draft.title_key, *sorted(ids.items()))
        elif album_id is not None:
            before = {r.source: r for r in await transaction.records(album_id)}
            records = [
                replace(r, album=replenish(r.album, before[r.source].album)) if r.source in before else r
                for r in records
            ]
            fresh = {r.source for r in records}
            kept = [r for r in before.values() if r.source not in fresh]
            levels = merging.levels([*kept, *records], album_id=album_id)
            await transaction.save(levels, records)
            return levels[RightsLevel.ANY]
        levels = drafts if album_id is None else merging.levels(records, album_id=album_id)
        await transaction.save(levels, records)
    return levels[RightsLevel.ANY]


async def _is_meant(
    transaction: AlbumTransaction, album_id: str, ids: Mapping[str, str], profiles: Mapping[str, SourceProfile]
) -> bool:
    """Whether a stored album that was asked for is what was found: it is there, and no identifier says otherwise."""
    before = await transaction.records(album_id)
    theirs = _defining(before, profiles)
    if not before or any(theirs.get(source, n) != n for source, n in ids.items()):
        return False
    return not ids or await transaction.locate(ids=ids, artist_key="", title_key="") in {None, album_id}


def _defining(records: Sequence[SourceRecord], profiles: Mapping[str, SourceProfile]) -> dict[str, str]:
    """The identifiers that tell an album, of the source most trusted with names first.

    The other sources lay editions together: two editions with their own id there may share a page or an entry elsewhere.
    """
    telling = [r for r in records if r.source in profiles and profiles[r.source].defines]
    telling.sort(key=lambda r: (-profiles[r.source].gives.get("title", 0.0), r.source))
    return {r.source: r.album.ids[r.source] for r in telling if r.album.ids.get(r.source)}

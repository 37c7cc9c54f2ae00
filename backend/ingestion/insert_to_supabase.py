"""The last step of collecting: merge what the sources said and store it, one transaction per album.

The name is what users were told of; the store is any PostgreSQL (a Supabase project's by its `DATABASE_URL`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from backend.ingestion.merger import Levels, merge_levels
from backend.ingestion.policy import MergePolicy
from backend.ingestion.replenish import replenish
from backend.ingestion.source import SourceProfile
from backend.ingestion.store import AlbumStore, AlbumTransaction, Estimate, Prepare
from backend.models.ingestion_models import AlbumNames, MergedAlbum, RightsLevel, SourceRecord
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be stored of an album.

    Attributes:
        records: at least one; one per source.
        album_id: the stored album that the sources were asked for, however they spell it; None when it is not known.
    """

    records: Sequence[SourceRecord]
    album_id: str | None = None


@dataclass(frozen=True, slots=True)
class _Draft:
    """An album as its new records alone have it, and what it may be found by."""

    number: int
    wanted: Wanted
    levels: Levels
    ids: Mapping[str, str]

    @property
    def album(self) -> MergedAlbum:
        return self.levels[RightsLevel.ANY]

    @property
    def names(self) -> AlbumNames:
        return AlbumNames(ids=self.ids, artist_key=self.album.artist_key, title_key=self.album.title_key)

    @property
    def locks(self) -> set[str]:
        """Every name it may be found under, so that two requests that spell it differently still meet."""
        album = self.album
        locks = {f"album:{album.artist_key}/{album.title_key}", *(f"id:{k}:{v}" for k, v in album.ids.items())}
        return locks if self.wanted.album_id is None else {*locks, f"found:{self.wanted.album_id}"}


async def insert_album(
    store: AlbumStore, records: Sequence[SourceRecord], *, merging: Merging, album_id: str | None = None
) -> MergedAlbum:
    """Store one album; see `insert_albums`."""
    (stored,) = await insert_albums(store, [Wanted(records=records, album_id=album_id)], merging=merging)
    return stored


async def insert_albums(store: AlbumStore, wanted: Sequence[Wanted], *, merging: Merging) -> list[MergedAlbum]:
    """Store albums from the records asked for now and those already known of them.

    A source that failed this time keeps what it said before: asking again never loses anything. Albums that may be the same are
    stored one after the other, the others in one transaction.

    Args:
        store: where albums are kept.
        wanted: the albums; when one cannot be stored, those beside it are not either.
        merging: how records become rows.

    Returns:
        The albums as stored, from all sources.

    Raises:
        InvalidInputError: nobody says what an album is called, or a value of it cannot be stored.
    """
    if merging.prepare is not None:
        await merging.prepare()
    waiting: list[_Draft] = []
    for number, each in enumerate(wanted):
        levels = merging.levels(each.records, album_id=None)
        ids = _defining(each.records, merging.profiles) or levels[RightsLevel.ANY].ids
        waiting.append(_Draft(number, each, levels, ids))
        await asyncio.sleep(0)  # merging takes milliseconds each: let others have theirs
    stored: dict[int, MergedAlbum] = {}
    while waiting:
        apart, later = _apart(waiting)
        async with store.transaction(sorted(set[str]().union(*(draft.locks for draft in apart)))) as transaction:
            placed = await _place(transaction, apart, merging.profiles)
            saved = await _lay_on(transaction, placed, merging)
        stored |= saved
        waiting = [*(draft for draft in apart if draft.number not in saved), *later]
    return [stored[number] for number in range(len(wanted))]


def _apart(drafts: Sequence[_Draft]) -> tuple[list[_Draft], list[_Draft]]:
    """Albums that share no name, and the rest."""
    names: set[str] = set()
    apart: list[_Draft] = []
    later: list[_Draft] = []
    for draft in drafts:
        if names.isdisjoint(locks := draft.locks):
            names |= locks
            apart.append(draft)
        else:
            later.append(draft)
    return apart, later


async def _place(
    transaction: AlbumTransaction, drafts: Sequence[_Draft], profiles: Mapping[str, SourceProfile]
) -> list[tuple[_Draft, str | None, bool]]:
    """Each album's id, and whether it is stored; None for a new one whose id its names make. One of each is taken."""
    ids: dict[int, str | None] = {}
    for draft in drafts:
        asked = draft.wanted.album_id
        if asked is not None and await _is_meant(transaction, asked, draft.ids, profiles):
            ids[draft.number] = asked
    others = [draft for draft in drafts if draft.number not in ids]
    ids |= zip([d.number for d in others], await transaction.locate([d.names for d in others]), strict=True)
    new = [draft for draft in others if ids[draft.number] is None]
    taken = await transaction.taken([draft.album.id for draft in new]) if new else set[str]()
    placed: dict[str, tuple[_Draft, str | None, bool]] = {}
    for draft in drafts:
        album_id = ids[draft.number]
        is_stored = album_id is not None
        if not is_stored and draft.album.id in taken:
            # Another album of the same artist and name: told apart by what the services call this one.
            album_id = derive("album", draft.album.artist_key, draft.album.title_key, *sorted(draft.ids.items()))
        placed.setdefault(album_id or draft.album.id, (draft, album_id, is_stored))
    return list(placed.values())


async def _lay_on(
    transaction: AlbumTransaction, placed: Sequence[tuple[_Draft, str | None, bool]], merging: Merging
) -> dict[int, MergedAlbum]:
    """Save albums, each with what was known of it; answers them by number."""
    known = await transaction.records([album_id for _, album_id, is_stored in placed if is_stored and album_id])
    saving: dict[int, tuple[Levels, Sequence[SourceRecord]]] = {}
    for draft, album_id, is_stored in placed:
        records, levels = draft.wanted.records, draft.levels
        if is_stored and album_id is not None:
            before = {r.source: r for r in known[album_id]}
            records = [
                replace(r, album=replenish(r.album, before[r.source].album)) if r.source in before else r
                for r in records
            ]
            fresh = {r.source for r in records}
            kept = [r for r in before.values() if r.source not in fresh]
            levels = merging.levels([*kept, *records], album_id=album_id)
        elif album_id is not None:
            levels = merging.levels(records, album_id=album_id)
        saving[draft.number] = levels, records
    await transaction.save(list(saving.values()))
    return {number: levels[RightsLevel.ANY] for number, (levels, _) in saving.items()}


async def _is_meant(
    transaction: AlbumTransaction, album_id: str, ids: Mapping[str, str], profiles: Mapping[str, SourceProfile]
) -> bool:
    """Whether a stored album that was asked for is what was found: it is there, and no identifier says otherwise."""
    before = (await transaction.records([album_id]))[album_id]
    theirs = _defining(before, profiles)
    if not before or any(theirs.get(source, n) != n for source, n in ids.items()):
        return False
    return not ids or (await transaction.locate([AlbumNames(ids=ids, artist_key="", title_key="")]))[0] in {
        None,
        album_id,
    }


def _defining(records: Sequence[SourceRecord], profiles: Mapping[str, SourceProfile]) -> dict[str, str]:
    """The identifiers that tell an album, of the source most trusted with names first.

    The other sources lay editions together: two editions with their own id there may share a page or an entry elsewhere.
    """
    telling = [r for r in records if r.source in profiles and profiles[r.source].defines]
    telling.sort(key=lambda r: (-profiles[r.source].gives.get("title", 0.0), r.source))
    return {r.source: r.album.ids[r.source] for r in telling if r.album.ids.get(r.source)}

"""Taking in pages of Album of the Year that the user saved himself, and tables of its scores; nothing is asked of any service."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Final

from backend.ingestion.aoty_pairing import Pairing, pair
from backend.ingestion.aoty_table import TABLE_VERSION
from backend.ingestion.insert_to_supabase import Merging
from backend.ingestion.replenish import replenish
from backend.models.import_results import ImportedItem, ImportReport, ImportResult
from backend.models.ingestion_models import AlbumQuery, AlbumRecord, SourceRecord
from backend.repositories.album_store import AlbumRepository
from backend.repositories.import_targets import ImportTargets, Target
from backend.services.import_files import Entry, Given, entries
from backend.services.import_matching import SOURCE, Found, Key, Matching, key_of
from backend.utils.errors import AmbiguousError, InvalidInputError, RecordNotFoundError
from backend.utils.identifiers import derive

if TYPE_CHECKING:
    from backend.repositories.album_store import Item

_AT_ONCE: Final = 1_000  # pages and rows that are looked up and stored together


@dataclass(frozen=True, slots=True)
class _New:
    place: int  # of its item in the part
    album_id: str
    album: AlbumRecord


class PageImport:
    """Lays pages and rows onto the stored albums they are about, and stores the others as albums of their own.

    Args:
        store: where albums are kept.
        targets: looks stored albums up.
        merging: how records become rows.
        stored: awaited after something was stored, to empty caches.
    """

    def __init__(
        self,
        store: AlbumRepository,
        targets: ImportTargets,
        *,
        merging: Merging,
        stored: Callable[[], Awaitable[None]],
    ) -> None:
        self._store = store
        self._targets = targets
        self._merging = merging
        self._stored = stored
        self._running = asyncio.Lock()

    async def run(self, files: Sequence[Given]) -> ImportReport:
        """Take files in, one import at a time; doing it twice changes nothing.

        Raises:
            InvalidInputError: no file is given.
            DatabaseError: PostgreSQL cannot be used; the parts before are stored.
        """
        if not files:
            raise InvalidInputError(
                "no file is given; save album pages in your browser (.html), or give a table (.csv)"
            )
        if self._merging.prepare is not None:
            await self._merging.prepare()
        report, started = ImportReport(), time.perf_counter()
        taken: dict[str, Key] = {}
        seen: dict[tuple[Key, str | None], ImportedItem] = {}
        async with self._running:
            rest = entries(files, unused=report.unused_columns)
            while part := await asyncio.to_thread(lambda: list(islice(rest, _AT_ONCE))):
                for item in await self._take(part, taken, seen):
                    report.add(item)
        if report.counts[ImportResult.NEW] or report.counts[ImportResult.MATCHED]:
            await self._stored()
        report.seconds = time.perf_counter() - started
        return report

    async def _take(
        self, part: Sequence[Entry], taken: dict[str, Key], seen: dict[tuple[Key, str | None], ImportedItem]
    ) -> list[ImportedItem]:
        matching = Matching(await self._around(part), taken)
        items: list[ImportedItem] = []
        new: dict[str, _New] = {}
        for entry in part:
            item = ImportedItem(file=entry.file, line=entry.line, name=entry.name, result=ImportResult.UNREADABLE)
            if entry.album is None:
                items.append(replace(item, detail=entry.problem))
                continue
            album, key = entry.album, (key_of(entry.album), entry.album.ids.get(SOURCE))
            if key in seen:
                items.append(replace(item, result=ImportResult.UNCHANGED, detail=f"repeats {_where(seen[key])}"))
                continue
            seen[key] = item
            try:
                found = matching.find(album)
            except AmbiguousError as problem:
                items.append(replace(item, result=ImportResult.AMBIGUOUS, detail=str(problem)))
                continue
            album_id = found.target.id if found else matching.new_id(album)
            matching.take(album_id, album)
            if album_id in new:  # a page and a row of the same album, which neither knew of
                await self._save(new, items)
                found = await self._saved(album_id)
            if found is None:
                new[album_id] = _New(len(items), album_id, album)
                items.append(replace(item, result=ImportResult.NEW, album_id=album_id))
            else:
                items.append(await self._lay_on(item, found, album))
        await self._save(new, items)
        return items

    async def _saved(self, album_id: str) -> Found | None:
        """An album that this import has stored; None when it could not be."""
        targets = await self._targets.find(source=SOURCE, artist_keys=(), album_ids=(album_id,), ids=())
        return Found(targets[0], "said") if targets else None

    async def _around(self, part: Sequence[Entry]) -> list[Target]:
        """The stored albums that these may be about."""
        albums = [e.album for e in part if e.album is not None]
        keys = [key_of(a) for a in albums]
        return await self._targets.find(
            source=SOURCE,
            artist_keys=sorted({k[0] for k in keys}),
            album_ids=sorted({derive("album", *k[:2]) for k in keys}),
            ids=sorted({(s, a.ids[s]) for a in albums for s in (SOURCE, "spotify") if s in a.ids}),
        )

    # -- storing -----------------------------------------------------------------------------------

    async def _lay_on(self, item: ImportedItem, found: Found, album: AlbumRecord) -> ImportedItem:
        """Store a record with the album it is about, from whatever its sources say at this moment."""
        target, matched = found.target, _matched(album, found)
        laid = replace(item, album_id=target.id, method=matched.match_method, score=round(matched.match_score, 4))
        # The lock under which others that found this album wait.
        async with self._store.transaction([f"found:{target.id}"]) as transaction:
            before = {r.source: r for r in (await transaction.records([target.id]))[target.id]}
            said = before.pop(SOURCE, None)
            if said is not None:
                matched = _completed(matched, said.album)
                if matched == said.album:
                    return replace(laid, result=ImportResult.UNCHANGED)
            record = self._record(matched)
            try:
                levels = self._merging.levels([*before.values(), record], album_id=target.id)
                await transaction.save([(levels, [record])])
            except InvalidInputError as problem:
                return replace(laid, result=ImportResult.UNREADABLE, detail=str(problem))
        return replace(laid, result=ImportResult.MATCHED)

    async def _save(self, new: dict[str, _New], items: list[ImportedItem]) -> None:
        """Store albums of their own, and say of which it failed; afterwards none is waiting."""
        waiting, problem = list(new.values()), ""
        new.clear()
        if not waiting:
            return
        try:
            await self._store.save_many(self._items(waiting))
        except InvalidInputError as refused:
            problem = str(refused)
        if problem and len(waiting) == 1:
            place = waiting[0].place
            items[place] = replace(items[place], result=ImportResult.UNREADABLE, album_id=None, detail=problem)
        elif problem:
            for one in waiting:  # one must not cost the others
                await self._save({one.album_id: one}, items)

    def _items(self, new: Iterable[_New]) -> Iterator[Item]:
        for one in new:
            record = self._record(one.album)
            yield self._merging.levels([record], album_id=one.album_id), [record]

    def _record(self, album: AlbumRecord) -> SourceRecord:
        rights = self._merging.profiles[SOURCE].rights
        return SourceRecord(source=SOURCE, rights=rights, fetched_at=datetime.now(UTC), album=album)


def _matched(album: AlbumRecord, found: Found) -> AlbumRecord:
    """A record with how it was laid onto its album; a page the same way as one that is given while collecting."""
    target, said = found.target, found.target.said.album if found.target.said else None
    if found.method == "said" and said is not None and said.parser == album.parser:
        pairing = Pairing(said.match_method, said.match_score, said.match_penalties)
    elif album.parser == TABLE_VERSION:
        method = "name" if found.method == "said" else found.method
        pairing = Pairing(method, found.score, dict(found.penalties))
    elif found.method == "link" or (_is_linked(album, target) and not _is_linked(album, said)):
        pairing = Pairing("link")
    else:
        try:
            pairing = pair(album, AlbumQuery(album=target.title, artist=target.artist))
        except RecordNotFoundError:
            pairing = Pairing("page")  # found by its number: what names say of it has no weight
    return replace(
        album, match_method=pairing.method, match_score=pairing.score, match_penalties=dict(pairing.penalties)
    )


def _is_linked(page: AlbumRecord, other: AlbumRecord | Target | None) -> bool:
    link = page.ids.get("spotify")
    return bool(link) and other is not None and other.ids.get("spotify") == link


def _completed(album: AlbumRecord, before: AlbumRecord) -> AlbumRecord:
    """With what was said before; a table's rounded values never displace a page's."""
    if album.parser == TABLE_VERSION and before.parser not in {None, TABLE_VERSION}:
        return replenish(before, album)
    return replace(replenish(album, before), match_penalties=album.match_penalties)


def _where(item: ImportedItem) -> str:
    return item.file if item.line is None else f"line {item.line} of {item.file}"

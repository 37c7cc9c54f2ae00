"""Taking in tables that people pass on: many rows at once, interrupted and gone on with, and the second time nothing."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from backend.ingestion.insert_to_supabase import Merging
from backend.ingestion.replenish import replenish
from backend.ingestion.tables.profiles import TABLE_PROFILES
from backend.ingestion.tables.reading import Source
from backend.ingestion.tables.records import Album
from backend.models.bulk_import import Finding, TableReport
from backend.models.import_results import ImportResult
from backend.models.ingestion_models import AlbumRecord, RightsLevel, SourceRecord, TrackRecord
from backend.repositories import records as kept
from backend.repositories.album_store import AlbumRepository
from backend.repositories.remerging import Remerging
from backend.repositories.table_store import AlreadyStoredError, NewRows, Stored, TableStore
from backend.services.import_files import Given
from backend.services.page_import import PageImport
from backend.services.table_matching import Found, TableMatching
from backend.services.table_preparing import Options, Prepared, examples, prepare, prepare_dump
from backend.services.table_rows import RowMaker
from backend.services.tag_import import TagImport
from backend.utils.errors import AmbiguousError, InvalidInputError

if TYPE_CHECKING:
    import polars as pl

    from backend.repositories.album_store import Item

Progress = Callable[[int, int], None]
"""Told how many rows are stored, of how many."""

DUMPED: Final = "musicbrainz"
"""Whose dump tables are read."""
_WRITERS: Final = 2  # parts that are written at the same time, each over a connection of its own
_REVISED: Final = 500  # known albums per transaction
_TRIES: Final = 3


@dataclass(slots=True)
class _Part:
    """Some albums of a table, and what becomes of each."""

    first: int
    albums: list[Album]
    tracks: pl.DataFrame
    new: dict[int, str] = field(default_factory=dict)
    known: dict[int, Found] = field(default_factory=dict)
    same: list[str] = field(default_factory=list)
    ambiguous: list[Finding] = field(default_factory=list)
    rows: NewRows | None = None
    left_out: int = 0


class TableImport:
    """Lays the rows of tables onto the stored albums they are about, and stores the others as albums of their own.

    Args:
        store: where albums are kept.
        tables: the way for many new ones, and how far imports have come.
        remerging: merges known albums anew.
        pages: takes in tables of Album of the Year's scores.
        tags: takes in tables of tags.
        merging: how records become rows.
        stored: awaited after something was stored, to empty caches.
    """

    def __init__(
        self,
        store: AlbumRepository,
        tables: TableStore,
        remerging: Remerging,
        *,
        pages: PageImport,
        tags: TagImport,
        merging: Merging,
        stored: Callable[[], Awaitable[None]],
    ) -> None:
        self._pages = pages
        self._tags = tags
        self._store = store
        self._tables = tables
        self._remerging = remerging
        self._merging = merging
        self._stored = stored
        self._running = asyncio.Lock()

    async def run(
        self,
        source: Source,
        options: Options,
        *,
        progress: Progress = lambda *_: None,
        findings: Callable[[Sequence[Finding]], None] = lambda _: None,
    ) -> TableReport:
        """Take a table in, one import at a time; doing it twice changes nothing, and an interrupted one goes on where it was.

        Args:
            source: the table.
            options: what the user says of it.
            progress: told how many rows are stored.
            findings: given everything that a person may want to look at; the report holds the first of each kind.

        Raises:
            InvalidInputError: it cannot be read, or a column that is needed is not found.
            DatabaseError: PostgreSQL cannot be used; what is stored stays, and the next import goes on behind it.
        """
        started = time.perf_counter()
        async with self._running:
            ready = await asyncio.to_thread(prepare, source, options)
            found = list(ready.findings)
            if not options.dry_run:
                found += await self._take_in(source, ready, progress)
        report = ready.report
        report.examples = examples(found)
        findings(found)
        report.seconds = round(time.perf_counter() - started, 3)
        return report

    async def run_dump(self, path: Path, options: Options, *, progress: Progress = lambda *_: None) -> TableReport:
        """Take MusicBrainz's dump tables in: of the albums that the catalogue has, or all.

        Raises:
            InvalidInputError: a table is missing or cannot be read.
        """
        started, profile = time.perf_counter(), self._merging.profiles[DUMPED]
        async with self._running:
            stored = await self._tables.names()
            ready = await asyncio.to_thread(prepare_dump, path, options, profile=profile, stored=stored)
            if not options.dry_run:
                if self._merging.prepare is not None:
                    await self._merging.prepare()
                ready.report.examples = examples(
                    [*ready.findings, *await self._take(ready, progress, makes_albums=options.everything)]
                )
        ready.report.seconds = round(time.perf_counter() - started, 3)
        return ready.report

    async def _take_in(self, source: Source, ready: Prepared, progress: Progress) -> list[Finding]:
        """Hand the table to who takes tables of its shape in."""
        if self._merging.prepare is not None:
            await self._merging.prepare()
        shape = ready.mapping.shape
        if shape == "tags":
            ready.report.counts = await self._tags.lay(ready.tags, ready.profile, progress=progress)
            if ready.report.counts["matched"]:
                await self._stored()
            return []
        if shape == "scores":
            taken = await self._pages.run([Given(source.name, source.open)])
            ready.report.counts = {k.value: taken.counts[k] for k in ImportResult if taken.counts[k]}
            odd = {ImportResult.UNREADABLE: "unusable row", ImportResult.AMBIGUOUS: "ambiguous"}
            found = [
                Finding(kind=odd[i.result], lines=(i.line or 0,), name=i.name, detail=i.detail)
                for i in taken.items
                if i.result in odd
            ]
            ready.report.found = dict(Counter(finding.kind for finding in found))
            return found
        return await self._take(ready, progress)

    async def _take(self, ready: Prepared, progress: Progress, *, makes_albums: bool = True) -> list[Finding]:
        report, parts = ready.report, ready.parts()
        done, was_finished = await self._tables.begin(
            ready.key,
            files=[report.file],
            mapping=msgspec.to_builtins(ready.mapping),
            source=ready.profile.name,
        )
        maker = RowMaker(ready.profile, self._merging.policy, datetime.now(UTC))
        work = _Work(
            ready,
            maker,
            TableMatching(ready.profile.name),
            others=await self._tables.has_others(ready.profile.name),
            begins=not was_finished,
            makes_albums=makes_albums,
        )
        if done:
            first = parts[min(done, len(parts)) - 1][1]
            report.resumed = ready.rows_of(0, first).height
        waves = [parts[at : at + _WRITERS] for at in range(done, len(parts), _WRITERS)]
        ahead = asyncio.create_task(self._ready(work, waves[0])) if waves else None
        while ahead is not None:
            wave = await ahead
            waves = waves[1:]
            ahead = asyncio.create_task(self._ready(work, waves[0])) if waves else None
            try:
                done += len(wave)
                await self._write(work, wave, done)
            except BaseException:
                if ahead is not None:
                    ahead.cancel()
                    await asyncio.wait([ahead])
                raise
            progress(ready.rows_of(0, parts[done - 1][1]).height, report.tracks or report.rows)
        report.counts = dict(work.counts)
        if work.ambiguous:
            report.found["ambiguous"] = len(work.ambiguous)
        await self._tables.finish(ready.key, {"counts": report.counts, "found": report.found, "rows": report.rows})
        if work.counts["new"] or work.counts["matched"] or not was_finished:
            await self._stored()
        return work.ambiguous

    # -- what becomes of a part --------------------------------------------------------------------

    async def _ready(self, work: _Work, bounds: Sequence[tuple[int, int]]) -> list[_Part]:
        """Parts with everything that can be done before they are written."""
        parts = []
        for first, behind in bounds:
            albums = await asyncio.to_thread(lambda f=first, b=behind: list(work.ready.albums(f, b)))  # type: ignore[misc]  # bound at once
            part = _Part(first, albums, work.ready.rows_of(first, behind))
            await self._decide(work, part)
            parts.append(part)
        return parts

    async def _decide(self, work: _Work, part: _Part) -> None:
        """Say of each album whether it is new, known, or said already; make the rows of new ones."""
        source = work.ready.profile.name
        stored = await self._tables.find(
            source=source,
            album_ids=[a.usual_id for a in part.albums],
            ids=[name for a in part.albums for name in a.ids.items()],
            keys=[(a.artist_key, a.title_key) for a in part.albums],
            others=work.others,
        )
        odd = await self._tables.odd_artists({a.artist_id: a.artist_key for a in part.albums})

        def decide() -> None:
            work.sort(part, stored)
            if self._is_plain(work) and part.new:
                plain = [i for i in part.new if part.albums[i].artist_key not in odd]
                part.rows = work.rows(part, plain)

        await asyncio.to_thread(decide)

    def _is_plain(self, work: _Work) -> bool:
        """Whether rows of one source are its values as they are: nobody is believed otherwise, nothing is estimated."""
        probe: Mapping[RightsLevel, Any] = {}
        estimate = self._merging.estimate
        is_table = work.ready.profile.name in TABLE_PROFILES
        return is_table and not self._merging.policy.order and (estimate is None or estimate(probe) is probe)

    async def _write(self, work: _Work, wave: Sequence[_Part], done: int) -> None:
        for _ in range(_TRIES):
            again: list[str] = []
            for part in wave:
                again += await self._write_slowly(work, part)
            try:
                rows = [part.rows for part in wave if part.rows is not None]
                await self._tables.add(rows, again=again, progress=(work.ready.key, done))
            except AlreadyStoredError:
                for part in wave:
                    work.take_back(part)
                    await self._decide(work, part)
                continue
            for part in wave:
                work.count(part)
            work.begins = False
            return
        raise InvalidInputError("others keep storing the same albums; try again when they are done")

    async def _write_slowly(self, work: _Work, part: _Part) -> list[str]:
        """Known albums, and new ones that are not written in columns; returns those whose recordings may not be linked."""
        known = {found.stored.id: i for i, found in part.known.items()}
        ids, now = sorted(known), datetime.now(UTC)
        profile = work.ready.profile

        def say(album_id: str, records: Sequence[SourceRecord]) -> SourceRecord | None:
            before = next((r for r in records if r.source == profile.name), None)
            place = known[album_id]
            album = _laid_on(part.albums[place], part.known[place], before.album if before else None)
            if before is not None and (album, profile.rights) == (before.album, before.rights):
                return None
            return SourceRecord(source=profile.name, rights=profile.rights, fetched_at=now, album=album)

        def merge(album_id: str, records: Sequence[SourceRecord]) -> Any:
            return self._merging.levels(records, album_id=album_id)

        for start in range(0, len(ids), _REVISED):
            done = await self._remerging.revise(ids[start : start + _REVISED], say, merge)
            work.changed += done.changed
        quick = set(part.rows.ids) if part.rows else set()
        slow = [(i, album_id) for i, album_id in part.new.items() if album_id not in quick]
        if slow:

            def items() -> Any:
                for i, album_id in slow:
                    record = SourceRecord(
                        source=profile.name, rights=profile.rights, fetched_at=now, album=part.albums[i].record
                    )
                    item: Item = self._merging.levels([record], album_id=album_id), [record]
                    yield item

            await self._store.save_many(items())
        # Only the first parts may have been stored without their recordings being linked: by an import that was interrupted.
        return part.same if work.begins else []


@dataclass(slots=True)
class _Work:
    """An import in progress."""

    ready: Prepared
    maker: RowMaker
    matching: TableMatching
    others: bool
    begins: bool
    makes_albums: bool
    counts: Counter[str] = field(default_factory=Counter)
    changed: int = 0
    ambiguous: list[Finding] = field(default_factory=list)

    def sort(self, part: _Part, stored: Sequence[Stored]) -> None:
        """Sort a part's albums by what becomes of them."""
        self.matching.know(stored)
        part.left_out = 0
        part.new, part.known, part.same, part.ambiguous, part.rows = {}, {}, [], [], None
        rights = self.ready.profile.rights.value
        for i, album in enumerate(part.albums):
            try:
                found = self.matching.find(album)
            except AmbiguousError as problem:
                shown = f"{album.artist} – {album.title}"
                part.ambiguous.append(Finding(kind="ambiguous", lines=(album.line,), name=shown, detail=str(problem)))
                continue
            if found is None and not self.makes_albums:
                part.left_out += 1
            elif found is None:
                part.new[i] = self.matching.new_id(album)
            elif found.stored.digest == kept.digest(album.written) and found.stored.rights == rights:
                part.same.append(found.stored.id)
            else:
                part.known[i] = found

    def rows(self, part: _Part, places: Sequence[int]) -> NewRows:
        """The rows of some new albums of a part."""
        tracks = part.tracks
        if len(places) < len(part.albums):
            import polars as pl

            wanted = pl.Series([part.first + i for i in places], dtype=tracks.schema["a"])
            tracks = tracks.filter(pl.col("a").is_in(wanted.implode()))
        return self.maker.rows([part.albums[i] for i in places], [part.new[i] for i in places], tracks)

    def take_back(self, part: _Part) -> None:
        """Forget what was decided of a part."""
        for album_id in part.new.values():
            self.matching.forget(album_id)

    def count(self, part: _Part) -> None:
        """Count what became of a part."""
        self.counts["new"] += len(part.new)
        self.counts["unchanged"] += len(part.same) + len(part.known) - self.changed
        self.counts["matched"] += self.changed
        self.counts["ambiguous"] += len(part.ambiguous)
        if part.left_out:
            self.counts["not stored"] += part.left_out
        self.ambiguous += part.ambiguous
        self.changed = 0


def _laid_on(album: Album, found: Found, before: AlbumRecord | None) -> AlbumRecord:
    """A table's record as it is laid onto a stored album; what an earlier table of the same source said besides is kept."""
    record = album.record
    if found.method != "said":
        record = replace(
            record, match_method=found.method, match_score=found.score, match_penalties=dict(found.penalties)
        )
    if before is None:
        return record
    said = replace(
        record,
        match_method=before.match_method,
        match_score=before.match_score,
        match_penalties=before.match_penalties,
    )
    whole = replenish(said, before)
    # In the order in which tables spoke of them, so that tables that are taken in by turns don't take turns here.
    ours = {_name(t): t for t in whole.tracks}
    known = tuple(ours.pop(_name(t), t) for t in before.tracks)
    return replace(whole, tracks=known + tuple(ours.values()))


def _name(track: TrackRecord) -> tuple[object, ...]:
    # A service's own number of a track is of one place alone; a recording may stand twice on an album.
    if "spotify" in track.ids:
        return (track.ids["spotify"],)
    return track.ids.get("musicbrainz") or track.title, track.disc_number, track.track_number

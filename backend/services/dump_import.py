"""Taking in dump files: looked through for the recordings of the catalogue, and laid onto what their source said before."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog

from backend.ingestion.dumps import Dump, check_sum, entries, wanted_of
from backend.ingestion.insert_to_supabase import Merging
from backend.models.ingestion_models import AlbumRecord, SourceRecord, TrackRecord
from backend.repositories.remerging import Remerging
from backend.repositories.wanted import Wanted
from backend.utils.errors import InvalidInputError

log = structlog.get_logger(__name__)

Progress = Callable[[str, int, int], None]
"""Told the file, and how many of its bytes are read."""

_ALBUMS_AT_ONCE: Final = 500  # per transaction
_SHOWN: Final = 10  # broken entries that are named


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpReport:
    """How an import went.

    Attributes:
        entries: how many the files have.
        wanted: how many of them are about recordings of the catalogue.
        recordings: how many recordings they are of.
        albums: how many albums hold them.
        changed: of how many albums something was new.
        broken: how many wanted entries could not be read; the first are named in `examples`.
        seconds: it took.
    """

    entries: int
    wanted: int
    recordings: int
    albums: int
    changed: int
    broken: int
    examples: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(slots=True)
class _Read:
    """What was read of the files so far; only what is wanted is kept."""

    entries: int = 0
    found: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    broken: list[str] = field(default_factory=list)
    bad: int = 0


class DumpImport:
    """Imports dumps.

    Args:
        dumps: each kind, by its source.
        wanted: what the catalogue has.
        remerging: writes what is new.
        merging: how records become rows.
        stored: awaited after the catalogue changed, to empty caches.
    """

    def __init__(
        self,
        dumps: Mapping[str, Dump],
        wanted: Wanted,
        remerging: Remerging,
        *,
        merging: Merging,
        stored: Callable[[], Awaitable[None]],
    ) -> None:
        self._dumps = dumps
        self._wanted = wanted
        self._remerging = remerging
        self._merging = merging
        self._stored = stored

    async def run(self, source: str, paths: Sequence[Path], *, progress: Progress = lambda *_: None) -> DumpReport:
        """Take in what files say of the catalogue's recordings; a second time changes nothing.

        Nothing is written before all files are read to their end.

        Args:
            source: whose dumps they are.
            paths: archives, or folders of unpacked ones.
            progress: told how far each file is read.

        Raises:
            InvalidInputError: there is no such dump, a file is missing, broken, or of another kind.
        """
        started = time.perf_counter()
        dump = self._dumps.get(source)
        if dump is None:
            raise InvalidInputError(f"there are no dumps of {source!r}; there are {', '.join(sorted(self._dumps))}")
        missing = [str(path) for path in paths if not path.exists()]
        if missing or not paths:
            raise InvalidInputError(f"{', '.join(missing) or 'no file'} is not there; give the dump files, {dump.form}")
        albums_by_key = await self._wanted.albums(dump.identifier)
        read = await asyncio.to_thread(_read_all, dump, paths, frozenset(albums_by_key), progress)
        by_album: dict[str, list[str]] = defaultdict(list)
        for key in sorted(read.found):
            for album_id in albums_by_key[key]:
                by_album[album_id].append(key)
        changed = await self._write(dump, read.found, by_album)
        if changed:
            await self._stored()
        return DumpReport(
            entries=read.entries,
            wanted=sum(map(len, read.found.values())) + read.bad,
            recordings=len(read.found),
            albums=len(by_album),
            changed=changed,
            broken=read.bad,
            examples=tuple(read.broken),
            seconds=round(time.perf_counter() - started, 3),
        )

    async def _write(
        self, dump: Dump, found: Mapping[str, Sequence[Any]], by_album: Mapping[str, Sequence[str]]
    ) -> int:
        if self._merging.prepare is not None:
            await self._merging.prepare()
        profile, now, changed = self._merging.profiles[dump.source], datetime.now(UTC), 0

        def say(album_id: str, records: Sequence[SourceRecord]) -> SourceRecord | None:
            before = next((r.album for r in records if r.source == dump.source), None)
            told = [dump.track(key, found[key]) for key in by_album[album_id]]
            album = _laid_into(before, told, dump=dump)
            if album == before:
                return None
            return SourceRecord(source=dump.source, rights=profile.rights, fetched_at=now, album=album)

        def merge(album_id: str, records: Sequence[SourceRecord]) -> Any:
            return self._merging.levels(records, album_id=album_id)

        albums = sorted(by_album)
        for start in range(0, len(albums), _ALBUMS_AT_ONCE):
            done = await self._remerging.revise(albums[start : start + _ALBUMS_AT_ONCE], say, merge)
            changed += done.changed
        return changed


def _read_all(dump: Dump, paths: Sequence[Path], keys: frozenset[str], progress: Progress) -> _Read:
    read = _Read()
    of_this_kind = False
    is_wanted = wanted_of(dump, keys)

    def wanted(name: str) -> bool:
        nonlocal of_this_kind
        read.entries += 1
        of_this_kind = of_this_kind or dump.key(name) is not None
        return is_wanted(name)

    for path in paths:
        check_sum(path, tell=partial(progress, f"checking {path.name}"))
        of_this_kind, before = False, read.entries
        for name, body in _whole(path, wanted, dump=dump, read=read, tell=partial(progress, path.name)):
            key = dump.key(name) or ""
            try:
                read.found[key].append(dump.read(name, body))
            except ValueError as problem:
                read.bad += 1
                if len(read.broken) < _SHOWN:
                    read.broken.append(f"{path.name}: {name}: {problem}")
        if not of_this_kind:
            what = "is no dump" if read.entries > before else "holds no entry of a dump"
            raise InvalidInputError(f"{path} {what} of {dump.source}; what is expected: {dump.form}")
    return replace(read, found={key: found for key, found in read.found.items() if found})


def _whole(
    path: Path, wanted: Callable[[str], bool], *, dump: Dump, read: _Read, tell: Callable[[int, int], None]
) -> Iterator[tuple[str, bytes]]:
    """Its wanted entries; of one that is broken, how far it was read."""
    try:
        yield from entries(path, wanted, tell=tell)
    except InvalidInputError as problem:
        raise InvalidInputError(
            f"{problem}; {read.entries:,} entries were read and {sum(map(len, read.found.values())):,} taken, nothing is "
            f"stored. Download it again; what is expected: {dump.form}"
        ) from problem


def _laid_into(before: AlbumRecord | None, told: Sequence[TrackRecord], *, dump: Dump) -> AlbumRecord:
    """What the source said before, with what is told now laid over it."""
    identifier = dump.identifier
    tracks = {t.ids[identifier]: t for t in (before.tracks if before is not None else ()) if identifier in t.ids}
    for new in told:
        old = tracks.get(new.ids[identifier])
        tracks[new.ids[identifier]] = new if old is None else dump.lay_over(old, new)
    album = before or AlbumRecord(title="", artist="", match_method="mbid")
    return replace(album, tracks=tuple(tracks[key] for key in sorted(tracks)))

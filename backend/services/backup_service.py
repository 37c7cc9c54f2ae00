"""Everything in one file, and back: the database at one moment, and the data sets that were built."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import shutil
import tarfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final, Protocol

import msgspec

from backend import __version__
from backend.utils.errors import ConflictError, InvalidInputError

FORM: Final = 1
_MANIFEST: Final = "manifest.json"
_DUMP: Final = "database.dump"
_DATASETS: Final = "datasets"
_CHUNK: Final = 1 << 20
_LARGEST_MANIFEST: Final = 1 << 20


class Dumps(Protocol):
    """Writes and reads the database; `repositories.dumping` has it."""

    async def write(self, path: Path) -> None:
        """Write everything."""

    async def read(self, path: Path) -> None:
        """Put a dump in the place of all tables."""

    async def revision(self) -> str:
        """Of the tables."""

    def fits(self, revision: str) -> bool:
        """Whether tables of a revision can be read."""

    async def counts(self) -> dict[str, int]:
        """Rows by table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What a file holds.

    Attributes:
        form: of the file.
        tensoe: the version that made it.
        revision: of the tables.
        made_at: when.
        counts: rows by table, about: others may have written meanwhile.
        datasets: fingerprints of the data sets in it.
        dump_bytes, dump_sha256: of the database's part.
    """

    form: int
    tensoe: str
    revision: str
    made_at: datetime
    counts: dict[str, int]
    datasets: list[str]
    dump_bytes: int
    dump_sha256: str


class BackupService:
    """Makes backups and restores them.

    Args:
        dumps: writes and reads the database.
        home: TENSOE_HOME.
        changed: awaited after everything became something else.
    """

    def __init__(self, dumps: Dumps, home: Path, *, changed: Callable[[], Awaitable[None]]) -> None:
        self._dumps = dumps
        self._home = home
        self._changed = changed

    async def make(self, path: Path, *, datasets: bool = True) -> Backup:
        """Write a backup; it is there whole or not at all, and only its owner may read it.

        Args:
            path: a file that is not there yet.
            datasets: also those that were built.

        Raises:
            InvalidInputError: the file is there already, or cannot be written.
            ConfigurationError, DatabaseError: the database cannot be dumped.
        """
        if await asyncio.to_thread(path.exists):
            raise InvalidInputError(f"{path} is there already; name a file that is not")
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.unfinished")
        dump = draft.with_suffix(".dump")
        try:
            _touch(draft)
            _touch(dump)
            await self._dumps.write(dump)
            made = Backup(
                form=FORM,
                tensoe=__version__,
                revision=await self._dumps.revision(),
                made_at=datetime.now(UTC),
                counts=await self._dumps.counts(),
                datasets=self._built() if datasets else [],
                dump_bytes=dump.stat().st_size,
                dump_sha256=await asyncio.to_thread(_sha256, dump),
            )
            await asyncio.to_thread(self._pack, draft, dump, made)
            os.link(draft, path)  # which never takes the place of a file that came meanwhile
        except OSError as problem:
            raise InvalidInputError(f"{path} cannot be written: {problem.strerror}") from problem
        finally:
            draft.unlink(missing_ok=True)
            dump.unlink(missing_ok=True)
        return made

    async def restore(self, path: Path) -> Backup:
        """Put a backup where nothing is yet; all of it or nothing.

        Raises:
            InvalidInputError: the file is no backup, is damaged, or was made by a newer Tensoe.
            ConflictError: there is something already.
            ConfigurationError, DatabaseError: the database does not take it.
        """
        counts = await self._dumps.counts()
        if any(counts.values()):
            held = ", ".join(f"{number:,} {table}" for table, number in counts.items() if number)
            raise ConflictError(
                f"A backup is restored where nothing is yet, and here are {held}; set TENSOE_HOME to a new "
                "folder, or DATABASE_URL to an empty database (and TENSOE_DEMO=off)"
            )
        self._home.mkdir(parents=True, exist_ok=True)
        folder = self._home / f".restoring-{secrets.token_hex(4)}"
        try:
            folder.mkdir(mode=0o700)
            try:
                found = await asyncio.to_thread(_unpack, path, folder, self._dumps.fits)
            except (tarfile.TarError, EOFError, msgspec.MsgspecError, KeyError) as problem:
                raise InvalidInputError(f"{path} is no backup of Tensoe, or is not whole ({problem})") from problem
            except OSError as problem:
                raise InvalidInputError(f"{path} cannot be read: {problem.strerror or problem}") from problem
            await self._dumps.read(folder / _DUMP)
            await asyncio.to_thread(self._keep_datasets, folder / _DATASETS)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        await self._changed()
        return found

    def _built(self) -> list[str]:
        folder = self._home / _DATASETS
        return sorted(p.name for p in folder.iterdir() if (p / _MANIFEST).is_file()) if folder.is_dir() else []

    def _pack(self, draft: Path, dump: Path, made: Backup) -> None:
        about = draft.with_suffix(".json")
        try:
            about.write_bytes(msgspec.json.encode(made))
            with tarfile.open(draft, "w") as tar:
                tar.add(about, _MANIFEST, filter=_nobodys)
                tar.add(dump, _DUMP, filter=_nobodys)
                for name in made.datasets:
                    tar.add(self._home / _DATASETS / name, f"{_DATASETS}/{name}", filter=_nobodys)
        finally:
            about.unlink(missing_ok=True)

    def _keep_datasets(self, unpacked: Path) -> None:
        target = self._home / _DATASETS
        for built in sorted(unpacked.iterdir()) if unpacked.is_dir() else ():
            if not (target / built.name).exists():
                target.mkdir(exist_ok=True)
                built.rename(target / built.name)


def _unpack(path: Path, folder: Path, fits: Callable[[str], bool]) -> Backup:
    """Unpack a backup and look whether it is whole; nothing of it can be written outside of the folder."""
    with tarfile.open(path, "r:") as tar:
        first = tar.next()
        if first is None or first.name != _MANIFEST or first.size > _LARGEST_MANIFEST:
            raise InvalidInputError(f"{path} is no backup of Tensoe")
        told = tar.extractfile(first)
        assert told is not None
        found = msgspec.json.decode(told.read(), type=Backup)
        if found.form != FORM or not fits(found.revision):
            raise InvalidInputError(
                f"{path} was made by Tensoe {found.tensoe} (tables {found.revision}), which is newer than this "
                f"one ({__version__}); restore it with that version"
            )
        tar.extractall(folder, filter="data")
    dump = folder / _DUMP
    if not dump.is_file() or dump.stat().st_size != found.dump_bytes or _sha256(dump) != found.dump_sha256:
        raise InvalidInputError(f"{path} is damaged: the database's part is not what was written")
    missing = [name for name in found.datasets if not (folder / _DATASETS / name / _MANIFEST).is_file()]
    if missing:
        raise InvalidInputError(f"{path} is damaged: the data set {missing[0][:12]} is not in it")
    return found


def _touch(path: Path) -> None:
    path.touch(mode=0o600, exist_ok=False)


def _nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without who owned it: who restores it does."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        _feed(digest, file)
    return digest.hexdigest()


def _feed(digest: Any, file: IO[bytes]) -> None:
    while chunk := file.read(_CHUNK):
        digest.update(chunk)

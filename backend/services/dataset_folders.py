"""The folder of data sets: each a folder of its own, named by its fingerprint, there whole or not at all, never changed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from backend.models.datasets import FORMAT, VERSION, File, Manifest
from backend.utils.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    import pyarrow as pa

MANIFEST: Final = "manifest.json"
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}")
_LEAST_DIGITS: Final = 6  # of a fingerprint that names a data set
_ABANDONED: Final = 24 * 3600  # seconds after which what a killed process left unfinished is removed
_CHUNK: Final = 1 << 20


class DataSetFolders:
    """Finds, keeps and removes data sets.

    Args:
        folder: where they stand; made when the first one is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextlib.contextmanager
    def unfinished(self) -> Iterator[Path]:
        """A new folder to write a data set into; removed at the end unless it was kept."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in self._folder.glob(".*.unfinished"):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - path.lstat().st_mtime > _ABANDONED:
                    shutil.rmtree(path, ignore_errors=True)
        made = self._folder / f".{secrets.token_hex(8)}.unfinished"
        made.mkdir()
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)

    def keep(self, unfinished: Path, manifest: Manifest) -> tuple[Path, bool]:
        """Give a written data set its name; answers where it stands, and whether it is new.

        One of the same fingerprint that is there already stays as it is.
        """
        final = self._folder / manifest.fingerprint
        (unfinished / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
        for path in sorted(p for p in unfinished.rglob("*") if p.is_file()):
            _to_disk(path)
        if (final / MANIFEST).is_file():
            return final, False
        try:
            unfinished.rename(final)
        except OSError:
            if (final / MANIFEST).is_file():  # another process was faster with the same
                return final, False
            raise
        _to_disk(self._folder)
        return final, True

    def all(self) -> list[Manifest]:
        """All data sets, by name, the newest knowledge first."""
        if not self._folder.is_dir():
            return []
        found = [
            self._read(path) for path in self._folder.iterdir() if _FINGERPRINT.fullmatch(path.name) and path.is_dir()
        ]
        return sorted(found, key=lambda m: (m.name, -m.watermark.timestamp(), m.fingerprint))

    def find(self, named: str) -> Manifest:
        """The data set of a fingerprint (its first digits do), or the newest one of a name.

        Raises:
            NotFoundError: there is none.
            InvalidInputError: several begin with these digits.
        """
        everything = self.all()
        if of_name := [m for m in everything if m.name == named]:
            return of_name[0]
        digits = named.lower()
        begun = [m for m in everything if len(digits) >= _LEAST_DIGITS and m.fingerprint.startswith(digits)]
        if len(begun) > 1:
            raise InvalidInputError(f"{len(begun)} data sets begin with {digits}; give more digits")
        if not begun:
            raise NotFoundError(
                f"No data set is called {named[:100]!r}, and no fingerprint begins so; `tensoe dataset list` shows all"
            )
        return begun[0]

    def pair(self, one: str, other: str | None) -> tuple[Manifest, Manifest]:
        """Two data sets to compare; without the second, the build of its name before the first one, and the first one.

        Raises:
            NotFoundError: there is no such data set, or none before it.
        """
        found = self.find(one)
        if other is not None:
            return found, self.find(other)
        builds = [m for m in self.all() if m.name == found.name]
        before = builds[builds.index(found) + 1 :]
        if not before:
            raise NotFoundError(
                f"There is no build of {found.name} before this one to compare it with; name two data sets"
            )
        return before[0], found

    def path(self, manifest: Manifest) -> Path:
        """Where a data set stands."""
        return self._folder / manifest.fingerprint

    def file(self, manifest: Manifest, path: str) -> Path:
        """A file of a data set.

        Raises:
            NotFoundError: its manifest names no such file.
        """
        if path != MANIFEST and path not in {f.path for f in manifest.files}:
            raise NotFoundError(f"The data set {manifest.name} has no file {path[:200]!r}")
        return self.path(manifest) / path

    def tracks(self, manifest: Manifest) -> dict[str, pa.Table]:
        """The tracks of each part.

        Raises:
            InvalidInputError: a file is damaged.
        """
        import pyarrow as pa  # late: who lists data sets does not wait for Arrow
        import pyarrow.parquet as pq

        try:
            return {part: pq.read_table(self.file(manifest, f"tracks/{part}.parquet")) for part in manifest.parts}
        except (OSError, pa.ArrowInvalid) as problem:
            raise InvalidInputError(
                f"the data set {manifest.name} is damaged ({problem}); `tensoe dataset check` says which file"
            ) from problem

    def damaged(self, manifest: Manifest) -> list[str]:
        """Files that are not what the manifest says: gone, or of other bytes."""
        return [f.path for f in manifest.files if _sha256(self.path(manifest) / f.path) != f.sha256]

    def remove(self, manifest: Manifest) -> None:
        """Remove a data set: it is gone in one step, its bytes soon after."""
        going = self._folder / f".{secrets.token_hex(8)}.unfinished"
        try:
            self.path(manifest).rename(going)
        except FileNotFoundError as problem:
            raise NotFoundError(f"The data set {manifest.name} is gone already") from problem
        shutil.rmtree(going, ignore_errors=True)

    def _read(self, path: Path) -> Manifest:
        try:
            found = msgspec.json.decode((path / MANIFEST).read_bytes(), type=Manifest)
        except (OSError, msgspec.DecodeError) as problem:
            raise InvalidInputError(
                f"{path} is no data set, or its manifest is damaged ({problem}); remove the folder to go on"
            ) from problem
        if (found.format, found.version) != (FORMAT, VERSION):
            raise InvalidInputError(f"{path} is of a form that this Tensoe cannot read: {found.format} {found.version}")
        return found


def files_of(folder: Path, rows: dict[str, int]) -> tuple[File, ...]:
    """All files below a folder but the manifest, by path; `rows` says how many rows the tables have."""
    found: Sequence[Path] = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != MANIFEST)
    names = [p.relative_to(folder).as_posix() for p in found]
    return tuple(
        File(path=name, sha256=str(_sha256(p)), bytes=p.stat().st_size, rows=rows.get(name))
        for name, p in sorted(zip(names, found, strict=True))
    )


def fingerprint_of(files: Sequence[File]) -> str:
    """SHA-256, in hex, over "<sha256>  <path>" of each file, by path: as `sha256sum` prints them."""
    lines = "".join(f"{f.sha256}  {f.path}\n" for f in sorted(files, key=lambda f: f.path))
    return hashlib.sha256(lines.encode()).hexdigest()


def _sha256(path: Path) -> str | None:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except FileNotFoundError:
        return None
    return digest.hexdigest()


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

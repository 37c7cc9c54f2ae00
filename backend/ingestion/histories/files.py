"""What the user gives – files, folders, zips – as texts to read. Nothing of an archive is ever written to disk."""

from __future__ import annotations

import contextlib
import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from backend.utils.errors import InvalidInputError

Opener = Callable[[], AbstractContextManager[IO[bytes]]]

MOST_FILES: Final = 20_000
LARGEST_MEMBER: Final = 300_000_000  # bytes unpacked; a year of the longest histories has 20 million
LARGEST_ARCHIVE: Final = 2_000_000_000  # bytes unpacked, all members together
_TELLS_A_BOMB: Final = 200  # times smaller packed; histories become 10 to 40 times smaller
_SMALL: Final = 1_000_000  # bytes; below it no ratio counts
_ENCRYPTED: Final = 0x1


@dataclass(frozen=True, slots=True)
class Given:
    """A file that the user gives, or that lies in a folder he gives.

    Attributes:
        name: what people are told.
        open: opens it at its start.
        named: the user named this very file.
    """

    name: str
    open: Opener
    named: bool = True


def files_at(paths: Sequence[Path]) -> list[Given]:
    """The files of these paths; of a folder all in it and below, hidden ones left out.

    Raises:
        InvalidInputError: nothing is there, or too much.
    """
    found: list[Given] = []
    for path in paths:
        if path.is_dir():
            inside = [Given(str(p), _opener(p), named=False) for p in _below(path)]
            if not inside:
                raise InvalidInputError(f"{path} is an empty folder")
            found += inside
        elif path.exists():
            found.append(Given(str(path), _opener(path)))
        else:
            raise InvalidInputError(f"{path} is not there")
        if len(found) > MOST_FILES:
            raise InvalidInputError(f"more than {MOST_FILES:,} files; name those that hold the history")
    return found


def members(given: Given) -> Iterator[Given]:
    """The file itself, or what a zip holds; each can be opened until the next is asked for.

    Raises:
        InvalidInputError: a zip is broken, encrypted or unpacks to more than is allowed.
    """
    with given.open() as file:
        if file.read(4) not in {b"PK\x03\x04", b"PK\x05\x06"}:
            yield given
            return
    with given.open() as file, _opened(file, given.name) as archive:
        held = [info for info in archive.infolist() if not info.is_dir()]
        _check(held, given.name)
        for info in held:
            yield Given(f"{given.name}/{info.filename}", _member(archive, info), named=False)


@contextlib.contextmanager
def _opened(file: IO[bytes], name: str) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as problem:
        raise InvalidInputError(f"{name} is a zip that cannot be opened ({problem}); download it again") from problem
    with archive:
        yield archive


def _check(held: Sequence[zipfile.ZipInfo], name: str) -> None:
    # What a zip declares is the most that is ever read of a member, so that declaring less gains nothing.
    if len(held) > MOST_FILES:
        raise InvalidInputError(f"{name} holds {len(held):,} files; {MOST_FILES:,} are the most")
    for info in held:
        size, shown = info.file_size, f"{name}/{info.filename[:200]}"
        if info.flag_bits & _ENCRYPTED:
            raise InvalidInputError(f"{shown} is encrypted; unpack it with its password and give the folder")
        if size > LARGEST_MEMBER:
            raise InvalidInputError(f"{shown} unpacks to {size:,} bytes; {LARGEST_MEMBER:,} are the most")
        if size > _SMALL and size > _TELLS_A_BOMB * info.compress_size:
            raise InvalidInputError(
                f"{shown} unpacks to {size:,} bytes, more than {_TELLS_A_BOMB} times what it takes packed; no history does"
            )
    if (total := sum(info.file_size for info in held)) > LARGEST_ARCHIVE:
        raise InvalidInputError(f"{name} unpacks to {total:,} bytes; {LARGEST_ARCHIVE:,} are the most")


def _opener(path: Path) -> Opener:
    return lambda: path.open("rb")


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Opener:
    return lambda: archive.open(info)


def _below(folder: Path) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (p for name in sorted(names) if not name.startswith(".") and (p := Path(here, name)).is_file())

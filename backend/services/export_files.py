"""The files of the export folder: which names are safe, writing and reading without being led elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from backend.services.forms import Form
from backend.utils.errors import InvalidInputError, NotFoundError

_FORMS: Final = {".csv": Form.CSV, ".parquet": Form.PARQUET, ".arrow": Form.ARROW_FILE, ".jsonl": Form.NDJSON}
_SAFE: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}", re.ASCII)
_CHUNK: Final = 256 * 1024
_ABANDONED: Final = 24 * 3600  # seconds after which an unfinished file of a killed process is removed
# Opened without following a link and without waiting for the other end of a pipe that someone put there.
_OPEN: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def form_of_name(name: str) -> Form:
    """The form that a file name asks for.

    Raises:
        InvalidInputError: the name is not safe or its suffix not known; the message says what is allowed.
    """
    form = _FORMS.get(Path(name).suffix) if _SAFE.fullmatch(name) else None
    if form is None:
        shown = name if len(name) <= 40 else f"{name[:40]}…"
        raise InvalidInputError(
            f"filename={shown!r} is not allowed; use at most 100 letters, digits, '.', '_' and '-', no folder, "
            f"no leading '.', ending in {', '.join(_FORMS)}"
        )
    return form


def prepared(folder: Path, name: str) -> Path:
    """Where to write what becomes `name`: a new name in the folder, which is made and rid of what was abandoned."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob(".*.unfinished"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.lstat().st_mtime > _ABANDONED:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    return folder / f".{name}.{secrets.token_hex(8)}.unfinished"


def to_disk(file: BinaryIO) -> None:
    """Wait until the file's bytes would outlast a power cut."""
    file.flush()
    os.fsync(file.fileno())


def put_in_place(unfinished: Path, final: Path) -> None:
    """Give the file its name, in one step; readers of an older one go on reading that."""
    unfinished.replace(final)
    descriptor = os.open(final.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)  # the name itself
    finally:
        os.close(descriptor)


def beside(name: str) -> str:
    """The name of the report of what a file is made of."""
    return f"{name}.rights.json"


def put_beside(final: Path, report: bytes) -> None:
    """Write what a file is made of beside it, in one step, before the file has its name."""
    place = final.with_name(beside(final.name))
    unfinished = prepared(final.parent, place.name)
    try:
        with unfinished.open("xb") as file:
            file.write(report)
            to_disk(file)
        put_in_place(unfinished, place)
    finally:
        unfinished.unlink(missing_ok=True)


def exports(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Finished exports by name; links and what else may lie there is passed over."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if _SAFE.fullmatch(path.name) and path.suffix in _FORMS:
            with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                state = path.lstat()
                if stat.S_ISREG(state.st_mode):
                    yield path.name, state


def opened(folder: Path, name: str) -> BinaryIO:
    """An export, open for reading; its name has been checked.

    Raises:
        NotFoundError: there is no such file, or it is a link or no plain file.
    """
    missing = f"No export is called {name}; /ml/exports lists those there are"
    try:
        descriptor = os.open(folder / name, _OPEN)
    except OSError as problem:
        raise NotFoundError(missing) from problem
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotFoundError(missing)
    return os.fdopen(descriptor, "rb")


async def read(file: BinaryIO) -> AsyncIterator[bytes]:
    """The file's bytes in chunks; it is closed at the end."""
    with file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK):
            yield chunk


def count_rows(path: Path, form: Form) -> int:
    """How many rows a file holds, without the header."""
    import pyarrow as pa  # late: start-up does not need it

    if form is Form.PARQUET:
        import pyarrow.parquet as pq

        return int(pq.read_metadata(path).num_rows)
    if form is Form.ARROW_FILE:
        with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as reader:
            return sum(reader.get_batch(i).num_rows for i in range(reader.num_record_batches))
    with path.open("rb") as file:
        if form is Form.CSV:
            return max(_records(file) - 1, 0)
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(_CHUNK), b""))


def _records(file: BinaryIO) -> int:
    """Line ends of a CSV file, without those inside quoted fields."""
    lines, quoted = 0, False
    while chunk := file.read(_CHUNK):
        for i, part in enumerate(chunk.split(b'"')):
            quoted ^= i > 0
            lines += 0 if quoted else part.count(b"\n")
    return lines

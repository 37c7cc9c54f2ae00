"""Writing a data set in another form: whole or not at all, the same bytes each time."""

from __future__ import annotations

import contextlib
import os
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from backend.services import export_files as files
from backend.services.dataset_exports.croissant import Croissant
from backend.services.dataset_exports.data_set import DataSet
from backend.services.dataset_exports.hugging_face import HuggingFace
from backend.services.dataset_exports.npz import Npz
from backend.services.dataset_exports.sql_files import DuckDb, Sqlite
from backend.services.dataset_exports.table_files import (
    TableFiles,
    beside,
    partitioned,
    put_arrow,
    put_csv,
    put_ndjson,
    put_parquet,
)  # fmt: skip
from backend.services.dataset_exports.writer import Progress, Writer
from backend.services.dataset_exports.zip_members import member
from backend.utils.errors import InvalidInputError

_WRITERS: Final[tuple[Writer, ...]] = (
    TableFiles(name="csv", path=beside(".csv"), put=put_csv),
    TableFiles(name="parquet", path=partitioned, put=put_parquet),
    TableFiles(name="arrow", path=beside(".arrow"), put=put_arrow),
    TableFiles(name="ndjson", path=beside(".jsonl"), put=put_ndjson),
    Npz(),
    HuggingFace(),
    Croissant(),
    Sqlite(),
    DuckDb(),
)
FORMS: Final[Mapping[str, Writer]] = {writer.name: writer for writer in _WRITERS}
"""Every form there is, by its name. A new one is a module with a `Writer`, and its line here."""
_TEXTS: Final = frozenset({".csv", ".jsonl", ".json", ".md"})
_SHOWN: Final = 12  # letters of the fingerprint in names


def _silent(_done: int, _all: int) -> None:
    """Tell nobody."""


def export(folder: Path, *, form: str, into: Path, progress: Progress = _silent) -> Path:
    """Write a data set in another form.

    Args:
        folder: the data set's.
        form: one of `FORMS`.
        into: the folder for it; made when it is needed.
        progress: told the rows written and all of them; what it raises ends the export.

    Returns:
        The file or the folder: `<name>-<fingerprint>.<suffix>`, or `<name>-<fingerprint>-<form>`. One that is there is replaced.

    Raises:
        InvalidInputError: no such form, it cannot hold this data set, or the data set is damaged.
        NotFoundError: there is no data set.
        OSError: the disk is full, or cannot be written to; nothing stays.
    """
    writer = FORMS.get(form)
    if writer is None:
        raise InvalidInputError(f"form={form!r} is not known; there are {', '.join(FORMS)}")
    done = 0

    def tell(rows: int) -> None:
        nonlocal done
        done += rows
        progress(done, rows_of_all)

    dataset = DataSet(folder, tell=tell)
    rows_of_all = sum(table.rows for table in dataset.tables)
    stem = f"{dataset.manifest.name}-{dataset.manifest.fingerprint[:_SHOWN]}"
    final = into / (f"{stem}{writer.suffix}" if writer.suffix else f"{stem}-{form}")
    progress(0, rows_of_all)
    with _settled(final) as unfinished:
        writer.write(dataset, unfinished)
    return final


def packed(folder: Path) -> Path:
    """An export that is a folder as one ZIP file beside it, for downloads; the same bytes each time."""
    final = folder.with_name(f"{folder.name}.zip")
    with _settled(final) as unfinished, zipfile.ZipFile(unfinished, "x") as archive:
        for path in _files(folder):
            name = path.relative_to(folder.parent).as_posix()
            packing = zipfile.ZIP_DEFLATED if path.suffix in _TEXTS else zipfile.ZIP_STORED
            with path.open("rb") as file, member(archive, name, packing=packing) as out:
                shutil.copyfileobj(file, out, 1 << 20)
    return final


@contextlib.contextmanager
def _settled(final: Path) -> Iterator[Path]:
    """Where to write what gets its name when this ends without an error; of which nothing stays otherwise."""
    room = files.prepared(final.parent, final.name)
    room.mkdir()  # a room of its own: some forms write other files beside theirs for a while
    try:
        unfinished = room / final.name
        yield unfinished
        for path in _files(unfinished) if unfinished.is_dir() else [unfinished]:
            with path.open("rb") as file:
                os.fsync(file.fileno())  # else a power cut may leave the name without the bytes
        if final.is_dir():  # a folder takes no other's place
            final.rename(room / "older")
        files.put_in_place(unfinished, final)
    finally:
        shutil.rmtree(room)


def _files(folder: Path) -> Iterable[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())

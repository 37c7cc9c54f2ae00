"""Reading tables: CSV of any delimiter, Parquet, NDJSON, packed or not; all cells as text, each row with its line."""

from __future__ import annotations

import codecs
import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from backend.utils.errors import InvalidInputError

if TYPE_CHECKING:
    import polars as pl

LINE: Final = "\x00line"
"""The column that holds each row's line (of Parquet: its row)."""
PART: Final = "\x1f"
"""Stands between the elements of what was a list."""
_PACKED: Final = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2"}
_DELIMITERS: Final = ",;\t|"
_SHOWN: Final = 3
_CELL: Final = 16  # bytes that a cell takes at least, also one that says nothing
_LARGEST: Final = 32_000_000_000  # bytes that the user's own files may unpack to
_AT_ONCE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """A file that is given: how it is called, how to open it, and how many bytes may come of it in memory."""

    name: str
    open: Callable[[], BinaryIO]
    most: int = _LARGEST


@dataclass(frozen=True, slots=True)
class Cells:
    """A table as it stands in its file.

    Attributes:
        name: the file's.
        frame: every column as text, and `LINE`.
        digest: of the file's bytes.
    """

    name: str
    frame: pl.DataFrame
    digest: str


def at(path: Path) -> Source:
    """A file by its path.

    Raises:
        InvalidInputError: it is not there, or a folder.
    """
    if not path.is_file():
        raise InvalidInputError(f"{path} is {'a folder, no table' if path.is_dir() else 'not there'}")
    return Source(str(path), lambda: path.open("rb"))


def read(source: Source, *, encoding: str = "utf-8") -> Cells:
    """Read a table whole.

    Raises:
        InvalidInputError: it is none, or broken; the message names the line. Also where more would come of it than `source.most`:
            a small file may unpack to any size, and a few bytes may stand for millions of cells.
    """
    try:
        with source.open() as file:
            written = file.read()
    except OSError as problem:
        raise InvalidInputError(f"{source.name} cannot be read: {problem.strerror}") from problem
    digest = hashlib.blake2b(written, digest_size=16).hexdigest()
    name = Path(source.name)
    if name.suffix.lower() in _PACKED:
        written, name = _unpacked(written, source), name.with_suffix("")
    if not written.strip():
        raise InvalidInputError(f"{source.name} is empty")
    suffix = name.suffix.lower()
    if suffix in {".parquet", ".pq"}:
        return Cells(source.name, _typed(written, source, "parquet"), digest)
    if suffix in {".ndjson", ".jsonl", ".json"}:
        return Cells(source.name, _typed(written, source, "ndjson"), digest)
    return Cells(source.name, _csv(_as_utf8(written, source.name, encoding), source), digest)


def _unpacked(written: bytes, source: Source) -> bytes:
    import pyarrow as pa  # late: it takes 0.1 s to import

    name, found = source.name, bytearray()
    try:
        with pa.CompressedInputStream(pa.BufferReader(written), _PACKED[Path(name).suffix.lower()]) as stream:
            while piece := stream.read(_AT_ONCE):
                found += piece
                if len(found) > source.most:
                    raise InvalidInputError(
                        f"{name} unpacks to more than {source.most:,} bytes; give it in several parts"
                    )
    except (OSError, pa.ArrowInvalid) as problem:
        raise InvalidInputError(f"{name} cannot be unpacked: {problem}") from problem
    return bytes(found)


def _bounded(source: Source, *, rows: int, columns: int) -> None:
    """Refuse a table before its cells are made: most of them may say nothing, and take no byte of the file."""
    if rows * columns * _CELL > source.most:
        raise InvalidInputError(
            f"{source.name} has {rows:,} rows of {columns:,} columns, for which there is no room; leave columns out, or give "
            "it in several parts"
        )


def _as_utf8(written: bytes, name: str, encoding: str) -> bytes:
    if written.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    if encoding.lower().replace("-", "").replace("_", "") in {"utf8", "utf8sig"}:
        return written.removeprefix(codecs.BOM_UTF8)
    try:
        return written.decode(encoding).encode()
    except (LookupError, UnicodeDecodeError) as problem:
        raise InvalidInputError(f"{name} is not {encoding} text: {problem}") from problem


def _csv(written: bytes, source: Source) -> pl.DataFrame:
    import polars as pl  # late: it takes 0.2 s to import

    name = source.name
    head = written[: written.find(b"\n") + 1 or len(written)].decode("utf-8", "replace")
    delimiter = max(_DELIMITERS, key=head.count)
    _bounded(source, rows=written.count(b"\n"), columns=head.count(delimiter) + 1)
    # Tables of statistics programs leave quotes out that a name holds ("7\" Mix"); only one that begins a cell counts.
    try:
        frame = pl.read_csv(written, separator=delimiter, infer_schema=False)
    except pl.exceptions.PolarsError as problem:
        raise _broken(written, name, delimiter) or InvalidInputError(
            f"{name} cannot be read as CSV: {str(problem).splitlines()[0]}"
        ) from problem
    except UnicodeDecodeError as problem:
        raise _broken(written, name, delimiter) or InvalidInputError(f"{name} is not UTF-8 text") from problem
    return _with_lines(frame, written)


def _with_lines(frame: pl.DataFrame, written: bytes) -> pl.DataFrame:
    import polars as pl

    lines = pl.int_range(2, pl.len() + 2, dtype=pl.Int64)
    if written.count(b"\n") > frame.height + 1:
        # Cells of several lines; blank lines at the end change nothing.
        inside = pl.sum_horizontal(pl.all().str.count_matches("\n", literal=True).fill_null(0)).cast(pl.Int64)
        lines += inside.cum_sum() - inside
    # A blank line is no row.
    return frame.with_columns(lines.alias(LINE)).filter(~pl.all_horizontal(pl.exclude(LINE).is_null()))


def _broken(written: bytes, name: str, delimiter: str) -> InvalidInputError | None:
    """What is wrong with a file, by line."""
    try:
        written.decode()
    except UnicodeDecodeError as problem:
        line = written.count(b"\n", 0, problem.start) + 1
        return InvalidInputError(
            f"{name}, line {line:,}: the byte 0x{written[problem.start]:02x} is no UTF-8; save the table as "
            "UTF-8, or say how it is written (--encoding cp1252)"
        )
    import csv

    # The limit is the whole process's, and other readers rely on theirs.
    usual = csv.field_size_limit(1 << 24)
    try:
        return _uneven(csv.reader(io.StringIO(written.decode(), newline=""), delimiter=delimiter), name)
    finally:
        csv.field_size_limit(usual)


def _uneven(reader: Any, name: str) -> InvalidInputError | None:
    import csv

    wanted = len(next(reader, []))
    try:
        wrong = [f"line {reader.line_num:,} has {len(cells)}" for cells in reader if len(cells) > wanted]
    except csv.Error as problem:
        return InvalidInputError(f"{name}, line {reader.line_num:,}: no CSV: {problem}")
    if not wrong:
        return None
    more = f" and {len(wrong) - _SHOWN:,} more lines" if len(wrong) > _SHOWN else ""
    return InvalidInputError(
        f"{name} has {wanted} columns, but {', '.join(wrong[:_SHOWN])} cells{more}; "
        "put quotes around cells that hold the delimiter"
    )


def _typed(written: bytes, source: Source, form: str) -> pl.DataFrame:
    """Columns of any type as text, so that all tables are read alike; lists with `PART` between their elements."""
    import polars as pl

    try:
        frame = _parquet(written, source) if form == "parquet" else _ndjson(written, source)
    # A damaged file makes Polars's reader fall over instead of refusing it; that is no `Exception` to Python.
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as problem:
        said = str(problem).splitlines()[0][:200]
        raise InvalidInputError(
            f"{source.name} cannot be read as {form.upper() if form == 'ndjson' else 'Parquet'}: {said}"
        ) from problem
    texts = [_as_text(column, kind) for column, kind in frame.schema.items() if not _no_cells(kind)]
    return frame.select(*texts, pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias(LINE))


def _parquet(written: bytes, source: Source) -> pl.DataFrame:
    import polars as pl
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        told = pq.read_metadata(pa.BufferReader(written))
    except (OSError, pa.ArrowInvalid) as problem:
        raise InvalidInputError(f"{source.name} cannot be read as Parquet: {str(problem).splitlines()[0]}") from problem
    groups = (told.row_group(i) for i in range(told.num_row_groups))
    # Elements of lists, too.
    values = sum(group.column(i).num_values for group in groups for i in range(group.num_columns))
    _bounded(source, rows=max(told.num_rows, -(-values // max(1, told.num_columns))), columns=told.num_columns)
    return pl.read_parquet(written)


def _ndjson(written: bytes, source: Source) -> pl.DataFrame:
    import polars as pl

    schema = pl.scan_ndjson(io.BytesIO(written), infer_schema_length=None).collect_schema()
    _bounded(source, rows=written.count(b"\n"), columns=len(schema))
    return pl.read_ndjson(written, schema=schema)


def _as_text(column: str, kind: Any) -> pl.Expr:
    import polars as pl

    if isinstance(kind, pl.List):
        return pl.col(column).list.eval(pl.element().cast(pl.String)).list.join(PART)
    return pl.col(column).cast(pl.String)


def _no_cells(kind: Any) -> bool:
    """Whether values of a type are nothing that a table of music has."""
    import polars as pl

    return isinstance(kind, pl.Struct | pl.Object | pl.Binary | pl.Array)

"""The seam for a source's dump files, which a user downloads himself and imports in bulk.

A dump tells what it says by an identifier that tracks are known by already; what nobody has is passed over. To add one (such as
Discogs's CC0 release dumps, by barcode): a class of this form in `ingestion/<name>_dump.py`, and its line in `registry.DUMPS`.
"""

from __future__ import annotations

import hashlib
import re
import tarfile
import zlib
from collections.abc import Callable, Container, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Final, Protocol, Self

from backend.models.ingestion_models import TrackRecord
from backend.utils.errors import InvalidInputError

Tell = Callable[[int, int], None]
"""Told how many bytes of how many are read."""
Entry = tuple[str, bytes]
"""An entry's name and its body; the body is read only of entries that are wanted."""

_COMPRESSION: Final = {".zst": "zstd", ".gz": "gzip", ".tgz": "gzip"}
_AT_ONCE: Final = 1 << 20
_SUM: Final = re.compile(r"^([0-9a-f]{64})[ *]+(\S+)$", re.MULTILINE)


class _Header(tarfile.TarInfo):
    """An entry's header. `tarfile` takes a broken or missing one, after the first, for the archive's end; only zeros are."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """See `tarfile.TarInfo`.

        Raises:
            ReadError: here is neither a header nor the end.
        """
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as problem:
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):
                raise
            raise tarfile.ReadError(f"{problem} where an entry or the end should be") from problem


class Dump(Protocol):
    """A source's dump files.

    Attributes:
        source: whose they are, a registered source's name.
        identifier: the key of a track's `ids` that it tells tracks by.
        form: what a file looks like, for messages.
    """

    source: str
    identifier: str
    form: str

    def key(self, name: str) -> str | None:
        """The identifier that an entry is about, by its name alone; None when it is no entry of this dump."""
        ...

    def read(self, name: str, body: bytes) -> Any:
        """What is needed of an entry, small.

        Raises:
            ValueError: it is broken; the entry is counted and passed over.
        """
        ...

    def track(self, key: str, found: Sequence[Any]) -> TrackRecord:
        """What all entries of one track say together."""
        ...

    def lay_over(self, old: TrackRecord, new: TrackRecord) -> TrackRecord:
        """What was known of a track with what is said of it now; equal to the old one when that adds nothing."""
        ...


def entries(path: Path, wanted: Callable[[str], bool], *, tell: Tell = lambda *_: None) -> Iterator[Entry]:
    """The wanted entries of a tar archive (plain, .gz, .zst) or of a folder; nothing is unpacked to disk.

    Args:
        path: the archive or folder.
        wanted: asked with each entry's name.
        tell: told how far the archive is read.

    Raises:
        InvalidInputError: the file is no archive, or broken or cut off.
    """
    if path.is_dir():
        for file in sorted(path.rglob("*.json")):
            if wanted(str(file.relative_to(path))):
                yield str(file.relative_to(path)), file.read_bytes()
        return
    import pyarrow as pa  # late: it decompresses zstd, which Python of this version cannot

    total = path.stat().st_size
    try:
        with path.open("rb") as raw:
            compression = _COMPRESSION.get(path.suffix)
            stream: IO[bytes] = pa.CompressedInputStream(raw, compression) if compression else raw
            with tarfile.open(fileobj=stream, mode="r|", bufsize=_AT_ONCE, tarinfo=_Header) as archive:
                for member in archive:
                    # A stream's past members are kept for looking them up again, which nobody does.
                    archive.members = []  # type: ignore[attr-defined]  # documented only by its use
                    tell(raw.tell(), total)
                    if member.isfile() and wanted(member.name) and (body := archive.extractfile(member)) is not None:
                        yield member.name, body.read()
    except (tarfile.TarError, OSError, EOFError, zlib.error, pa.ArrowInvalid) as problem:
        raise InvalidInputError(f"{path} is no whole tar archive: {problem}") from problem


def check_sum(path: Path, *, tell: Tell = lambda *_: None) -> bool:
    """Compare a file with `sha256sums` beside it; False when there is no such file, or it does not name this one.

    Raises:
        InvalidInputError: the sums differ.
    """
    beside = path.with_name("sha256sums")
    listed = {name: told for told, name in _SUM.findall(beside.read_text())} if beside.is_file() else {}
    if path.is_dir() or path.name not in listed:
        return False
    digest, read, total = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as file:
        while chunk := file.read(_AT_ONCE):
            digest.update(chunk)
            read += len(chunk)
            tell(read, total)
    if digest.hexdigest() != listed[path.name]:
        raise InvalidInputError(f"{path} is not what {beside} says: its SHA-256 differs; download it again")
    return True


def wanted_of(dump: Dump, keys: Container[str]) -> Callable[[str], bool]:
    """Whether an entry is about one of these identifiers, by its name."""
    return lambda name: (key := dump.key(name)) is not None and key in keys

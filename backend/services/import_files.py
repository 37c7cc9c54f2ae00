"""Saved pages and tables of scores as files, folders or uploads; read one after the other, so that any number fits."""

from __future__ import annotations

import codecs
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from backend.ingestion.aoty_page import LayoutChangedError, read_page
from backend.ingestion.aoty_scraper import LARGEST_PAGE
from backend.ingestion.aoty_table import Table
from backend.models.ingestion_models import AlbumRecord
from backend.utils.errors import InvalidInputError

_PAGES: Final = frozenset({".html", ".htm", ".xhtml"})
_TABLES: Final = frozenset({".csv", ".tsv", ".txt"})
_MOST_FILES: Final = 100_000
_BLOCK: Final = 1 << 20
_META: Final = re.compile(rb"""<meta[^>]+charset\s*=\s*["']?\s*([\w-]+)""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Given:
    """A file that the user gives: how it is called, and how to open it."""

    name: str
    open: Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True)
class Entry:
    """A page, or a row of a table: its record, or why there is none."""

    file: str
    line: int | None = None
    name: str = ""
    album: AlbumRecord | None = None
    problem: str = ""


def files_at(paths: Sequence[Path]) -> list[Given]:
    """The files of these paths; of a folder the pages and tables in it and below, by name.

    What browsers save beside a page ("…_files") is left out.

    Raises:
        InvalidInputError: nothing is there, or no page or table in a folder.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = [p for p in _below(path) if p.suffix.lower() in _PAGES | {".csv", ".tsv"}]
            if not inside:
                raise InvalidInputError(f"{path} holds no saved page (.html) and no table (.csv)")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise InvalidInputError(f"{path} is not there")
        if len(found) > _MOST_FILES:
            raise InvalidInputError(f"more than {_MOST_FILES:,} files; give them in several parts")
    return [Given(str(path), lambda path=path: path.open("rb")) for path in found]  # type: ignore[misc]  # bound at once


def entries(files: Iterable[Given], *, unused: dict[str, tuple[str, ...]]) -> Iterator[Entry]:
    """All pages and rows; one that cannot be read costs no other.

    Args:
        files: what is given.
        unused: of each table, the columns passed over are put into it.
    """
    for given in files:
        suffix = Path(given.name).suffix.lower()
        try:
            if suffix in _PAGES:
                yield _page(given)
            elif suffix in _TABLES:
                yield from _rows(given, unused)
            else:
                yield Entry(given.name, problem="neither a saved page (.html) nor a table (.csv)")
        except OSError as problem:
            yield Entry(given.name, problem=f"cannot be read: {problem.strerror or type(problem).__name__}")
        except UnicodeDecodeError as problem:
            yield Entry(given.name, problem=f"is not UTF-8 text (byte {problem.start}); save it as UTF-8")
        except (LayoutChangedError, InvalidInputError) as problem:
            yield Entry(given.name, problem=str(problem))


def _below(folder: Path) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.endswith("_files"))
        yield from (Path(here, name) for name in sorted(names))


def _page(given: Given) -> Entry:
    with given.open() as file:
        page = file.read(LARGEST_PAGE + 1)
    if len(page) > LARGEST_PAGE:
        return Entry(given.name, problem=f"has more than {LARGEST_PAGE:,} bytes; a saved page has about 200,000")
    album = read_page(_text(page))
    return Entry(given.name, name=f"{album.artist} – {album.title}", album=album)


def _text(page: bytes) -> str:
    """A page as text: browsers write UTF-8 when they save, or what they took the page for."""
    if page.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return page.decode("utf-16", "replace")
    try:
        return page.decode("utf-8-sig")
    except UnicodeDecodeError:
        declared = _META.search(page[:4096])
        try:
            return page.decode(declared[1].decode() if declared else "cp1252", "replace")
        except LookupError:
            return page.decode("cp1252", "replace")


def _rows(given: Given, unused: dict[str, tuple[str, ...]]) -> Iterator[Entry]:
    with given.open() as file:
        # Looked through before a row is taken: a table is taken as text, or not at all.
        decoder = codecs.getincrementaldecoder("utf-8")()
        while block := file.read(_BLOCK):
            decoder.decode(block)
        decoder.decode(b"", final=True)
        file.seek(0)
        text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        try:
            table = Table(text)
            unused[given.name] = table.unused
            for row in table.rows():
                yield Entry(given.name, row.line, row.shown, row.album, row.problem)
        finally:
            text.detach()  # who opened the file closes it

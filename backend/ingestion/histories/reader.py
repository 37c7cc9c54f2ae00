"""Listens out of what the user gives: each file is recognised by its content, and read row by row."""

from __future__ import annotations

import codecs
import contextlib
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO, Final, TextIO

from backend.ingestion.histories.files import Given, members
from backend.ingestion.histories.form import Form
from backend.ingestion.histories.registry import FORMS
from backend.ingestion.histories.text_rows import Piece, json_rows, table_rows
from backend.ingestion.histories.values import RowError
from backend.models.listening import BrokenRow, HistoryFile, HistoryReport, LeftOut, Listen
from backend.utils.errors import InvalidInputError

_HEAD: Final = 4_096  # bytes that tell text from anything else
_LOOKED_AT: Final = 50  # rows by which a file is recognised
_MOST_SHOWN: Final = 100  # broken rows and files passed over
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_UNREADABLE: Final = (OSError, UnicodeDecodeError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError)


def require_known(files: Sequence[Given]) -> None:
    """Look at every file before the first is read.

    Raises:
        InvalidInputError: a file that the user named is of no known form, or no file of a folder is, or an archive is refused.
    """
    found = False
    for given in files:
        looks = [_look(member) for member in members(given)]
        known = any(look.form is not None for look in looks)
        if given.named and not known:
            damaged = next((look.damaged for look in looks if look.damaged), "")
            said = f"cannot be read: {damaged}" if damaged else f"is no listening history that is known. {EXPECTED}"
            raise InvalidInputError(f"{given.name} {said}")
        found = found or known
    if not found:
        raise InvalidInputError(f"none of the {len(files):,} files is a listening history that is known. {EXPECTED}")


def listens(files: Sequence[Given], report: HistoryReport) -> Iterator[Listen]:
    """All listens; a row that cannot be read costs no other.

    Args:
        files: what is given.
        report: told of every file, of rows left out and of those that cannot be read.

    Raises:
        InvalidInputError: an archive is refused.
    """
    for given in files:
        for member in members(given):
            look = _look(member)
            if look.form is not None:
                file = HistoryFile(file=member.name, form=look.form.name)
                report.files.append(file)
                yield from _read(member, look.form, file=file, report=report)
            elif look.damaged:
                file = HistoryFile(file=member.name, form="")
                report.files.append(file)
                _tell(report, file, place="the file", reason=f"cannot be read: {look.damaged}")
            elif len(report.passed_over) < _MOST_SHOWN:
                report.passed_over.append(member.name)


def _read(member: Given, form: Form, *, file: HistoryFile, report: HistoryReport) -> Iterator[Listen]:
    try:
        for piece in _pieces(member):
            file.rows += 1
            try:
                found = _found(piece, form)
            except RowError as problem:
                _tell(report, file, place=piece.place, reason=str(problem))
                continue
            if isinstance(found, LeftOut):
                file.left_out[found.value] = file.left_out.get(found.value, 0) + 1
            else:
                file.listens += 1
                report.listens += 1
                yield found
    except _UNREADABLE as problem:
        _tell(report, file, place=f"after row {file.rows}", reason=f"cannot be read on: {problem}")


def _tell(report: HistoryReport, file: HistoryFile, *, place: str, reason: str) -> None:
    file.broken += 1
    if len(report.broken) < _MOST_SHOWN:
        report.broken.append(BrokenRow(file=file.file, place=place, reason=reason))


def _found(piece: Piece, form: Form) -> Listen | LeftOut:
    if piece.row is None:
        raise RowError(piece.problem)
    if not form.fits(piece.row):
        raise RowError(f"is no row of {form.name}")
    return form.read(piece.row)


@dataclass(frozen=True, slots=True)
class _Look:
    """What the first rows of a file tell.

    Attributes:
        form: of the first row that has one.
        damaged: why the file cannot be read, when it cannot.
    """

    form: Form | None = None
    damaged: str = ""


def _look(member: Given) -> _Look:
    try:
        for piece in islice(_pieces(member), _LOOKED_AT):
            row = piece.row
            if row is not None and (found := next((form for form in FORMS if form.fits(row)), None)) is not None:
                return _Look(found)
    except _UNREADABLE as problem:
        return _Look(damaged=str(problem))
    return _Look()


def _pieces(member: Given) -> Iterator[Piece]:
    with member.open() as file:
        head = file.read(_HEAD)
    kind = _kind(head)
    if kind is None:
        return
    with member.open() as file, _text(file, head) as text:
        yield from kind(text)


def _kind(head: bytes) -> Callable[[TextIO], Iterator[Piece]] | None:
    """How a file is read; None when it is no text."""
    if b"\x00" in head and not head.startswith(_UTF16):
        return None
    try:
        start = codecs.getincrementaldecoder(_encoding(head))().decode(head).lstrip()
    except UnicodeDecodeError:
        return None
    return json_rows if start.startswith(("[", "{")) else table_rows


def _encoding(head: bytes) -> str:
    return "utf-16" if head.startswith(_UTF16) else "utf-8-sig"


@contextlib.contextmanager
def _text(file: IO[bytes], head: bytes) -> Iterator[TextIO]:
    text = io.TextIOWrapper(file, encoding=_encoding(head), newline="")
    try:
        yield text
    finally:
        text.detach()  # who opened the file closes it


EXPECTED: Final = "Known are: " + "; ".join(form.expected for form in FORMS) + ". All are text in UTF-8."

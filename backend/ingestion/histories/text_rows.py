"""Rows of a text, one after the other: a list of JSON objects, one object a line, pages of them, or a table."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, TextIO

import orjson

from backend.ingestion.histories.form import Row
from backend.ingestion.histories.registry import BARE, WRAPPERS

_BLOCK: Final = 1 << 18  # characters
_LONGEST_ROW: Final = 1 << 25  # characters; a page of 1,000 scrobbles with their pictures has 2 million
_LONGEST_OBJECT: Final = 1 << 26  # of a text that is one object; 500,000 scrobbles as JSON have 60 million
_LONGEST_LINE: Final = 1 << 20  # of a table
_DEEPEST: Final = 6  # lists and pages in each other
_BETWEEN: Final = re.compile(r"[\s,]*")
_REST: Final = "what follows it was not read"


@dataclass(frozen=True, slots=True)
class Piece:
    """A row and where it stands, or why there is none."""

    place: str
    row: Row | None = None
    problem: str = ""


def json_rows(text: TextIO) -> Iterator[Piece]:
    """The objects of a list, of lines, or inside pages of a service; memory stays flat for lists and lines.

    Raises:
        UnicodeDecodeError: it is no text in its encoding.
    """
    start = text.read(1)
    while start.isspace():
        start = text.read(1)
    if start == "[":
        yield from _flat(_elements(text), "row")
    elif start:
        yield from _flat(_lines_or_object(start, text), "line")


def table_rows(text: TextIO) -> Iterator[Piece]:
    """The lines of a table by their columns' names in small letters.

    Raises:
        UnicodeDecodeError: it is no text in its encoding.
    """
    lines = _lines(text)
    first = next(lines, "")
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(chain([first], lines), delimiter=delimiter)
    columns: Sequence[str] = ()
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as problem:
            yield Piece(f"line {reader.line_num}", problem=f"cannot be read as a table's line: {problem}")
            continue
        if cells is None:
            return
        if not columns:
            bare = next((found for of in BARE if (found := of(cells))), None)
            columns = bare or [cell.strip().lower() for cell in cells]
            if bare is None:
                continue
        if not any(cells):
            continue
        place = f"line {reader.line_num}"
        if len(cells) == len(columns):
            yield Piece(place, dict(zip(columns, cells, strict=True)))
        else:
            yield Piece(place, problem=f"has {len(cells)} columns; the table has {len(columns)}")


def _lines(text: TextIO) -> Iterator[str]:
    while line := text.readline(_LONGEST_LINE):
        yield line  # a longer one falls apart, and csv refuses its parts


def _elements(text: TextIO) -> Iterator[tuple[int, Any, str]]:
    """The elements of a list whose bracket has been read: number, value, problem."""
    decoder = json.JSONDecoder()
    buffer, at, number = "", 0, 0
    while True:
        at = _BETWEEN.match(buffer, at).end()  # type: ignore[union-attr]  # it matches nothing, too
        if at == len(buffer):
            buffer, at = text.read(_BLOCK), 0
            if not buffer:
                yield number + 1, None, "the file ends before its list does; it seems cut short"
                return
            continue
        if buffer[at] == "]":
            return
        try:
            value, end = decoder.raw_decode(buffer, at)
        except (ValueError, RecursionError) as problem:
            held = len(buffer) - at
            # An element may go on beyond what was read; twice as much each time, so that long ones cost little more.
            if held < _LONGEST_ROW and (more := text.read(max(_BLOCK, held))):
                buffer, at = buffer[at:] + more, 0
                continue
            yield number + 1, None, f"is broken JSON ({_said(problem)}); {_REST}"
            return
        number, at = number + 1, end
        yield number, value, ""
        if at > _BLOCK:
            buffer, at = buffer[at:], 0


def _lines_or_object(start: str, text: TextIO) -> Iterator[tuple[int, Any, str]]:
    """Objects of which each has a line, or one over many lines: number of the line, value, problem."""
    first, second = start + text.readline(_LONGEST_OBJECT), text.readline(_LONGEST_OBJECT)
    lines = chain([first, second], iter(lambda: text.readline(_LONGEST_OBJECT), ""))
    if _decoded(first)[1] and not second.lstrip().startswith("{"):
        whole = first + second + text.read(_LONGEST_OBJECT)
        too_long = f"has more than {_LONGEST_OBJECT:,} characters in one object"
        value, problem = (None, too_long) if text.read(1) else _decoded(whole)
        yield 1, value, problem
        return
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield number, *_decoded(line)


def _decoded(text: str) -> tuple[Any, str]:
    try:
        return orjson.loads(text), ""
    except ValueError as problem:
        return None, f"is broken JSON ({_said(problem)})"


def _said(problem: Exception) -> str:
    return "nested too deeply" if isinstance(problem, RecursionError) else str(problem)[:200]


def _flat(values: Iterator[tuple[int, Any, str]], unit: str) -> Iterator[Piece]:
    for number, value, problem in values:
        if problem:
            yield Piece(f"{unit} {number}", problem=problem)
        elif isinstance(value, Mapping) and not _inside(value):
            yield Piece(f"{unit} {number}", value)
        else:
            for place, row in enumerate(_unwrapped(value, _DEEPEST), 1):
                where = f"{unit} {number}, entry {place}"
                yield Piece(where, row) if isinstance(row, Mapping) else Piece(where, problem="is no JSON object")


def _inside(value: Mapping[str, Any]) -> list[Any]:
    """What a page holds; nothing of a row."""
    return [held for key in WRAPPERS & value.keys() if isinstance(held := value[key], list | dict)]


def _unwrapped(value: Any, depth: int) -> Iterator[Any]:
    parts = value if isinstance(value, list) else _inside(value) if isinstance(value, Mapping) else []
    if depth and (isinstance(value, list) or parts):
        for part in parts:
            yield from _unwrapped(part, depth - 1)
    else:
        yield value

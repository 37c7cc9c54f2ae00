"""The report as a table of CSV, and as text for a terminal."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Final

from backend.features.changes.change_report import WHY, Changes, Count, Told
from backend.features.changes.change_report import RowChanges as Rows

HEAD: Final = ("kind", "name", "id", "before", "after", "why", "rows")
_FIELDS: Final = 40  # of fields and columns, listed in a terminal
_WIDTH: Final = 60  # of a value there


def as_csv(changes: Changes) -> bytes:
    """RFC 4180, UTF-8: a line per count (`rows` says how many), then one per change that is shown."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(HEAD)
    for kind, told in (("about", changes.about), ("recipe", changes.recipe), ("learnt", changes.learnt)):
        writer.writerows((kind, t.path, None, t.before, t.after, None, None) for t in told)
    for kind, changed in (("came", changes.came), ("went", changes.went), ("moved", changes.moved)):
        writer.writerows((kind, None, None, None, None, c.why, c.rows) for c in changed.why)
        writer.writerows((kind, f"{r.artist} – {r.title}", r.id, r.before, r.after, r.why, None) for r in changed.shown)
    for field in changes.fields:
        writer.writerows(("value", field.field, None, None, None, c.why, c.rows) for c in field.why)
        writer.writerows(("value", field.field, v.id, v.before, v.after, v.why, None) for v in field.shown)
    for kind, columns in (("column came", changes.columns_came), ("column went", changes.columns_went)):
        writer.writerows((kind, c.column, None, None, None, c.why, None) for c in columns)
    for column in changes.features:
        writer.writerows(("feature", column.column, None, None, None, c.why, c.rows) for c in column.why)
    return out.getvalue().encode()


def as_text(changes: Changes) -> Iterator[str]:
    """Lines for a person."""
    if changes.same:
        yield "They are the same data set."
        return
    yield from _documents("both say of themselves", changes.about)
    yield from _documents("the recipe", changes.recipe)
    yield f"rows: {changes.rows_before:,} → {changes.rows_after:,}"
    for name, changed in (("came", changes.came), ("went", changes.went), ("moved to another part", changes.moved)):
        yield from _rows(name, changed)
    if changes.fields:
        yield "values of tracks that both have:"
    for field in changes.fields[:_FIELDS]:
        yield f"  {field.field}: {field.rows:,} ({_why(field.why)})"
        for v in field.shown[:3]:
            yield f"      {v.id}: {_short(v.before)} → {_short(v.after)} [{v.source_before or '–'} → {v.source_after or '–'}]"
    for name, columns in (("columns that came", changes.columns_came), ("columns that went", changes.columns_went)):
        if columns:
            yield f"{name}: {len(columns):,} ({columns[0].why}: {WHY[columns[0].why]})"
            yield f"  {', '.join(c.column for c in columns[:_FIELDS])}{' …' if len(columns) > _FIELDS else ''}"
    if changes.features:
        yield "features of rows that both have:"
    for column in changes.features[:_FIELDS]:
        yield f"  {column.column}: {column.rows:,} ({_why(column.why)})"
    if len(changes.features) > _FIELDS:
        yield f"  … and {len(changes.features) - _FIELDS:,} columns more"
    yield from _documents(f"learnt otherwise: {changes.learnt_in_all:,}", changes.learnt)


def _rows(name: str, changed: Rows) -> Iterator[str]:
    if not changed.rows:
        return
    yield f"{name}: {changed.rows:,}"
    for count in changed.why:
        yield f"  {count.rows:,}: {WHY[count.why]}"
    for row in changed.shown:
        place = " → ".join(part for part in (row.before, row.after) if part)
        yield f"    {row.id} {_short(row.artist)} – {_short(row.title)} ({place}, {row.why})"
    if len(changed.shown) < changed.rows:
        yield f"    … and {changed.rows - len(changed.shown):,} more"


def _documents(name: str, told: Sequence[Told]) -> Iterator[str]:
    if told:
        yield f"{name}:"
    for each in told:
        yield f"  {each.path}: {_short(each.before)} → {_short(each.after)}"


def _why(counts: Sequence[Count]) -> str:
    return "; ".join(f"{c.rows:,} {c.why}: {WHY[c.why]}" if len(counts) > 1 else WHY[c.why] for c in counts)


def _short(value: str | None) -> str:
    if value is None:
        return "–"
    return value if len(value) <= _WIDTH else value[: _WIDTH - 1] + "…"

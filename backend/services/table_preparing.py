"""A table made ready for the catalogue: read, mapped, laid together, and whose its values are."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from backend.ingestion.source import SourceProfile
from backend.ingestion.tables import albums as laid
from backend.ingestion.tables import cells, mapping, mbdump, reading, records
from backend.ingestion.tables.profiles import LASTFM_TABLE, SPOTIFY_TABLE, TABLE_PROFILES, table_with
from backend.ingestion.tables.reading import PART
from backend.ingestion.tables.tags import TagTable, read_tags
from backend.models.bulk_import import Finding, MappedColumn, TableReport
from backend.models.ingestion_models import Rights
from backend.utils.errors import InvalidInputError

if TYPE_CHECKING:
    import polars as pl

_PART_ROWS: Final = 4_000  # that are looked up and stored together
_SAMPLES: Final = 3
_LONGEST_SAMPLE: Final = 40
_PREPARING: Final = 1
"""Of the way in which rows become records; a new one makes earlier imports others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the user says of a table; what he does not say is guessed.

    Attributes:
        columns: by field, the column that holds it ("" for none), with "@unit" behind it.
        source: as whose values they are stored: one of `TABLE_PROFILES`.
        rights: what the table's terms allow.
        encoding: how its text is written.
        dry_run: store nothing.
        everything: of a dump, also albums that the catalogue does not have.
    """

    columns: Mapping[str, str]
    source: str | None = None
    rights: Rights | None = None
    encoding: str = "utf-8"
    dry_run: bool = False
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """A table ready to be stored.

    Attributes:
        report: what there is to say of it before anything is stored.
        profile: whose its values are.
        key: what tells this import from others: the file, how it is read, and as whose.
        mapping: what is read.
        table: its albums.
        tracks: their tracks, in the same order.
        findings: all that a person may want to look at.
        tags: what it says, when it is a table of tags.
    """

    report: TableReport
    profile: SourceProfile
    key: str
    mapping: mapping.Mapping
    frame: pl.DataFrame
    table: pl.DataFrame
    tracks: pl.DataFrame
    findings: tuple[Finding, ...]
    tags: TagTable = field(default_factory=TagTable)

    @property
    def of_tracks(self) -> bool:
        """Whether a row is a track; else it is an album."""
        return self.mapping.shape != "albums"

    def parts(self) -> list[tuple[int, int]]:
        """First album and the one behind the last of each part; the same for the same table."""
        if not self.table.height:
            return []
        sizes = self.table.get_column("tracks").cum_sum().to_numpy()
        bounds = [0]
        while bounds[-1] < len(sizes):
            before = int(sizes[bounds[-1] - 1]) if bounds[-1] else 0
            bounds.append(max(bounds[-1] + 1, int(sizes.searchsorted(before + _PART_ROWS, side="right"))))
        return list(pairwise(bounds))

    def rows_of(self, first: int, behind: int) -> pl.DataFrame:
        """The tracks of some albums."""
        column = self.tracks.get_column("a")
        start, end = column.search_sorted(first), column.search_sorted(behind)
        return self.tracks.slice(start, end - start)

    def albums(self, first: int, behind: int) -> Iterator[records.Album]:
        """Some of its albums."""
        return records.albums(
            self.table.slice(first, behind - first), self.rows_of(first, behind), of_tracks=self.of_tracks
        )


def prepare(source: reading.Source, options: Options) -> Prepared:
    """Read a table and lay its rows together; blocking.

    Raises:
        InvalidInputError: it cannot be read, or a column that is needed is not found.
    """
    table = reading.read(source, encoding=options.encoding)
    found = mapping.guess(table.frame, options.columns)
    profile, why = _whose(found, options)
    report = TableReport(
        file=source.name,
        shape=found.shape,
        source=profile.name,
        rights=profile.rights.value,
        why=why,
        columns=tuple(_shown(table.frame, column) for column in found.columns),
        unused=found.unused,
        rows=table.frame.height,
        dry_run=options.dry_run,
    )
    key = _key(table.digest, found, profile.name)
    if found.shape in {"tags", "scores"}:
        return _of_others(
            Prepared(report, profile, key, found, table.frame, table.frame[:0], table.frame[:0], ()), options
        )
    values, unread = cells.values(table.frame, found)
    whole = laid.lay_together(values, found)
    findings = tuple(_findings(whole, list(unread)))
    report.found = dict(Counter(finding.kind for finding in findings))
    report.albums = whole.albums.height
    report.tracks = whole.tracks.height if found.shape != "albums" else 0
    report.singles = int(whole.albums.get_column("single").sum()) if whole.albums.height else 0
    report.examples = examples(findings)
    return Prepared(report, profile, key, found, table.frame, whole.albums, whole.tracks, findings)


def prepare_dump(
    path: Path, options: Options, *, profile: SourceProfile, stored: tuple[Sequence[str], Sequence[tuple[str, str]]]
) -> Prepared:
    """Join MusicBrainz's dump tables and lay their rows together; blocking.

    Args:
        path: a folder with the tables, or the archive of them.
        options: what the user says.
        profile: of whose dump it is.
        stored: identifiers, and folded names, of the albums that are wanted.

    Raises:
        InvalidInputError: a table is missing or cannot be read, or something is said that a dump says itself.
    """
    if options.columns or options.source or options.rights:
        raise InvalidInputError("dump tables say themselves what they are; leave out --map, --source, --rights")
    with mbdump.tables_of(path) as tables:
        frame = mbdump.rows(tables, mbids=set(stored[0]), keys=set(stored[1]), everything=options.everything)
    whole = laid.lay_together(frame, mbdump.DUMP)
    findings = tuple(_findings(whole, ()))
    report = TableReport(
        file=str(path),
        shape="dump",
        source=profile.name,
        rights=profile.rights.value,
        why=profile.terms,
        columns=tuple(
            MappedColumn(field=c.field, column=c.column, samples=_samples(frame.get_column(c.field)))
            for c in mbdump.DUMP.columns
        ),
        rows=frame.height,
        albums=whole.albums.height,
        tracks=whole.tracks.height,
        found=dict(Counter(finding.kind for finding in findings)),
        examples=examples(findings),
        dry_run=options.dry_run,
    )
    # What is selected depends on what is stored: another selection is another import.
    digest = hashlib.blake2b(repr(whole.albums.get_column("album_mbid").to_list()).encode(), digest_size=16).hexdigest()
    key = _key(digest, mbdump.DUMP, profile.name)
    return Prepared(report, profile, key, mbdump.DUMP, frame, whole.albums, whole.tracks, findings)


def _of_others(ready: Prepared, options: Options) -> Prepared:
    """A table that another reader takes in."""
    if ready.mapping.shape == "scores":
        if options.columns or options.source or options.rights:
            raise InvalidInputError(
                "scores of Album of the Year are read by their headers and stored as aoty; leave out --map, --source, --rights"
            )
        ready.report.source, ready.report.rights = "aoty", Rights.UNKNOWN.value
        ready.report.why = "its columns are Album of the Year's scores, whose terms say nothing of such use"
        return ready
    tags = read_tags(cells.values(ready.frame, ready.mapping)[0])
    said = [Finding(kind="unusable row", lines=(line,), detail="no artist or no tag") for line in tags.unusable]
    said += [
        Finding(kind="duplicate", lines=(line,), detail=f"says again what line {first} says")
        for line, first in tags.duplicates
    ]
    ready = replace(ready, findings=tuple(said), tags=tags)
    ready.report.found = dict(Counter(finding.kind for finding in said))
    ready.report.examples = examples(said)
    return ready


def examples(findings: Sequence[Finding], *, most: int = 10) -> tuple[Finding, ...]:
    """The first findings of each kind."""
    seen: dict[str, list[Finding]] = {}
    for finding in findings:
        seen.setdefault(finding.kind, [])
        if len(seen[finding.kind]) < most:
            seen[finding.kind].append(finding)
    return tuple(finding for kind in seen.values() for finding in kind)


def _whose(found: mapping.Mapping, options: Options) -> tuple[SourceProfile, str]:
    """As whose values a table's are stored, and why."""
    if options.source is not None:
        profile = TABLE_PROFILES.get(options.source)
        if profile is None:
            there = ", ".join(TABLE_PROFILES)
            raise InvalidInputError(f"there is no table source {options.source!r}; there are {there}")
        if options.rights is not None and options.rights is not profile.rights:
            raise InvalidInputError(f"values of {profile.name} are {profile.rights}; leave out --source or --rights")
        return profile, "you named the source"
    if options.rights is not None:
        try:
            return table_with(options.rights), "you said so"
        except KeyError as problem:
            raise InvalidInputError(f"no table can have the rights {options.rights}") from problem
    if found.shape == "spotify":
        return SPOTIFY_TABLE, "its columns are Spotify's, whose terms bar machine learning"
    if found.shape == "tags":
        return LASTFM_TABLE, "tags with counts are Last.fm's, free for non-commercial use"
    return table_with(Rights.UNKNOWN), "nobody said what its terms allow; --rights says it"


def _shown(frame: pl.DataFrame, column: mapping.Column) -> MappedColumn:
    samples = _samples(frame.get_column(column.column))
    return MappedColumn(field=column.field, column=column.column, unit=column.unit, samples=samples)


def _samples(cells: pl.Series) -> tuple[str, ...]:
    values = cells.drop_nulls().head(50).unique(maintain_order=True).head(_SAMPLES).to_list()
    return tuple(str(v).replace(PART, ", ")[:_LONGEST_SAMPLE] for v in values)


def _key(digest: str, found: mapping.Mapping, source: str) -> str:
    said = msgspec.json.encode((_PREPARING, records.TABLE_VERSION, digest, found, source))
    return hashlib.blake2b(said, digest_size=16).hexdigest()


def _findings(whole: laid.Laid, unread: Sequence[cells.Unread]) -> Iterator[Finding]:
    for row in whole.unusable:
        yield Finding(kind="unusable row", lines=(row.line,), detail=row.value)
    for one in whole.contradictions:
        said = " or ".join(one.values)
        yield Finding(
            kind="contradiction", lines=one.lines, name=one.name, detail=f"{one.field}: {said}; the first is taken"
        )
    for line, first in whole.duplicates:
        yield Finding(kind="duplicate", lines=(line,), detail=f"says again what line {first} says")
    for cell in unread:
        yield Finding(kind="unread cell", lines=(cell.line,), name=cell.column, detail=cell.value[:200])

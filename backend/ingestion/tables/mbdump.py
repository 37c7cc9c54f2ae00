"""MusicBrainz's dump tables (`mbdump/release`, `medium`, `track`, …) joined to rows of tracks, with MusicBrainz's identifiers.

Form: https://musicbrainz.org/doc/MusicBrainz_Database/Schema; tab-separated as PostgreSQL's COPY writes them, without a header.
"""

from __future__ import annotations

import contextlib
import shutil
import tarfile
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from backend.ingestion.tables.mapping import Column, Mapping
from backend.ingestion.tables.reading import LINE
from backend.utils.errors import InvalidInputError
from backend.utils.text import fold_name

if TYPE_CHECKING:
    import polars as pl

# By table, the columns that are needed and where they stand; the rest of a row is not read.
_COLUMNS: Final = {
    "release": {"id": 0, "gid": 1, "name": 2, "artist_credit": 3, "status": 5, "barcode": 9},
    "medium": {"id": 0, "release": 1, "position": 2},
    "track": {"recording": 2, "medium": 3, "position": 4, "name": 6, "artist_credit": 7, "length": 8},
    "recording": {"id": 0, "gid": 1},
    "artist_credit": {"id": 0, "name": 1},
    "isrc": {"recording": 1, "isrc": 2},
    "release_country": {"release": 0, "year": 2, "month": 3, "day": 4},
    "release_unknown_country": {"release": 0, "year": 1, "month": 2, "day": 3},
}
_NEEDED: Final = ("release", "medium", "track", "recording", "artist_credit")
_OFFICIAL: Final = "1"
# As COPY writes signs that would end a cell.
_ESCAPES: Final = {r"\\": "\\", r"\t": " ", r"\n": " ", r"\r": " "}
DUMP: Final = Mapping(
    "tracks",
    tuple(
        Column(field, column)
        for field, column in (
            ("album_mbid", "release.gid"), ("album", "release.name"), ("album_artist", "artist_credit.name"),
            ("release_date", "release_country.date"), ("upc", "release.barcode"), ("disc_number", "medium.position"),
            ("track_number", "track.position"), ("title", "track.name"), ("artists", "artist_credit.name"),
            ("duration_ms", "track.length"), ("track_mbid", "recording.gid"), ("isrc", "isrc.isrc"),
        )
    ),
)  # fmt: skip
"""What is read of it."""


def is_dump(path: Path) -> bool:
    """Whether a path is a folder with dump tables, or an archive of them."""
    return path.is_dir() or path.name.endswith((".tar.bz2", ".tar.gz", ".tar"))


@contextlib.contextmanager
def tables_of(path: Path) -> Iterator[dict[str, Path]]:
    """The tables' files; those of an archive are unpacked beside nothing and removed at the end.

    Raises:
        InvalidInputError: a table that is needed is missing, or the archive is broken.
    """
    with contextlib.ExitStack() as stack:
        if path.is_dir():
            inside = {p.name: p for folder in (path, path / "mbdump") if folder.is_dir() for p in folder.iterdir()}
            found = {name: inside[name] for name in _COLUMNS if name in inside}
        else:
            found = _unpacked(path, Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tensoe-mbdump-"))))
        missing = [name for name in _NEEDED if name not in found]
        if missing:
            raise InvalidInputError(
                f"{path} holds no table {', '.join(missing)} of MusicBrainz; give mbdump.tar.bz2 or the folder it unpacks to"
            )
        yield found


def _unpacked(path: Path, folder: Path) -> dict[str, Path]:
    found = {}
    try:
        with tarfile.open(path, "r|*") as archive:
            for member in archive:
                name = Path(member.name).name
                if member.isfile() and name in _COLUMNS and (file := archive.extractfile(member)) is not None:
                    found[name] = folder / name
                    with found[name].open("wb") as written:
                        shutil.copyfileobj(file, written, 1 << 20)
    except (tarfile.TarError, EOFError, OSError) as problem:
        raise InvalidInputError(f"{path} cannot be unpacked: {problem}; download it again") from problem
    return found


def rows(
    tables: dict[str, Path], *, mbids: Collection[str], keys: Collection[tuple[str, str]], everything: bool
) -> pl.DataFrame:
    """The tracks of releases as rows of fields, as `cells.values` gives them.

    Args:
        tables: from `tables_of`.
        mbids: of the releases that are wanted.
        keys: folded artist and title of the albums that are wanted under no identifier; of several releases of one name the first
            official one is taken.
        everything: all releases are wanted.

    Raises:
        InvalidInputError: a table is none, or damaged.
    """
    import polars as pl

    try:
        return _joined(tables, mbids=mbids, keys=keys, everything=everything)
    except pl.exceptions.PolarsError as problem:
        raise InvalidInputError(
            f"the dump's tables cannot be read: {str(problem).splitlines()[0]}; download them again"
        ) from problem


def _joined(
    tables: dict[str, Path], *, mbids: Collection[str], keys: Collection[tuple[str, str]], everything: bool
) -> pl.DataFrame:
    import polars as pl

    credits_ = _scan(tables, "artist_credit").rename({"name": "credit"})
    releases = _scan(tables, "release").join(credits_, left_on="artist_credit", right_on="id", how="inner").collect()
    if not everything:
        releases = _wanted(releases, mbids, keys)
    releases = releases.join(_dates(tables, releases), on="id", how="left")
    whole = (
        releases.lazy()
        .join(_scan(tables, "medium").rename({"id": "medium", "position": "disc"}), left_on="id", right_on="release")
        .join(_scan(tables, "track").rename({"name": "title", "artist_credit": "by"}), on="medium")
        .join(_scan(tables, "recording").rename({"gid": "recording_gid"}), left_on="recording", right_on="id")
        .join(credits_.rename({"credit": "track_credit"}), left_on="by", right_on="id", how="left")
        .join(_isrcs(tables), on="recording", how="left")
    )
    number = pl.col("position").cast(pl.Int64, strict=False)
    disc = pl.col("disc").cast(pl.Int64, strict=False)
    length = pl.col("length").cast(pl.Int64, strict=False)
    order = pl.col("id").cast(pl.Int64)
    found = whole.select(
        pl.col("gid").alias("album_mbid"), pl.col("name").alias("album"), pl.col("credit").alias("album_artist"), "release_date",
        pl.col("barcode").alias("upc"), "title", pl.col("track_credit").alias("artists"), "isrc",
        pl.col("recording_gid").alias("track_mbid"), pl.when(disc > 0).then(disc).alias("disc_number"),
        pl.when(number > 0).then(number).alias("track_number"), pl.when(length > 0).then(length).alias("duration_ms"),
        order.alias("_id"),
    ).sort("_id", "disc_number", "track_number").drop("_id").collect()  # fmt: skip
    texts = pl.col("album", "album_artist", "title", "artists").str.replace_many(
        list(_ESCAPES), list(_ESCAPES.values())
    )
    return found.with_columns(texts).with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias(LINE))


def _scan(tables: dict[str, Path], name: str) -> pl.LazyFrame:
    import polars as pl

    path, needed = tables[name], _COLUMNS[name]
    if not path.stat().st_size:
        return pl.LazyFrame(schema=dict.fromkeys(needed, pl.String))
    frame = pl.scan_csv(path, has_header=False, separator="\t", quote_char=None, null_values="\\N", infer_schema=False)
    columns = frame.collect_schema().names()
    if len(columns) <= max(needed.values()):
        raise InvalidInputError(
            f"{path} has {len(columns)} columns, and MusicBrainz's table {name} has {max(needed.values()) + 1} at least"
        )
    return frame.select(pl.col(columns[place]).alias(column) for column, place in _COLUMNS[name].items())


def _wanted(releases: pl.DataFrame, mbids: Collection[str], keys: Collection[tuple[str, str]]) -> pl.DataFrame:
    import polars as pl

    by_id = pl.col("gid").is_in(list(mbids))
    artists, titles = {artist for artist, _ in keys}, {title for _, title in keys}
    known = {name for name in releases.get_column("credit").unique().to_list() if fold_name(name) in artists}
    near = releases.filter(~by_id & pl.col("credit").is_in(list(known)))
    wanted, seen = [], set()
    ranked = near.sort(pl.col("status").eq_missing(_OFFICIAL), pl.col("id").cast(pl.Int64), descending=[True, False])
    for gid, name, credit in ranked.select("gid", "name", "credit").iter_rows():
        key = fold_name(credit), fold_name(name)
        if key[1] in titles and key in keys and key not in seen:
            seen.add(key)
            wanted.append(gid)
    return releases.filter(by_id | pl.col("gid").is_in(wanted))


def _dates(tables: dict[str, Path], releases: pl.DataFrame) -> pl.DataFrame:
    """The earliest date of each release, as precise as it is known."""
    import polars as pl

    names = [name for name in ("release_country", "release_unknown_country") if name in tables]
    if not names:
        return releases.select("id", pl.lit(None, dtype=pl.String).alias("release_date"))
    parts = [pl.col("year").str.zfill(4), pl.col("month").str.zfill(2), pl.col("day").str.zfill(2)]
    date = (
        pl.when(pl.col("month").is_null()).then(parts[0])
        .when(pl.col("day").is_null()).then(pl.concat_str(*parts[:2], separator="-"))
        .otherwise(pl.concat_str(*parts, separator="-"))
    )  # fmt: skip
    said = pl.concat([_scan(tables, name) for name in names]).filter(pl.col("year").is_not_null())
    dated = said.select(pl.col("release").alias("id"), date.alias("release_date"))
    return dated.group_by("id").agg(pl.col("release_date").min()).collect()


def _isrcs(tables: dict[str, Path]) -> pl.LazyFrame:
    """One code of each recording, the least: it may have several."""
    import polars as pl

    if "isrc" not in tables:
        return pl.LazyFrame(schema={"recording": pl.String, "isrc": pl.String})
    return _scan(tables, "isrc").group_by("recording").agg(pl.col("isrc").min())

"""What people give: tables, histories, playlists, lists, recipes, dump tables. Each is read, or refused in our own words."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest
from hypothesis import given

from backend.features.splits.recipe import SplitRecipe
from backend.ingestion.acousticbrainz_dump import AcousticBrainzDump
from backend.ingestion.dumps import entries
from backend.ingestion.histories.files import Given
from backend.ingestion.histories.reader import listens, require_known
from backend.ingestion.tables import mbdump
from backend.ingestion.tables.reading import Source
from backend.models.listening import HistoryReport
from backend.services import import_files
from backend.services.album_list import album_list_of
from backend.services.playlists.reading import read as read_playlist
from backend.services.recipes import parse_recipe, read_recipe
from backend.services.table_preparing import Options, prepare
from backend.utils.errors import InvalidInputError
from tests.fuzz.mutations import altered, changed, limits, made
from tests.table_files import ODD, TRACKS, albums_table

PAYLOADS = Path(__file__).parents[1] / "payloads"
_ROOM = 50_000_000  # bytes that a table may take
_CELLS = (
    b",",
    b";",
    b"\t",
    b'"',
    b"\n",
    b"\r",
    b'""',
    b"'",
    b"\\",
    b"1:",
    b"inf:0,",
    b"['a', ",
    b"['",
    b"0x",
    b"{",
    b"-",
    b"nan",
)


def _parquet(text: str) -> bytes:
    packed = io.BytesIO()
    pl.read_csv(text.encode(), infer_schema=False).write_parquet(packed)
    return packed.getvalue()


CLOCKS = "artist,album,title,length,tags,year,month,day\n" + "".join(
    f"Ada,Quay,Song {n},{n}:30,\"['rock', 'pop {n}']\",199{n},March,{n}\n" for n in range(1, 9)
)
TABLES = {
    "t.csv": [TRACKS, ODD, albums_table(), CLOCKS, "artist,tag,count\nAda,rock,3\nAda,pop,1\nBo,jazz,\n"],
    "t.parquet": [TRACKS, CLOCKS],
    "t.ndjson": [
        '{"artist":["Ada","Bo"],"title":"Tide","album":"Quay","duration_ms":200000,"tags":["rock"]}\n'
        '{"artist":["Ada"],"title":"Sand","album":"Quay","duration_ms":1000,"year":1999}\n'
    ],
}  # fmt: skip
SEEDS: dict[str, list[bytes]] = {
    name: [_parquet(t) if name.endswith("parquet") else t.encode() for t in texts] for name, texts in TABLES.items()
}
HISTORIES = [file.read_bytes() for file in sorted((PAYLOADS / "listens").iterdir())]
PLAYLISTS = {
    "l.m3u": b"#EXTM3U\n#EXTINF:1,Ada - Tide\nhttps://x/1\n#EXTINF:-1,Bo \xe2\x80\x93 Sand\nurn:tensoe:track:abc%20d\n",
    "l.xspf": b'<?xml version="1.0"?><playlist xmlns="http://xspf.org/ns/0/"><trackList><track><title>Tide</title>'
    b"<creator>Ada</creator><identifier>urn:tensoe:track:a</identifier></track></trackList></playlist>",
    "l.jspf": b'{"playlist":{"track":[{"title":"Tide","creator":"Ada","identifier":["urn:tensoe:track:a"]},{"title":"S"}]}}',
    "l.csv": b"Track Name,Artist Name(s),id\nTide,Ada,\n'=x,Bo,t1\n",
    "l.txt": b"Ada - Tide\nabcdefgh12\n",
}
RECIPE: dict[str, Any] = {
    "name": "mine", "limit": 100, "target": "genre", "as_of": "2026-01-31T12:00:00Z", "min_features": 3,
    "filter": {"genre": ["rock"], "year_from": 1960, "explicit": False},
    "split": {"by": "artist", "parts": {"train": 0.8, "test": 0.2}, "seed": 7},
}  # fmt: skip
TOML = (
    b'name = "mine"\nlimit = 100\nas_of = 2026-01-31T12:00:00Z\n[filter]\ngenre = ["rock"]\nyear_from = 1960\n'
    b'[split]\nby = "artist"\nseed = 7\n[split.parts]\ntrain = 0.8\ntest = 0.2\n'
)
SCORES = (
    b"Artist,Title,AOTY Critic Score,AOTY User Score,Release Date,Genre,AOTY Critic Reviews,"
    b"Release Month,Release Year,Release Day\n"
    b'Ada,Tide,70,71.5,"March 5, 1999",Rock; Pop,12,March,1999,5\nBo,Sand,NR,,1999-02,Jazz,,,,\n'
)


def given_bytes(name: str, content: bytes) -> import_files.Given:
    return import_files.Given(name, lambda: io.BytesIO(content))


@pytest.mark.parametrize("name", [*SEEDS, "t.csv.gz"])
def test_a_table_is_prepared_or_refused(name: str) -> None:
    plain = name.removesuffix(".gz")

    def make(rng: random.Random) -> bytes:
        written = altered(rng.choice(SEEDS[plain]), rng, words=_CELLS)
        if name == plain:
            return written
        packed = gzip.compress(written, 1)
        return packed if rng.random() < 0.7 else altered(packed, rng)

    @limits(60)
    @given(written=made(make))
    def run(written: bytes) -> None:
        with contextlib.suppress(InvalidInputError):
            ready = prepare(Source(name, lambda: io.BytesIO(written), _ROOM), Options(columns={}))
            for first, behind in ready.parts():
                list(ready.albums(first, behind))

    run()


@limits(150)
@given(
    written=made(
        lambda rng: altered(rng.choice(HISTORIES), rng, words=(*_CELLS, b"[", b"{", b"]", b"}", b"null", b"NaN"))
    )
)
def test_a_history_is_read_or_refused(written: bytes) -> None:
    _history(written)


@limits(100)
@given(
    value=made(
        lambda rng: changed(
            orjson.loads(rng.choice([h for h in HISTORIES if h[:1] in b"[{" and b"}\n{" not in h])), rng
        )
    )
)
def test_a_history_with_other_values_is_read_or_refused(value: Any) -> None:
    _history(json.dumps(value).encode())


def _history(written: bytes) -> None:
    files = [Given("export", lambda: io.BytesIO(written))]
    with contextlib.suppress(InvalidInputError):
        require_known(files)
        report = HistoryReport(listener="ada")
        assert len(list(listens(files, report))) == report.listens


@pytest.mark.parametrize("name", PLAYLISTS)
def test_a_playlist_is_read_or_refused(name: str) -> None:
    @limits(60)
    @given(
        written=made(
            lambda rng: altered(PLAYLISTS[name], rng, words=(b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"&a;", *_CELLS))
        )
    )
    def run(written: bytes) -> None:
        with contextlib.suppress(InvalidInputError):
            read_playlist(written.decode("utf-8", "replace"), name=name)

    run()


@limits(100)
@given(written=made(lambda rng: altered(b'album,artist\nTide,Ada\n"Sand, and",Bo\n', rng, words=_CELLS)))
def test_a_list_of_albums_is_read_or_refused(written: bytes) -> None:
    with contextlib.suppress(InvalidInputError):
        album_list_of(written)


@limits(100)
@given(written=made(lambda rng: altered(SCORES, rng, words=_CELLS)))
def test_a_table_of_scores_is_read_row_by_row(written: bytes) -> None:
    for entry in import_files.entries([given_bytes("scores.csv", written)], unused={}):
        assert (entry.album is None) == bool(entry.problem)


@limits(100)
@given(values=made(lambda rng: changed(RECIPE, rng)))
def test_a_recipe_is_followed_or_refused(values: Any) -> None:
    with contextlib.suppress(InvalidInputError):
        if isinstance(values, dict):
            SplitRecipe.from_plain(parse_recipe(values).split)


@limits(100)
@given(
    written=made(
        lambda rng: altered(TOML, rng, words=(b"[", b"]", b"=", b'"""', b"1_", b"a.", b"{", b"inf", b"2026-01-01"))
    )
)
def test_a_recipe_of_a_file_is_followed_or_refused(written: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(InvalidInputError):
        for name in ("r.toml", "r.json"):
            path = Path(folder) / name
            path.write_bytes(written)
            with contextlib.suppress(InvalidInputError):
                SplitRecipe.from_plain(read_recipe(path).split)


DUMP = {
    "release": b"1\taaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa\tTide\t1\t1\t1\t\\N\t\\N\t\\N\t0602445790128\t\\N\t0\t-1\t\\N\n",
    "medium": b"1\t1\t1\t1\t\t0\t\\N\t2\n",
    "track": b"1\tx\t1\t1\t1\t1\tSong \\t one\t1\t200000\t0\t\\N\tf\n2\ty\t2\t1\t2\t2\tSong two\t1\t\\N\t0\t\\N\tf\n",
    "recording": b"1\tbbbbbbbb-aaaa-4aaa-8aaa-aaaaaaaaaaaa\tS\n2\tcccccccc-aaaa-4aaa-8aaa-aaaaaaaaaaaa\tT\n",
    "artist_credit": b"1\tAda\t1\t1\n",
    "isrc": b"1\t1\tGBAYE0601690\t0\n",
    "release_country": b"1\t222\t1999\t3\t5\n",
}


@limits(40)
@given(
    wrong=made(
        lambda rng: {
            n: altered(t, rng, words=(b"\t", b"\n", b"\\N", b"\\")) if rng.random() < 0.4 else t
            for n, t in DUMP.items()
        }
    )
)
def test_dump_tables_are_joined_or_refused(wrong: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(InvalidInputError):
        for name, content in wrong.items():
            (Path(folder) / name).write_bytes(content)
        with mbdump.tables_of(Path(folder)) as tables:
            mbdump.rows(tables, mbids=set(), keys=set(), everything=True)


def _tar() -> bytes:
    import tarfile

    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for level in ("lowlevel", "highlevel"):
            body = orjson.dumps(next(_documents(level)))
            about = tarfile.TarInfo(f"{level}/aa/a/aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa-0.json")
            about.size = len(body)
            archive.addfile(about, io.BytesIO(body))
    return packed.getvalue()


def _documents(level: str) -> Iterator[dict[str, Any]]:
    if level == "highlevel":
        yield {"highlevel": {"danceability": {"all": {"danceable": 0.7}, "probability": 0.7, "value": "danceable"}}}
    else:
        yield {
            "rhythm": {"bpm": 120.5, "danceability": 1.1},
            "tonal": {"key_key": "C", "key_scale": "major", "key_strength": 0.8},
        }


@limits(60)
@given(written=made(lambda rng: altered(_tar(), rng)))
def test_an_archive_is_read_or_refused(written: bytes) -> None:
    dump = AcousticBrainzDump()
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(InvalidInputError):
        path = Path(folder) / "d.tar"
        path.write_bytes(written)
        for name, body in entries(path, lambda _: True):
            with contextlib.suppress(ValueError):
                dump.track("x", [dump.read(name, body)])


@limits(100)
@given(document=made(lambda rng: changed(next(_documents(rng.choice(("lowlevel", "highlevel")))), rng)))
def test_a_document_is_read_or_counted_as_broken(document: Any) -> None:
    dump = AcousticBrainzDump()
    with contextlib.suppress(ValueError):
        dump.track("x", [dump.read("x", json.dumps(document).encode())])


# -- what was found: each broke its reader once ----------------------------------------------------------------


@pytest.mark.parametrize("cell", ["inf:00", "1:nan", "9" * 400 + ":00", "0:30"])
def test_a_length_that_is_none(cell: str) -> None:
    text = "artist,album,title,length\n" + "Ada,Quay,Sand,3:30\n" * 3 + f"Ada,Quay,Tide,{cell}\n"
    ready = prepare(Source("t.csv", lambda: io.BytesIO(text.encode())), Options(columns={}))
    assert ready.report.tracks == 2


@pytest.mark.parametrize(
    "cell", ["[" * 90_000, "[" + "-" * 90_000 + "1]", "[0x" + "f" * 5_000 + "]", "['a', {'b': 1}]", "[b'x']"]
)
def test_a_list_that_is_none(cell: str) -> None:
    text = "artist,album,title,tags\n" + "Ada,Quay,Sand,\"['rock']\"\n" * 3 + f'Ada,Quay,Tide,"{cell}"\n'
    ready = prepare(Source("t.csv", lambda: io.BytesIO(text.encode())), Options(columns={}))
    assert ready.report.tracks == 2


@pytest.mark.parametrize("day", ["9" * 5_000, "\x1f", "\u0663"])
def test_a_day_that_is_none(day: str) -> None:
    text = f"artist,album,title,year,month,day\nAda,Quay,Tide,1999,3,{day}\n"
    assert prepare(Source("t.csv", lambda: io.BytesIO(text.encode())), Options(columns={})).report.tracks == 1


@pytest.mark.parametrize("text", ["limit = " + "9" * 5_000, "a = " + "[" * 50_000])
def test_a_recipe_that_is_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(text)
    with pytest.raises(InvalidInputError, match=r"r\.toml"):
        read_recipe(tmp_path / "r.toml")


@pytest.mark.parametrize(("name", "content"), [("medium", b""), ("track", b"1\t2\n"), ("release", b"\xff\xfe\x00\n")])
def test_dump_tables_that_are_none(name: str, content: bytes, tmp_path: Path) -> None:
    for other, written in (DUMP | {name: content}).items():
        (tmp_path / other).write_bytes(written)
    with mbdump.tables_of(tmp_path) as tables:
        if content:
            with pytest.raises(InvalidInputError):
                mbdump.rows(tables, mbids=set(), keys=set(), everything=True)
        else:
            assert mbdump.rows(tables, mbids=set(), keys=set(), everything=True).height == 0


def test_a_history_whose_reason_is_a_list() -> None:
    seed = next(h for h in HISTORIES if b"reason_end" in h and h[:1] == b"[")
    rows = [
        {k: [v] if k == "reason_end" else None if k == "skipped" else v for k, v in row.items()}
        for row in orjson.loads(seed)
    ]
    _history(json.dumps(rows).encode())


def test_a_broken_table_changes_nothing_for_other_readers() -> None:
    before = csv.field_size_limit()
    with pytest.raises(InvalidInputError, match="line 2 has 3"):
        prepare(Source("t.csv", lambda: io.BytesIO(b"artist,album\na,b,c\n")), Options(columns={}))
    assert csv.field_size_limit() == before


# -- small files of which much would come ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("t.csv.gz", gzip.compress(b"title,artist\n" + b"\0" * 60_000_000, 1)),
        ("t.csv", ",".join(f"c{i}" for i in range(5_000)).encode() + b"\n" * 5_000),
        ("t.ndjson", b"\n".join(b'{"k%d":1}' % i for i in range(3_000))),
        ("t.parquet", None),
    ],
)  # fmt: skip
def test_a_bomb_is_refused_before_it_is_made(name: str, written: bytes | None) -> None:
    if written is None:
        packed = io.BytesIO()
        pl.select(title=pl.repeat("x", 5_000_000)).write_parquet(packed)
        written = packed.getvalue()
        assert len(written) < 2_000_000
    with pytest.raises(InvalidInputError, match=r"unpacks to more than|there is no room"):
        prepare(Source(name, lambda: io.BytesIO(written), _ROOM), Options(columns={}))

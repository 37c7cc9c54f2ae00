from __future__ import annotations

import hashlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.config.settings import MlSettings
from backend.models.results import TrackFilter
from backend.services.export_service import ExportService
from backend.services.ml_service import MlService
from backend.utils.errors import InvalidInputError, NotFoundError
from tests.unit.features.tracks import known, mixed, table
from tests.unit.services.stored import StoredTracks

UNSAFE = [
    "", ".", "..", "../up.csv", "/etc/passwd.csv", "a/b.csv", "a\\b.csv", ".hidden.csv", ".csv", "name", "name.txt", "name.CSV",
    "a b.csv", "é.csv", "a\n.csv", "a.csv\n", "a\x00.csv", "a.csv/", "~.csv", "$(x).csv", "%2e%2e.csv", "x" * 97 + ".csv",
]  # fmt: skip


class Nobody:
    """Counts nothing: what is written here is counted from the files."""

    async def count(self, track_filter: TrackFilter, *, limit: int) -> dict[str, int]:
        raise AssertionError("not asked")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home" / "exports"


def service(folder: Path, tracks: StoredTracks | None = None) -> ExportService:
    ml = MlService(tracks or StoredTracks(mixed(50, holes=0)), MlSettings())
    return ExportService(ml, folder, provenances=Nobody(), profiles={})


@pytest.mark.parametrize("name", UNSAFE)
async def test_an_unsafe_name_is_refused_and_nothing_is_written(folder: Path, name: str) -> None:
    exports = service(folder)
    for attempt in (exports.training_data(name, limit=5), exports.feature_matrix(name, limit=5), exports.open(name)):
        with pytest.raises(InvalidInputError, match=r"\.csv, \.parquet, \.arrow, \.jsonl"):
            await attempt
    assert not folder.exists()


@pytest.mark.parametrize("name", ["a.csv", "a.b-c_d.parquet", "x" * 96 + ".csv", "0.arrow", "a..jsonl", "_.csv"])
async def test_an_export_tells_what_it_wrote_and_can_be_downloaded(folder: Path, name: str) -> None:
    exports = service(folder)
    for export in (exports.training_data, exports.feature_matrix):
        made = await export(name, limit=20)
        data = (folder / name).read_bytes()
        assert (made.name, made.rows, made.bytes) == (name, 20, len(data))
        assert made.sha256 == hashlib.sha256(data).hexdigest()
        assert made.download == f"/ml/exports/{name}"
        opened = await exports.open(name)
        assert b"".join([chunk async for chunk in opened.chunks]) == data
        assert opened.bytes == len(data)
    assert [listed.name for listed in await exports.list()] == [name]
    assert sorted(path.name for path in folder.iterdir()) == sorted([name, f"{name}.rights.json"])
    beside = orjson.loads((folder / f"{name}.rights.json").read_bytes())
    assert (beside["rows"], beside["sources"][0]["source"], beside["sources"][0]["share"]) == (20, "shop", 1.0)


async def test_suffixes_decide_the_form(folder: Path) -> None:
    exports, tracks = service(folder), mixed(50, holes=0)
    for name in ("t.arrow", "t.parquet"):
        await exports.training_data(name, limit=50)
    with pa.ipc.open_file(folder / "t.arrow") as arrow:
        assert arrow.read_all() == tracks
    assert pq.read_table(folder / "t.parquet") == tracks


async def test_rows_are_counted_whatever_the_titles_hold(folder: Path) -> None:
    titles = ['say ""hi""', "two\nlines", "plain", "comma, quote"]
    tracks = StoredTracks(table([known(title=title) for title in titles]))
    assert (await service(folder, tracks).training_data("a.csv", limit=9)).rows == 4
    tracks = StoredTracks(table([known(title='an odd " quote')] * 3))
    assert (await service(folder, tracks).training_data("a.jsonl", limit=9)).rows == 3
    empty = StoredTracks(table([]))
    for name in ("e.csv", "e.jsonl", "e.arrow", "e.parquet"):
        assert (await service(folder, empty).training_data(name, limit=9)).rows == 0


async def test_a_failure_leaves_the_old_file_and_no_half_one(folder: Path) -> None:
    class Breaking(StoredTracks):
        async def stream(self, *args: object, **kwargs: object) -> AsyncIterator[bytes]:
            yield b"half of it"
            raise OSError("the wire broke")

    await service(folder).training_data("a.csv", limit=5)
    before = (folder / "a.csv").read_bytes()
    with pytest.raises(OSError, match="the wire broke"):
        await service(folder, Breaking(mixed(5))).training_data("a.csv", limit=5)
    assert (folder / "a.csv").read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == ["a.csv", "a.csv.rights.json"]


async def test_links_and_other_things_are_neither_listed_nor_opened(folder: Path, tmp_path: Path) -> None:
    folder.mkdir(parents=True)
    secret = tmp_path / "secret.csv"
    secret.write_text("secret")
    (folder / "link.csv").symlink_to(secret)
    (folder / "folder.csv").mkdir()
    os.mkfifo(folder / "pipe.csv")
    (folder / "notes.txt").write_text("x")
    exports = service(folder)
    assert await exports.list() == []
    for name in ("link.csv", "folder.csv", "pipe.csv", "nothing.csv"):
        with pytest.raises(NotFoundError, match=name):
            await exports.open(name)
    made = await exports.training_data("link.csv", limit=2)  # replaces the link, not what it leads to
    assert made.rows == 2
    assert secret.read_text() == "secret"


async def test_what_a_killed_process_left_is_removed_after_a_day(folder: Path) -> None:
    folder.mkdir(parents=True)
    old, new = folder / ".a.csv.0.unfinished", folder / ".a.csv.1.unfinished"
    for path in (old, new):
        path.touch()
    os.utime(old, (time.time() - 90_000,) * 2)
    await service(folder).training_data("b.csv", limit=1)
    assert not old.exists()
    assert new.exists()


async def test_without_a_folder_there_are_no_exports(folder: Path) -> None:
    assert await service(folder).list() == []

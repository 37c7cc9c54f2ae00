from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from backend.services.dataset_exports import FORMS, export, packed
from backend.utils.errors import InvalidInputError, NotFoundError
from tests.unit.services.dataset_exports.data_sets import PARTS, make
from tests.unit.services.dataset_exports.readers import READERS, same

RANDOM_BYTES = {"duckdb"}


def bytes_of(place: Path) -> dict[str, bytes]:
    paths = sorted(place.rglob("*")) if place.is_dir() else [place]
    return {p.relative_to(place.parent).as_posix(): p.read_bytes() for p in paths if p.is_file()}


def test_every_form_is_read_back() -> None:
    assert list(FORMS) == list(READERS)


@pytest.mark.parametrize("kind", ["number", "class", "flag", None])
@pytest.mark.parametrize("form", FORMS)
def test_an_export_holds_all_rows_and_columns_exactly(tmp_path: Path, form: str, kind: str | None) -> None:
    made = make(tmp_path / "set", kind=kind)
    place = export(made.folder, form=form, into=tmp_path / "out")
    suffix = FORMS[form].suffix or f"-{form}"
    assert place == tmp_path / "out" / f"liked-by_us.v1-{made.manifest.fingerprint[:12]}{suffix}"
    assert list((tmp_path / "out").iterdir()) == [place]
    same(made, place, form)


@pytest.mark.parametrize("form", FORMS)
def test_a_part_without_rows_is_one_without_rows(tmp_path: Path, form: str) -> None:
    made = make(tmp_path / "set", parts={"train": 3, "fold-2": 0, "0": 1})
    same(made, export(made.folder, form=form, into=tmp_path), form)


def test_the_same_data_set_gives_the_same_bytes(tmp_path: Path) -> None:
    made = make(tmp_path / "set")
    # A day later, in another process, elsewhere.
    code = f"""
import time; time.time = lambda now=time.time(): now + 86400
from pathlib import Path
from backend.services.dataset_exports import FORMS, export
for form in FORMS:
    export(Path({str(made.folder)!r}), form=form, into=Path({str(tmp_path / "b")!r}))
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=100, env={**os.environ, "TZ": "Asia/Tokyo"})
    for form in FORMS.keys() - RANDOM_BYTES:
        first = export(made.folder, form=form, into=tmp_path / "a")
        assert bytes_of(tmp_path / "b" / first.name) == bytes_of(first), form


@pytest.mark.parametrize("form", FORMS)
def test_progress_is_told_up_to_all_rows_and_its_error_leaves_nothing(tmp_path: Path, form: str) -> None:
    made = make(tmp_path / "set")
    told: list[tuple[int, int]] = []
    export(made.folder, form=form, into=tmp_path / "a", progress=lambda *rows: told.append(rows))
    everything = 2 * sum(PARTS.values())
    assert told[0] == (0, everything)
    assert told[-1] == (everything, everything)
    assert told == sorted(told)
    assert len(told) > 2

    class CancelledError(Exception): ...

    def cancel(done: int, _all: int) -> None:
        if done > 10:
            raise CancelledError

    with pytest.raises(CancelledError):
        export(made.folder, form=form, into=tmp_path / "b", progress=cancel)
    assert list((tmp_path / "b").iterdir()) == []


@pytest.mark.parametrize("form", FORMS)
def test_an_export_that_is_there_is_replaced_when_the_new_one_is_whole(tmp_path: Path, form: str) -> None:
    made = make(tmp_path / "set")
    place = export(made.folder, form=form, into=tmp_path / "out")
    if place.is_dir():
        (place / "strange").write_text("not ours")
    else:
        place.write_bytes(b"old")

    def look(_done: int, _all: int) -> None:
        assert (place / "strange").is_file() if place.is_dir() else place.read_bytes() == b"old"

    assert export(made.folder, form=form, into=tmp_path / "out", progress=look) == place
    assert list((tmp_path / "out").iterdir()) == [place]
    same(made, place, form)
    assert place.is_file() or not (place / "strange").exists()


def test_a_full_disk_leaves_nothing_and_says_so(tmp_path: Path) -> None:
    made = make(tmp_path / "set", parts={"train": 3000}, width=40)
    code = f"""
import resource, signal, sys
from pathlib import Path
from backend.services.dataset_exports import FORMS, export
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
out = Path({str(tmp_path / "out")!r})
for form in FORMS:
    try:
        export(Path({str(made.folder)!r}), form=form, into=out)
    except OSError as problem:
        print(form, list(out.iterdir()))
"""
    ended = subprocess.run([sys.executable, "-c", code], check=True, timeout=100, capture_output=True, text=True)
    assert ended.stdout.splitlines() == [f"{form} []" for form in FORMS], ended.stderr


@pytest.mark.parametrize("form", ["csv", "npz", "duckdb"])
def test_a_killed_export_has_no_name_and_the_next_one_removes_what_it_left(tmp_path: Path, form: str) -> None:
    made = make(tmp_path / "set")
    out = tmp_path / "out"
    code = (
        "import os, signal\nfrom pathlib import Path; from backend.services.dataset_exports import export\n"
        "def progress(done, rows):\n    if done > rows // 2: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"export(Path({str(made.folder)!r}), form={form!r}, into=Path({str(out)!r}), progress=progress)"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    left = list(out.iterdir())
    assert left
    assert all(p.name.startswith(".") and p.name.endswith(".unfinished") for p in left)
    for path in left:
        os.utime(path, (time.time() - 2 * 86400,) * 2)
    place = export(made.folder, form=form, into=out)
    assert list(out.iterdir()) == [place]


@pytest.mark.parametrize("form", ["csv", "huggingface"])
def test_a_folder_is_packed_into_the_same_bytes(tmp_path: Path, form: str) -> None:
    made = make(tmp_path / "set")
    place = export(made.folder, form=form, into=tmp_path / "a")
    one = packed(place)
    other = packed(export(made.folder, form=form, into=tmp_path / "b"))
    assert one == place.with_name(f"{place.name}.zip")
    assert one.read_bytes() == other.read_bytes()
    with zipfile.ZipFile(one) as archive:
        assert archive.testzip() is None
        assert {n: archive.read(n) for n in archive.namelist()} == bytes_of(place)


def test_what_cannot_be_exported_is_said(tmp_path: Path) -> None:
    made = make(tmp_path / "set")
    out = tmp_path / "out"
    with pytest.raises(InvalidInputError, match="form='excel' is not known; there are csv, parquet"):
        export(made.folder, form="excel", into=out)
    with pytest.raises(NotFoundError, match=r"no manifest\.json"):
        export(tmp_path, form="csv", into=out)
    path = made.folder / "tracks" / "test.parquet"
    data = path.read_bytes()
    path.write_bytes(data[:-9] + b"x" + data[-8:])
    with pytest.raises(InvalidInputError, match=r"tracks/test\.parquet was changed since"):
        export(made.folder, form="csv", into=out)
    path.unlink()
    with pytest.raises(InvalidInputError, match=r"damaged: it has no tracks/test\.parquet"):
        export(made.folder, form="csv", into=out)
    manifest = made.folder / "manifest.json"
    text = manifest.read_text()
    manifest.write_text(text.replace('"version":1', '"version":2'))
    with pytest.raises(InvalidInputError, match="version 2; this Tensoe reads"):
        export(made.folder, form="csv", into=out)
    manifest.write_text(text.replace('"test":', '"../test":'))
    with pytest.raises(InvalidInputError, match="cannot be part of a file's name"):
        export(made.folder, form="csv", into=out)
    manifest.write_text(text[:-3])
    with pytest.raises(InvalidInputError, match="damaged or no manifest"):
        export(made.folder, form="csv", into=out)
    assert not out.exists()

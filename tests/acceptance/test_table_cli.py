"""`tensoe import table` as its own process: what it shows, what it writes down, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.repositories.database import Database
from tests.acceptance.test_cli import Cli
from tests.table_files import HEAD, row


@pytest.fixture
def tensoe(database: Database, postgres_dsn: str, tmp_path: Path) -> Cli:
    return Cli(postgres_dsn, tmp_path / "home of data")


def test_shown_stored_and_written_down(tensoe: Cli, tmp_path: Path) -> None:
    table, told = tmp_path / "songs.csv", tmp_path / "told.csv"
    table.write_text("\n".join((HEAD, row(1, 1), row(1, 1, track_popularity=99), row(2, 2))) + "\n", "utf-8")
    shown = tensoe("import", "table", str(table), "--dry-run", TENSOE_DEMO="off")
    assert "title             track_name" in shown
    assert "stored as spotify_table, rights restricted" in shown
    assert "Nothing was stored" in shown
    stored = tensoe("import", "table", str(table), "--report", str(told), TENSOE_DEMO="off")
    assert "Albums: 2 new" in stored
    status = tensoe("status", TENSOE_DEMO="off")
    assert any("spotify_table" in line and "imported" in line for line in status.splitlines())
    assert f"{table},contradiction,2 3,Song 1,popularity: 1 or 99; the first is taken" in told.read_text("utf-8")
    (again,) = tensoe.json("import", "table", str(table))
    assert again["counts"]["unchanged"] == 2


def test_no_title_is_run_as_a_formula_by_who_opens_the_report(tensoe: Cli, tmp_path: Path) -> None:
    table, told = tmp_path / "songs.csv", tmp_path / "told.csv"
    title = "=1+1"
    rows = (row(1, 1, track_name=title), row(1, 1, track_name=title, track_popularity=99))
    table.write_text("\n".join((HEAD, *rows)) + "\n", "utf-8")
    tensoe("import", "table", str(table), "--dry-run", "--report", str(told), TENSOE_DEMO="off")
    assert f"contradiction,2 3,'{title}," in told.read_text("utf-8")


def test_a_row_that_cannot_be_taken_and_a_mapping_that_cannot_be(tensoe: Cli, tmp_path: Path) -> None:
    table = tmp_path / "songs.csv"
    table.write_text("\n".join((HEAD, row(1, 1), row(2, 1, track_name=""))) + "\n", "utf-8")
    assert "line 3: no title" in tensoe("import", "table", str(table), code=1)
    assert "there is no field 'nothing'" in tensoe("import", "table", str(table), "--map", "nothing=x", code=2)

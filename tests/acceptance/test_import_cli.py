"""`tensoe import aoty` as its own process: files, folders, what could not be taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.repositories.database import Database
from tests.acceptance.test_cli import Cli
from tests.fakes.aoty import page
from tests.fakes.music import ARTIST, HARBOUR

HEAD = "Artist,Title,Mood,AOTY User Score\n"


@pytest.fixture
def tensoe(database: Database, postgres_dsn: str, tmp_path: Path) -> Cli:
    return Cli(postgres_dsn, tmp_path / "home of data")


def test_pages_and_tables(tensoe: Cli, tmp_path: Path) -> None:
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "page.html").write_text(page(HARBOUR), "utf-8")
    (tmp_path / "scores.csv").write_text(f"{HEAD}Ada,Tide,calm,70\n{ARTIST},{HARBOUR.title},calm,75\n", "utf-8")
    said = tensoe("import", "aoty", str(tmp_path / "saved"), str(tmp_path / "scores.csv"), TENSOE_DEMO="off")
    assert "3 pages and rows" in said
    assert "2 new, 1 unchanged" in said
    assert "columns not used: Mood" in said
    found = tensoe.json("import", "aoty", str(tmp_path / "saved"))
    assert (found["counts"], found["items"][0]["name"]) == ({"unchanged": 1}, f"{ARTIST} – {HARBOUR.title}")


def test_what_could_not_be_taken_is_named(tensoe: Cli, tmp_path: Path) -> None:
    table = tmp_path / "scores.csv"
    table.write_text(f"{HEAD}Ada,Tide,calm,seventy\nAda,Quay,calm,70\n", "utf-8")
    said = tensoe("import", "aoty", str(table), code=1)
    assert "1 new, 1 unreadable" in said
    assert "scores.csv:2" in said
    assert "user score 'seventy' is no number" in said


def test_a_path_that_is_not_there(tensoe: Cli, tmp_path: Path) -> None:
    assert "is not there" in tensoe("import", "aoty", str(tmp_path / "nothing.html"), code=2)

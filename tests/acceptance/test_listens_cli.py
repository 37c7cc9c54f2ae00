"""`tensoe listens` as its own process: import, show, resolve, forget."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.repositories.database import Database
from tests.acceptance.test_cli import Cli
from tests.unit.ingestion.histories.given import PAYLOADS


@pytest.fixture
def tensoe(database: Database, postgres_dsn: str, tmp_path: Path) -> Cli:
    return Cli(postgres_dsn, tmp_path / "home of data")


def test_import_show_resolve_forget(tensoe: Cli, tmp_path: Path) -> None:
    assert "No listening history is stored" in tensoe("listens")
    table = tmp_path / "scrobbles.csv"
    table.write_text("Beatles,Abbey Road,Something,20 May 2021 17:55\nAda,,Quay,20 May 2021 18:00\n")
    said = tensoe("listens", "import", "--consent", str(PAYLOADS / "endsong_0.json"), str(table))
    assert "4 listens read" in said
    assert "4 new, 0 known before" in said
    assert "Spotify extended streaming history" in said
    assert "0 new, 4 known before" in tensoe(
        "listens", "import", "--consent", str(PAYLOADS / "endsong_0.json"), str(table)
    )
    tensoe("ingest", "Abbey Road", "The Beatles")
    assert "1 listen laid onto tracks of the catalogue" in tensoe("listens", "resolve")
    said = tensoe("listens")
    assert "me  2019-11-05 to 2021-05-20, kept with consent of " in said
    assert "4 listens (2 lastfm, 2 spotify), 4 plays of 30 seconds or longer; 4 tracks, 3 artists" in said
    assert "25.0% of the listens are of tracks that the catalogue has" in said
    assert tensoe("listens", "show", "--listener", "me") == said
    (found,) = tensoe.json("listens", "show")
    assert (found["listens"], found["resolved"], found["top_artists"][0]["name"]) == (4, 1, "The Amber Lanterns")
    assert tensoe.json("listens", "forget", "me", "--yes") == {"listener": "me", "deleted": 4}
    assert tensoe.json("listens", "show") == []
    assert "No listens of 'me' are stored" in tensoe("listens", "forget", "me", "--yes", code=1)


def test_forgetting_asks(tensoe: Cli) -> None:
    tensoe("listens", "import", "--consent", str(PAYLOADS / "lastfm_ghan.csv"), "--listener", "Zoë", code=1)
    assert "will be deleted" in tensoe("listens", "forget", "Zoë", code=1)
    (found,) = tensoe.json("listens", "show")
    assert (found["listener"], found["listens"]) == ("Zoë", 2)


def test_broken_rows_are_named_with_file_and_place(tensoe: Cli) -> None:
    said = tensoe("listens", "import", "--consent", str(PAYLOADS / "Streaming_History_Audio_2021_0.json"), code=1)
    assert "Streaming_History_Audio_2021_0.json, row 9: 'yesterday' is no date" in said
    assert "2 podcasts and audio books" in said
    assert "1 heard in a private session" in said


def test_what_is_no_history(tensoe: Cli, tmp_path: Path) -> None:
    said = tensoe("listens", "import", "--consent", str(PAYLOADS / "Userdata.json"), code=2)
    assert "is no listening history that is known" in said
    assert "endsong_*.json" in said
    assert "is not there" in tensoe("listens", "import", "--consent", str(tmp_path / "nothing.json"), code=2)
    assert "cannot be a listener's name" in tensoe(
        "listens", "import", "--consent", str(PAYLOADS / "lastfm_ghan.csv"), "--listener", "a/b", code=2
    )


def test_what_is_kept_is_said_and_asked_for_once(tensoe: Cli) -> None:
    file = str(PAYLOADS / "lastfm_ghan.csv")
    said = tensoe("listens", "import", file, code=1)
    assert "Kept of each listen" in said
    assert "Does me agree?" in said
    assert tensoe.json("listens", "show") == []
    tensoe("listens", "import", "--consent", file, code=1)
    tensoe("listens", "import", file, code=1)
    assert tensoe.json("listens", "show")[0]["listens"] == 2

"""`tensoe listener` as its own process: profile, recommend, wanted and on to ingest, compare, forget."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.repositories.database import Database
from tests.acceptance.test_cli import Cli

MINE = """Miles Davis,Kind of Blue,So What,20 May 2019 17:55
Miles Davis,Kind of Blue,So What,20 May 2020 17:55
The Beatles,Abbey Road,Something,20 May 2020 18:55
Radiohead,OK Computer,Lucky,20 May 2020 19:55
"""
YOURS = "The Beatles,Abbey Road,Something,21 May 2020 18:55\n"


@pytest.fixture
def tensoe(database: Database, postgres_dsn: str, tmp_path: Path) -> Cli:
    return Cli(postgres_dsn, tmp_path / "home of data")


def test_a_taste_from_the_terminal(tensoe: Cli, tmp_path: Path) -> None:
    for name, plays in (("me", MINE), ("you", YOURS)):
        (tmp_path / f"{name}.csv").write_text(plays)
        tensoe("listens", "import", "--consent", "--listener", name, str(tmp_path / f"{name}.csv"))
    assert "tensoe listener wanted" in tensoe("listener", "recommend", "me", code=1)

    said = tensoe("listener", "wanted", "me")
    assert [line.split()[0] for line in said.splitlines()[1:4]] == ["2", "1", "1"]
    assert "artists of whom nothing is stored: miles davis" in said.casefold()
    table = tmp_path / "wanted.csv"
    assert f"tensoe ingest --file {table}" in tensoe("listener", "wanted", "me", "--limit", "2", "--csv", str(table))
    tensoe("ingest", "--file", str(table))
    assert tensoe.json("listener", "wanted", "me")["batch"] == {"albums": [["OK Computer", "Radiohead"]]}

    said = tensoe("listener", "profile", "me", "--by", "quarter")
    assert "me (history): 4 plays; the catalogue has the track of 75%, the artist of 75%" in said
    assert "2019-Q2" in said
    assert "genres: " in said
    found = tensoe.json("listener", "recommend", "me", "-k", "3")
    assert {pick["artist"] for pick in found["familiar"]} == {"Miles Davis", "The Beatles"}
    assert "because of" in tensoe("listener", "recommend", "me")
    assert "both play: The Beatles 25%/100%" in tensoe("listener", "compare", "me", "you")

    assert "will be erased" in tensoe("listener", "forget", "me", code=1)
    assert tensoe.json("listener", "forget", "me", "--yes") == {"listener": "me", "source": "history", "deleted": 4}
    assert "No listens of 'me' are stored" in tensoe("listener", "profile", "me", code=1)


def test_who_is_not_known_and_what_is_not_set_up_is_said(tensoe: Cli) -> None:
    assert "No listens of 'nobody' are stored" in tensoe("listener", "profile", "nobody", code=1)
    assert "cannot be a listener's name" in tensoe("listener", "wanted", "a/b", code=2)
    assert "LASTFM_API_KEY is not set" in tensoe("listener", "profile", "rj", "--source", "lastfm", code=1)
    assert "himself" in tensoe("listener", "compare", "a", "a", code=2)

"""The `tensoe` command as its own process, on a real database, with the demo as its source."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from backend.repositories.database import Database

ROOT = Path(__file__).resolve().parents[2]


class Cli:
    """Runs the command."""

    def __init__(self, dsn: str, home: Path) -> None:
        self.environment = {**os.environ, "DATABASE_URL": dsn, "TENSOE_HOME": str(home), "TENSOE_DEMO": "on"}

    def __call__(self, *words: str, code: int = 0, **settings: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "backend.cli", *words],
            cwd=ROOT,
            env={**self.environment, **settings},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout if code == 0 else done.stdout + done.stderr

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "--json"))


@pytest.fixture
def tensoe(database: Database, postgres_dsn: str, tmp_path: Path) -> Cli:
    return Cli(postgres_dsn, tmp_path / "home of data")


def test_one_album(tensoe: Cli) -> None:
    said = tensoe("ingest", "abbey road", "beatles")
    assert "complete, 17 tracks stored" in said
    assert "Here Comes the Sun" in said
    assert "made up (demo)" in said
    assert "Taken for: Abbey Road – The Beatles" in said
    found = tensoe.json("ingest", "Abbey Road", "The Beatles")
    assert found["report"]["result"] == "complete"
    outcomes = {s["source"]: s["outcome"] for s in found["report"]["sources"]}
    assert {name for name, outcome in outcomes.items() if outcome == "ok"} == {"demo", "synthetic"}
    assert set(outcomes.values()) == {"ok", "unconfigured"}
    assert len(found["tracks"]) == 17
    assert tensoe.json("status")["data"]["albums"] == 1


def test_an_album_nobody_knows(tensoe: Cli) -> None:
    said = tensoe("ingest", "No Such Album", "Nobody At All", code=1)
    assert "not_found" in said
    assert tensoe.json("status")["data"]["albums"] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ingest", "", "x"), "album_name is empty"),
        (("ingest", "x" * 10_000, "x"), "10,000 characters"),
        (("ingest", "Abbey Road"), "give an album and an artist"),
        (("ingest", "a", "b", "--file", "c.csv"), "not both"),
        (("ingest", "--file", "no such file.csv"), "cannot be read"),
        (("export", "everything", "x.csv"), "training-data and feature-matrix"),
        (("export", "training-data", "../x.csv"), "no folder"),
        (("demo", "generate", "0"), "ask for 1 to 200,000"),
    ],
)
def test_bad_input_is_one_clear_sentence(tensoe: Cli, words: tuple[str, ...], said: str) -> None:
    assert said in tensoe(*words, code=2)


def test_a_list_with_a_bad_line_stores_nothing(tensoe: Cli, tmp_path: Path) -> None:
    path = tmp_path / "albums.csv"
    path.write_text("album,artist\nAbbey Road,The Beatles\nNevermind\n")
    assert "line 3 has no artist" in tensoe("ingest", "--file", str(path), code=2)
    assert tensoe("jobs").strip() == "No job yet."


def test_from_a_list_to_exports_and_recommendations(tensoe: Cli, tmp_path: Path) -> None:
    path = tmp_path / "albums.csv"
    path.write_text("Artist;Album\nMiles Davis;Kind of Blue\nRadiohead;OK Computer\nNobody;Nothing At All\n")
    said = tensoe("ingest", "--file", str(path), code=1)
    assert "3 albums: 2 complete, 1 not_found" in said
    (job,) = tensoe.json("jobs")
    assert job["counts"]["complete"] == 2
    assert "Nothing At All" in tensoe("jobs", job["id"])
    made = tensoe.json("export", "training-data", "tracks.jsonl")
    exported = tmp_path / "home of data" / "exports" / "tracks.jsonl"
    rows = [json.loads(line) for line in exported.read_text().splitlines()]
    assert made["rows"] == len(rows) == 17
    (best, *_) = tensoe.json("recommend", rows[0]["id"])
    assert best["id"] in {r["id"] for r in rows}
    assert best["reasons"]
    assert "No track has the id" in tensoe("recommend", "nothing", code=1)


def test_asking_from_a_terminal(tensoe: Cli, tmp_path: Path) -> None:
    tensoe("ingest", "Kind of Blue", "Miles Davis")
    tensoe("ingest", "OK Computer", "Radiohead")
    first, *_, last = tensoe.json("discover", "fast", "--k", "100", "--per-artist", "0")["data"]
    file = tmp_path / "list.m3u8"
    said = tensoe("discover", "about 120 bpm, wobbely, melancholic", "--plus", first["id"], "--minus", last["id"], "--k", "5",
                  "--emphasis", "genres=2", "--without", "popularity", "--out", str(file))  # fmt: skip
    assert "not understood: wobbely" in said
    assert "tempo about 120 BPM" in said
    assert file.read_text().startswith("#EXTM3U\n")
    assert file.read_text().count("#EXTINF") == 5
    on = tensoe.json("continue", str(file), "--k", "3", "--out", str(tmp_path / "on.xspf"))
    assert (len(on["matched"]), on["unmatched"], on["count"]) == (5, [], 3)
    assert len(tensoe.json("continue", str(tmp_path / "on.xspf"))["matched"]) == 3
    miles = tensoe.json("discover", "--plus-artist", "radiohead", "--k", "1")["data"][0]
    head = tensoe.json("discover", "--plus-artist", "miles davis", "--k", "1")["data"][0]
    assert (miles["artist"], head["artist"]) == ("Miles Davis", "Radiohead")
    way = tensoe.json("path", miles["id"], head["id"], "--steps", "2")
    assert [row["id"] for row in way["data"]] == [miles["id"], head["id"]]
    assert "Smoothness" in tensoe("path", miles["id"], head["id"], "--steps", "2")
    assert tensoe.json("overlooked", "--by", "everybody", "--tracks")["by"] == "everybody"
    for words, code, told in (
        (("discover",), 2, "Say what is asked for"), (("discover", "melancolic"), 2, "melancholic"),
        (("discover", "loud", "--year-from", "2999"), 1, "year_from=2999"), (("discover", "loud", "--seen-by", "me"), 1, "'me'"),
        (("discover", "loud", "--out", "x.mp3"), 2, ".xspf"), (("discover", "loud", "--emphasis", "genres"), 2, "GROUP=FACTOR"),
        (("discover", "loud", "--valence", "0.5"), 2, "--arousal"), (("path", "nothing", head["id"]), 1, "nothing"),
        (("continue", "no such file.txt"), 2, "cannot be read"), (("overlooked", "--by", "me"), 2, "there are critics"),
        (("overlooked", "--out", "x.xspf"), 2, "--tracks"),
    ):  # fmt: skip
        assert told in tensoe(*words, code=code)


def test_a_list_that_is_not_waited_for_is_worked_off_later(tensoe: Cli, tmp_path: Path) -> None:
    path = tmp_path / "albums.csv"
    path.write_text("Abbey Road,The Beatles\nThriller,Michael Jackson\n")
    assert "2 albums wait" in tensoe("ingest", "--file", str(path), "--no-wait")
    assert tensoe.json("status")["data"]["albums"] == 0
    assert "2 albums: 2 complete" in tensoe("resume")
    assert "Nothing waits" in tensoe("resume")


def test_the_demo_comes_and_goes(tensoe: Cli) -> None:
    assert "The demo is off" in tensoe("demo", "load", TENSOE_DEMO="off")
    assert "complete" in tensoe("demo", "load")
    before = tensoe.json("status")["data"]["albums"]
    assert before >= 60
    tensoe("demo", "generate", "20", "--seed", "7")
    assert tensoe.json("status")["data"]["albums"] == before + 20
    assert f"{before + 20} albums are removed" in tensoe("demo", "remove")
    tensoe("demo", "load")
    assert tensoe.json("status")["data"]["albums"] == before


def test_a_database_that_is_not_there(tensoe: Cli) -> None:
    said = tensoe("status", code=1, DATABASE_URL="postgresql://me:hush-hush@127.0.0.1:9/x")
    assert "cannot be reached" in said
    assert "hush-hush" not in said

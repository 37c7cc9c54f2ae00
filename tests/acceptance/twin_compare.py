"""Ingest albums from the provider twin through the command line and compare what is served with the twin's catalogue.

    python tests/acceptance/twin_compare.py [--albums 200] [--limited 30] [--seed 1]

The first `--limited` albums run with the twin's rate limits on, the rest with them off. Prints the share of right
values per field and exits with 1 when any is below 100 %. Where two albums of an artist bear one name, either counts.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
import unicodedata
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from backend.ingestion.tag_weights import weigh
from backend.ingestion.vocabulary import Kind
from backend.models.ingestion_models import AUDIO_FEATURES, Tag
from backend.utils.text import fold_name
from tests.fixtures.twin import FOLDER, Twin, free_port, running_twin

ROOT = Path(__file__).resolve().parents[2]
MOST = 10_000  # of genres and moods, so that none is cut


class Tally:
    """Right and wrong values per field, with some examples of wrong ones."""

    def __init__(self) -> None:
        self.right: Counter[str] = Counter()
        self.total: Counter[str] = Counter()
        self.wrong: dict[str, list[str]] = {}

    def note(self, field: str, *, got: object, expected: object, where: str, near: float = 0.0) -> None:
        """Count one value; numbers may differ by `near`, texts by their Unicode normal form (what is stored is NFC)."""
        if isinstance(expected, str):
            expected = unicodedata.normalize("NFC", expected)
        good = got == expected
        if not good and near and isinstance(got, int | float) and isinstance(expected, int | float):
            good = abs(got - expected) <= near
        self.total[field] += 1
        self.right[field] += good
        if not good:
            self.wrong.setdefault(field, []).append(f"{where}: {got!r} instead of {expected!r}")

    @property
    def flawless(self) -> bool:
        """Whether there are values and all of them are right."""
        return bool(self.total) and self.right == self.total

    def lines(self) -> Iterator[str]:
        """A line a field, then examples."""
        for field in self.total:
            share = 100 * self.right[field] / self.total[field]
            yield f"  {field:18} {self.right[field]:6} of {self.total[field]:6} right  {share:7.3f} %"
        for field, examples in self.wrong.items():
            yield from (f"  WRONG {field}: {e}" for e in examples[:5])


def compare_album(found: dict[str, Any], truth: dict[str, Any], tally: Tally) -> None:
    """Compare an album as `/albums/{id}` answers it with the twin's truth."""
    where = f"{truth['artist']['name']} – {truth['name']}"
    tally.note("album title", got=found["title"], expected=truth["name"], where=where)
    tally.note("album artist", got=found["artist"], expected=truth["artist"]["name"], where=where)
    full = (truth["release_date"] + "-01-01")[:10]
    tally.note("release date", got=found["release_date"], expected=full, where=where)
    tally.note("track count", got=len(found["tracks"]), expected=len(truth["tracks"]), where=where)
    page = truth["aoty"]
    for field, key in (
        ("aoty_critic_score", "critic"), ("aoty_critic_count", "critic_count"),
        ("aoty_user_score", "user"), ("aoty_user_count", "user_count"),
    ):  # fmt: skip
        expected = page[key] if page else None
        if expected is not None and "count" in key and page[key.removesuffix("_count")] is None:
            continue  # a count without a score says nothing
        tally.note(field, got=found[field], expected=expected, where=where, near=0.051)
    genres, moods = expected_tags(truth)
    _compare_tags("album genres", found["genres"], genres, most=10, tally=tally, where=where)
    _compare_tags("album moods", found["moods"], moods, most=15, tally=tally, where=where)
    for got, expected in zip(found["tracks"], truth["tracks"], strict=False):
        compare_track(got, expected, tally, f"{where} #{expected['n']}")


def compare_track(got: dict[str, Any], truth: dict[str, Any], tally: Tally, where: str) -> None:
    """Compare one track."""
    for field, expected in (
        ("title", truth["name"]), ("track_number", truth["n"]), ("duration_ms", truth["ms"]),
        ("explicit", truth["explicit"]), ("popularity", truth["popularity"]), ("isrc", truth["isrc"]),
    ):  # fmt: skip
        tally.note(field, got=got[field], expected=expected, where=where)
    for name in AUDIO_FEATURES:
        expected = (truth["features"] or {}).get(name)
        if expected == 0 and name in {"tempo", "time_signature"}:
            expected = None  # Spotify's way of saying that none was found
        tally.note(name, got=(got["audio_features"] or {}).get(name), expected=expected, where=where, near=1e-6)


def expected_tags(truth: dict[str, Any]) -> tuple[set[str], set[str]]:
    """What the vocabulary makes of all tags that any of the twin's services has for the album."""
    page = truth["aoty"] or {}
    names = (
        [t for t, _ in truth["tags"]]
        + truth["artist"]["genres"]
        + [g.strip() for g in (page.get("genre") or "").split(",")]
    )
    tags = (("twin", Tag(name=n, weight=1.0, level="album"), 1.0) for n in names if n)
    words = weigh(tags, {fold_name(truth["artist"]["name"]), fold_name(truth["name"])})
    return {w.name for w in words if w.kind is Kind.GENRE}, {w.name for w in words if w.kind is Kind.MOOD}


def _compare_tags(field: str, got: list[str], expected: set[str], *, most: int, tally: Tally, where: str) -> None:
    # Which of more than `most` are kept depends on weights; that they are right ones and as many as may be does not.
    good = set(got) <= expected and len(got) == min(most, len(expected))
    tally.note(field, got=sorted(got), expected=sorted(got) if good else sorted(expected), where=where)


def command_line(arguments: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the `tensoe` command."""
    command = [sys.executable, "-m", "backend.cli", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@contextmanager
def server(environment: dict[str, str]) -> Iterator[str]:
    """Serve, and end afterwards."""
    port = free_port()
    environment = {
        **environment,
        "API_PORT": str(port),
        "API_HOST": "127.0.0.1",
        "RATE_LIMIT": "off",
        "LOG_LEVEL": "WARNING",
    }
    with subprocess.Popen([sys.executable, "-m", "backend.startup"], cwd=ROOT, env=environment) as process:
        base = f"http://127.0.0.1:{port}"
        try:
            for _ in range(600):
                try:
                    get(f"{base}/")
                    break
                except OSError:
                    time.sleep(0.1)
            yield base
        finally:
            process.terminate()
            process.wait(30)


def get(url: str) -> Any:
    """The JSON at an address."""
    with urllib.request.urlopen(url, timeout=60) as answer:
        return json.load(answer)


def all_albums(base: str) -> Iterator[dict[str, Any]]:
    """Every album in full, page by page."""
    cursor = ""
    while True:
        page = get(f"{base}/albums?limit=100{f'&cursor={urllib.parse.quote(cursor)}' if cursor else ''}")
        for row in page["data"]:
            yield get(f"{base}/albums/{row['id']}")
        cursor = page["next_cursor"]
        if not cursor:
            return


def ingest(twin: Twin, wanted: list[dict[str, str]], environment: dict[str, str], folder: Path) -> str:
    """Ingest the pairs with `tensoe ingest --file`; what the command printed."""
    path = folder / "albums.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("album", "artist"), *((w["album"], w["artist"]) for w in wanted)])
    done = command_line(["ingest", "--file", str(path)], environment)
    if done.returncode not in {0, 1}:
        raise SystemExit(f"tensoe ingest ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def run(*, albums: int, limited: int, seed: int, home: Path) -> tuple[Tally, list[str]]:
    """The whole comparison; the tally and lines for people."""
    lines: list[str] = []
    tally = Tally()
    with running_twin("--extended") as twin:
        environment = {
            **os.environ,
            **twin.environment(),
            "LOG_LEVEL": "WARNING",
            "TENSOE_HOME": str(home / "home"),
            "DATABASE_URL": "",
        }
        wanted = twin.get(f"albums?n={albums}&seed={seed}")
        if limited:
            environment |= {"SPOTIFY_RATE": "9", "LASTFM_RATE": "4.5", "AOTY_SECONDS_BETWEEN": "1.1"}
            lines.append(f"limits on, {limited} albums: " + ingest(twin, wanted[:limited], environment, home).strip())
            refused = {k: v["refused_for_rate"] for k, v in twin.get("stats").items() if v["requests"]}
            lines.append(f"refused for rate by the twin: {refused}")
        twin.post("faults", {"*": {"rate": 0}})
        environment |= {"SPOTIFY_RATE": "1000", "LASTFM_RATE": "1000", "AOTY_SECONDS_BETWEEN": "0"}
        lines.append(
            f"limits off, {albums - limited} albums: " + ingest(twin, wanted[limited:], environment, home).strip()
        )
        with server(environment) as base:
            lines += compare_all(base, twin, wanted, tally)
            lines += use(base)
    return tally, lines


def compare_all(
    base: str, twin: Twin, wanted: list[dict[str, str]], tally: Tally, *, made_up: bool = False
) -> list[str]:
    """Compare every album asked for with what is served.

    Args:
        base: where it is served.
        twin: whose truth it is compared with.
        wanted: what was asked for.
        tally: is told.
        made_up: there are made-up albums among them, whose artists have tags that their albums have not.
    """
    pages = _pages(twin, wanted) if made_up else {}
    stored = {}
    for album in all_albums(base):
        stored[album["ids"].get("spotify")] = album
    named: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for album in stored.values():
        named.setdefault((fold_name(album["artist"]), fold_name(album["title"])), []).append(album)
    for want in wanted:
        found = stored.get(want["id"])
        if found is None:  # the other edition of the same name, if that is what was found
            others = named.get((fold_name(want["artist"]), fold_name(want["album"])), [])
            found = others[0] if others else None
        where = f"{want['artist']} – {want['album']}"
        tally.note("album stored", got=found is not None, expected=True, where=where)
        if found is not None:
            truth = twin.get(f"albums/{found['ids']['spotify']}")
            if made_up:
                artist = truth["artist"]["name"]
                truth["tags"] = truth["tags"] + _lastfm_tags(twin, "artist.gettoptags", artist=artist)
                if not {*found["genres"], *found["moods"]} <= set.union(*expected_tags(truth)):
                    # What the twin's Last.fm says of a track alone is right as well; asked only where it matters.
                    for track in truth["tracks"]:
                        truth["tags"] += _lastfm_tags(twin, "track.gettoptags", artist=artist, track=track["name"])
                # AOTY has one page for all editions of an album, whose name may say of which, in brackets or not.
                for name in (truth["name"], truth["name"].removesuffix(" Deluxe")):
                    truth["aoty"] = truth["aoty"] or pages.get((fold_name(truth["artist"]["name"]), fold_name(name)))
            compare_album(found, truth, tally)
    return [f"{len(stored)} albums stored for {len(wanted)} asked for"]


def _lastfm_tags(twin: Twin, method: str, **what: str) -> list[list[Any]]:
    asked = urllib.parse.urlencode({"method": method, **what, "api_key": "twin-key", "format": "json"})
    found = get(f"{twin.base}/lastfm/2.0/?{asked}").get("toptags", {}).get("tag", [])
    return [[tag["name"], tag["count"]] for tag in (found if isinstance(found, list) else [found])]


def _pages(twin: Twin, wanted: list[dict[str, str]]) -> dict[tuple[str, str], Any]:
    truths = (twin.get(f"albums/{want['id']}") for want in wanted)
    return {(fold_name(t["artist"]["name"]), fold_name(t["name"])): t["aoty"] for t in truths if t["aoty"]}


def use(base: str) -> list[str]:
    """Training data, matrix, export and recommendations from what was ingested."""
    rows = get(f"{base}/ml/training-data?limit=50000")
    first = rows["data"][0]
    matrix = get(f"{base}/ml/feature-matrix?limit=20000&target=popularity")
    request = urllib.request.Request(f"{base}/ml/export/training-data?filename=twin.parquet&limit=50000", method="POST")
    with urllib.request.urlopen(request, timeout=60) as answer:
        export = json.load(answer)
    similar = get(f"{base}/ml/recommendations/{first['id']}?k=5")
    return [
        f"training data: {rows['count']} rows",
        f"matrix: {matrix['n_tracks']} tracks x {matrix['n_features']} features, target {matrix['target']}",
        f"export: {export}",
        f"recommendations for {first['title']!r}: {json.dumps(similar, ensure_ascii=False)[:600]}",
    ]


def main() -> int:
    """Run from a terminal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--albums", type=int, default=200)
    parser.add_argument("--limited", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not FOLDER.is_dir():
        print("the provider twin is not beside the project", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="tensoe-twin-", ignore_cleanup_errors=True) as home:
        tally, lines = run(albums=options.albums, limited=options.limited, seed=options.seed, home=Path(home))
    print(*lines, *tally.lines(), sep="\n")
    return 0 if tally.flawless else 1


if __name__ == "__main__":
    sys.exit(main())

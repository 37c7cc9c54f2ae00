"""Are rows complete in Spotify's development mode? Ingest albums from the provider twin and count the fields that are filled.

    python tests/acceptance/twin_complete.py [--albums 500] [--seed 1]

Which fields each of the twin's services has of each track is worked out from the twin's own catalogue and rules, not from what
we asked or stored. Prints the share per field, the calls per album and provider, and how many requests were sent twice; exits
with 1 when less than 99 % of the fields that any service has are filled, or a request was sent twice.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from backend.models.ingestion_models import AUDIO_FEATURES
from tests.acceptance.twin_compare import all_albums, expected_tags, ingest, server
from tests.fixtures.twin import FOLDER, Twin, running_twin

LEAST = 0.99
FAST = {
    f"{name}_RATE": "1000"
    for name in ("SPOTIFY", "LASTFM", "MUSICBRAINZ", "LISTENBRAINZ", "RECCOBEATS", "ACOUSTICBRAINZ", "DEEZER")
} | {"AOTY_SECONDS_BETWEEN": "0"}
_OF_DOCUMENT = ("tempo", "key", "mode", "danceability", "acousticness", "instrumentalness", "energy", "valence")
_ALWAYS = (
    "title", "artist", "album", "track_number", "duration_ms", "explicit", "release_date", "isrc", "spotify_id", "recording_mbid",
    "popularity", "listeners",
)  # fmt: skip
_NOTHING: dict[str, Any] = {"tracks": [], "ids": {}}


class Rules:
    """What the twin's services know, by the twin's own rules."""

    def __init__(self) -> None:
        sys.path.insert(0, str(FOLDER))
        from provider_twin.catalogue import mbid, stable  # type: ignore[import-not-found]  # the twin's own: what it says there, it serves

        sys.path.remove(str(FOLDER))
        self._mbid, self._stable = mbid, stable

    def of_track(self, track: dict[str, Any], album: dict[str, Any]) -> set[str]:
        """The fields that any of its services has of a track."""
        features = track["features"]
        fields = set(_ALWAYS)
        genres, moods = expected_tags(album)
        fields |= {name for name, tags in (("genres", genres), ("moods", moods)) if tags}
        fields.add("loudness")  # Deezer has the gain of every track
        page = album["aoty"] or {}
        fields |= {
            name for name, key in (("aoty_score", "user"), ("aoty_critic_score", "critic")) if page.get(key) is not None
        }
        if page:
            fields.add("rating")
        if not features:
            return fields
        if self._stable("recco", track["id"]) % 3:
            fields |= set(AUDIO_FEATURES) - {"time_signature"} - ({"tempo"} if not features["tempo"] else set())
        if self._stable("bpm", track["id"]) % 10 > 2 and features["tempo"]:
            fields.add("tempo")
        recording = self._mbid("recording", track["id"])
        if self._stable("ab", recording) % 2 == 0 and album["release_date"] <= "2022-06":
            fields |= set(_OF_DOCUMENT) - ({"tempo"} if not features["tempo"] else set())
        return fields

    def of_album(self, album: dict[str, Any]) -> set[str]:
        """The fields that any of its services has of an album."""
        page = album["aoty"] or {}
        scores = {"aoty_critic_score": "critic", "aoty_user_score": "user"}
        fields = {"title", "artist", "release_date", "upc", "listeners", "ids"}
        fields |= {name for name, key in scores.items() if page.get(key) is not None}
        fields |= {f"{name.removesuffix('score')}count" for name in fields & scores.keys()}
        return fields | ({"label"} if page.get("label") else set())


class Filled:
    """How many values there could be, and are, per field."""

    def __init__(self) -> None:
        self.there: Counter[str] = Counter()
        self.total: Counter[str] = Counter()
        self.missing: dict[str, list[str]] = {}

    def note(self, row: dict[str, Any], fields: set[str], *, of: str, where: str) -> None:
        """Count a row's values."""
        for name in fields:
            value = (row.get("audio_features") or {}).get(name) if name in AUDIO_FEATURES else row.get(name)
            filled = value not in (None, [], {}, "")
            self.total[f"{of}.{name}"] += 1
            self.there[f"{of}.{name}"] += filled
            if not filled:
                self.missing.setdefault(f"{of}.{name}", []).append(where)

    @property
    def share(self) -> float:
        """Of all of them together."""
        return self.there.total() / self.total.total() if self.total else 0.0

    def lines(self) -> Iterator[str]:
        """A line a field, then examples of what is missing."""
        for name in sorted(self.total):
            yield f"  {name:26} {self.there[name]:6} of {self.total[name]:6}  {100 * self.there[name] / self.total[name]:7.2f} %"
        yield f"  {'all':26} {self.there.total():6} of {self.total.total():6}  {100 * self.share:7.2f} %"
        for name, examples in sorted(self.missing.items()):
            yield f"  MISSING {name}: {'; '.join(examples[:3])}"


def run(*, albums: int, seed: int, home: Path) -> tuple[Filled, int, list[str]]:
    """The whole comparison: what is filled, how many requests were sent twice, and lines for people."""
    filled, lines, rules = Filled(), [], Rules()
    with running_twin("--no-limits") as twin:
        environment = {
            **os.environ, **twin.environment(), **twin.open_sources(), **FAST,
            "LOG_LEVEL": "WARNING", "TENSOE_HOME": str(home / "home"), "DATABASE_URL": "",
        }  # fmt: skip
        wanted = twin.get(f"albums?n={albums}&seed={seed}")
        lines.append(ingest(twin, wanted, environment, home).strip())
        twice, calls = _calls(twin, albums)
        lines += calls
        truths = {w["id"]: twin.get(f"albums/{w['id']}") for w in wanted}
        with server(environment | {"TENSOE_DEMO": "off"}) as base:
            found = {a["ids"].get("spotify"): a for a in all_albums(base)}
        for album_id, asked_for in truths.items():
            truth = asked_for
            where = f"{truth['artist']['name']} – {truth['name']}"
            album = found.get(album_id)
            if album is None:  # another album of the same name may stand for it; then it has a truth of its own
                album = next((a for a in found.values() if _is_named(a, truth)), _NOTHING)
                truth = truths.get(album["ids"].get("spotify"), truth)
            filled.note(album, rules.of_album(truth), of="album", where=where)
            by_id = {t["spotify_id"]: t for t in album["tracks"]}
            for track in truth["tracks"]:
                row = by_id.get(track["id"], {})
                filled.note(row, rules.of_track(track, truth), of="track", where=f"{where} #{track['n']}")
    return filled, twice, [*lines, *filled.lines()]


def _is_named(album: dict[str, Any], truth: dict[str, Any]) -> bool:
    return (album["title"], album["artist"]) == (truth["name"], truth["artist"]["name"])


def _calls(twin: Twin, albums: int) -> tuple[int, list[str]]:
    """Requests sent twice, and lines of calls per album; token requests and posted questions look alike and are none."""
    stats = {k: v for k, v in twin.get("stats").items() if isinstance(v, dict) and v.get("requests")}
    twice, lines = 0, []
    for name, s in stats.items():
        posted = s["endpoints"].get("popularity/recording", 0) + s["endpoints"].get("api/token", 0)
        again = max(0, s["identical_requests"] - max(0, posted - 1))
        twice += again
        parts = ", ".join(f"{e} {n / albums:.2f}" for e, n in s["endpoints"].items())
        lines.append(f"{name}: {s['requests'] / albums:.2f} calls an album ({parts}); sent twice: {again}")
    return twice, lines


def main() -> int:
    """Run it from a shell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--albums", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        filled, twice, lines = run(albums=given.albums, seed=given.seed, home=Path(home))
    print("\n".join(lines))
    return 0 if filled.share >= LEAST and twice == 0 else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""How well albums are matched: on names spelt as people spell them, and on pairs judged by hand.

    python -m tests.acceptance.test_matching [spotify|musicbrainz|deezer] 1 2 3

prints every miss and every album found in another's place, by seed.
"""

from __future__ import annotations

import asyncio
import csv
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from backend.ingestion.deezer_fetcher import DeezerSettings, DeezerSource
from backend.ingestion.judge import judge
from backend.ingestion.musicbrainz_fetcher import MusicBrainzSettings, MusicBrainzSource
from backend.ingestion.source import Source
from backend.ingestion.spotify_fetcher import SpotifySettings, SpotifySource
from backend.ingestion.transport import Limits, Transport, open_session
from backend.models.ingestion_models import AlbumQuery, AlbumRecord
from backend.utils.errors import AmbiguousError, RecordNotFoundError
from backend.utils.text import fold_name
from tests.fixtures.twin import FOLDER, Twin, running_twin

NAMES = 1_000
REAL = 689  # albums of the twin's catalogue; the others are made up
AT_ONCE = 16
LEAST_PRECISION = 0.995
LEAST_RECALL = 0.97
PAIRS = Path(__file__).with_name("matching_pairs.csv")
NAMES_OF_EVERY_KIND = Path(__file__).with_name("matching_names.csv")

needs_twin = pytest.mark.skipif(not FOLDER.is_dir(), reason="the provider twin is not beside the project")


@dataclass
class Tally:
    """What became of names to be matched; lines are for people."""

    right: int = 0
    wrong: int = 0
    missed: int = 0
    lines: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        return self.right / max(1, self.right + self.wrong + self.missed)

    def __str__(self) -> str:
        return (
            f"{self.right} right, {self.wrong} other, {self.missed} missed: "
            f"precision {self.precision:.4f}, recall {self.recall:.4f}"
        )


async def find_all(twin: Twin, source: Source, wanted: Sequence[dict[str, str]], seed: int) -> Tally:
    """Look every name up as the product does, and compare what is found with the truth."""
    tally, turns = Tally(), asyncio.Semaphore(AT_ONCE)
    async with open_session() as session:
        transport = Transport(source.profile.name, limits=Limits(rate=100_000.0, concurrent=AT_ONCE), session=session)

        async def find(want: dict[str, str]) -> AlbumRecord | str:
            query = AlbumQuery(album=want["album"], artist=want["artist"])
            async with turns:
                try:
                    return source.normalise(await source.fetch(query, transport))
                except (RecordNotFoundError, AmbiguousError) as problem:
                    return str(problem)

        found = await asyncio.gather(*map(find, wanted))
    for want, album in zip(wanted, found, strict=True):
        note(tally, want, album, truth=twin.get(f"albums/{want['id']}"))
    tally.lines.append(f"seed {seed}: {tally}")
    return tally


def note(tally: Tally, want: dict[str, str], album: AlbumRecord | str, *, truth: dict[str, Any]) -> None:
    """Count one name. Where two albums of an artist bear one name, both are right."""
    where = f"{want['artist']!r} – {want['album']!r}, truly {truth['artist']['name']!r} – {truth['name']!r}"
    if isinstance(album, str):
        tally.missed += 1
        tally.lines.append(f"MISSED {where}: {album}")
    elif (fold_name(album.artist), fold_name(album.title)) == (
        fold_name(truth["artist"]["name"]),
        fold_name(truth["name"]),
    ):
        tally.right += 1
    else:
        tally.wrong += 1
        tally.lines.append(f"OTHER {where}: {album.artist!r} – {album.title!r} ({album.match_score})")


def spotify(twin: Twin) -> Source:
    """The real source, pointed at the twin; so are the others."""
    at = twin.environment()
    return SpotifySource(
        SpotifySettings(
            spotify_api_url=at["SPOTIFY_API_URL"],
            spotify_accounts_url=at["SPOTIFY_ACCOUNTS_URL"],
            spotify_client_id=SecretStr(at["SPOTIFY_CLIENT_ID"]),
            spotify_client_secret=SecretStr(at["SPOTIFY_CLIENT_SECRET"]),
            spotify_rate=10_000.0,
        )
    )


def musicbrainz(twin: Twin) -> Source:
    return MusicBrainzSource(MusicBrainzSettings(musicbrainz_api_url=f"{twin.base}/musicbrainz/ws/2"))


def deezer(twin: Twin) -> Source:
    return DeezerSource(DeezerSettings(deezer_api_url=f"{twin.base}/deezer"))


SOURCES: dict[str, Callable[[Twin], Source]] = {"spotify": spotify, "musicbrainz": musicbrainz, "deezer": deezer}


def measure(*seeds: int, name: str = "spotify", names: int = NAMES) -> Iterator[Tally]:
    """The figures of each seed's misspelt and decorated names, by the search of one source."""
    with running_twin("--no-limits", "--scale", str(NAMES - REAL)) as twin:
        for seed in seeds:
            wanted = twin.get(f"albums?n={NAMES}&seed={seed}&spoilt=1")
            assert len(wanted) == NAMES
            yield asyncio.run(find_all(twin, SOURCES[name](twin), wanted[:names], seed))


@needs_twin
@pytest.mark.timeout(300)
def test_misspelt_and_decorated_names_are_found() -> None:
    for tally in measure(1, 2, 3):
        print(*tally.lines, sep="\n")
        assert tally.precision >= LEAST_PRECISION
        assert tally.recall >= LEAST_RECALL


@needs_twin
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["musicbrainz", "deezer"])
def test_other_searches_find_them_as_well(name: str) -> None:
    (tally,) = measure(1, name=name, names=300)
    print(*tally.lines, sep="\n")
    assert tally.precision >= LEAST_PRECISION
    assert tally.recall >= LEAST_RECALL


@dataclass(frozen=True)
class Pair:
    """Two names from two tables, and whether someone who knows the music calls them one album, in whatever edition."""

    one: AlbumRecord
    other: AlbumRecord
    same: bool


def pairs(path: Path = PAIRS) -> list[Pair]:
    """A judgement list."""
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Pair(
                AlbumRecord(artist=row["artist"], title=row["title"], release_date=row["year"]),
                AlbumRecord(artist=row["other_artist"], title=row["other_title"], release_date=row["other_year"]),
                row["same"] == "yes",
            )
            for row in csv.DictReader(file)
        ]


def judge_all(path: Path = PAIRS) -> Tally:
    """What the judge says of the pairs; a pair wrongly called one album is wrong, one not recognised is missed."""
    tally = Tally()
    for pair in pairs(path):
        judgement = judge(pair.one, pair.other)
        if judgement.same == pair.same:
            tally.right += pair.same
            continue
        tally.wrong += judgement.same
        tally.missed += pair.same
        said = f"{pair.one.artist!r} – {pair.one.title!r} and {pair.other.artist!r} – {pair.other.title!r}"
        tally.lines.append(f"{'OTHER' if judgement.same else 'MISSED'} {said}: {judgement.score} {judgement.penalties}")
    return tally


def test_pairs_are_judged_as_by_hand() -> None:
    assert len(pairs()) == 200
    assert 90 <= sum(p.same for p in pairs()) <= 110
    tally = judge_all()
    print(*tally.lines, tally, sep="\n")
    assert tally.precision >= LEAST_PRECISION
    assert tally.recall >= LEAST_RECALL


def test_names_of_every_kind_are_judged_as_by_hand() -> None:
    # Of well-known albums: decorated, live, re-recorded, self-titled, in other scripts, classical, of various artists. Some
    # can't be told by names alone: that "Viva la Vida" is the short name of a longer one, that "Elvis" is Elvis Presley.
    tally = judge_all(NAMES_OF_EVERY_KIND)
    print(*tally.lines, tally, sep="\n")
    assert tally.precision >= LEAST_PRECISION
    assert tally.recall >= 0.91


@pytest.mark.parametrize("path", [PAIRS, NAMES_OF_EVERY_KIND], ids=["pairs", "names"])
def test_the_order_of_a_pair_does_not_matter(path: Path) -> None:
    for pair in pairs(path):
        assert judge(pair.one, pair.other).same == judge(pair.other, pair.one).same, pair


def main() -> None:
    """Run from a terminal."""
    name, *seeds = sys.argv[1:] if sys.argv[1:] and sys.argv[1] in SOURCES else ["spotify", *sys.argv[1:]]
    for tally in measure(*map(int, seeds or ["1"]), name=name):
        print(*tally.lines, sep="\n")
    for path in (PAIRS, NAMES_OF_EVERY_KIND):
        by_hand = judge_all(path)
        print(*by_hand.lines, f"{path.stem}: {by_hand}", sep="\n")


if __name__ == "__main__":
    main()

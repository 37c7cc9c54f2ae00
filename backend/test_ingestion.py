"""Try ingestion out with the settings at hand: `python backend/test_ingestion.py`.

Ingests four albums, says how each source answered, and checks that tracks are stored once. Exit code 1 when not.
(Not one of the tests that `make test` runs; those stand in `tests/`.)
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

if __name__ == "__main__":  # run by path: the project's folder, not this one, is where imports start
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from backend.config.settings import Settings
from backend.models.ingestion_models import AlbumQuery
from backend.models.results import IngestReport
from backend.startup import Container, configure, open_container
from backend.utils.errors import TensoeError

ALBUMS = (
    ("Abbey Road", "The Beatles"),
    ("Kind of Blue", "Miles Davis"),
    ("OK Computer", "Radiohead"),
    ("To Pimp a Butterfly", "Kendrick Lamar"),
)


async def ingest_twice(container: Container, query: AlbumQuery) -> tuple[IngestReport, int, int]:
    """Ingest an album two times; the report and the number of its tracks after each."""
    counts = []
    for _ in range(2):
        report = await container.ingestion.ingest(query)
        album = await container.albums.album(report.album_id) if report.album_id else {"tracks": []}
        counts.append(len(album["tracks"]))
    return report, counts[0], counts[1]


async def try_out() -> int:
    """Ingest the four albums and print what became of them; the number that went wrong."""
    wrong = 0
    settings = Settings()
    configure(settings, level="WARNING")
    async with open_container(settings, worker=False) as container:
        for album, artist in ALBUMS:
            report, once, twice = await ingest_twice(container, AlbumQuery(album=album, artist=artist))
            good = once > 0 and once == twice
            wrong += not good
            print(
                f"{'ok   ' if good else 'WRONG'} {album} – {artist}: {report.result}, {once} tracks, {twice} when asked again"
            )
            for s in report.sources:
                print(f"        {s.source}: {s.outcome}{f' – {s.detail}' if s.detail else ''}")
    return wrong


def main() -> int:
    """Run; the exit code."""
    try:
        wrong = asyncio.run(try_out())
    except TensoeError as problem:
        print(f"test_ingestion: {problem}", file=sys.stderr)
        return 1
    print("all four albums are stored once" if not wrong else f"{wrong} of {len(ALBUMS)} albums went wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""Readers of a soak: each asks for something and knows what must hold of the answer."""

from __future__ import annotations

import asyncio
import io
import random
import urllib.parse
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from backend.utils.text import fold_name
from tests.acceptance.soak.asking import Asker
from tests.fixtures.twin import Twin

_PAUSE: Final = 0.15  # seconds between two questions of one reader, in the middle


class Reader:
    """Asks one thing after the other, by chance.

    Args:
        asker: of the requests.
        twin: knows the truth.
        seed: of its choices.
    """

    def __init__(self, asker: Asker, twin: Twin, *, seed: int) -> None:
        self._ask = asker
        self._twin = twin
        self._number = seed
        self._dice = random.Random(seed)
        self._albums: list[dict[str, Any]] = []
        self._tracks: list[dict[str, Any]] = []
        self._most = 0  # albums there were at least
        self._ways: list[Callable[[], Awaitable[None]]] = [
            self.live, self.ready, self.stats, self.pages, self.album, self.album, self.training, self.arrow, self.genres,
            self.similar, self.similar, self.search, self.matrix, self.export, self.overview, self.metrics,
        ]  # fmt: skip

    async def go_on(self, over: asyncio.Event) -> None:
        """Until it is over."""
        while not over.is_set():
            await self._dice.choice(self._ways)()
            await asyncio.sleep(self._dice.uniform(0.2, 2.0) * _PAUSE)

    def _must(self, holds: bool, what: str) -> None:
        if not holds:
            self._ask.findings.is_wrong(what)

    async def _get(self, path: str, what: str, *, expected: tuple[int, ...] = ()) -> Any:
        found = await self._ask.ask("GET", path, what=what, expected=expected)
        return None if found is None else found.json

    async def live(self) -> None:
        """The process is there, whatever else is away."""
        found = await self._ask.ask("GET", "/live", what="live", expected=(503,))
        self._must(found is None or found.status == 200, "/live: not alive though it answers")

    async def ready(self) -> None:
        """It answers, or says why not."""
        await self._ask.ask("GET", "/ready", what="ready", expected=(503,))

    async def metrics(self) -> None:
        """Prometheus' text."""
        found = await self._ask.ask("GET", "/metrics", what="metrics")
        self._must(found is None or b"tensoe_" in found.body, "/metrics: nothing of Tensoe")

    async def overview(self) -> None:
        """The first page."""
        found = await self._ask.ask("GET", "/", what="page", headers={"accept": "text/html"})
        self._must(found is None or b"<html" in found.body, "/: no page")

    async def stats(self) -> None:
        """Nothing that was counted before is missing."""
        before = self._most
        await self._get("/ml/stats", "stats")
        found = await self._get("/albums?limit=1", "albums")
        if found is not None:
            self._must(found["total"] >= before, f"/albums: {found['total']} albums, {before} before")
            self._most = max(self._most, found["total"])

    async def pages(self) -> None:
        """Two pages follow each other without a gap or an overlap."""
        first = await self._get("/albums?limit=40", "albums")
        if not first or not first["data"]:
            return
        self._albums = first["data"]
        if first["next_cursor"]:
            cursor = urllib.parse.quote(first["next_cursor"])
            second = await self._get(f"/albums?limit=100&cursor={cursor}", "albums")
            if second:
                both = {a["id"] for a in first["data"]} & {a["id"] for a in second["data"]}
                self._must(not both, f"/albums: {len(both)} albums stand on two pages")
                self._albums += second["data"]

    async def album(self) -> None:
        """What is served of an album is what its service says of it."""
        if not self._albums:
            await self.pages()
            return
        row = self._dice.choice(self._albums)
        found = await self._get(f"/albums/{row['id']}", "album")
        if found is None or not found["ids"].get("spotify"):
            return
        truth = await asyncio.to_thread(self._twin.get, f"albums/{found['ids']['spotify']}")
        where = f"album {truth['name']!r}"
        self._must(fold_name(found["artist"]) == fold_name(truth["artist"]["name"]), f"{where}: by {found['artist']!r}")
        self._must(found["title"] == truth["name"], f"{where}: called {found['title']!r}")
        told, right = [t["title"] for t in found["tracks"]], [t["name"] for t in truth["tracks"]]
        self._must(told == right, f"{where}: tracks {told!r} instead of {right!r}")
        self._tracks += found["tracks"][:3]
        self._tracks = self._tracks[-300:]

    async def training(self) -> None:
        """A filter lets through what fits, and nothing else."""
        genre = self._dice.choice(["rock", "pop", "electronic", "jazz", "hip hop", "indie rock"])
        found = await self._get(f"/ml/training-data?genre={urllib.parse.quote(genre)}&limit=50", "training data")
        if found:
            self._must(
                found["count"] == len(found["data"]), f"training data: {found['count']} and {len(found['data'])}"
            )
            wrong = [row["title"] for row in found["data"] if genre not in row["genres"]]
            self._must(not wrong, f"training data of {genre}: {wrong[:3]}")

    async def arrow(self) -> None:
        """Whole tables, ids once each."""
        found = await self._ask.ask("GET", "/ml/training-data?format=arrow&limit=3000", what="arrow")
        if found is not None:
            table = pa.ipc.open_stream(found.body).read_all()
            ids = table.column("id").to_pylist()
            self._must(len(set(ids)) == len(ids), "arrow: a track stands there twice")

    async def genres(self) -> None:
        """Counted, the most frequent first."""
        found = await self._get("/ml/genres?limit=50", "genres")
        if found:
            counts = [row["tracks"] for row in found["data"]]
            self._must(counts == sorted(counts, reverse=True), "genres: not in order")

    async def similar(self) -> None:
        """Reasons sum to the score, best first, nothing twice, not the track itself."""
        if not self._tracks:
            return
        track = self._dice.choice(self._tracks)
        found = await self._get(f"/ml/recommendations/{track['id']}?k=8", "recommendations", expected=(404,))
        if found is None or "data" not in found:
            return  # the index may be some seconds behind: a new track is not found yet
        picks = found["data"]
        scores = [pick["score"] for pick in picks]
        self._must(scores == sorted(scores, reverse=True), f"recommendations: scores {scores}")
        self._must(len({p["id"] for p in picks} | {track["id"]}) == len(picks) + 1, "recommendations: one twice")
        for pick in picks:
            whole = sum(pick["contributions"].values())
            self._must(abs(whole - pick["score"]) < 1e-6, f"recommendations: {whole} is not {pick['score']}")

    async def search(self) -> None:
        """What is there is found by its name."""
        if not self._albums:
            return
        album = self._dice.choice(self._albums)
        found = await self._get(f"/search?q={urllib.parse.quote(album['title'])}&limit=50", "search")
        if found:
            titles = {fold_name(row["title"]) for row in found["albums"]}
            is_full = len(found["albums"]) >= 50
            self._must(is_full or fold_name(album["title"]) in titles, f"search: {album['title']!r} not among {titles}")

    async def matrix(self) -> None:
        """As many rows as it says."""
        found = await self._get("/ml/feature-matrix?limit=500&target=popularity", "matrix", expected=(422,))
        if found and "n_tracks" in found:
            self._must(found["n_tracks"] <= 500, f"matrix: {found['n_tracks']} rows")

    async def export(self) -> None:
        """A file that is whole."""
        name = f"soak-{self._number}-{self._dice.randrange(4)}.parquet"
        made = await self._ask.ask("POST", f"/ml/export/training-data?filename={name}&limit=800", what="export")
        if made is None:
            return
        self._must(made.json["rows"] <= 800, f"export: {made.json['rows']} rows")
        file = await self._ask.ask("GET", f"/ml/exports/{name}", what="export read")
        if file is not None:
            rows = pq.read_table(io.BytesIO(file.body)).num_rows
            self._must(rows == made.json["rows"], f"export: {rows} rows in the file, {made.json['rows']} told")

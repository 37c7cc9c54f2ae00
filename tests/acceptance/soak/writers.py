"""Writers of a soak: lists of albums, listening histories that come and go, data sets."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any, Final

import aiohttp

from tests.acceptance.soak.asking import Asker, Reply

_LIST: Final = range(5, 30)  # albums of a list
_BETWEEN: Final = 6.0  # seconds between two lists, in the middle
_TRIES: Final = 60
_RECIPE: Final[dict[str, Any]] = {
    "name": "soak",
    "split": {"kind": "artist"},
    "features": [{"kind": "numbers"}, {"kind": "audio"}],
}


class Writer:
    """Sends what is to be stored, again until it is taken.

    Args:
        asker: of the requests.
        wanted: the albums that are asked for in the end, by album and artist, each once.
        seed: of its choices.
    """

    def __init__(self, asker: Asker, wanted: list[tuple[str, str]], *, seed: int) -> None:
        self._ask = asker
        self._wanted = wanted
        self._dice = random.Random(seed)
        self.sent: list[tuple[str, str]] = []
        self.jobs: list[str] = []

    async def lists(self, over: asyncio.Event) -> None:
        """Lists of new albums and some that were sent before, with the one or other break of a job."""
        while not over.is_set() and len(self.sent) < len(self._wanted):
            new = self._wanted[len(self.sent) : len(self.sent) + self._dice.choice(_LIST)]
            again = self._dice.sample(self.sent, min(len(self.sent), 3))
            body = {"albums": [list(pair) for pair in (*new, *again)], "priority": self._dice.randint(-5, 5)}
            taken = await self._sent("POST", "/ml/ingest/batch", what="list", json=body)
            self.sent += new
            if taken is not None:
                self.jobs.append(taken.json["job_id"])
                self._ask.findings.written["lists"] += 1
                if self._dice.random() < 0.2:
                    await self._broken(self.jobs[-1])
            await _until(over, self._dice.uniform(0.3, 1.7) * _BETWEEN)

    async def _broken(self, job: str) -> None:
        """Paused for a while."""
        for what in ("pause", "resume"):
            # 409: there was nothing left to do.
            await self._sent("POST", f"/ml/jobs/{job}/{what}", what=what, expected=(409,))
            await asyncio.sleep(2)

    async def histories(self, over: asyncio.Event) -> None:
        """A listener's history is taken in, seen, erased, and not seen any more."""
        number = 0
        while not over.is_set():
            number += 1
            name, tracks = (
                f"soak-{number}",
                await self._ask.ask("GET", "/ml/training-data?limit=60", what="training data"),
            )
            if tracks is not None and len(tracks.json["data"]) >= 20:
                await self._history(name, tracks.json["data"])
            await _until(over, 20)

    async def _history(self, name: str, tracks: list[dict[str, Any]]) -> None:
        listens = [
            {
                "ts": f"2024-03-{1 + n % 28:02}T{n % 24:02}:00:00Z", "ms_played": 200_000, "skipped": False,
                "master_metadata_track_name": t["title"], "master_metadata_album_artist_name": t["artist"],
                "master_metadata_album_album_name": t["album"], "spotify_track_uri": None, "reason_end": "trackdone",
            }
            for n, t in enumerate(tracks)
        ]  # fmt: skip
        form = aiohttp.FormData()
        file = json.dumps(listens).encode()
        form.add_field("files", file, filename="Streaming_History_Audio_0.json", content_type="application/json")
        taken = await self._ask.ask("POST", f"/import/listens?listener={name}&consent=true", what="history", data=form)
        if taken is not None:
            self._ask.findings.written["histories"] += 1
            await self._ask.ask("GET", f"/listeners/{name}/profile", what="profile")
        # Whether it was taken or not cannot be known of a server that was away: gone it must be in either case.
        if await self._sent("DELETE", f"/listeners/{name}", what="erase", expected=(404,)) is not None:
            seen = await self._ask.ask("GET", f"/listeners/{name}", what="erased", expected=(404,))
            if seen is not None and seen.status != 404:
                self._ask.findings.is_wrong(f"listener {name} is there after having been erased")

    async def datasets(self, over: asyncio.Event) -> None:
        """A data set is built, does not leak, and is removed."""
        while not over.is_set():
            await _until(over, 45)
            begun = await self._ask.ask("POST", "/ml/datasets", what="data set", json=_RECIPE, expected=(422,))
            if begun is None or begun.status == 422:  # too few tracks as yet
                continue
            for _ in range(_TRIES):
                task = await self._ask.ask("GET", begun.headers["Location"], what="data set work", expected=(404,))
                if task is not None and (task.status == 404 or task.json["state"] in {"done", "failed"}):
                    break  # 404: the server that built it was ended
                await asyncio.sleep(1)
            if task is not None and task.status != 404:
                await self._looked_at(task.json)

    async def _looked_at(self, task: dict[str, Any]) -> None:
        if task["state"] == "failed":
            # What ended a build is told in words; that PostgreSQL went away under it is no wrong answer.
            if "cannot be reached" not in json.dumps(task) and "could not be" not in json.dumps(task):
                self._ask.findings.is_wrong(f"data set: {task}")
            return
        self._ask.findings.written["data sets"] += 1
        named = task["result"]
        path = f"/ml/datasets/{named}/files/certificate.json"
        certificate = await self._ask.ask("GET", path, what="certificate")
        if certificate is not None and not json.loads(certificate.body)["passed"]:
            self._ask.findings.is_wrong(f"data set {named} leaks: {certificate.body[:1000]!r}")
        await self._sent("DELETE", f"/ml/datasets/{named}", what="data set removed", expected=(404,))

    async def _sent(self, method: str, path: str, **sent: Any) -> Reply | None:
        """Again until the server took it."""
        for _ in range(_TRIES):
            if (found := await self._ask.ask(method, path, **sent)) is not None:
                return found
            await asyncio.sleep(1)
        self._ask.findings.is_wrong(f"{method} {path} was not taken in {_TRIES} tries")
        return None


async def _until(over: asyncio.Event, seconds: float) -> None:
    """Wait, but not beyond the end."""
    try:
        async with asyncio.timeout(seconds):
            await over.wait()
    except TimeoutError:
        return

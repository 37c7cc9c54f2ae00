"""Listening histories: taken in from the listener's own exports, resolved, shown, forgotten."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from typing import Final

from backend.ingestion.histories.files import Given
from backend.ingestion.histories.reader import listens, require_known
from backend.models.listening import HistoryReport, ListenerSummary
from backend.repositories.listens import ListenRepository
from backend.utils.errors import InvalidInputError, NotFoundError

DEFAULT: Final = "me"
"""Who listens, unless it is said."""
NAME: Final = r"^[\w][\w .@+-]{0,63}$"
"""What a listener may be called."""
CONSENT: Final = (
    "Kept of each listen: when, which track, artist and album, their identifiers, how long it was heard and whether it was "
    "skipped; no address, device, country or account. Why: to show your taste, to recommend from it, and to learn which artists "
    "are heard together, which counts in all recommendations of this installation without saying whose it is. It enters no "
    "catalogue, no export and no data set, and is sent to nobody. It stays until you erase it, in one call: "
    "`tensoe listener forget NAME` or DELETE /listeners/NAME; what was learnt of it goes with it."
)
"""What a listener agrees to."""
HOW: Final = "consent=true (tensoe listens import --consent)"
_AT_ONCE: Final = 20_000  # listens per transaction
_TOP: Final = 20


class ListeningService:
    """Keeps what listeners heard; it is theirs, and no part of the catalogue.

    Args:
        repository: where it is kept.
        gone: awaited after a listener was forgotten, to forget what was learnt of him.
    """

    def __init__(self, repository: ListenRepository, *, gone: Callable[[], Awaitable[None]]) -> None:
        self._repository = repository
        self._gone = gone

    async def take_in(
        self,
        files: Sequence[Given],
        *,
        listener: str = DEFAULT,
        consent: bool = False,
        progress: Callable[[HistoryReport], None] | None = None,
    ) -> HistoryReport:
        """Take exports in; doing it twice, or with exports that overlap, adds nothing twice.

        Args:
            files: see `ingestion.histories.files.files_at`.
            listener: whose they are.
            consent: whether the listener agrees to `CONSENT`; once is enough, until he is forgotten.
            progress: told how far it is, some thousand listens apart.

        Raises:
            InvalidInputError: a file is no history, an archive is refused, the name does not fit or nobody has agreed; then
                nothing is stored.
            ConflictError: the listener was forgotten meanwhile; then nothing more is.
        """
        name, started = named(listener), time.perf_counter()
        if not files:
            raise InvalidInputError("no file is given")
        if not consent and not await self._repository.has_consent(name):
            raise InvalidInputError(f"A history is kept only with consent. {CONSENT} If {name!r} agrees, say {HOW}")
        await asyncio.to_thread(require_known, files)
        if consent:
            await self._repository.consent(name)
        report = HistoryReport(listener=name)
        rest = listens(files, report)
        while part := await asyncio.to_thread(lambda: list(islice(rest, _AT_ONCE))):
            added = await self._repository.add(name, part)
            report.added += added.new
            report.replaced += added.replaced
            for source, number in added.elsewhere.items():
                report.elsewhere[source] = report.elsewhere.get(source, 0) + number
            if progress is not None:
                progress(report)
        report.resolved = await self._repository.resolve(name)
        report.seconds = time.perf_counter() - started
        return report

    async def has_consent(self, listener: str) -> bool:
        """Whether the listener has agreed to his history being kept.

        Raises:
            InvalidInputError: the name does not fit.
        """
        return await self._repository.has_consent(named(listener))

    async def resolve(self, listener: str | None = None) -> int:
        """Look again for tracks of the catalogue for listens that have none; None: everybody's.

        Returns:
            How many got one.

        Raises:
            InvalidInputError: the name does not fit.
        """
        return await self._repository.resolve(None if listener is None else named(listener))

    async def listeners(self) -> list[ListenerSummary]:
        """What is stored of each, by name."""
        return await self._repository.summaries(top=_TOP)

    async def summary(self, listener: str = DEFAULT) -> ListenerSummary:
        """What is stored of one.

        Raises:
            InvalidInputError: the name does not fit.
            NotFoundError: nothing is stored of him.
        """
        name = named(listener)
        found = await self._repository.summaries(name, top=_TOP)
        if not found:
            raise NotFoundError(nothing_of(name))
        return found[0]

    async def forget(self, listener: str) -> int:
        """Delete all that is stored of one; how many listens that were.

        Raises:
            InvalidInputError: the name does not fit.
            NotFoundError: nothing is stored of him.
        """
        name = named(listener)
        gone = await self._repository.forget(name)
        if gone is None:
            raise NotFoundError(nothing_of(name))
        await self._gone()
        return gone


def named(listener: str) -> str:
    """A listener's name, when it fits.

    Raises:
        InvalidInputError: it does not.
    """
    if re.fullmatch(NAME, listener) is None or listener != listener.strip():
        raise InvalidInputError(
            f"{listener[:70]!r} cannot be a listener's name: up to 64 letters, digits, blanks and any of . _ @ + - "
            "are, beginning with a letter or digit"
        )
    return listener


def nothing_of(name: str) -> str:
    """What is said of a listener of whom nothing is stored."""
    return f"No listens of {name!r} are stored; take an export in with `tensoe listens import` or POST /import/listens"

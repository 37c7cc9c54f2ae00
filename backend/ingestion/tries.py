"""Further tries of a request whose fault may pass."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from backend.ingestion.exchange import NoSuchHostError
from backend.ingestion.reply import Reply
from backend.utils.errors import TransientError

_LONGEST_BACKOFF: Final = 8.0  # seconds


class Tries:
    """How often a request is tried, and how long is waited in between.

    Args:
        most: tries in all.
        backoff: seconds by which the wait before a second try grows; doubled for each further one, with jitter.
    """

    def __init__(self, *, most: int, backoff: float) -> None:
        self._most = most
        self._backoff = wait_random_exponential(multiplier=backoff, max=_LONGEST_BACKOFF)

    async def further(self, problem: TransientError, ask: Callable[[], Awaitable[Reply]]) -> Reply:
        """Ask until it is answered or the tries are used up.

        The first is the caller's and has failed: nearly all requests need no other, and what counts tries costs more than all the
        rest that we do for a request.

        Raises:
            TransientError: of the last try; of the first where another is worth nothing.
        """
        failed = [problem]

        async def attempt() -> Reply:
            if failed:
                raise failed.pop()
            return await ask()

        retrying = AsyncRetrying(
            retry=retry_if_exception(_is_worth_another),
            stop=stop_after_attempt(self._most),
            wait=self._backoff,
            reraise=True,
        )
        return await retrying(attempt)


def _is_worth_another(problem: BaseException) -> bool:
    return isinstance(problem, TransientError) and not isinstance(problem, NoSuchHostError)

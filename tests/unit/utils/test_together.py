"""Calls that are done together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from backend.utils.together import Together


class Doubling:
    """Doubles numbers and keeps the rounds; a gate holds them up, a negative number breaks its round."""

    def __init__(self) -> None:
        self.rounds: list[list[int]] = []
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.rounds.append(list(numbers))
        await self.open.wait()
        if 99 in numbers:
            raise ConnectionError
        if min(numbers) < 0:
            raise ValueError(min(numbers))
        return [2 * n for n in numbers]


async def held(double: Doubling, together: Together[int, int]) -> asyncio.Task[int]:
    """A call whose round is held up."""
    double.open.clear()
    first = asyncio.create_task(together(1))
    while not double.rounds:
        await asyncio.sleep(0)
    return first


async def test_what_comes_in_while_others_are_at_work_is_one_round() -> None:
    double = Doubling()
    together = Together[int, int](double)
    first = await held(double, together)
    others = [asyncio.create_task(together(n)) for n in range(2, 6)]
    await asyncio.sleep(0)
    double.open.set()
    assert await asyncio.gather(first, *others) == [2, 4, 6, 8, 10]
    assert double.rounds == [[1], [2, 3, 4, 5]]


async def test_a_round_has_no_more_than_it_may() -> None:
    double = Doubling()
    together = Together[int, int](double, most=2)
    assert await asyncio.gather(*(together(n) for n in range(5))) == [0, 2, 4, 6, 8]
    assert [len(r) for r in double.rounds] == [2, 2, 1]


async def test_a_broken_one_does_not_take_others_with_it() -> None:
    double = Doubling()
    together = Together[int, int](double)
    found = await asyncio.gather(together(1), together(-7), together(3), return_exceptions=True)
    assert (found[0], str(found[1]), found[2]) == (2, "-7", 6)
    assert double.rounds == [[1, -7, 3], [1], [-7], [3]]


async def test_what_is_shared_breaks_a_round_for_all_at_once() -> None:
    double = Doubling()
    together = Together[int, int](double, shared=(ConnectionError,))
    found = await asyncio.gather(together(1), together(99), return_exceptions=True)
    assert [type(problem) for problem in found] == [ConnectionError, ConnectionError]
    assert double.rounds == [[1, 99]]
    assert await together(4) == 8, "the next round is another one"


async def test_who_is_cancelled_before_his_round_is_not_done() -> None:
    double = Doubling()
    together = Together[int, int](double)
    first = await held(double, together)
    gone, stays = asyncio.create_task(together(2)), asyncio.create_task(together(3))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    double.open.set()
    assert list(await asyncio.gather(first, stays)) == [2, 6]
    assert double.rounds == [[1], [3]]


async def test_who_is_cancelled_in_his_round_waits_for_its_end() -> None:
    double = Doubling()
    first = await held(double, together := Together[int, int](double))
    first.cancel()
    await asyncio.sleep(0.01)
    assert not first.done()
    double.open.set()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await together(2) == 4


async def test_between_two_rounds_is_a_pause_and_none_is_left_behind_in_it() -> None:
    double = Doubling()
    together = Together[int, int](double, pause=0.2)
    assert await together(1) == 2  # the first has nobody to wait for
    gone = asyncio.create_task(together(2))
    await asyncio.sleep(0.01)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert list(await asyncio.gather(together(3), together(4))) == [6, 8]
    assert double.rounds == [[1], [3, 4]]

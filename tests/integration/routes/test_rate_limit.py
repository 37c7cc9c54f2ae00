"""The shared rate limit when its server is dead, silent or lying: counting goes on in memory."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from backend.routes.rate_limit import Pace
from backend.utils.errors import ConfigurationError
from tests.contracts.test_cache import liar
from tests.fixtures.twin import free_port


async def _takes(pace: Pace, count: int) -> list[bool]:
    return [(await pace.take("192.0.2.1"))[0] for _ in range(count)]


async def test_a_dead_server_is_counted_without() -> None:
    with capture_logs() as logs:
        pace = Pace("2/minute", redis_url=f"redis://:planted@127.0.0.1:{free_port()}")
        assert await _takes(pace, 3) == [True, True, False]
        await pace.close()
    assert len(logs) == 1, "after one failure it is left alone"
    assert "planted" not in str(logs)


@pytest.mark.parametrize("answer", [None, b"+OK\r\n", b"*-1\r\n", b"nonsense\r\n"])
async def test_a_silent_or_lying_server_is_counted_without(answer: bytes | None) -> None:
    with liar(answer) as (url, _):
        pace = Pace("2/minute", redis_url=url)
        assert await _takes(pace, 3) == [True, True, False]
        await pace.close()


async def test_a_shared_server_counts_for_all(redis_url: str) -> None:
    one, other = Pace("3/minute", redis_url=redis_url), Pace("3/minute", redis_url=redis_url)
    assert await _takes(one, 2) == [True, True]
    assert await _takes(other, 2) == [True, False]
    await one.close()
    await other.close()


def test_an_address_that_is_none_is_refused_without_repeating_it() -> None:
    with pytest.raises(ConfigurationError, match="REDIS_URL") as refused:
        Pace("2/minute", redis_url="ftp://:planted@host")
    assert "planted" not in str(refused.value)

"""Commands that end early, fail, or say something."""

from __future__ import annotations

import pytest
import uvloop

from proxy.iptables import IptablesError, run


async def test_input_and_output() -> None:
    assert await run("cat", stdin="*nat\nCOMMIT\n") == "*nat\nCOMMIT\n"


@pytest.mark.parametrize("size", [0, 1, 1_000_000])
def test_a_command_that_does_not_read_its_input_under_uvloop(size: int) -> None:
    async def often() -> None:
        for _ in range(20):
            assert await run("true", stdin="x" * size) == ""

    uvloop.run(often())


async def test_a_failure_tells_what_the_command_said() -> None:
    with pytest.raises(IptablesError, match=r"sh failed \(3\): line 7 failed; so did 8"):
        await run("sh", "-c", "echo line 7 failed >&2; echo so did 8 >&2; echo 'Try --help' >&2; exit 3")


async def test_a_missing_command() -> None:
    with pytest.raises(IptablesError, match="pytheas-no-such-command is not installed"):
        await run("pytheas-no-such-command")

"""The entry point `pytheas-kubelet`."""

from __future__ import annotations

import sys

from daemon import log, run
from daemon.options import parse
from kubelet.options import Options

DESCRIPTION = "The node agent: runs the pods that are bound to this node in Docker, and reports what became of them."


def main() -> None:
    options = parse(Options, prog="pytheas-kubelet", description=DESCRIPTION)
    log.setup(options.log_level)

    async def agent() -> None:
        if options.cleanup:
            from kubelet.cleanup import clean_up

            await clean_up(options)
            return
        from kubelet.agent import Agent

        await Agent(options).run()

    sys.exit(run.main(agent))


if __name__ == "__main__":
    main()

"""The entry point `pytheas-kubelet`."""

from __future__ import annotations

import sys

from daemon import log, run
from daemon.options import parse
from kubelet import config_file
from kubelet.options import Options

DESCRIPTION = "The node agent: runs the pods that are bound to this node in Docker, and reports what became of them."


def main() -> None:
    formats = {config_file.KIND: config_file.read}
    options = parse(Options, prog="pytheas-kubelet", description=DESCRIPTION, formats=formats)
    log.setup(options.log_level)
    if options.unsupported:
        log.logger(__name__).warning("these fields of the configuration do nothing here", fields=options.unsupported)

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

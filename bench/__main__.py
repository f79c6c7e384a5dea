"""`python -m bench [NAME…]`: run benchmarks, print one table, write the same as JSON."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import time
from pathlib import Path

from bench.table import Row, render

NAMES = (
    "create",
    "get",
    "list",
    "watch",
    "memory",
    "schedule",
    "endpoint",
    "start",
    "latency",
    "deploy",
    "full",
    "idle",
)
RESULTS = Path(__file__).with_name("results.json")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which to run (default: all): {', '.join(NAMES)}")
    parser.add_argument("--json", type=Path, default=RESULTS, help="where to write the results (default: %(default)s)")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in NAMES]:
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}")
    if os.geteuid() != 0:
        parser.error("daemons, network namespaces and iptables rules are made: run this as root")
    here = machine()
    if float(here["load"]) > 1:
        print(f"this machine is busy (load {here['load']}): trust the ratios, not the figures", file=sys.stderr)
    rows: list[Row] = []
    for name in options.names or NAMES:
        started = time.monotonic()
        print(f"{name} …", end=" ", file=sys.stderr, flush=True)
        rows += importlib.import_module(f"bench.{name}").measure()
        print(f"{time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    print(render(rows))
    options.json.write_text(json.dumps({"machine": here, "rows": [row.json() for row in rows]}, indent=1) + "\n")


def machine() -> dict[str, str | int | float]:
    return {
        "cores": os.cpu_count() or 0,
        "kernel": os.uname().release,
        "load": round(os.getloadavg()[0], 2),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


if __name__ == "__main__":
    main()

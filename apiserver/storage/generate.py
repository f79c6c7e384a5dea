"""Make `stubs/etcd_pb2.py` and its type stub from `etcd.proto`: run `python -m apiserver.storage.generate`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def main() -> int:
    # grpcio-tools is a development dependency: the stubs are committed.
    compiler = [sys.executable, "-m", "grpc_tools.protoc", f"--proto_path={FOLDER}"]
    output = [f"--python_out={FOLDER / 'stubs'}", f"--pyi_out={FOLDER / 'stubs'}"]
    return subprocess.run([*compiler, *output, "etcd.proto"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

"""The committed stubs are those of `etcd.proto`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from apiserver.storage import generate


def test_the_stubs_are_up_to_date(tmp_path: Path) -> None:
    shutil.copy(generate.FOLDER / "etcd.proto", tmp_path)
    compiler = [sys.executable, "-m", "grpc_tools.protoc", f"--proto_path={tmp_path}"]
    output = [f"--python_out={tmp_path}", f"--pyi_out={tmp_path}", "etcd.proto"]
    subprocess.run([*compiler, *output], check=True, capture_output=True)
    for name in ("etcd_pb2.py", "etcd_pb2.pyi"):
        assert (tmp_path / name).read_text() == (generate.FOLDER / "stubs" / name).read_text(), name

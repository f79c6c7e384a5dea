"""`@kubernetes/client-node`: a suite of ours in its own language, run by node's test runner."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.clients.conftest import Hold
from tests.clients.foreign import fetch
from tests.clients.foreign.suite import Suite
from tests.harness.control import ControlPlane


def test_client_node(plane: ControlPlane, tmp_path: Path, hold: Hold) -> None:
    shutil.copy(fetch.NODE / "client.test.mjs", tmp_path)
    (tmp_path / "node_modules").symlink_to(fetch.node_modules() / "node_modules")
    argv = [str(fetch.NODE_BIN / "node"), "--test", "--test-reporter=junit", "--test-reporter-destination={report}"]
    hold("client-node", Suite(tmp_path, [*argv, "client.test.mjs"], {"KUBECONFIG": str(plane.admin_conf)}))

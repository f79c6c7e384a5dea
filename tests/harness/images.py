"""Images for the tests, made on the spot from the machine's own static busybox: no registry is needed."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

BUSYBOX = Path("/usr/bin/busybox")
APPLETS = (
    *("sh", "httpd", "nc", "sleep", "cat", "echo", "ls", "wget", "ip", "ps", "kill", "date", "true", "false", "env"),
    *(
        "hostname",
        "id",
        "mkdir",
        "rm",
        "touch",
        "grep",
        "sed",
        "awk",
        "head",
        "tail",
        "test",
        "seq",
        "stat",
        "df",
        "mount",
    ),
    *("nslookup", "ping", "dd", "wc", "sync", "tee", "chmod", "ln", "readlink", "sort", "vi", "tar", "usleep", "trap"),
)


def busybox_tree() -> bytes:
    """A root file system (tar) that holds busybox and links to its applets."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for folder in ("bin", "etc", "tmp", "proc", "sys", "dev", "var", "www"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(entry)
        tar.add(BUSYBOX, "bin/busybox")
        for applet in APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
        users = b"root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n"
        passwd = tarfile.TarInfo("etc/passwd")
        passwd.size = len(users)
        tar.addfile(passwd, io.BytesIO(users))
    return buffer.getvalue()


def load_busybox(docker: str, tag: str = "busybox:1") -> None:
    """Import the busybox image into the engine at `docker`."""
    argv = ["docker", "-H", docker, "import", "--change", "ENV PATH=/bin", "--change", 'CMD ["/bin/sh"]', "-", tag]
    subprocess.run(argv, input=busybox_tree(), check=True, capture_output=True)


def binary_tree(*programs: str) -> bytes:
    """A root file system (tar) that holds programs of this machine with the libraries they load."""
    files = set(programs)
    for program in programs:
        listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
        files |= {word for word in listed.split() if word.startswith("/")}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", dereference=True) as tar:
        for file in sorted(files):
            tar.add(file, file.lstrip("/"))
    return buffer.getvalue()

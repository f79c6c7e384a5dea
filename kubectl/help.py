"""The page that `pytheas` and `pytheas --help` print."""

from __future__ import annotations

from kubectl.commands import CLUSTER_COMMANDS, COMMANDS

_HEAD = """\
pytheas controls a Kubernetes-compatible cluster.

  pytheas up                             start a cluster on this machine
  pytheas apply -f examples/hello.yaml   create or change what a file describes
  pytheas get pods -o wide               see what runs, and where
  pytheas why pod NAME                   ask why a pod does not run
"""

_TAIL = """
Use "pytheas COMMAND --help" for a command's flags and examples.
The cluster is found through --kubeconfig, $KUBECONFIG, ~/.kube/config or /etc/pytheas/admin.conf.
"""


def overview() -> str:
    groups: dict[str, list[tuple[str, str]]] = {
        "Cluster life": [(name, summary) for name, summary in CLUSTER_COMMANDS.items() if summary]
    }
    for path, entry in COMMANDS.items():
        if entry.summary:
            groups.setdefault(entry.group, []).append((path, entry.summary))
    width = max(len(path) for members in groups.values() for path, _ in members)
    lines = [_HEAD]
    for group, members in groups.items():
        lines.append(f"{group}:")
        lines.extend(f"  {path:<{width}}  {summary}" for path, summary in members)
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n" + _TAIL

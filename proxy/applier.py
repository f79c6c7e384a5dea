"""Puts wanted rules into the kernel, and nothing but ours.

A change is one `iptables-restore --noflush`, which names only the chains that change: at 1,000 Services of 5
endpoints a changed endpoint takes about 15 ms with nft and 65 ms with the legacy tables (which the kernel always
replaces whole), where writing everything takes 750 and 150. `replace_all` starts from anything: it removes what an
earlier proxy left, and puts the jumps from the built-in chains back where they belong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from proxy.chains import JUMPS, TABLES, ChainId, is_ours
from proxy.iptables import Iptables
from proxy.ruleset import Change, RuleSet

_TARGET = re.compile(r" -[jg] (\S+)")
_QUOTED = re.compile(r'"[^"]*"')


@dataclass
class Found:
    """What a table holds that concerns us."""

    ours: set[ChainId] = field(default_factory=set)
    jumps: dict[str, list[str]] = field(default_factory=dict)
    """Built-in chain → its rules that lead into our chains, in order, as they stand after `-A CHAIN`."""
    referenced: set[ChainId] = field(default_factory=set)
    """Chains of ours that somebody else's chains lead to."""


def read_saved(table: str, text: str) -> Found:
    """Read the output of `iptables-save -t TABLE`."""
    found, builtin = Found(), set[str]()
    for line in text.splitlines():
        if line.startswith(":"):
            name, policy = line[1:].split(" ")[:2]
            if policy != "-":
                builtin.add(name)
            elif is_ours(ChainId(table, name)):
                found.ours.add(ChainId(table, name))
        elif line.startswith("-A "):
            _, chain, rule = line.split(" ", 2)
            leads_to = ChainId(table, _target(rule))
            if not is_ours(leads_to) or is_ours(ChainId(table, chain)):
                continue
            if chain in builtin:
                found.jumps.setdefault(chain, []).append(rule)
            else:
                found.referenced.add(leads_to)
    return found


def wanted_targets(table: str, builtin: str) -> list[str]:
    """The chains that our jumps in a built-in chain lead to, first to last."""
    return [_target(jump.rule) for jump in reversed(JUMPS) if (jump.table, jump.builtin) == (table, builtin)]


def _target(rule: str) -> str:
    match = _TARGET.search(" " + (_QUOTED.sub("", rule) if '"' in rule else rule))
    return match[1] if match else ""


def restore_text(change: Change, found: Mapping[str, Found] | None = None) -> str:
    """The input of `iptables-restore` for a change; with what the tables hold (`found`) the jumps are put right too."""
    lines: list[str] = []
    for table in TABLES:
        write = {chain: rules for chain, rules in change.write.items() if chain.table == table}
        remove = sorted(chain.name for chain in change.remove if chain.table == table)
        jumps = list(_jump_lines(table, found[table])) if found else []
        if not (write or remove or jumps):
            continue
        lines.append(f"*{table}")
        # Naming a chain empties it or makes it: this also lets one be removed that somebody has removed already.
        lines += [f":{name} - [0:0]" for name in sorted({chain.name for chain in write} | set(remove))]
        for chain, rules in sorted(write.items()):
            lines += [f"-A {chain.name} {rule}" for rule in rules]
        lines += jumps
        lines += [f"-X {name}" for name in remove]
        lines.append("COMMIT")
    return "\n".join(lines) + "\n" if lines else ""


def _jump_lines(table: str, found: Found) -> Iterable[str]:
    for builtin in dict.fromkeys(jump.builtin for jump in JUMPS if jump.table == table):
        there = found.jumps.get(builtin, [])
        if [_target(rule) for rule in there] == wanted_targets(table, builtin):
            continue
        yield from (f"-D {builtin} {rule}" for rule in there)
        yield from (
            f"-I {jump.builtin} {jump.rule}" for jump in JUMPS if (jump.table, jump.builtin) == (table, builtin)
        )


def removal_text(found: Mapping[str, Found]) -> str:
    """The input of `iptables-restore` that takes all of ours away. A chain that others lead to stays, empty."""
    lines: list[str] = []
    for table in TABLES:
        mine = found[table]
        if not mine.ours:
            continue
        lines.append(f"*{table}")
        lines += [f":{chain.name} - [0:0]" for chain in sorted(mine.ours)]
        lines += [f"-D {builtin} {rule}" for builtin, rules in mine.jumps.items() for rule in rules]
        lines += [f"-X {chain.name}" for chain in sorted(mine.ours - mine.referenced)]
        lines.append("COMMIT")
    return "\n".join(lines) + "\n" if lines else ""


class Applier:
    """The one who writes to the kernel's tables."""

    def __init__(self, iptables: Iptables) -> None:
        self.iptables = iptables

    async def apply(self, change: Change) -> None:
        """Write the changed chains. Raises IptablesError; then nothing is known of the tables: `replace_all`."""
        if text := restore_text(change):
            await self.iptables.restore(text)

    async def replace_all(self, wanted: RuleSet) -> None:
        """Make our chains exactly those of `wanted`, whatever is there. Raises IptablesError."""
        found = await self._found()
        stale = {chain for table in TABLES for chain in found[table].ours - found[table].referenced}
        change = Change(dict(wanted.chains), stale - wanted.chains.keys())
        await self.iptables.restore(restore_text(change, found))

    async def intact(self) -> bool:
        """Whether the jumps into our chains stand as we put them: a flushed or restored table has lost them."""
        for table, builtin in dict.fromkeys((jump.table, jump.builtin) for jump in JUMPS):
            rules = await self.iptables.list_chain(table, builtin)
            targets = [_target(line) for line in rules.splitlines()]
            wanted = wanted_targets(table, builtin)
            if [target for target in targets if target in wanted] != wanted:
                return False
        return True

    async def remove_all(self) -> set[str]:
        """Take away all chains and jumps of ours. Returns the chains that had to stay, emptied: others lead to them."""
        found = await self._found()
        if text := removal_text(found):
            await self.iptables.restore(text)
        return {chain.name for mine in found.values() for chain in mine.referenced}

    async def _found(self) -> dict[str, Found]:
        return {table: read_saved(table, await self.iptables.save(table)) for table in TABLES}

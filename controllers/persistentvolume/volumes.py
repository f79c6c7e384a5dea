"""What is to become of a volume: pure."""

from __future__ import annotations

from dataclasses import dataclass

from api.volumes import Claim, Volume
from controllers import objects

PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"


@dataclass(frozen=True)
class Verdict:
    """The phase that the volume shows. `give_back`: it is to forget the claim that has gone to another volume."""

    phase: str
    message: str = ""
    give_back: bool = False


def decide(volume: Volume, claim: Claim | None) -> Verdict | None:
    """`claim` is the one that the volume names, if it is there. None: as it is."""
    assert volume.spec is not None
    reference = volume.spec.claimRef
    if reference is None or not reference.uid:
        return Verdict("Available")
    if claim is None or objects.uid(claim) != reference.uid:
        return _released(volume)
    wanted = (claim.spec and claim.spec.volumeName) or ""
    if not wanted:
        return None  # half-way: the claim comes next
    if wanted == objects.name(volume):
        return Verdict("Bound")
    return Verdict("Available", give_back=True)


def _released(volume: Volume) -> Verdict:
    """Its claim has gone. Volumes of this program's own kinds stay, and so does what is on them."""
    assert volume.spec is not None
    policy = volume.spec.persistentVolumeReclaimPolicy or "Retain"
    if policy == "Retain" or PROVISIONED_BY in objects.annotations_of(volume):
        return Verdict("Released")
    verb = "deleter" if policy == "Delete" else "recycler"
    kind = "deletable" if policy == "Delete" else "recyclable"
    text = f'error getting {verb} volume plugin for volume "{objects.name(volume)}": no {kind} volume plugin matched'
    return Verdict("Failed", text)

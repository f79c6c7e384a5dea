"""`pytheas uncordon`: the other half of cordon."""

from __future__ import annotations

from kubectl.commands.cordon import UNCORDON

COMMAND = UNCORDON

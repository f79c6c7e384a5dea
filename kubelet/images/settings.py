"""The parts of image management as a kubelet's options want them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kubelet.images.collector import Collector
from kubelet.images.garbage import Policy
from kubelet.images.grants import Grants
from kubelet.images.images import Images
from kubelet.images.ledger import Ledger
from kubelet.images.pull import Allowance, Puller
from kubelet.options import Options
from kubelet.runtime.engine import Engine


def puller(engine: Engine, options: Options) -> Puller:
    return Puller(
        engine,
        at_once=1 if options.serialize_image_pulls else options.max_parallel_image_pulls,
        deadline=float(options.image_pull_progress_deadline),
        allowance=Allowance(options.registry_qps, options.registry_burst),
    )


def images(engine: Engine, options: Options) -> Images:
    return Images(engine, puller(engine, options), Grants(options.root_dir / "image-grants.json"))


def collector(
    engine: Engine, options: Options, warn: Callable[[str, str], None], pinned: Callable[[], Sequence[str]]
) -> Collector:
    policy = Policy(
        high=options.image_gc_high_threshold_percent,
        low=options.image_gc_low_threshold_percent,
        minimum_age=float(options.image_minimum_gc_age),
        maximum_age=float(options.image_maximum_gc_age),
    )
    return Collector(engine, Ledger(options.root_dir / "images.json"), policy, warn, pinned)

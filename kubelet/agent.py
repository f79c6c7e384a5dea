"""The kubelet put together: Docker's side, the API server's side, and the tasks that run between them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial

from api.types import core_v1
from client.events import EventRecorder
from client.informer import Informer
from client.kubeconfig import load
from client.rest import Client
from daemon import health as health_pages
from daemon.log import logger
from daemon.run import freeze
from kubelet.eviction.manager import Hands
from kubelet.eviction.reclaim import remove_dead
from kubelet.images import settings as image_settings
from kubelet.images.secrets import PullSecrets
from kubelet.logs import archive as archives
from kubelet.logs.follow import Followers
from kubelet.network import pod_range
from kubelet.network.cni import Cni
from kubelet.network.resolver import Dns
from kubelet.network.route_keeper import RouteKeeper
from kubelet.node import events as node_events
from kubelet.node import machine as machines
from kubelet.node import status as nodes
from kubelet.node.events import Said
from kubelet.node.kernel_log import KernelLog
from kubelet.node.registration import Pace, Registration
from kubelet.node.resources import NodeResources
from kubelet.node_context import NodeContext
from kubelet.objects import SYNC_DEADLINE, PodObjects
from kubelet.options import Options
from kubelet.pod.admission import Refusal
from kubelet.pod.env import Objects
from kubelet.pod.ground import Ground
from kubelet.pod.placement import misplaced
from kubelet.pod.services import service_variables
from kubelet.pod.sysctls import Allowed
from kubelet.pods import Pods
from kubelet.probes.handler import Asker
from kubelet.runtime.accounts import ImageAccounts
from kubelet.runtime.engine import Engine
from kubelet.runtime.errors import EngineError
from kubelet.runtime.inventory import Inventory
from kubelet.runtime.survey import survey
from kubelet.runtime.watch import EngineWatch
from kubelet.sandboxes import runtime_class
from kubelet.sandboxes.pool import Pool
from kubelet.server.images import ImagePages
from kubelet.server.logs import Logs
from kubelet.server.metrics import KubeletMetrics
from kubelet.server.site import Site
from kubelet.shutdown.manager import Shutdown, shutdown_periods
from kubelet.static.annotations import is_mirror, is_static
from kubelet.static.channel import StaticChannel
from kubelet.static.desk import StaticPods
from kubelet.static.mirrors import Mirrors
from kubelet.upstream import Upstream
from kubelet.volumes.claims import claimed

log = logger(__name__)


class Agent:
    """One node's kubelet. `run()` it."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._name = options.node_name or machines.host_name()
        self._ips = (options.node_ip or machines.default_address(),)
        options.root_dir.mkdir(parents=True, exist_ok=True, mode=0o750)
        self._machine = machines.read(options.root_dir)
        self._taints = nodes.taints(options.register_with_taints)
        self._periods = shutdown_periods(options)
        Allowed.of(options.allowed_unsafe_sysctls)  # raises ValueError now rather than when Docker answers
        self._resources = NodeResources(options, self._machine)
        self._engine = Engine(options.docker_host, starts=options.docker_starts)
        self._images = image_settings.images(self._engine, options)
        self._collector = image_settings.collector(self._engine, options, self._warn, self._pinned_images)
        self._images.brought, self._collector.on_stock = self._collector.brought, self._images.grants.keep
        self._up = asyncio.Event()
        self._inventory = Inventory(self._name, self._container_changed)
        self._watch = EngineWatch(self._engine, self._inventory, self._images, self._name, self._up)
        cache = options.cni_cache_dir or options.root_dir / "cni"
        known = options.pod_cidr or pod_range.recall(options.root_dir)
        self._cni = Cni(options.cni_conf_dir, options.cni_bin_dir, cache, known)
        self._pool = Pool(options.root_dir / "netns", self._cni, options.warm_sandboxes)
        self._image_list: Sequence[core_v1.ContainerImage] | None = None
        self._followers = Followers()
        self._problem = "starting"

    def _container_changed(self, uid: str) -> None:
        self._pods.wake(uid)
        self._followers.container_changed(uid)

    async def run(self) -> None:
        async with AsyncExitStack() as stack:
            stack.callback(self._engine.close)
            host, port = health_pages.split_bind(self._options.health_bind)
            await stack.enter_async_context(health_pages.serve(host, port, {"docker": lambda: self._problem or None}))
            self._client = await stack.enter_async_context(
                Client(load(self._options.kubeconfig), user_agent="pytheas-kubelet")
            )
            group = await stack.enter_async_context(asyncio.TaskGroup())
            try:
                await self._start(stack, group)
                await asyncio.Event().wait()
            finally:
                await self._stop()

    async def _start(self, stack: AsyncExitStack, group: asyncio.TaskGroup) -> None:
        rate, burst = self._options.event_qps or 1e9, self._options.event_burst
        recorder = EventRecorder(self._client, "kubelet", self._name, rate=rate, burst=burst)
        stack.push_async_callback(recorder.close)
        self._upstream = Upstream(self._client, recorder)
        self._mirrors = Mirrors(self._client, self._name, lambda: self._registration.uid)
        self._recorder = recorder
        self._images.credentials = PullSecrets(self._client, self._options.root_dir / "config.json").of
        self._objects = PodObjects(self._client, lambda uids: self._pods.refresh(uids))
        self._services = Informer(self._client, core_v1.Service)
        self._nodes = Informer(self._client, core_v1.Node)
        self._own = Informer(self._client, core_v1.Pod, fields=f"spec.nodeName={self._name}")
        self._asker = Asker(self._engine)
        stack.push_async_callback(self._asker.close)
        self._pods = Pods(self._context())
        self._static = StaticPods(self._pods, self._mirrors)
        self._shutdown = Shutdown(self._pods, self._periods, self._say, lambda: self._registration.nudge())
        self._engine_task = group.create_task(self._watch.run(float(self._options.sync_period)))
        for informer in (self._services, self._nodes):
            group.create_task(informer.run())
        self._routes = RouteKeeper(self._nodes, self._name)
        self._nodes.on_change(self._node_changed)
        ground = group.create_task(self._prepare_engine())
        await ground
        self._problem = ""
        self._register(group)
        self._own.on_change(self._pod_changed)
        group.create_task(self._own.run())
        group.create_task(self._run_static_pods())
        group.create_task(self._shutdown.run())
        group.create_task(self._routes.run())
        group.create_task(self._collector.run(self._up))
        group.create_task(self._resources.run(self._own.synced))
        group.create_task(self._resources.keep_weights(self._pods.all, float(self._options.sync_period)))
        kernel = KernelLog(partial(self._warn, "SystemOOM"))
        kernel.open()
        stack.callback(kernel.close)
        group.create_task(self._keep_house())
        group.create_task(self._pool.keep(self._pods.networks))
        site = Site(self._options, self._client, self._pods, self._machine)
        logs = Logs(self._pods, self._followers)
        metrics = KubeletMetrics(self._pods, self._inventory, lambda: logs.open_streams, lambda: self._mirrors.wanted)
        images = ImagePages(self._engine, self._images, self._collector)
        await site.open(stack, logs, images, metrics, self._trouble)
        log.info("started", node=self._name, address=self._ips[0])
        freeze()

    def _context(self) -> NodeContext:
        options = self._options
        return NodeContext(
            name=self._name,
            root=options.root_dir,
            engine=self._engine,
            inventory=self._inventory,
            images=self._images,
            cni=self._cni,
            pool=self._pool,
            asker=self._asker,
            accounts=ImageAccounts(self._engine, self._name),
            ground=Ground(self._name),
            channel=StaticChannel(self._upstream, self._mirrors.of),
            archive=archives.Archive(options.root_dir, archives.limits(options)),
            objects=self._pod_objects,
            services=self._service_variables,
            runtime=partial(runtime_class.handler, self._client),
            claimed=partial(claimed, self._client),
            dns=Dns(options.cluster_dns, options.cluster_domain, options.resolv_conf),
            host_ips=self._ips,
            allocatable=self._resources.allocatable,
            cgroups=self._resources.cgroups,
            admit=self._admit,
            resizable=lambda pod: self._resources.resizable(pod, self._pods.taken(but=_uid(pod))),
            engine_up=self._up,
            longest_backoff=float(options.max_container_restart_period),
            released=self._release,
        )

    def _identity(self, engine_version: str = "") -> nodes.Identity:
        options = self._options
        given = dict(each.partition("=")[::2] for each in options.node_labels)
        return nodes.Identity(
            self._name,
            self._ips,
            options.port,
            engine_version,
            given,
            self._resources.capacity,
            self._resources.allocatable,
            self._taints,
            options.provider_id,
        )

    async def _prepare_engine(self) -> None:
        """Once Docker answers: what all pods here are made with."""
        await self._up.wait()
        found = await survey(self._engine, self._options, self._name, self._machine.memory, self._resources.cpu_period)
        self._pool.off, self._engine_version, ground = found.pool_off, found.engine_version, found.ground
        self._pods.node.ground = ground
        await self._resources.begin(ground.cgroup_driver, self._engine, ground.engine_root, self._hands())
        self._pods.node.cgroups = self._resources.cgroups

    def _admit(self, pod: core_v1.Pod) -> Refusal | None:
        """Why the node has no place for a pod, if it hasn't."""
        node, others = self._nodes.get(self._name), self._pods.taken()
        refused = self._shutdown.admit(pod) or (misplaced(pod, node, others) if node is not None else None)
        return refused or self._resources.admit(pod, others, self._pods.preempt)

    def _hands(self) -> Hands:
        """What evictions may do here."""
        return Hands(
            targets=self._pods.all,
            reclaim=self._reclaim,
            warn=self._warn,
            changed=self._nudge,
            say=lambda pod, message: self._upstream.say(pod, "Warning", "Evicted", message),
        )

    def _nudge(self) -> None:
        """The node's status has changed; what changes before the node is registered is told then."""
        if self._problem == "":
            self._registration.nudge()

    async def _reclaim(self, wanted: int) -> None:
        """Give disk back that nobody uses."""
        await remove_dead(self._engine, self._inventory, self._pods.all())
        await self._collector.free(wanted)

    def _register(self, group: asyncio.TaskGroup) -> None:
        self._registration = Registration(
            self._client,
            self._identity(self._engine_version),
            self._machine,
            self._health,
            self._present_images,
            self._own_node,
            self._say,
            pace=Pace.of(self._options),
            register=self._options.register_node,
        )
        for said in node_events.started():
            self._say(said)
        self._images.on_change = self._images_changed
        self._watch.on_change = self._registration.nudge
        group.create_task(self._registration.keep_status())
        group.create_task(self._registration.keep_lease())

    def _trouble(self) -> str:
        return self._problem or self._health().runtime

    def _health(self) -> nodes.Health:
        runtime = "" if self._up.is_set() else self._watch.trouble or "no answer"
        return nodes.Health(runtime, self._cni.problem(), self._resources.conditions, self._shutdown.problem)

    async def _present_images(self) -> Sequence[core_v1.ContainerImage]:
        if self._image_list is None:
            try:
                self._image_list = nodes.images(await self._engine.images(), self._options.node_status_max_images)
            except EngineError as error:
                log.warning("the images could not be listed", error=str(error))
                return ()
        return self._image_list

    def _pinned_images(self) -> Sequence[str]:
        return (self._pods.node.ground.pause_image,)

    def _images_changed(self) -> None:
        self._image_list = None
        self._pods.images_changed()

    def _own_node(self, node: core_v1.Node) -> None:
        """The Node as the API server has it: the controllers may have given it its podCIDR."""
        cidr = node.spec.podCIDR if node.spec is not None else None
        if cidr and not self._options.pod_cidr and cidr != self._cni.pod_cidr:
            log.info("pod range", cidr=cidr)
            self._cni.pod_cidr = cidr
            pod_range.remember(self._options.root_dir, cidr)
            self._pool.nudge()
            self._registration.nudge()
            for worker in self._pods.all():
                worker.refresh()

    def _node_changed(self, key: str, old: core_v1.Node | None, new: core_v1.Node | None) -> None:
        if key == self._name and self._problem == "":
            if new is not None:
                self._own_node(new)
            self._registration.changed(old, new)
        self._routes.node_changed(old, new)

    def _pod_changed(self, key: str, old: core_v1.Pod | None, new: core_v1.Pod | None) -> None:
        if old is not None and (new is None or _uid(new) != _uid(old)):
            if is_mirror(old):
                self._static.mirror_lost(old)
                self._upstream.forget(_uid(old))
            else:
                self._pods.lose(_uid(old))
        if new is not None:
            self._upstream.seen(new)
            if is_mirror(new):
                self._static.mirror_seen(new)
            else:
                self._pods.put(new)

    async def _run_static_pods(self) -> None:
        def complain(path: str, why: str) -> None:
            self._warn("FailedStaticPod", f"{path}: {why}")

        options = self._options
        period = float(options.file_check_frequency)
        await self._static.run(options.pod_manifest_path, period, self._own.synced, complain)

    async def _pod_objects(self, pod: core_v1.Pod) -> Objects:
        """What the pod's containers are made from. Raises OSError when the API server doesn't answer in time."""
        try:
            # A container that started before the Services are known would never learn of them. A static pod can't wait
            # for the API server.
            if not is_static(pod):
                await asyncio.wait_for(self._services.synced(), SYNC_DEADLINE)
        except TimeoutError:
            raise OSError("services have not yet been read at least once, cannot construct envvars") from None
        return await self._objects.fetch(pod)

    def _service_variables(self, pod: core_v1.Pod) -> Mapping[str, str]:
        assert pod.spec is not None
        assert pod.metadata is not None
        links = pod.spec.enableServiceLinks is not False
        return service_variables(self._services.items(), pod.metadata.namespace or "", links=links)

    def _release(self, uid: str) -> None:
        self._objects.release(uid)
        self._upstream.forget(uid)
        self._static.ended(uid)

    async def _keep_house(self) -> None:
        """Once both sides have told all they have: end what nobody wants, now and after each period."""
        await self._own.synced()
        await self._static.read.wait()
        while True:
            await self._up.wait()
            self._pods.end_orphans()
            await self._pool.sweep(self._pods.networks())
            await self._pods.node.archive.sweep()
            await asyncio.sleep(float(self._options.sync_period))

    def _warn(self, reason: str, message: str) -> None:
        self._say(Said("Warning", reason, message))

    def _say(self, said: Said) -> None:
        """An event about this node."""
        self._recorder.event(nodes.reference(self._name), said.kind, said.reason, said.message)

    async def _stop(self) -> None:
        """Leave the pods running, and tell nothing more."""
        await self._pods.close()
        await self._objects.close()


def _uid(pod: core_v1.Pod) -> str:
    return (pod.metadata.uid or "") if pod.metadata else ""

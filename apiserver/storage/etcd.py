"""etcd's operations as the storage layer needs them, typed and asynchronous.

etcd reports a compaction in two ways: a range fails with OUT_OF_RANGE, a watch is cancelled with `compact_revision` set
and an empty reason. Both become `Compacted` here.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from apiserver.storage.channel import CallError, Certificates, Channel, Unreachable
from apiserver.storage.stubs import etcd_pb2 as pb


class EtcdError(Exception):
    """Something etcd would not do."""


class Unavailable(EtcdError):
    """etcd does not answer. `sent` tells whether a write may have been carried out all the same."""

    def __init__(self, text: str, sent: bool) -> None:
        super().__init__(text)
        self.sent = sent


class Compacted(EtcdError):
    """The revision asked for has been compacted away."""


class FutureRevision(EtcdError):
    """The revision asked for is not there yet."""


class TooLarge(EtcdError):
    """The request is larger than etcd takes."""


class Etcd:
    """One logical connection to an etcd cluster."""

    def __init__(self, endpoints: Sequence[str], certificates: Certificates | None = None) -> None:
        self._channel = Channel(endpoints, certificates or Certificates())

    async def close(self) -> None:
        await self._channel.close()

    async def txn(
        self,
        compare: Sequence[pb.Compare],
        success: Sequence[pb.RequestOp],
        failure: Sequence[pb.RequestOp] = (),
    ) -> pb.TxnResponse:
        """One transaction. Raises Unavailable, TooLarge, EtcdError."""
        request = pb.TxnRequest(compare=compare, success=success, failure=failure)
        return pb.TxnResponse.FromString(await self._call("KV/Txn", request.SerializeToString()))

    async def range(
        self,
        key: bytes,
        end: bytes = b"",
        *,
        limit: int = 0,
        revision: int = 0,
        keys_only: bool = False,
        count_only: bool = False,
    ) -> pb.RangeResponse:
        """The keys from `key` up to before `end`, linearizable; at `revision` if given. Raises Compacted."""
        request = pb.RangeRequest(
            key=key, range_end=end, limit=limit, revision=revision, keys_only=keys_only, count_only=count_only
        )
        return pb.RangeResponse.FromString(await self._call("KV/Range", request.SerializeToString()))

    async def revision(self) -> int:
        """The store's revision now: at least that of every write that was answered before this call."""
        answer = pb.RangeResponse.FromString(await self._call("KV/Range", _PROBE))
        return answer.header.revision

    async def compact(self, revision: int) -> None:
        """Forget what was before `revision`. Raises Compacted if that has been done."""
        await self._call("KV/Compact", pb.CompactionRequest(revision=revision).SerializeToString())

    async def grant(self, seconds: int) -> int:
        """A new lease; what is put with it goes when it ends."""
        answer = await self._call("Lease/LeaseGrant", pb.LeaseGrantRequest(TTL=seconds).SerializeToString())
        return pb.LeaseGrantResponse.FromString(answer).ID

    async def revoke(self, lease: int) -> None:
        """End a lease; what was put with it goes."""
        await self._call("Lease/LeaseRevoke", pb.LeaseRevokeRequest(ID=lease).SerializeToString())

    async def watch(self, key: bytes, end: bytes, start: int) -> AsyncGenerator[pb.WatchResponse, None]:
        """What happens to the keys from `key` up to before `end`, from revision `start` on, and progress notes.

        Ends only by an exception. Raises Unavailable, Compacted.
        """
        create = pb.WatchCreateRequest(key=key, range_end=end, start_revision=start)
        try:
            async with self._channel.stream("/etcdserverpb.Watch/Watch") as stream:
                stream.send(pb.WatchRequest(create_request=create).SerializeToString())
                while (message := await stream.receive()) is not None:
                    response = pb.WatchResponse.FromString(message)
                    if response.canceled:
                        raise _cancelled(response)
                    yield response
        except CallError as error:
            raise _translate(error) from error
        raise Unavailable("etcd ended the watch", sent=True)

    async def _call(self, method: str, message: bytes) -> bytes:
        try:
            return await self._channel.call(f"/etcdserverpb.{method}", message)
        except CallError as error:
            raise _translate(error) from error


# Reads no key; its header tells the revision.
_PROBE = pb.RangeRequest(key=b"\0", limit=1, keys_only=True).SerializeToString()


def _cancelled(response: pb.WatchResponse) -> EtcdError:
    if response.compact_revision:
        return Compacted(f"revisions before {response.compact_revision} are compacted")
    return Unavailable(response.cancel_reason or "etcd cancelled the watch", sent=True)


def _translate(error: CallError) -> EtcdError:
    if isinstance(error, Unreachable):
        return Unavailable(error.text, error.sent)
    if "request is too large" in error.text or "larger than max" in error.text:
        return TooLarge(error.text)
    if error.code == "OUT_OF_RANGE":
        return FutureRevision(error.text) if "future revision" in error.text else Compacted(error.text)
    if error.code in ("DEADLINE_EXCEEDED", "CANCELLED"):
        return Unavailable(f"etcd did not answer in time: {error.text}", sent=True)
    return EtcdError(error.text)


def put(key: bytes, value: bytes, lease: int = 0) -> pb.RequestOp:
    return pb.RequestOp(request_put=pb.PutRequest(key=key, value=value, lease=lease))


def read(key: bytes) -> pb.RequestOp:
    return pb.RequestOp(request_range=pb.RangeRequest(key=key))


def remove(key: bytes) -> pb.RequestOp:
    return pb.RequestOp(request_delete_range=pb.DeleteRangeRequest(key=key))


def unchanged_since(key: bytes, revision: int) -> pb.Compare:
    """Whether the key was last written at `revision`; 0: it does not exist."""
    return pb.Compare(result=pb.Compare.EQUAL, target=pb.Compare.MOD, key=key, mod_revision=revision)


def prefix_end(prefix: bytes) -> bytes:
    """The end of the range of all keys that begin with `prefix`."""
    trimmed = prefix.rstrip(b"\xff")
    return trimmed[:-1] + bytes([trimmed[-1] + 1]) if trimmed else b"\0"

"""Objects in protobuf, as Go clients send them and ask for them: JSON objects in, JSON objects out.

A body is the magic `k8s\\0` and a `runtime.Unknown` that names the kind and holds its message. What field numbers mean
is data (`schema/data/protobuf/`, see `tables`); what is left is the plain wire format
(https://protobuf.dev/programming-guides/encoding/) and the few types whose JSON form is not that of a message.
"""

from api.protobuf.reader import decode
from api.protobuf.tables import MAGIC, find_message, has_message
from api.protobuf.writer import box, encode, encode_message, envelope, join_list, watch_frame

__all__ = [
    "MAGIC",
    "box",
    "decode",
    "encode",
    "encode_message",
    "envelope",
    "find_message",
    "has_message",
    "join_list",
    "watch_frame",
]

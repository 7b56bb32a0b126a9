from moot.v1 import signed_pb2 as _signed_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Ping(_message.Message):
    __slots__ = ("probe", "nonce", "prober", "gossip")
    PROBE_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    PROBER_FIELD_NUMBER: _ClassVar[int]
    GOSSIP_FIELD_NUMBER: _ClassVar[int]
    probe: int
    nonce: bytes
    prober: bytes
    gossip: _containers.RepeatedCompositeFieldContainer[_signed_pb2.Signed]
    def __init__(self, probe: _Optional[int] = ..., nonce: _Optional[bytes] = ..., prober: _Optional[bytes] = ..., gossip: _Optional[_Iterable[_Union[_signed_pb2.Signed, _Mapping]]] = ...) -> None: ...

class Ack(_message.Message):
    __slots__ = ("probe", "ack", "gossip")
    PROBE_FIELD_NUMBER: _ClassVar[int]
    ACK_FIELD_NUMBER: _ClassVar[int]
    GOSSIP_FIELD_NUMBER: _ClassVar[int]
    probe: int
    ack: _signed_pb2.Signed
    gossip: _containers.RepeatedCompositeFieldContainer[_signed_pb2.Signed]
    def __init__(self, probe: _Optional[int] = ..., ack: _Optional[_Union[_signed_pb2.Signed, _Mapping]] = ..., gossip: _Optional[_Iterable[_Union[_signed_pb2.Signed, _Mapping]]] = ...) -> None: ...

class PingReq(_message.Message):
    __slots__ = ("probe", "nonce", "target", "budget_ms", "gossip")
    PROBE_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    BUDGET_MS_FIELD_NUMBER: _ClassVar[int]
    GOSSIP_FIELD_NUMBER: _ClassVar[int]
    probe: int
    nonce: bytes
    target: bytes
    budget_ms: int
    gossip: _containers.RepeatedCompositeFieldContainer[_signed_pb2.Signed]
    def __init__(self, probe: _Optional[int] = ..., nonce: _Optional[bytes] = ..., target: _Optional[bytes] = ..., budget_ms: _Optional[int] = ..., gossip: _Optional[_Iterable[_Union[_signed_pb2.Signed, _Mapping]]] = ...) -> None: ...

class Nack(_message.Message):
    __slots__ = ("probe", "target")
    PROBE_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    probe: int
    target: bytes
    def __init__(self, probe: _Optional[int] = ..., target: _Optional[bytes] = ...) -> None: ...

class Gossip(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[_signed_pb2.Signed]
    def __init__(self, items: _Optional[_Iterable[_Union[_signed_pb2.Signed, _Mapping]]] = ...) -> None: ...

class SyncRequest(_message.Message):
    __slots__ = ("own", "lines", "sums", "buckets")
    OWN_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    SUMS_FIELD_NUMBER: _ClassVar[int]
    BUCKETS_FIELD_NUMBER: _ClassVar[int]
    own: _signed_pb2.Signed
    lines: bytes
    sums: bytes
    buckets: bytes
    def __init__(self, own: _Optional[_Union[_signed_pb2.Signed, _Mapping]] = ..., lines: _Optional[bytes] = ..., sums: _Optional[bytes] = ..., buckets: _Optional[bytes] = ...) -> None: ...

class SyncReply(_message.Message):
    __slots__ = ("items", "want", "names")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    WANT_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[_signed_pb2.Signed]
    want: _containers.RepeatedScalarFieldContainer[bytes]
    names: bytes
    def __init__(self, items: _Optional[_Iterable[_Union[_signed_pb2.Signed, _Mapping]]] = ..., want: _Optional[_Iterable[bytes]] = ..., names: _Optional[bytes] = ...) -> None: ...

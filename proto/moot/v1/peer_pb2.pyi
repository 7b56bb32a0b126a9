from moot.v1 import membership_pb2 as _membership_pb2
from moot.v1 import moot_pb2 as _moot_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Envelope(_message.Message):
    __slots__ = ("moot", "sender", "recipient", "epoch", "sequence", "payload", "signature")
    MOOT_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    moot: bytes
    sender: bytes
    recipient: bytes
    epoch: int
    sequence: int
    payload: bytes
    signature: bytes
    def __init__(self, moot: _Optional[bytes] = ..., sender: _Optional[bytes] = ..., recipient: _Optional[bytes] = ..., epoch: _Optional[int] = ..., sequence: _Optional[int] = ..., payload: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...

class Receipt(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Batch(_message.Message):
    __slots__ = ("messages",)
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    messages: _containers.RepeatedCompositeFieldContainer[Message]
    def __init__(self, messages: _Optional[_Iterable[_Union[Message, _Mapping]]] = ...) -> None: ...

class Message(_message.Message):
    __slots__ = ("records", "status", "want", "agendas", "want_entries", "entries", "ping", "ack", "ping_req", "nack", "gossip", "sync_request", "sync_reply")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    WANT_FIELD_NUMBER: _ClassVar[int]
    AGENDAS_FIELD_NUMBER: _ClassVar[int]
    WANT_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    PING_FIELD_NUMBER: _ClassVar[int]
    ACK_FIELD_NUMBER: _ClassVar[int]
    PING_REQ_FIELD_NUMBER: _ClassVar[int]
    NACK_FIELD_NUMBER: _ClassVar[int]
    GOSSIP_FIELD_NUMBER: _ClassVar[int]
    SYNC_REQUEST_FIELD_NUMBER: _ClassVar[int]
    SYNC_REPLY_FIELD_NUMBER: _ClassVar[int]
    records: _moot_pb2.Records
    status: _moot_pb2.Status
    want: _moot_pb2.Want
    agendas: _moot_pb2.Agendas
    want_entries: _moot_pb2.WantEntries
    entries: _moot_pb2.Entries
    ping: _membership_pb2.Ping
    ack: _membership_pb2.Ack
    ping_req: _membership_pb2.PingReq
    nack: _membership_pb2.Nack
    gossip: _membership_pb2.Gossip
    sync_request: _membership_pb2.SyncRequest
    sync_reply: _membership_pb2.SyncReply
    def __init__(self, records: _Optional[_Union[_moot_pb2.Records, _Mapping]] = ..., status: _Optional[_Union[_moot_pb2.Status, _Mapping]] = ..., want: _Optional[_Union[_moot_pb2.Want, _Mapping]] = ..., agendas: _Optional[_Union[_moot_pb2.Agendas, _Mapping]] = ..., want_entries: _Optional[_Union[_moot_pb2.WantEntries, _Mapping]] = ..., entries: _Optional[_Union[_moot_pb2.Entries, _Mapping]] = ..., ping: _Optional[_Union[_membership_pb2.Ping, _Mapping]] = ..., ack: _Optional[_Union[_membership_pb2.Ack, _Mapping]] = ..., ping_req: _Optional[_Union[_membership_pb2.PingReq, _Mapping]] = ..., nack: _Optional[_Union[_membership_pb2.Nack, _Mapping]] = ..., gossip: _Optional[_Union[_membership_pb2.Gossip, _Mapping]] = ..., sync_request: _Optional[_Union[_membership_pb2.SyncRequest, _Mapping]] = ..., sync_reply: _Optional[_Union[_membership_pb2.SyncReply, _Mapping]] = ...) -> None: ...

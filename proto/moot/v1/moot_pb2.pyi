from moot.v1 import signed_pb2 as _signed_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Records(_message.Message):
    __slots__ = ("records",)
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[_signed_pb2.Signed]
    def __init__(self, records: _Optional[_Iterable[_Union[_signed_pb2.Signed, _Mapping]]] = ...) -> None: ...

class Status(_message.Message):
    __slots__ = ("height", "have")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    HAVE_FIELD_NUMBER: _ClassVar[int]
    height: int
    have: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, height: _Optional[int] = ..., have: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Want(_message.Message):
    __slots__ = ("digests",)
    DIGESTS_FIELD_NUMBER: _ClassVar[int]
    digests: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, digests: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Agendas(_message.Message):
    __slots__ = ("agendas",)
    AGENDAS_FIELD_NUMBER: _ClassVar[int]
    agendas: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, agendas: _Optional[_Iterable[bytes]] = ...) -> None: ...

class WantEntries(_message.Message):
    __slots__ = ("slot",)
    SLOT_FIELD_NUMBER: _ClassVar[int]
    slot: int
    def __init__(self, slot: _Optional[int] = ...) -> None: ...

class LedgerEntry(_message.Message):
    __slots__ = ("agenda", "statements")
    AGENDA_FIELD_NUMBER: _ClassVar[int]
    STATEMENTS_FIELD_NUMBER: _ClassVar[int]
    agenda: bytes
    statements: _containers.RepeatedCompositeFieldContainer[_signed_pb2.Signed]
    def __init__(self, agenda: _Optional[bytes] = ..., statements: _Optional[_Iterable[_Union[_signed_pb2.Signed, _Mapping]]] = ...) -> None: ...

class Entries(_message.Message):
    __slots__ = ("slot", "entries")
    SLOT_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    slot: int
    entries: _containers.RepeatedCompositeFieldContainer[LedgerEntry]
    def __init__(self, slot: _Optional[int] = ..., entries: _Optional[_Iterable[_Union[LedgerEntry, _Mapping]]] = ...) -> None: ...

from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KIND_UNSPECIFIED: _ClassVar[Kind]
    KIND_QUESTION: _ClassVar[Kind]
    KIND_PROPOSAL: _ClassVar[Kind]
    KIND_PREFERENCE: _ClassVar[Kind]
    KIND_STATEMENT: _ClassVar[Kind]
    KIND_MEMBER: _ClassVar[Kind]
    KIND_SUSPICION: _ClassVar[Kind]
    KIND_ACK: _ClassVar[Kind]
    KIND_REVOCATION: _ClassVar[Kind]
    KIND_CHANGE: _ClassVar[Kind]
    KIND_APPROVAL: _ClassVar[Kind]
KIND_UNSPECIFIED: Kind
KIND_QUESTION: Kind
KIND_PROPOSAL: Kind
KIND_PREFERENCE: Kind
KIND_STATEMENT: Kind
KIND_MEMBER: Kind
KIND_SUSPICION: Kind
KIND_ACK: Kind
KIND_REVOCATION: Kind
KIND_CHANGE: Kind
KIND_APPROVAL: Kind

class Signed(_message.Message):
    __slots__ = ("kind", "author", "body", "signature")
    KIND_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    kind: Kind
    author: bytes
    body: bytes
    signature: bytes
    def __init__(self, kind: _Optional[_Union[Kind, str]] = ..., author: _Optional[bytes] = ..., body: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...

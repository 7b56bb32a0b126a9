"""Messages about questions and slots, as protobuf and back."""

from moot.v1 import moot_pb2 as pb

from coordinator.messages import (
    AGENDA_SIZE_MAX,
    AGENDAS_MAX,
    DIGESTS_MAX,
    ENTRIES_MAX,
    RECORDS_MAX,
    Agendas,
    Entries,
    LedgerEntry,
    Records,
    Status,
    Want,
    WantEntries,
)
from node.transport.wire_signed import DIGEST_SIZE, all_sized, counted, limited, many_from_pb, many_to_pb


def records_to_pb(message: Records) -> pb.Records:
    return pb.Records(records=many_to_pb(message.records, RECORDS_MAX))


def records_from_pb(raw: pb.Records) -> Records:
    return Records(many_from_pb(raw.records, RECORDS_MAX))


def status_to_pb(message: Status) -> pb.Status:
    return pb.Status(height=message.height, have=all_sized(counted(message.have, DIGESTS_MAX), DIGEST_SIZE))


def status_from_pb(raw: pb.Status) -> Status:
    return Status(raw.height, all_sized(counted(raw.have, DIGESTS_MAX), DIGEST_SIZE))


def want_to_pb(message: Want) -> pb.Want:
    return pb.Want(digests=all_sized(counted(message.digests, DIGESTS_MAX), DIGEST_SIZE))


def want_from_pb(raw: pb.Want) -> Want:
    return Want(all_sized(counted(raw.digests, DIGESTS_MAX), DIGEST_SIZE))


def agendas_to_pb(message: Agendas) -> pb.Agendas:
    agendas = counted(message.agendas, AGENDAS_MAX)
    return pb.Agendas(agendas=[limited(agenda, AGENDA_SIZE_MAX) for agenda in agendas])


def agendas_from_pb(raw: pb.Agendas) -> Agendas:
    return Agendas(tuple(limited(agenda, AGENDA_SIZE_MAX) for agenda in counted(raw.agendas, AGENDAS_MAX)))


def want_entries_to_pb(message: WantEntries) -> pb.WantEntries:
    return pb.WantEntries(slot=message.slot)


def want_entries_from_pb(raw: pb.WantEntries) -> WantEntries:
    return WantEntries(raw.slot)


def entries_to_pb(message: Entries) -> pb.Entries:
    return pb.Entries(
        slot=message.slot, entries=[_entry_to_pb(entry) for entry in counted(message.entries, ENTRIES_MAX)]
    )


def entries_from_pb(raw: pb.Entries) -> Entries:
    return Entries(raw.slot, tuple(_entry_from_pb(entry) for entry in counted(raw.entries, ENTRIES_MAX)))


def _entry_to_pb(entry: LedgerEntry) -> pb.LedgerEntry:
    return pb.LedgerEntry(
        agenda=limited(entry.agenda, AGENDA_SIZE_MAX), statements=many_to_pb(entry.statements, RECORDS_MAX)
    )


def _entry_from_pb(raw: pb.LedgerEntry) -> LedgerEntry:
    return LedgerEntry(limited(raw.agenda, AGENDA_SIZE_MAX), many_from_pb(raw.statements, RECORDS_MAX))

"""Messages about who is reachable, as protobuf and back."""

from moot.v1 import membership_pb2 as pb

from coordinator.encoding import EncodingError
from coordinator.signed import NODE_ID_SIZE
from node.membership.messages import (
    GOSSIP_MAX,
    NONCE_SIZE,
    SYNC_ENTRIES_MAX,
    Ack,
    Gossip,
    Nack,
    Ping,
    PingReq,
    SyncEntry,
    SyncReply,
    SyncRequest,
)
from node.transport.wire_signed import (
    all_sized,
    counted,
    many_from_pb,
    many_to_pb,
    signed_from_pb,
    signed_to_pb,
    sized,
)

RANK_MAX = 3


def ping_to_pb(message: Ping) -> pb.Ping:
    return pb.Ping(
        probe=message.probe,
        nonce=sized(message.nonce, NONCE_SIZE),
        prober=sized(message.prober, NODE_ID_SIZE),
        gossip=many_to_pb(message.gossip, GOSSIP_MAX),
    )


def ping_from_pb(raw: pb.Ping) -> Ping:
    nonce, prober = sized(raw.nonce, NONCE_SIZE), sized(raw.prober, NODE_ID_SIZE)
    return Ping(raw.probe, nonce, prober, many_from_pb(raw.gossip, GOSSIP_MAX))


def ack_to_pb(message: Ack) -> pb.Ack:
    return pb.Ack(probe=message.probe, ack=signed_to_pb(message.ack), gossip=many_to_pb(message.gossip, GOSSIP_MAX))


def ack_from_pb(raw: pb.Ack) -> Ack:
    return Ack(raw.probe, signed_from_pb(raw.ack), many_from_pb(raw.gossip, GOSSIP_MAX))


def ping_req_to_pb(message: PingReq) -> pb.PingReq:
    return pb.PingReq(
        probe=message.probe,
        nonce=sized(message.nonce, NONCE_SIZE),
        target=sized(message.target, NODE_ID_SIZE),
        budget_ms=message.budget_ms,
        gossip=many_to_pb(message.gossip, GOSSIP_MAX),
    )


def ping_req_from_pb(raw: pb.PingReq) -> PingReq:
    nonce, target = sized(raw.nonce, NONCE_SIZE), sized(raw.target, NODE_ID_SIZE)
    return PingReq(raw.probe, nonce, target, raw.budget_ms, many_from_pb(raw.gossip, GOSSIP_MAX))


def nack_to_pb(message: Nack) -> pb.Nack:
    return pb.Nack(probe=message.probe, target=sized(message.target, NODE_ID_SIZE))


def nack_from_pb(raw: pb.Nack) -> Nack:
    return Nack(raw.probe, sized(raw.target, NODE_ID_SIZE))


def gossip_to_pb(message: Gossip) -> pb.Gossip:
    return pb.Gossip(items=many_to_pb(message.items, GOSSIP_MAX))


def gossip_from_pb(raw: pb.Gossip) -> Gossip:
    return Gossip(many_from_pb(raw.items, GOSSIP_MAX))


def sync_request_to_pb(message: SyncRequest) -> pb.SyncRequest:
    entries = [_entry_to_pb(entry) for entry in counted(message.entries, SYNC_ENTRIES_MAX)]
    return pb.SyncRequest(own=signed_to_pb(message.own), entries=entries)


def sync_request_from_pb(raw: pb.SyncRequest) -> SyncRequest:
    entries = tuple(_entry_from_pb(entry) for entry in counted(raw.entries, SYNC_ENTRIES_MAX))
    return SyncRequest(signed_from_pb(raw.own), entries)


def sync_reply_to_pb(message: SyncReply) -> pb.SyncReply:
    want = all_sized(counted(message.want, SYNC_ENTRIES_MAX), NODE_ID_SIZE)
    return pb.SyncReply(items=many_to_pb(message.items, SYNC_ENTRIES_MAX), want=want)


def sync_reply_from_pb(raw: pb.SyncReply) -> SyncReply:
    want = all_sized(counted(raw.want, SYNC_ENTRIES_MAX), NODE_ID_SIZE)
    return SyncReply(many_from_pb(raw.items, SYNC_ENTRIES_MAX), want)


def _entry_to_pb(entry: SyncEntry) -> pb.SyncEntry:
    return pb.SyncEntry(
        node=sized(entry.node, NODE_ID_SIZE),
        epoch=entry.epoch,
        incarnation=entry.incarnation,
        rank=_rank(entry.rank),
    )


def _entry_from_pb(raw: pb.SyncEntry) -> SyncEntry:
    return SyncEntry(sized(raw.node, NODE_ID_SIZE), raw.epoch, raw.incarnation, _rank(raw.rank))


def _rank(rank: int) -> int:
    if rank > RANK_MAX:
        raise EncodingError(f"a rank of {rank}, at most {RANK_MAX} known")
    return rank

"""Messages about who is reachable, as protobuf and back."""

from moot.v1 import membership_pb2 as pb

from coordinator.encoding import EncodingError
from coordinator.signed import NODE_ID_SIZE
from node.membership.digest import BUCKETS, LINE_SIZE, NAME_SIZE, SUMS_SIZE
from node.membership.messages import (
    GOSSIP_MAX,
    NONCE_SIZE,
    SYNC_LINES_MAX,
    Ack,
    Gossip,
    Nack,
    Ping,
    PingReq,
    SyncReply,
    SyncRequest,
)
from node.transport.wire_signed import (
    all_sized,
    counted,
    limited,
    many_from_pb,
    many_to_pb,
    signed_from_pb,
    signed_to_pb,
    sized,
)


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
    lines, sums, buckets = _checked_digest(message.lines, message.sums, message.buckets)
    return pb.SyncRequest(own=signed_to_pb(message.own), lines=lines, sums=sums, buckets=buckets)


def sync_request_from_pb(raw: pb.SyncRequest) -> SyncRequest:
    return SyncRequest(signed_from_pb(raw.own), *_checked_digest(raw.lines, raw.sums, raw.buckets))


def sync_reply_to_pb(message: SyncReply) -> pb.SyncReply:
    want = all_sized(counted(message.want, SYNC_LINES_MAX), NODE_ID_SIZE)
    return pb.SyncReply(items=many_to_pb(message.items, SYNC_LINES_MAX), want=want, names=_checked_names(message.names))


def sync_reply_from_pb(raw: pb.SyncReply) -> SyncReply:
    want = all_sized(counted(raw.want, SYNC_LINES_MAX), NODE_ID_SIZE)
    return SyncReply(many_from_pb(raw.items, SYNC_LINES_MAX), want, _checked_names(raw.names))


def _checked_digest(lines: bytes, sums: bytes, buckets: bytes) -> tuple[bytes, bytes, bytes]:
    """Whole lines or all sums, and no bucket twice."""
    if sums:
        sized(sums, SUMS_SIZE)
        sized(lines, 0)
    limited(lines, SYNC_LINES_MAX * LINE_SIZE)
    limited(buckets, BUCKETS)
    if len(lines) % LINE_SIZE or len(set(buckets)) < len(buckets):
        raise EncodingError("a digest of broken lines, or of one bucket twice")
    return lines, sums, buckets


def _checked_names(names: bytes) -> bytes:
    limited(names, SYNC_LINES_MAX * NAME_SIZE)
    if len(names) % NAME_SIZE:
        raise EncodingError("a broken name")
    return names

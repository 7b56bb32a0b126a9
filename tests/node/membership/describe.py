"""Effects in words, for recorded scripts."""

from coordinator.effects import Note
from coordinator.signed import Kind, Signed
from node.membership.digest import lines_in, name_of, names_in
from node.membership.events import Confirmed, Effect, MemberChanged, MemberForgotten, RememberMembers, Send
from node.membership.messages import Ack, Gossip, MembershipMessage, Nack, Ping, PingReq, SyncReply, SyncRequest
from node.membership.records import AckBody, MemberRecord, Suspicion
from tests.node.membership.solo import EPOCH

NAMES = {name_of(letter.encode()): letter for letter in "abcdefghijklmnopqrstuvwxyz"}


def describe(effect: Effect) -> str:
    match effect:
        case Send(to=to, address=address, message=message):
            return f"send {to.decode() if to else address} {describe_message(message)}"
        case MemberChanged(node=node, before=before, after=after):
            return f"member {node.decode()} {before.name if before else 'unknown'} -> {after.name}"
        case MemberForgotten(node=node):
            return f"forgotten {node.decode()}"
        case RememberMembers(records=records):
            return "remember " + " ".join(record.author.decode() for record in records)
        case Confirmed(node=node, reach=reach, paths=paths):
            return f"confirmed {node.decode()} {reach.value} by {paths}"
        case Note(event=event, fields=fields):
            values = [f"{k}={v.decode() if isinstance(v, bytes) else v}" for k, v in fields if v != EPOCH]
            return " ".join(["note", event, *values])


def describe_message(message: MembershipMessage) -> str:
    match message:
        case Ping(probe=probe, prober=prober, gossip=gossip):
            return f"ping {probe} for {prober.decode()}{_items(gossip)}"
        case Ack(probe=probe, ack=ack, gossip=gossip):
            body = AckBody.decode(ack.body)
            who = f"{ack.author.decode()}{_key(body.epoch, body.incarnation)}"
            return f"ack {probe} of {who} for {body.prober.decode()}{_items(gossip)}"
        case PingReq(probe=probe, target=target, budget_ms=budget_ms, gossip=gossip):
            return f"ping-req {probe} of {target.decode()} within {budget_ms}{_items(gossip)}"
        case Nack(probe=probe, target=target):
            return f"nack {probe} of {target.decode()}"
        case Gossip(items=items):
            return f"gossip{_items(items)}"
        case SyncRequest(lines=lines, sums=sums):
            known = [f"{NAMES[e.name]}/{e.incarnation} rank={e.rank}" for e in lines_in(lines)]
            return f"sync-request [{', '.join(known)}]{' sums' if sums else ''}"
        case SyncReply(items=items, want=want, names=names):
            wanted = [node.decode() for node in want] + [NAMES[name] for name in names_in(names)]
            return f"sync-reply{_items(items)} want [{' '.join(wanted)}]"


def describe_item(item: Signed) -> str:
    if item.kind is Kind.MEMBER:
        record = MemberRecord.decode(item.body)
        return f"{item.author.decode()} {record.status.name}{_key(*record.key)}"
    suspicion = Suspicion.decode(item.body)
    return f"{item.author.decode()} suspects {suspicion.target.decode()}{_key(*suspicion.key)}"


def _items(items: tuple[Signed, ...]) -> str:
    return f" [{', '.join(map(describe_item, items))}]" if items else ""


def _key(epoch: int, incarnation: int) -> str:
    return f"/{incarnation}" if epoch == EPOCH else f"/+{epoch - EPOCH}.{incarnation}"

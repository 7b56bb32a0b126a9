"""A liar about who counts: changes of the roster that nobody wants, approved by itself and, forged, by the others."""

from dataclasses import replace

from coordinator.ledger.agenda import Agenda, ChangeItem, Item
from coordinator.ledger.change import Approval, Change
from coordinator.ledger.roster import Member
from coordinator.messages import Records
from coordinator.signed import NODE_ID_SIZE, SIGNATURE_SIZE, Digest, Kind, Signed
from coordinator.voting import byzantine_threshold
from node.lab.simulation.lies.agendas import AgendaLiar
from node.lab.simulation.lies.mouth import Mouth

USURP_MS = 900
USURPED_MAX = 24
"""Changes proposed in a whole run."""
STRANGERS = 50


class Usurper(AgendaLiar):
    """Puts others out, or so many strangers in that they decide alone, and nominates that as if it were approved."""

    def __init__(self, mouth: Mouth) -> None:
        super().__init__(mouth, usurped)
        self._proposed = 0
        mouth.every(USURP_MS, self._propose)

    def _propose(self) -> None:
        if self._proposed >= USURPED_MAX:
            return
        self._proposed += 1
        same = self.rng.random() < 0.5
        item = _item(self.mouth)
        for other in self.mouth.others:
            item = item if same else _item(self.mouth)
            self.mouth.send(other, Records((item.change, *item.approvals)))


def usurped(mouth: Mouth, item: Item) -> list[Digest]:
    """An agenda with such a change: of approvals too few, or forged, or of another change."""
    place = mouth.memory.agenda(item)
    if place is None:
        return []
    header = place.header
    agenda = Agenda.of(header.slot, header.previous, header.epoch, place.items, [_item(mouth)])
    return [mouth.serve(agenda.digest, agenda.encode())]


def _item(mouth: Mouth) -> ChangeItem:
    rng = mouth.rng
    body = _change(mouth).encode()
    change = mouth.sign(Kind.CHANGE, body if rng.random() < 0.9 else body[:-1])
    approval = Approval(change.digest() if rng.random() < 0.8 else rng.randbytes(32)).encode()
    own = mouth.sign(Kind.APPROVAL, approval)
    forged = [
        Signed(Kind.APPROVAL, other, approval, rng.choice((own.signature, rng.randbytes(SIGNATURE_SIZE))))
        for other in mouth.others
    ]
    approvals = rng.choice(([], [own], [own, *forged]))
    return ChangeItem(change, tuple(sorted(approvals, key=lambda one: one.author)))


def _change(mouth: Mouth) -> Change:
    """Signed by a member as it may, and nearly always one that could be, if enough members approved it."""
    rng, genesis = mouth.rng, mouth.stage.genesis
    epochs = [agenda.header.epoch for agenda in mouth.memory.agendas.values()]
    leaves = tuple(sorted(rng.sample(mouth.others, rng.randrange(len(mouth.others) + 1))))
    strangers = sorted(rng.randbytes(NODE_ID_SIZE) for _ in range(rng.choice((0, 1, STRANGERS))))
    joins = tuple(Member(node, f"stranger {n}", "none", 1, f"nowhere:{n}") for n, node in enumerate(strangers))
    count = len(genesis.members) - len(leaves) + len(joins)
    threshold = byzantine_threshold(count) if rng.random() < 0.8 else 1
    charter = replace(genesis.charter, threshold=threshold, turnout=count // 2 + 1)
    epoch = max(0, (epochs[-1] if epochs else 0) + rng.choice((0, 0, 0, 1, -1)))
    return Change(epoch, leaves, joins, charter, "", max(0, mouth.stage.wall_ms))

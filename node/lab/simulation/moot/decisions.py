"""What must hold of all that honest members decide: one agenda for a slot, valid, a question once, at its true cost."""

from collections import Counter
from collections.abc import Callable, Iterable

from coordinator.effects import SaveEntry
from coordinator.ledger.agenda import Agenda, Item
from coordinator.ledger.change import check_change
from coordinator.ledger.genesis import Genesis
from coordinator.ledger.resolution import ItemError, Part, Stand, resolve
from coordinator.records import Cost, Preference, Question
from coordinator.signed import Digest, NodeId, Signed
from node.lab.simulation.moot.host import Host
from node.lab.simulation.outcome import Violated


class Decisions:
    """S1, validity, and accounting. The first decision of a slot is looked into; all others must equal it."""

    def __init__(self, genesis: Genesis, hosts: list[Host], verify: Callable[[Signed], bool]) -> None:
        self._genesis = genesis
        self.roster = genesis.roster
        """In force in the next slot to be looked into."""
        self._hosts = {host.node: host for host in hosts}
        self._verify = verify
        self.agendas: list[Agenda] = []
        self.slots: dict[Digest, int] = {}
        """Of decided questions."""

    def saved(self, host: Host, entry: SaveEntry) -> None:
        """A member has this entry on its disk."""
        if entry.slot > len(self.agendas):
            raise Violated("agreement", f"node {host.number} decides slot {entry.slot}, nobody the one before")
        if entry.slot == len(self.agendas):
            self._look_into(Agenda.decode(entry.agenda))
        first = self.agendas[entry.slot]
        if first.digest != entry.digest:
            raise Violated(
                "agreement",
                f"node {host.number} decides {entry.digest.hex()[:8]} in slot {entry.slot}, and another member"
                f" {first.digest.hex()[:8]}",
            )
        if tuple(item.id for item in first.items) != entry.questions:
            raise Violated("agreement", f"node {host.number} saves slot {entry.slot} with other questions")

    def _look_into(self, agenda: Agenda) -> None:
        header = agenda.header
        previous = self.agendas[-1].digest if self.agendas else self._genesis.moot_id
        if (header.slot, header.previous) != (len(self.agendas), previous):
            raise Violated("validity", f"slot {header.slot} does not follow the entry before")
        self.agendas.append(agenda)
        if header.epoch != self.roster.epoch:
            raise Violated("validity", f"slot {header.slot} is of epoch {header.epoch}, not {self.roster.epoch}")
        if not agenda.items and agenda.change is None:
            raise Violated("validity", f"slot {header.slot} decides nothing")
        for item in agenda.items:
            if item.id in self.slots:
                raise Violated(
                    "twice", f"question {item.id.hex()[:8]} in slots {self.slots[item.id]} and {header.slot}"
                )
            self.slots[item.id] = header.slot
            self._check_item(item)
        if agenda.change is not None:
            try:
                self.roster = check_change(agenda.change, self.roster, self._verify)
            except ItemError as error:
                raise Violated("validity", f"slot {header.slot}: {error}") from error

    def _check_item(self, item: Item) -> None:
        question = item.id.hex()[:8]
        for record in (item.question, *item.proposals, *item.preferences):
            if record.author not in self.roster.by_node or not self._verify(record):
                raise Violated("validity", f"question {question}: a {record.kind.value} that no member signed")
        preferences = _by_author(item.preferences)
        for author, records in preferences.items():
            if len(records) > 1 and self._is_bound(author):
                raise Violated("validity", f"question {question}: two preferences of an honest member")
            if any(Preference.decode(record.body).question != item.id for record in records):
                raise Violated("validity", f"question {question}: a preference about another")
        resolution = resolve(item, self.roster)
        total = Cost()
        for part in resolution.parts:
            if part.stand is Stand.ANSWERED and len(preferences.get(part.member, ())) != 1:
                raise Violated("validity", f"question {question}: {part.member.hex()[:8]} is counted without one vote")
            self._check_cost(item.id, part)
            total += part.cost
        if resolution.cost != total:
            raise Violated("accounting", f"question {question}: {resolution.cost} is not the sum of its parts {total}")
        self._check_tally(item, resolution.parts)

    def _check_cost(self, question: Digest, part: Part) -> None:
        """An honest member's answer cost what its model's runtime counted for just that answer."""
        if part.proposal is None or not self._hosts[part.member].honest:
            return
        counted = self._hosts[part.member].model.counted.get(question, [])
        if part.stand is not Stand.CONTRADICTED and part.cost not in counted:
            raise Violated("accounting", f"the ledger says {part.cost}, the model counted {counted}")

    def _check_tally(self, item: Item, parts: Iterable[Part]) -> None:
        """Points as they were signed, by hand: an answer wins that has the most."""
        question = Question.decode(item.question.body)
        resolution = resolve(item, self.roster)
        if resolution.outcome is None or (question.tally or self.roster.charter.tally) != "points":
            return
        points: Counter[str] = Counter()
        for part in parts:
            weight = self.roster.by_node[part.member].weight
            for answer, given in part.points:
                points[answer] += weight * given
        if points[resolution.outcome.answer] != max(points.values()):
            raise Violated("validity", f"question {item.id.hex()[:8]}: {resolution.outcome.answer!r} has not won")

    def _is_bound(self, author: NodeId) -> bool:
        return self._hosts[author].honest and not self._hosts[author].forgetful


def _by_author(records: Iterable[Signed]) -> dict[NodeId, list[Signed]]:
    found: dict[NodeId, list[Signed]] = {}
    for record in records:
        found.setdefault(record.author, []).append(record)
    return found

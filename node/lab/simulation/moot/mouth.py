"""What a simulated machine sends: one letter to each peer for all that one turn has to say to it."""

from coordinator.signed import NodeId
from node.lab.simulation.lies.liar import Message, MootLiar
from node.lab.simulation.moot.surroundings import Surroundings


class Mouth:
    """Where a liar is, all that its machine would send goes through `alter`."""

    def __init__(self, number: int, surroundings: Surroundings) -> None:
        self.liar: MootLiar | None = None
        self._number = number
        self._surroundings = surroundings
        self._letters: dict[int, list[Message]] = {}

    def say(self, to: NodeId | None, address: str, message: Message) -> None:
        """A connection made to an address ends when somebody else than the receiver answers there."""
        numbers = self._surroundings.numbers
        number = self._surroundings.addresses.get(address)
        if number is None or number == self._number or (to is not None and numbers.get(to) != number):
            return
        if self.liar is None or to is None:
            self._letters.setdefault(number, []).append(message)
            return
        for other, altered in self.liar.alter(to, message):
            receiver = numbers.get(other)
            if receiver is not None and receiver != self._number:
                self._letters.setdefault(receiver, []).append(altered)

    def send(self) -> None:
        letters, self._letters = self._letters, {}
        for number, messages in letters.items():
            self._surroundings.post.send(self._number, number, tuple(messages), honest=self.liar is None)

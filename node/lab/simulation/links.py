"""The network between simulated nodes: when each copy of a message arrives, if any does."""

from node.lab.simulation.faults import Clog, Cut
from node.lab.simulation.plan import Network
from node.lab.simulation.streams import stream


class Links:
    """Directed links between numbered nodes. What happens to a message is drawn when it is sent."""

    def __init__(self, network: Network, seed: int) -> None:
        self._network = network
        self._seed = seed
        self._rng = stream(seed, "net")
        self._means: dict[tuple[int, int], float] = {}
        self._under_way: dict[tuple[int, int], int] = {}
        self._cuts: list[Cut] = []
        self._clogs: dict[tuple[int, int], int] = {}

    def cut(self, cut: Cut) -> None:
        self._cuts.append(cut)

    def mend(self, cut: Cut) -> None:
        if cut in self._cuts:
            self._cuts.remove(cut)

    def clog(self, clog: Clog, now_ms: int) -> None:
        link = clog.sender, clog.receiver
        self._clogs[link] = max(self._clogs.get(link, 0), now_ms + clog.for_ms)

    def heal(self) -> None:
        """A good network from here on."""
        self._network = Network()
        self._means.clear()
        self._cuts.clear()
        self._clogs.clear()

    def reaches(self, sender: int, receiver: int) -> bool:
        for cut in self._cuts:
            from_side, to_side = sender in cut.side, receiver in cut.side
            if from_side != to_side and (from_side or not cut.one_way):
                return False
        return True

    def delays(self, sender: int, receiver: int, now_ms: int) -> tuple[int, ...]:
        """Milliseconds until each copy of a message that is sent now arrives; none when it is lost.

        The caller tells `arrived` of each copy.
        """
        if self._cuts and not self.reaches(sender, receiver):
            return ()
        network, rng = self._network, self._rng
        copies = 1
        if network.loss and rng.random() < network.loss:
            copies = 0
        if network.duplication and rng.random() < network.duplication:
            copies += 1
        if not copies:
            return ()
        link = sender, receiver
        if network.in_flight_max:
            room = network.in_flight_max - self._under_way.get(link, 0)
            copies = min(copies, room)
            if copies <= 0:
                return ()
            self._under_way[link] = self._under_way.get(link, 0) + copies
        waits_ms = max(0, self._clogs.get(link, 0) - now_ms) if self._clogs else 0
        mean = self._mean(link)
        return tuple(waits_ms + network.delay_min_ms + int(rng.expovariate(1 / mean)) for _ in range(copies))

    def arrived(self, sender: int, receiver: int) -> None:
        link = sender, receiver
        if self._under_way.get(link, 0) > 0:
            self._under_way[link] -= 1

    def replays(self) -> bool:
        """Whether an old message follows now."""
        return bool(self._network.replay) and self._rng.random() < self._network.replay

    def _mean(self, link: tuple[int, int]) -> float:
        mean = self._means.get(link)
        if mean is None:
            draw = stream(self._seed, f"link/{link[0]}/{link[1]}").random()
            mean = self._means[link] = max(1.0, 2 * draw * self._network.delay_mean_ms)
        return mean

"""Nodes that can change places without changing the network: what holds of one set holds of its mirror image."""

from coordinator.voting.gates import Gates, bits


def twins(gates: Gates, marked: int = 0) -> dict[int, int]:
    """For each node's bit, all its twins with itself.

    Twins have the same gate, stand at the same place of every gate, and are both marked or both not. So to swap two of
    them maps every gate to itself.
    """
    signatures: dict[int, list[tuple[int, int]]] = {
        node: [(-1, int(bool(node & marked)))] for node in bits(gates.nodes)
    }
    for number, (gate, owners) in enumerate(gates.by_gate):
        for node in bits(owners):
            signatures[node].append((-2, number))
        for place, members in enumerate(gate.places()):
            for node in bits(members & gates.nodes):
                signatures[node].append((number, place))
    classes: dict[tuple[tuple[int, int], ...], int] = {}
    for node, signature in signatures.items():
        key = tuple(signature)
        classes[key] = classes.get(key, 0) | node
    return {node: classes[tuple(signature)] for node, signature in signatures.items()}

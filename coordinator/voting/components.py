"""Strongly connected components of who names whom: every minimal quorum lies within one of them.

If a minimal quorum reached beyond a component, those of it in the component that nobody there leaves would already be
a smaller quorum (Lachowski, arXiv 1902.06493).
"""

from coordinator.voting.gates import Budget, Gates, bits


def components(gates: Gates) -> list[int]:
    """The components as masks, those that are named before those that name them (Tarjan, 1972)."""
    names = {node: gate.names for gate, owners in gates.by_gate for node in bits(owners)}
    order: dict[int, int] = {}  # by node: when it was first seen
    low: dict[int, int] = {}  # by node: the earliest that it reaches on the path
    path: list[int] = []
    on_path = 0
    found = []
    for root in bits(gates.nodes):
        if root in order:
            continue
        work = [(root, bits(names[root]))]
        order[root] = low[root] = len(order)
        path.append(root)
        on_path |= root
        while work:
            node, rest = work[-1]
            for child in rest:
                if child not in order:
                    order[child] = low[child] = len(order)
                    path.append(child)
                    on_path |= child
                    work.append((child, bits(names[child])))
                    break
                if child & on_path:
                    low[node] = min(low[node], order[child])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == order[node]:
                    whole = 0
                    while not whole & node:
                        whole |= path.pop()
                    on_path &= ~whole
                    found.append(whole)
    return found


def with_quorums(gates: Gates, budget: Budget) -> list[tuple[int, int]]:
    """The components that hold a quorum, each with its greatest one."""
    pairs = [(whole, gates.greatest_quorum(whole, budget)) for whole in components(gates)]
    return [(whole, quorum) for whole, quorum in pairs if quorum]

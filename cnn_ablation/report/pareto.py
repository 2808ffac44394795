"""Which designs nobody beats on both counts."""

from collections.abc import Sequence


def pareto_front(points: Sequence[tuple[float, float]]) -> tuple[int, ...]:
    """Finds the points that no other point dominates.

    A point dominates another when it costs no more and is worth no less, and differs in one.

    Args:
        points: (cost, worth) of each design: cost is better low, worth is better high.

    Returns:
        Positions of the front, from the cheapest to the dearest; equal points are all on it.
    """
    order = sorted(range(len(points)), key=lambda i: (points[i][0], -points[i][1], i))
    front: list[int] = []
    for position in order:
        best = points[front[-1]] if front else None
        if best is None or points[position][1] > best[1] or points[position] == best:
            front.append(position)
    return tuple(front)

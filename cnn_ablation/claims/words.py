"""The small words of sentences about claims: counts, units, p values."""

from __future__ import annotations


def plural(count: int, noun: str) -> str:
    """A count with its noun: '1 seed', '20 seeds'."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def unit_noun(kind: str) -> str:
    """What one replication is called: a seed, or a round of the timing pass."""
    return "round" if kind == "timing" else "seed"


def p_text(p_value: float) -> str:
    """A p value to two digits, such as 'p = 0.012' or 'p < 0.0001'."""
    return "p < 0.0001" if p_value < 0.0001 else f"p = {p_value:.2g}"


def cannot_reach(n: int, kind: str, floor: float, level: float, needed: int) -> str:
    """Why so few units decide nothing, whatever they show."""
    noun = unit_noun(kind)
    return (
        f"{plural(n, noun)} cannot bring the Holm-adjusted sign-flip p below {floor:.2g} and so "
        f"never to {level:g}: a study of {plural(needed, noun)} could"
    )

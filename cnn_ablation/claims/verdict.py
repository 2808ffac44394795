"""What the trials say about a claim: typed, JSON-able, and readable as a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from cnn_ablation.claims.claim import Claim, Contrast, Setting
from cnn_ablation.claims.sentences import findings_sentence, verdict_sentence
from cnn_ablation.claims.words import plural
from cnn_ablation.inference import (
    CrossedComparison,
    Interval,
    PairedComparison,
    StatementPValues,
)
from cnn_ablation.inference.crossed import Scope
from cnn_ablation.inference.intervals import interval_from_json

Outcome = Literal["holds", "fails", "inconclusive", "not judged"]


@dataclass(frozen=True)
class Stop:
    """Where a sequential study stands with one contrast.

    Attributes:
        looks: numbers of units of all declared looks; the last is the cap.
        taken: how many of them the data allow.
        decided: the look, from 1, at which the outcome was reached; None while it is open.
    """

    looks: tuple[int, ...]
    taken: int
    decided: int | None = None

    @property
    def units(self) -> int:
        """Units at the deciding look, or at the last one that was taken."""
        look = self.decided or self.taken
        return self.looks[look - 1] if look else 0

    @property
    def is_open(self) -> bool:
        """Whether more units may still decide."""
        return self.decided is None and self.taken < len(self.looks)

    def words(self, noun: str) -> str:
        """The look and its units: 'look 2 of 6: 14 of at most 60 seeds'."""
        look = self.decided or self.taken
        return (
            f"look {look} of {len(self.looks)}: {self.units} of at most "
            f"{plural(self.looks[-1], noun)}"
        )


@dataclass(frozen=True)
class ContrastVerdict:
    """One contrast (A, B) of a claim; differences are A - B in the unit of the metric.

    Attributes:
        a: label of the variant claimed to win.
        b: label of the other.
        outcome: 'holds', 'fails', 'inconclusive' or 'not judged'.
        riders: 'reversed' (significantly the other way) and 'equivalent' (within the margin),
            each by interval and exact test.
        reason: why it is inconclusive or not judged; empty otherwise.
        mean_a: mean of A over the pairs (for an exact claim, its value); None without data.
        mean_b: the same of B.
        difference: mean of A - B, of logarithms where the claim's scale is the ratio; None without
            data.
        interval: simultaneous (Bonferroni) interval of the difference for what the claim speaks
            for; of a sequential study one that is valid after stopping. None without spread.
        p_value: sign-flip p of 'the difference equals the margin in the claimed direction'.
        p_adjusted: the same after Holm over the family.
        statements: adjusted p values of what the outcome and its riders state; None without data,
            for an exact claim, and in verdicts from before they were kept.
        detectable: smallest distance from the margin that these units could have decided (power
            0.8, spread as seen); None where they could decide nothing.
        units_needed: units that would decide a difference like the one seen (power 0.8); None
            where it is decided already or out of reach.
        comparison: the paired comparison behind it; None for an exact claim or without data.
        scope: what outcome and `interval` speak for: new seeds on these images ('benchmark'), or
            new seeds and new images ('population').
        beside: the same interval for the other scope; None where images are not known.
        crossed: seeds and images as crossed random effects; None where images are not known.
        stop: the looks of a sequential study; None in a study of fixed size.
        against: of an interaction the contrast (C, D) whose difference is taken off that of A and
            B: every figure is then of (A - B) - (C - D), and `mean_a` and `mean_b` are the means of
            A - B and of C - D (of logarithms their exponential, a ratio).
    """

    a: str
    b: str
    outcome: Outcome
    riders: tuple[str, ...] = ()
    reason: str = ""
    mean_a: float | None = None
    mean_b: float | None = None
    difference: float | None = None
    interval: Interval | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    detectable: float | None = None
    units_needed: int | None = None
    comparison: PairedComparison | None = None
    statements: StatementPValues | None = None
    scope: Scope = "benchmark"
    beside: Interval | None = None
    crossed: CrossedComparison | None = None
    stop: Stop | None = None
    against: Contrast | None = None

    @property
    def contrast(self) -> Contrast:
        """The pair of labels."""
        return self.a, self.b

    @property
    def named(self) -> str:
        """The difference in the labels of its variants: `a − b`, or `(a − b) − (c − d)`."""
        pair = f"{self.a} − {self.b}"
        return f"({pair}) − ({' − '.join(self.against)})" if self.against else pair

    @property
    def n(self) -> int:
        """Pairs used."""
        return self.comparison.n if self.comparison else 0

    def to_json(self) -> dict[str, Any]:
        """Plain data for strict JSON."""
        comparison = self.comparison.to_json() if self.comparison else None
        data = asdict(self) | {"riders": list(self.riders), "comparison": comparison}
        against = data.pop("against")
        return data if against is None else data | {"against": list(against)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ContrastVerdict:
        """The inverse of `to_json`."""
        comparison, statements = data["comparison"], data.get("statements")
        crossed, stop, against = data.get("crossed"), data.get("stop"), data.get("against")
        return cls(
            **{
                **data,
                "riders": tuple(data["riders"]),
                "interval": interval_from_json(data["interval"]),
                "comparison": PairedComparison.from_json(comparison) if comparison else None,
                "statements": StatementPValues(**statements) if statements else None,
                "beside": interval_from_json(data.get("beside")),
                "crossed": CrossedComparison.from_json(crossed) if crossed else None,
                "stop": Stop(**{**stop, "looks": tuple(stop["looks"])}) if stop else None,
                "against": (against[0], against[1]) if against else None,
            }
        )


@dataclass(frozen=True)
class Verdict:
    """The verdict on one claim, with everything needed to read or doubt it.

    Attributes:
        claim: what was claimed.
        setting: where.
        level: family-wise significance level.
        family_size: distinct contrasts of the claim's question that share the level.
        outcome: 'holds' when every contrast does, 'fails' when one does, else 'inconclusive';
            'not judged' where the claim does not apply or has no data.
        riders: those of the contrasts that fail.
        reason: why it is not judged; empty otherwise.
        contrasts: one verdict per contrast, in the claim's order; empty where it does not apply.
        exploratory: why the verdict is no test of what was declared before the first trial, a
            phrase each; empty where it is one.
    """

    claim: Claim
    setting: Setting
    level: float
    family_size: int
    outcome: Outcome
    riders: tuple[str, ...] = ()
    reason: str = ""
    contrasts: tuple[ContrastVerdict, ...] = ()
    exploratory: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        """Pairs behind the verdict: the fewest of any contrast (0 for exact claims)."""
        return min((contrast.n for contrast in self.contrasts), default=0)

    @property
    def dropped(self) -> int:
        """Pairs left out: the most of any contrast."""
        return max((c.comparison.dropped for c in self.contrasts if c.comparison), default=0)

    @property
    def deciding(self) -> tuple[ContrastVerdict, ...]:
        """The contrasts that made the outcome: those of the same outcome."""
        return tuple(c for c in self.contrasts if c.outcome == self.outcome)

    @property
    def qualifiers(self) -> tuple[str, ...]:
        """What stands behind the outcome, a phrase each: '1 of 4 contrasts reversed'."""
        total, phrases = len(self.contrasts), list(self.riders)
        if total > 1:
            counts = [sum(rider in c.riders for c in self.contrasts) for rider in self.riders]
            phrases = [
                f"{count} of {total} contrasts {rider}"
                for count, rider in zip(counts, self.riders, strict=True)
            ]
        return (*phrases, *(["exploratory"] if self.exploratory else []))

    @property
    def skewed(self) -> tuple[ContrastVerdict, ...]:
        """The contrasts that decided on differences so skewed that a warning belongs beside."""
        if self.outcome not in ("holds", "fails"):
            return ()
        return tuple(c for c in self.deciding if c.comparison and c.comparison.is_skewed)

    def sentence(self) -> str:
        """The verdict in plain English, with numbers, units and setting."""
        return verdict_sentence(self)

    def findings(self) -> str:
        """The numbers that decided, without outcome, claim and setting."""
        return findings_sentence(self)

    def to_json(self) -> dict[str, Any]:
        """Plain data for strict JSON (no NaN, no infinity)."""
        return asdict(self) | {
            "claim": self.claim.to_json(),
            "riders": list(self.riders),
            "contrasts": [contrast.to_json() for contrast in self.contrasts],
            "exploratory": list(self.exploratory),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Verdict:
        """The inverse of `to_json`."""
        return cls(
            **{
                **data,
                "claim": Claim.from_json(data["claim"]),
                "setting": Setting(
                    **{**data["setting"], "others": tuple(data["setting"].get("others", ()))}
                ),
                "riders": tuple(data["riders"]),
                "contrasts": tuple(ContrastVerdict.from_json(c) for c in data["contrasts"]),
                "exploratory": tuple(data.get("exploratory", ())),
            }
        )

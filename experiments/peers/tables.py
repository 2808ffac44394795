"""The benchmark's figures as Markdown tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cnn_ablation.display.text import markdown_table
from experiments.peers.contestants import OURS
from experiments.peers.figures import Course, Design, geometric_mean


def report(header: Mapping[str, Any], designs: Sequence[Design], sweep: Mapping[str, float]) -> str:
    """Everything that was measured, as a page."""
    parts = [
        f"`{header['command']}`, {header['date']}, {header['processor']}, "
        f"{header['threads']} threads, batch size {header['batch_size']}{_peak(header)}",
        _packages(designs),
        *(f"Absent: {line}" for line in header["absent"]),
        f"Training, seconds per epoch: median of {header['rounds']} epochs in turn (range)",
        speed_table(designs, header["peak_gflops"]),
        "GFLOP/s are useful ones of this project's training, the peak is what fused multiply-adds "
        "alone reach here, GEMM what NumPy's BLAS does, busy is what others used of the processors "
        "meanwhile: above a few per cent the row is not valid.",
        "First step, seconds from the start of the process",
        start_table(designs, "first_step_seconds", 1),
        f"{header['epochs']} epochs with evaluation, seconds from the start of the process",
        start_table(designs, "whole_seconds", 1),
        "Peak memory, MB",
        start_table(designs, "peak_memory_bytes", 0, 1e6),
    ]
    if sweep:
        totals = ", ".join(f"{name} {seconds:.1f}" for name, seconds in sweep.items())
        parts.append(f"All designs in one cold process each, seconds: {totals}")
    return "\n\n".join(parts) + "\n"


def speed_table(designs: Sequence[Design], peak_gflops: float | None) -> str:
    """Seconds an epoch in each framework's fastest variant, and what this project makes of it.

    Args:
        designs: what was trained.
        peak_gflops: what multiply-adds alone reach on all threads together, where that is known.
    """
    frameworks = frameworks_of(designs)
    shares = ("share of the peak", "share of GEMM")
    rows = [["design", *frameworks, "faster than the best peer", "GFLOP/s", *shares, "busy"]]
    for design in designs:
        ours = design.fastest(OURS)
        rate = design.gflops(ours) if ours else None
        of_peak, of_gemm = _share(rate, peak_gflops), _share(rate, design.gemm_gflops)
        paces = [_pace(design.fastest(name)) for name in frameworks]
        busy = "-" if design.others_share is None else f"{design.others_share:.0%}"
        row = [design.name, *paces, _times(design.times_faster), _number(rate)]
        rows.append([*row, of_peak, of_gemm, busy])
    mean = geometric_mean(design.times_faster for design in designs)
    rows.append(["geometric mean", *[""] * len(frameworks), _times(mean), *[""] * 4])
    return markdown_table(rows)


def start_table(designs: Sequence[Design], figure: str, digits: int, scale: float = 1.0) -> str:
    """One of Course's figures, the least of each framework's variants, divided by a scale."""
    frameworks = frameworks_of(designs)
    rows = [["design", *frameworks]]
    for design in designs:
        least = [design.least(name, figure) for name in frameworks]
        rows.append([design.name, *(_number(value and value / scale, digits) for value in least)])
    return markdown_table(rows)


def frameworks_of(designs: Sequence[Design]) -> list[str]:
    """Every framework that trained a design, this project's first."""
    return list(dict.fromkeys(name for design in designs for name in design.frameworks))


def _packages(designs: Sequence[Design]) -> str:
    courses = {course.contestant: course for design in designs for course in design.courses}
    return "; ".join(
        f"{name} with {', '.join(f'{package} {version}' for package, version in used.items())}"
        for name, used in ((name, course.packages) for name, course in courses.items())
    )


def _peak(header: Mapping[str, Any]) -> str:
    if header["peak_gflops"] is None:
        return ""
    return f", vectors of {header['lanes']} floats, peak {header['peak_gflops']:.0f} GFLOP/s"


def _share(rate: float | None, most: float | None) -> str:
    return f"{rate / most:.0%}" if rate and most else "-"


def _pace(course: Course | None) -> str:
    if course is None:
        return "-"
    least, most = min(course.times), max(course.times)
    return f"{course.train_seconds:.2f} ({least:.2f} to {most:.2f}) {course.contestant}"


def _times(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} times"


def _number(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:.{digits}f}"

"""The command that says what is installed, what is missing, and what to do about it.

It must work where much is broken: nothing but the standard library is imported before a check.
"""

import dataclasses
import json
import sys
import textwrap
from typing import NoReturn

from cnn_ablation.commands import checkup
from cnn_ablation.commands.checkup import Finding

_PAGE = """cnn-ablation doctor [--json]

Looks at this machine and says what is installed with its version, which devices JAX finds, whether
there is a C++ compiler and the kernels are compiled, which caches and datasets are there and how
large they are. Where something is missing or wrong, the line below says what to do.

  ok        is as it should be
  note      works without it; what it would give stands there
  problem   must be mended before anything can be trained

Nothing is compiled, trained, downloaded or changed. --json prints the findings as JSON.
Exit codes: 0 no problem, 1 one problem or more, 2 bad input.
"""
_WIDTH = 100


def run() -> NoReturn:
    """Looks, prints and exits."""
    words = sys.argv[1:]
    if any(word in ("--help", "-h", "-help") for word in words):
        print(_PAGE, end="")
        sys.exit(0)
    if [word for word in words if word != "--json"]:
        print(f"error: {words[0]}: doctor takes --json or --help alone", file=sys.stderr)
        sys.exit(2)
    findings = []
    for finding in checkup.findings():
        findings.append(finding)
        if not words:
            print(_shown(finding), flush=True)
    problems = sum(finding.state == "problem" for finding in findings)
    if words:
        print(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=1))
    else:
        print(_conclusion(problems))
    sys.exit(1 if problems else 0)


def _shown(finding: Finding) -> str:
    head = f"{finding.state:<9}{finding.name:<14}"
    lines = textwrap.wrap(
        f"{head}{finding.says}", _WIDTH, subsequent_indent=" " * len(head), break_on_hyphens=False
    )
    if finding.todo:
        lines += textwrap.wrap(
            finding.todo,
            _WIDTH,
            initial_indent=" " * 9 + "-> ",
            subsequent_indent=" " * 12,
            break_on_hyphens=False,
        )
    return "\n".join(lines)


def _conclusion(problems: int) -> str:
    if problems:
        return f"\n{problems} problem{'s' if problems > 1 else ''}: see -> above"
    return "\nno problem: cnn-ablation train --stride=2 trains a first design"

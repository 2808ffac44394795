"""The atlas: what a CNN's design choices do, on two datasets, trained until nothing is missing.

python -m experiments.atlas --list                      how far each study has come
python -m experiments.atlas                             goes on, with what is of most use first
python -m experiments.atlas --only='mnist/choices/*'    with some studies alone
python -m experiments.atlas --page                      brings docs/atlas.md up to date

Fashion-MNIST needs its archives once: --manual_dir=DIR. Stopped, it goes on with the same command.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence

from absl import flags

from cnn_ablation.commands import entry
from cnn_ablation.display.text import format_table
from cnn_ablation.errors import InputError
from experiments.atlas.entries import Entry, entries
from experiments.atlas.states import State, state_of

FLAGS = flags.FLAGS
_MODULE = "cnn_ablation: the atlas"


def main() -> int:
    """Trains, lists or publishes; returns the exit code."""
    if FLAGS.page:
        from experiments.atlas import page

        for path in page.write([state_of(its) for its in entries()]):
            print(path)
        return 0
    wanted = chosen(FLAGS.only)
    if FLAGS.list:
        print(listing([state_of(its) for its in wanted]))
        return 0
    return _train(wanted)


def chosen(patterns: Sequence[str]) -> list[Entry]:
    """The studies that patterns name, all where there are none.

    Raises:
        InputError: a pattern names no study.
    """
    every = entries()
    for pattern in patterns:
        if not any(fnmatch.fnmatchcase(its.name, pattern) for its in every):
            raise InputError(
                f"--only={pattern}: no study of the atlas; --list prints their names, such as "
                f"{every[0].name}"
            )
    return [
        its
        for its in every
        if not patterns or any(fnmatch.fnmatchcase(its.name, pattern) for pattern in patterns)
    ]


def listing(states: Sequence[State]) -> str:
    """A table of states."""
    done = sum(state.is_done for state in states)
    rows = [("study", "state"), *((state.entry.name, state.words) for state in states)]
    return f"{format_table(rows)}\n\n{done} of {len(states)} done"


def _train(wanted: Sequence[Entry]) -> int:
    """Runs what is missing of each; 3 where trials failed."""
    from cnn_ablation.execution.session import trained_session
    from cnn_ablation.study.verdicts import judge_results

    failed = 0
    for number, its in enumerate(wanted, 1):
        if state_of(its).is_done:
            print(f"atlas    {number} of {len(wanted)}: {its.name}: nothing is missing", flush=True)
            continue
        print(f"atlas    {number} of {len(wanted)}: {its.name}", flush=True)
        options = its.options(manual_dir=_archives_of(its), executor=FLAGS.executor)
        with trained_session(its.study, options) as session:
            results = session.store.results()
            session.store.record_judgement(judge_results(results, intervals=False))
        failed += sum(trial.status == "failed" for trial in results.trials)
    if failed:
        print(f"failed: {failed} trials")
    return 3 if failed else 0


def _archives_of(its: Entry) -> str | None:
    """Where its dataset's archives are: those of MNIST and Fashion-MNIST have the same names."""
    return FLAGS.manual_dir if its.dataset == "fashion_mnist" else None


def define_flags() -> None:
    """Defines the command's own flags."""
    flags.DEFINE_list("only", [], "names of studies, with * for any letters", module_name=_MODULE)
    flags.DEFINE_bool(
        "list", False, "print how far each has come; train nothing", module_name=_MODULE
    )
    flags.DEFINE_bool("page", False, "bring docs/atlas.md up to date", module_name=_MODULE)
    flags.DEFINE_string(
        "manual_dir", None, "folder with Fashion-MNIST's archives", module_name=_MODULE
    )
    flags.DEFINE_string("executor", "auto", "as of a study", module_name=_MODULE)


if __name__ == "__main__":
    define_flags()
    entry.run(main, __doc__ or "")

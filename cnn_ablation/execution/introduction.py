"""What a study says of itself before it trains."""

from cnn_ablation.claims import prospects_of
from cnn_ablation.display.text import wrap
from cnn_ablation.execution.options import StudyOptions
from cnn_ablation.study.checks import same_designs
from cnn_ablation.study.plan import Plan
from cnn_ablation.study.store import Store
from cnn_ablation.study.verdicts import setting_of


def introduction(store: Store, missing: int, declared: Plan, options: StudyOptions) -> str:
    """The study, its setting, how many trials are there, and what the claims can come to.

    Args:
        store: its folder.
        missing: how many trials are not there.
        declared: the plan of this run.
        options: how it is run.
    """
    study, seeds = declared.study, declared.seeds
    designs, total = len(declared.designs), len(declared.designs) * len(seeds)
    setting = setting_of(store.plan)
    lines = [
        f"study    {study.name}: {study.title}",
        f"device   {declared.environment['device']}; convolutions: {declared.lowering}",
        f"setting  {setting}",
        f"trials   {designs} designs x {len(seeds)} seeds = {total}, of which "
        f"{total - missing} are there",
        f"workdir  {store.folder}",
        *(f"repair   {line}" for line in store.repairs),
        *(wrap(line, "note     ") for line in (*store.strays, *same_designs(declared))),
    ]
    claims = [claim for question in study.questions for claim in question.claims]
    for prospect in prospects_of(claims, setting, len(seeds), options.timing_rounds or None):
        head = f"{'plan' if prospect.can_decide else 'warning':<9}"
        lines.append(wrap(prospect.sentence(), head))
    return "\n".join(lines) + "\n"

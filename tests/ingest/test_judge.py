"""`judge`: a study's own verdicts from its exported tables, and anybody's numbers."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import forked
import numpy as np
import pytest
import synthetic_results
from hypothesis import given
from hypothesis import strategies as st

from cnn_ablation import report
from cnn_ablation.claims import Claim, Setting, judge
from cnn_ablation.claims.declared import DeclaredClaim, DeclaredClaims
from cnn_ablation.claims.rows import verdicts_csv
from cnn_ablation.errors import InputError
from cnn_ablation.ingest import Rows, judge_tables, read_rows

CLAIMS = """
[[claim]]
name = "better"
text = "A is more accurate"
metric = "accuracy"
contrasts = [["A", "B"]]
margin = 0.0
"""
A, B = 0.9, 0.8
LONG = "variant,seed,metric,value\n" + "".join(
    f"{label},{seed},accuracy,{value + seed / 1000}\n"
    for label, value in (("A", A), ("B", B))
    for seed in range(8)
)
TIDY = "variant,seed,accuracy\n" + "".join(
    f"{label},{seed},{value + seed / 1000}\n"
    for label, value in (("A", A), ("B", B))
    for seed in range(8)
)
WIDE = "seed,A,B\n" + "".join(f"{s},{A + s / 1000},{B + s / 1000}\n" for s in range(8))
LINES = "".join(
    json.dumps({"variant": label, "seed": seed, "accuracy": value + seed / 1000}) + "\n"
    for label, value in (("A", A), ("B", B))
    for seed in range(8)
)


def write(folder: Path, **files: str) -> dict[str, str]:
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, encoding="utf-8")
    return {name: str(folder / name.replace("_", ".")) for name in files}


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    code = (
        "import sys, atexit; from cnn_ablation.commands.judge import run; "
        "atexit.register(lambda: print('jax' in sys.modules)); run()"
    )
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("text", [LONG, TIDY, WIDE], ids=["long", "tidy", "wide"])
def test_every_shape_gives_the_same_verdict(tmp_path: Path, text: str) -> None:
    files = write(tmp_path, table_csv=text, table_jsonl=LINES)
    declared = DeclaredClaims.from_toml(CLAIMS)
    (verdict,) = judge_tables(declared, [read_rows(files["table_csv"])])
    (expected,) = judge_tables(declared, [read_rows(files["table_jsonl"])])
    assert verdict == expected
    assert verdict.outcome == "holds"
    assert verdict.n == 8
    values = {label: {s: v + s / 1000 for s in range(8)} for label, v in (("A", A), ("B", B))}
    claims = [one.claim for one in declared.claims]
    assert judge(claims, {"accuracy": values}, declared.setting) == [verdict]


def test_parquet_is_read(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [json.loads(line) for line in LINES.splitlines()]
    parquet.write_table(arrow.Table.from_pylist(rows), tmp_path / "table.parquet")
    found = judge_tables(
        DeclaredClaims.from_toml(CLAIMS), [read_rows(str(tmp_path / "table.parquet"))]
    )
    assert found[0].outcome == "holds"


def test_an_mlflow_experiment_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tracking = pytest.importorskip("mlflow.tracking")
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    client = tracking.MlflowClient(uri)
    experiment = client.create_experiment("widths", artifact_location=tmp_path.as_uri())
    for line in LINES.splitlines():
        row = json.loads(line)
        tags = {"variant": row["variant"], "seed": str(row["seed"])}
        made = client.create_run(experiment, tags=tags)
        client.log_metric(made.info.run_id, "accuracy", row["accuracy"])
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    found = judge_tables(DeclaredClaims.from_toml(CLAIMS), [read_rows("mlflow:widths")])
    assert (found[0].outcome, found[0].n) == ("holds", 8)
    with pytest.raises(InputError, match="mlflow:other: MLFLOW_TRACKING_URI's store has no such"):
        read_rows("mlflow:other")


def test_verdicts_on_a_studys_export_are_the_studys_to_the_byte(tmp_path: Path) -> None:
    results = synthetic_results.synthetic_results(
        synthetic_results.two_question_study(),
        status_of=lambda design, seed: "diverged" if (design, seed) == (1, 3) else "completed",
    )
    own = tmp_path / "report"
    report.write_report(results, own)
    tables, out = [own / "results.csv", own / "timings.csv"], tmp_path / "judged"
    done = run(*map(str, tables), f"--claims={own / 'claims.toml'}", f"--out={out}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "False"
    assert (out / "verdicts.csv").read_bytes() == (own / "verdicts.csv").read_bytes()
    figures = sorted(path.name for path in out.glob("*.svg"))
    assert figures == sorted(path.name for path in (own / "figures").glob("*differences.svg"))
    for name in figures:
        assert (out / name).read_bytes() == (own / "figures" / name).read_bytes()


def test_bits_make_a_verdict_speak_for_new_images(tmp_path: Path) -> None:
    from cnn_ablation.system.correctness import Correctness

    rng = np.random.default_rng(0)
    lines = []
    for label, chance in (("A", 0.9), ("B", 0.5)):
        for seed in range(8):
            kept = Correctness.of(rng.random(300) < chance)
            row = {"variant": label, "seed": seed, "test_accuracy": kept.count / 300}
            lines.append(json.dumps({**row, **kept.to_json()}) + "\n")
    files = write(tmp_path, bits_jsonl="".join(lines))
    declared = DeclaredClaims.from_toml(CLAIMS.replace('"accuracy"', '"test_accuracy"'))
    (verdict,) = judge_tables(declared, [read_rows(files["bits_jsonl"])])
    assert verdict.contrasts[0].scope == "population"
    damaged = lines[0].replace('"test_images": 300', '"test_images": 299')
    files = write(tmp_path, bits_jsonl="".join([damaged, *lines[1:]]))
    with pytest.raises(InputError, match=r"bits.jsonl: line 2: test_correct"):
        judge_tables(declared, [read_rows(files["bits_jsonl"])])


def test_looks_are_taken_from_the_claims_file(tmp_path: Path) -> None:
    files = write(tmp_path, table_csv=TIDY)
    declared = DeclaredClaims.from_toml("looks = [8, 16]\n" + CLAIMS)
    (verdict,) = judge_tables(declared, [read_rows(files["table_csv"])])
    assert verdict.contrasts[0].stop is not None
    assert verdict.contrasts[0].stop.decided == 1


def test_columns_may_have_other_names(tmp_path: Path) -> None:
    text = TIDY.replace("variant,seed", "model,run")
    files = write(tmp_path, table_csv=text)
    named = CLAIMS + '\n[columns]\nvariant = "model"\nunit = "run"\n'
    (verdict,) = judge_tables(DeclaredClaims.from_toml(named), [read_rows(files["table_csv"])])
    assert verdict.outcome == "holds"
    wrong = DeclaredClaims.from_toml(named.replace('"model"', '"architecture"'))
    with pytest.raises(InputError, match=r"has no column 'architecture' \(columns.variant\)"):
        judge_tables(wrong, [read_rows(files["table_csv"])])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TIDY.replace("0.9\n", "good\n", 1), "line 2: accuracy is 'good': must be a number"),
        (TIDY + "A,0,0.5\n", "A has two values of accuracy at seed 0"),
        (TIDY + "A,9\n", "line 18: must have 3 cells"),
        ("variant,variant\nA,B\n", "two columns have one name"),
        ("variant,seed,accuracy\n", "holds no row"),
    ],
)
def test_bad_tables_are_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    files = write(tmp_path, table_csv=text)
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        judge_tables(DeclaredClaims.from_toml(CLAIMS), [read_rows(files["table_csv"])])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("level = 2.0\n" + CLAIMS, "level = 2.0: must lie between 0 and 1"),
        ("", r"has no \[\[claim\]\]"),
        ("claim = 3", r"has no \[\[claim\]\]"),
        ("[[claim]", "is no TOML"),
        (CLAIMS + 'colour = "red"\n', "claim 'better': colour: unknown"),
        ("levle = 0.05\n" + CLAIMS, "levle: unknown; did you mean level"),
        (CLAIMS.replace("margin = 0.0", "margin = -1.0"), "margin -1.0 must be finite"),
        (CLAIMS.replace("text =", "test ="), "test: unknown"),
        (CLAIMS.replace('text = "A is more accurate"', ""), "text is missing"),
        (CLAIMS.replace('[["A", "B"]]', "3"), "a value is not of its kind"),
        ("looks = [20, 10]\n" + CLAIMS, r"looks = \[20, 10\]: "),
        ('setting = "mnist"\n' + CLAIMS, "setting must be a table"),
    ],
)
def test_bad_claims_are_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        DeclaredClaims.from_toml(text)
    assert "\n" not in str(caught.value)


def test_the_command_ends_in_one_line_where_it_is_misused(tmp_path: Path) -> None:
    files = write(tmp_path, table_csv=TIDY, claims_toml=CLAIMS)
    table, claims = files["table_csv"], f"--claims={files['claims_toml']}"
    for words, message in (
        ((), "--claims: must name"),
        ((claims,), "TABLE: name a table"),
        ((table, "--claims=none.toml"), "--claims=none.toml: cannot be read"),
        (("none.csv", claims), "none.csv: cannot be read"),
        (("table.xls", claims), "table.xls: must end in"),
    ):
        done = forked.run("-m", "cnn_ablation.judge", *words)
        assert done.returncode == 2
        assert message in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


texts = st.text(max_size=12)


@given(texts, texts, st.lists(texts, min_size=2, max_size=2, unique=True), texts)
def test_claims_survive_toml(name: str, text: str, labels: list[str], other: str) -> None:
    claim = Claim(name, "q", text, "test_accuracy", ((labels[0], labels[1]),), scope="benchmark")
    setting = Setting("mnist", 2, "sgd", 0.1, others=(other,))
    declared = DeclaredClaims((DeclaredClaim(claim, "shown", "figure", (other,)),), setting)
    assert DeclaredClaims.from_toml(declared.to_toml()) == declared


def test_every_verdict_has_a_row() -> None:
    rows = Rows("made up", ({"seed": 0, "A": 1.0, "B": 2.0},), ("seed", "A", "B"))
    declared = DeclaredClaims.from_toml(CLAIMS)
    heading, row = verdicts_csv(judge_tables(declared, [rows])).splitlines()
    cells: dict[str, Any] = dict(zip(heading.split(","), row.split(","), strict=False))
    assert cells["verdict"] == "inconclusive"
    assert (cells["a"], cells["b"], cells["pairs"]) == ("A", "B", "1")

"""What hardware says of itself, and how it differs from another."""

from pathlib import Path

import pytest

from cnn_ablation.system import hardware

CPUINFO = """processor\t: 0
cpu family\t: 25
model\t\t: 1
model name\t: AMD EPYC
flags\t\t: fpu sse2 avx avx2
processor\t: 1
model name\t: another core
"""


def described(cpuinfo: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    file = folder / "cpuinfo"
    file.write_text(cpuinfo)
    monkeypatch.setattr(hardware, "Path", lambda _: file)
    return hardware.describe_hardware()


def test_a_processor_is_told_by_name_numbers_and_vectors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XLA_FLAGS", "--xla_foo=1")
    found = described(CPUINFO, tmp_path, monkeypatch)
    assert found == {
        "processor": "AMD EPYC (family 25, model 1)",
        "vector_bits": 256,
        "xla_flags": "--xla_foo=1",
    }
    wide = described(CPUINFO.replace("avx2", "avx512f"), tmp_path, monkeypatch)
    assert hardware.difference(wide, found) == "vector bits 512"
    arm = described("Features\t: fp asimd\n", tmp_path, monkeypatch)
    assert arm["vector_bits"] == 128 and arm["processor"]
    assert described("", tmp_path, monkeypatch)["vector_bits"] is None


def test_what_differs_is_named_also_where_one_lacks_it() -> None:
    assert hardware.difference({"a": 1}, {"a": 1}) == ""
    assert hardware.difference({"xla_flags": ""}, {"xla_flags": "x", "b": 2}) == (
        "xla flags none, b none"
    )


def test_machines_that_train_together_are_one_where_they_are_alike() -> None:
    one = hardware.Machine("cpu", {"processor": "b", "vector_bits": 512})
    other = hardware.Machine("cpu", {"processor": "a", "vector_bits": 512, "accelerator": "c"})
    assert hardware.Machine.of_all([one, one]) is one
    both = hardware.Machine.of_all([one, other])
    assert both == hardware.Machine.of_all([other, one])
    assert both.device == "cpu" and both.hardware == {
        "processor": "a + b",
        "vector_bits": 512,
        "accelerator": "None + c",
    }

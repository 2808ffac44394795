"""Runs the Colab notebook from top to bottom and keeps what it shows.

python -m experiments.execute_colab

It takes what the notebook itself says that it takes. Needs the test extra: pip install -e .[test].
"""

import argparse
import re
from pathlib import Path
from typing import Any

import nbformat
from ipykernel.kernelspec import make_ipkernel_cmd
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from cnn_ablation.system.files import write_text

NOTEBOOK = Path(__file__).with_name("cnn_ablation_colab.ipynb")


def execute(notebook: nbformat.NotebookNode, folder: Path, **parameters: Any) -> None:
    """Runs every cell in a fresh kernel of this interpreter; outputs are put into the notebook.

    Args:
        notebook: what to run.
        folder: where the kernel starts.
        **parameters: values for names of the cell that is tagged `parameters`.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell raised an error.
        ValueError: the cell of parameters has no such name.
    """
    (cell,) = (c for c in notebook.cells if "parameters" in c.metadata.get("tags", ()))
    for name, value in parameters.items():
        line = re.compile(rf"^{name} = .*$", re.MULTILINE)
        if not line.search(cell.source):
            raise ValueError(f"{name}: not a parameter of the notebook")
        cell.source = line.sub(f"{name} = {value!r}", cell.source)
    client = NotebookClient(
        notebook,
        kernel_manager_class=_ThisInterpreter,
        timeout=None,
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()


class _ThisInterpreter(AsyncKernelManager):
    """Starts this interpreter, whatever kernels are registered on the machine."""

    @property
    def kernel_spec(self) -> KernelSpec:
        return KernelSpec(argv=make_ipkernel_cmd(), display_name="Python 3", language="python")


def main() -> None:
    """Runs the notebook as it is and writes it back."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    notebook = nbformat.read(NOTEBOOK, as_version=nbformat.NO_CONVERT)
    execute(notebook, NOTEBOOK.parent)
    write_text(NOTEBOOK, nbformat.writes(notebook) + "\n")


if __name__ == "__main__":
    main()

"""A study's file to begin with: commented, and it runs as it is."""

import re
from pathlib import Path

from cnn_ablation.errors import InputError
from cnn_ablation.system.files import unwritable, write_text

TEMPLATE = """# A study: cnn-ablation study {name}.toml runs it, and goes on where it was stopped.
# cnn-ablation study {name}.toml --help lists every setting; a flag goes before what stands here.

name = "{name}"
title = "Do wider convolutions pay?"

# What is trained on. Your own images: dataset = "./photos", a folder with a folder of PNG or JPEG
# files for each class; image_size = 32 brings them to one size.
[data]
dataset = "mnist"
train_split = "train[:10%]"

# How. Every field that cnn-ablation train --help lists under training may stand here.
[training]
epochs = 2

# How often, and what else the flags of a study say. num_seeds = "10..60" trains until every claim
# is decided. Fewer than about 9 seeds decide nothing, whatever they show.
[run]
num_seeds = 10
timing_rounds = 0

# The network that the variants change: any field listed under the network.
[network]
stride = 2

# A question: designs that differ in one choice. Each combination of the axes is a variant, with
# a label such as "features=8,16"; a list inside the list is one value for each block.
[[question]]
name = "width"
title = "Channels"
axes.features = [[4, 8], [8, 16], [16, 32]]

# What is claimed, before it is trained: each is better than the next. Or contrasts, pairs of
# labels: contrasts = [["features=16,32", "features=8,16"]].
[[question.claim]]
name = "wider"
text = "twice the channels are more accurate"
metric = "test_accuracy"
order = ["features=16,32", "features=8,16", "features=4,8"]
# The smallest difference that counts: 0.001 is 0.1 points of accuracy.
margin = 0.001

[[question.claim]]
name = "larger"
text = "twice the channels have more parameters"
metric = "params"
order = ["features=16,32", "features=8,16", "features=4,8"]

# A variant with a label of its own, and fields of network, training or data:
# [[question.variant]]
# label = "wide, with dropout"
# features = [16, 32]
# dropout = 0.2
# epochs = 4
"""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def write_new(name: str) -> None:
    """Writes `NAME.toml` into this folder, and says what to do with it.

    Raises:
        InputError: the name is none, the file is there already, or it cannot be written.
    """
    name = name.removesuffix(".toml")
    if not _NAME.fullmatch(name):
        raise InputError(f"--new={name}: must be a name of letters, digits, '_', '-' and '.'")
    path = Path(f"{name}.toml")
    if path.exists():
        raise InputError(f"--new={name}: {path} is there already; choose another name")
    try:
        write_text(path, TEMPLATE.format(name=name))
    except OSError as error:
        raise unwritable(path, error) from None
    print(f"written  {path}\nrun it   cnn-ablation study {path}")

"""The network that the studies of single choices vary: the notebook's with 2x2 pooling."""

from cnn_ablation.design import NetworkSpec

# Of the notebook's designs the quickest that reaches 98 %.
BASE = NetworkSpec(pool=2)
# Maps keep their size in convolutions, so that depth and dilation change nothing behind them.
SAME = BASE.replace(padding="same")

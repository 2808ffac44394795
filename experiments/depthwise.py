"""What does a depthwise separable convolution save, and what does it cost?

The study `depthwise`, declared in `cnn_ablation/studies/depthwise.py`.
"""

from cnn_ablation import study_command
from cnn_ablation.studies import depthwise

STUDY = depthwise.STUDY

if __name__ == "__main__":
    study_command.run(STUDY, depthwise.__doc__)

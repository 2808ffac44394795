"""The whole notebook: its four questions, each of its designs trained once, as published.

cnn-ablation study notebook --num_seeds=20                              as published
cnn-ablation study notebook --num_seeds=10 --epochs=20                  as it proposes at its end
cnn-ablation study notebook --num_seeds=20 --learning_rate=1            trained properly
cnn-ablation study notebook --num_seeds=10 --learning_rate=1 --epochs=20

Without flags it trains as the notebook did: Adadelta at Keras's default rate of 0.001, 2 epochs.
Its 17 cells are 15 designs; "pool none" is the base design, shown a fourth time.

The control arm is left out unless --controls asks for it: the notebook had none, and at a rate
that barely trains in 2 epochs a comparison at equal parameters says nothing.
"""

from cnn_ablation.studies import kernel_size, padding, pooling, stride
from cnn_ablation.studies.published import AS_PUBLISHED
from cnn_ablation.study import Study

STUDY = Study(
    "notebook",
    "Which of the notebook's conclusions are true?",
    (kernel_size.QUESTION, stride.QUESTION, padding.QUESTION, pooling.QUESTION),
)
TRAINING, CONTROLS = AS_PUBLISHED, False

"""How training images are changed before a network sees them, each by a key of its own.

An entry owns its options and its computation on one image. JAX is imported where it computes.
"""

from cnn_ablation.augmentations.changes import (
    AUGMENTATIONS,
    Augmentation,
    register_augmentation,
)

__all__ = ["AUGMENTATIONS", "Augmentation", "register_augmentation"]

"""How convolution and pooling change the size of a feature map along one axis.

Formulas: Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning"
(arXiv 1603.07285), relationships 5 to 7; `same` follows TensorFlow's and XLA's convention.
"""

PADDINGS = ("valid", "same")


def conv_output_size(size: int, kernel_size: int, stride: int, padding: str) -> int:
    """Length of a convolution's output along one axis; 0 where the kernel does not fit."""
    if padding == "same":
        return -(-size // stride)
    return max(0, (size - kernel_size) // stride + 1)


def pool_output_size(size: int, window: int) -> int:
    """Length after max-pooling with stride equal to the window; what does not fill one is cut."""
    return size // window


def pad_before(size: int, window: int, stride: int, padding: str) -> int:
    """Zeros before the first pixel: "same" puts the odd one of its zeros after the last pixel.

    The convention of TensorFlow and XLA: as few zeros as let every stride-th pixel have a window.
    """
    if padding == "valid":
        return 0
    spanned = (conv_output_size(size, window, stride, padding) - 1) * stride + window
    return max(spanned - size, 0) // 2

"""A block as our own C++ kernels on the CPU: built once (`build`), called by XLA (`calls`)."""

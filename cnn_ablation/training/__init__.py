"""How a trial is trained: pure steps, compiled for a mesh of devices, driven by a trainer."""

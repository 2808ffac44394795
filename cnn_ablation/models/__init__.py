"""Trained models in hand: kept in a file, loaded, asked what images show, scored and drawn.

`files` writes and reads them, `model` asks them, `pixels` takes images as they come, `pictures`
reads those in files, `scores` counts right and wrong answers, and `figures` draws.
"""

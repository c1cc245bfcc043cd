"""Replacements for functions that need a screen."""

import IPython

__all__ = ["cv2_imshow"]


def cv2_imshow(a):
    """Show an OpenCV image (grey, BGR or BGRA) in the output of the cell."""
    import cv2

    _, data = cv2.imencode(".png", a.clip(0, 255).astype("uint8"))
    IPython.display.display(IPython.display.Image(data=data.tobytes(), format="png"))

"""Grafana's grid as a matplotlib figure: where panels are, their frames, and the room inside them."""

from io import BytesIO
from pathlib import Path

import matplotlib as mpl
from dashboards.model import COLUMNS, Place
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

PAPER, PANEL, INK, FAINT, GRID = "#111217", "#181b1f", "#ccccdc", "#6e7079", "#2c3235"
_COLUMN_INCHES, _ROW_INCHES = 0.6, 0.34
_GAP = 0.12
"""Around panels, in inches."""
_AXIS, _HEAD, _EDGE = 0.5, 0.3, 0.1
"""What a panel's axis labels, title and rim take, in inches."""
_DPI = 100
_COLOURS = 200


class Page:
    """A figure that is so many rows high."""

    def __init__(self, rows: int) -> None:
        mpl.rcParams.update({"font.size": 7, "text.color": INK, "font.family": "DejaVu Sans"})
        self._width, self._height = COLUMNS * _COLUMN_INCHES, rows * _ROW_INCHES
        self._figure = Figure(figsize=(self._width, self._height), dpi=_DPI, facecolor=PAPER)

    def write(self, place: Place, text: str, size: int) -> None:
        """A title of its own line."""
        y = 1 - (place.y + 0.6) * _ROW_INCHES / self._height
        self._figure.text(0.006, y, text, fontsize=size, weight="bold", va="center")

    def panel(self, place: Place, title: str, left: float = 0.0, below: float = 0.0) -> Axes:
        """A panel's frame and title, and the axes in it, with inches left free for names."""
        x, y = place.x * _COLUMN_INCHES + _GAP / 2, place.y * _ROW_INCHES + _GAP / 2
        width, height = place.width * _COLUMN_INCHES - _GAP, place.height * _ROW_INCHES - _GAP
        frame = self._axes(x, y, width, height)
        frame.set(xticks=[], yticks=[])
        frame.text(0.06 / width, 1 - 0.09 / height, title, va="top", weight="bold", transform=frame.transAxes)
        left += _AXIS
        return self._axes(x + left, y + _HEAD, width - left - _EDGE, height - _HEAD - _EDGE - below)

    def save(self, path: Path) -> None:
        """As a picture of few colours, which is a third of the size."""
        whole = BytesIO()
        self._figure.savefig(whole, facecolor=PAPER)
        with Image.open(whole) as picture:
            picture.convert("RGB").quantize(_COLOURS).save(path, format="PNG", optimize=True)

    def _axes(self, x: float, y: float, width: float, height: float) -> Axes:
        """By inches from the upper left corner."""
        box = (
            x / self._width,
            1 - (y + height) / self._height,
            width / self._width,
            height / self._height,
        )
        axes = self._figure.add_axes(box, facecolor=PANEL)
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.tick_params(colors=FAINT, length=0)
        return axes

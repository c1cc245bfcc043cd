"""Tabs and grids: what they hold is shown one after the other, since no page lays it out."""

import contextlib

from google.colab.errors import WidgetException

__all__ = ["Grid", "TabBar", "WidgetException", "create_grid"]


class TabBar:
    """Parts with a title each, of which one is seen at a time."""

    def __init__(self, tab_names, location="top"):
        if location not in ("top", "bottom", "start", "end"):
            raise ValueError(f"Invalid value for location: {location!r}")
        self.tab_names, self.num_tabs = list(tab_names), len(tab_names)

    @contextlib.contextmanager
    def output_to(self, tab, select=True):
        """Direct what is shown to one tab, by its number or its name."""
        self._check(tab)
        yield self

    def clear_tab(self, tab=None):
        """Forget what a tab shows."""
        if tab is not None:
            self._check(tab)

    def __iter__(self):
        """Go through the tabs, each with the output directed to it."""
        for number in range(self.num_tabs):
            with self.output_to(number):
                yield number

    def _check(self, tab):
        if tab not in (*range(-self.num_tabs, self.num_tabs), *self.tab_names):
            raise WidgetException(f"there is no tab {tab!r}")


class Grid:
    """Rows and columns."""

    def __init__(self, rows, columns, header_row=False, header_column=False, style=""):
        self.rows, self.columns = rows, columns

    @contextlib.contextmanager
    def output_to(self, row, column):
        """Direct what is shown to one cell."""
        if not (-self.rows <= row < self.rows and -self.columns <= column < self.columns):
            raise WidgetException(f"there is no cell in row {row}, column {column}")
        yield self

    def clear_cell(self, row=None, col=None):
        """Forget what a cell shows."""

    def __iter__(self):
        """Go through the cells, row by row."""
        for row in range(self.rows):
            for column in range(self.columns):
                with self.output_to(row, column):
                    yield row, column


def create_grid(
    row_data, col_data, render, header_render=None, header_row=True, header_column=True
):
    """Call `render(row, column)` for every pair of these, each in a cell of a grid."""
    rows, columns = list(row_data), list(col_data)
    grid = Grid(len(rows) + header_row, len(columns) + header_column, header_row, header_column)
    for number, row in enumerate(rows, int(header_row)):
        for place, column in enumerate(columns, int(header_column)):
            with grid.output_to(number, place):
                render(row, column)
    return grid

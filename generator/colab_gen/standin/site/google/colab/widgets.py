"""Tabs and grids: what they hold is shown one after the other, since no page lays it out."""

import contextlib

from google.colab.errors import WidgetException

__all__ = ["Grid", "TabBar", "WidgetException"]


class _Layout:
    _keys = ()

    def clear_cell(self, cell=None):
        """Forget what a part shows."""

    clear_tab = clear_cell

    @contextlib.contextmanager
    def output_to(self, *where, **options):
        """Direct what is shown to one part."""
        if where and isinstance(where[0], (int, str)) and where[0] not in self._keys:
            raise WidgetException(f"there is no part {where[0]!r}")
        yield self


class TabBar(_Layout):
    """Parts with a title each, of which one is seen at a time."""

    def __init__(self, titles, location="top"):
        self._keys = (*range(len(titles)), *titles)
        self.num_tabs = len(titles)

    def __iter__(self):
        """Go through the tabs, each with the output directed to it."""
        for number in range(self.num_tabs):
            with self.output_to(number):
                yield number


class Grid(_Layout):
    """Rows and columns."""

    def __init__(self, rows, columns, header_row=False, header_column=False, style=""):
        self._keys = tuple(range(rows))
        self.rows, self.columns = rows, columns

    def __iter__(self):
        """Go through the cells, row by row."""
        for row in range(self.rows):
            for column in range(self.columns):
                with self.output_to(row, column):
                    yield row, column

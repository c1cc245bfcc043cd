"""Tabs, grids and tables: what they hold is shown in order, since no page lays it out."""

import contextlib
import uuid

import IPython
from google.colab import output
from google.colab.errors import WidgetException

__all__ = ["Grid", "InteractiveTable", "TabBar", "WidgetException", "create_grid"]


class _Area:
    """A part of the output; what is shown in it bears its tag and those that were on before."""

    def __init__(self):
        self._tags = {*output._tags, f"outputarea_{uuid.uuid4()}"}

    @contextlib.contextmanager
    def _shown(self):
        with output.use_tags(self._tags):
            yield self

    def remove(self, wait=False):
        """Remove what was shown in it."""
        output.clear(wait, self._tags)


class TabBar(_Area):
    """Parts with a title each, of which one is seen at a time."""

    def __init__(self, tab_names, location="top"):
        if location not in ("top", "bottom", "start", "end"):
            raise ValueError(f"Invalid value for location: {location!r}")
        super().__init__()
        self.tab_names, self.num_tabs = list(tab_names), len(tab_names)

    def output_to(self, tab, select=True):
        """Direct what is shown to one tab, by its number or its name."""
        self._check(tab)
        return self._shown()

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


class Grid(_Area):
    """Rows and columns."""

    def __init__(self, rows, columns, header_row=False, header_column=False, style=""):
        super().__init__()
        self.rows, self.columns = rows, columns

    def output_to(self, row, column):
        """Direct what is shown to one cell."""
        if not (-self.rows <= row < self.rows and -self.columns <= column < self.columns):
            raise WidgetException(f"there is no cell in row {row}, column {column}")
        return self._shown()

    def clear_cell(self, row=None, col=None):
        """Forget what a cell shows."""

    def __iter__(self):
        """Go through the cells, row by row."""
        for row in range(self.rows):
            for column in range(self.columns):
                with self.output_to(row, column):
                    yield row, column


class InteractiveTable:
    """A data frame of which one page is seen at a time."""

    data = None
    active_data = ()
    columns = ()
    rows = 0
    page_num = 0
    page_size = 10
    sort_column = None
    sort_ascending = True

    def __init__(self, df=None, **kwargs):
        for name, value in kwargs.items():
            setattr(self, name, value)
        if df is not None:
            self.set_data(df)

    def set_data(self, df):
        """Show another data frame, from its first page."""
        self.data, self.rows, self.columns = df, len(df), df.columns.tolist()
        self.page_num = 0
        self.update_active_data()

    def set_page(self, page_num: int):
        """Turn to a page, from 0."""
        self.page_num = page_num
        self.update_active_data()

    def update_active_data(self):
        """Take the rows of the page, sorted as is asked for."""
        if self.data is not None:
            self.active_data = self._page().to_dict(orient="records")

    def _page(self):
        if self.sort_column is not None:
            name = self.columns[self.sort_column]
            self.data.sort_values(by=name, ascending=self.sort_ascending, inplace=True)
        first = self.page_num * self.page_size
        return self.data[first : first + self.page_size]

    def _ipython_display_(self):
        IPython.display.display(None if self.data is None else self._page())


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

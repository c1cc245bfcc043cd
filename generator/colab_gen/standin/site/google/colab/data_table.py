"""Data frames as interactive tables; without a page they show as pandas shows them."""

import IPython

__all__ = [
    "DataTable",
    "disable_dataframe_formatter",
    "display_dataframe",
    "enable_dataframe_formatter",
    "load_ipython_extension",
    "unload_ipython_extension",
]


class DataTable(IPython.display.DisplayObject):
    """A data frame to be displayed as a table."""

    include_index = True
    num_rows_per_page = 25
    max_rows = 20000
    max_columns = 20
    min_width = None

    def __init__(
        self,
        dataframe,
        include_index=None,
        num_rows_per_page=None,
        max_rows=None,
        max_columns=None,
        min_width=None,
    ):
        self._dataframe = dataframe

    @classmethod
    def formatter(cls, dataframe, **kwargs):
        """Return the frame's table as HTML."""
        return cls(dataframe, **kwargs)._repr_html_()

    def _repr_html_(self):
        return self._dataframe._repr_html_()

    def __repr__(self):
        return repr(self._dataframe)


def enable_dataframe_formatter():
    """Let data frames show as tables from now on: here they show as they always do."""


def disable_dataframe_formatter():
    """Let data frames show as pandas shows them."""


def display_dataframe(df):
    """Show a data frame."""
    IPython.display.display(df)


def load_ipython_extension(ipython):
    """Enable the formatter, as `%load_ext google.colab.data_table` does."""
    enable_dataframe_formatter()


def unload_ipython_extension(ipython):
    """Disable the formatter."""
    disable_dataframe_formatter()

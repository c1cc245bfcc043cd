"""Charts that Colab proposes for a data frame; here the frame itself is shown."""

import IPython

__all__ = ["get_df", "quickchart"]


def quickchart(df):
    """Show the data frame."""
    IPython.display.display(df)


def get_df(df_varname):
    """Fail, as it does on Colab since it was removed.

    Raises:
        ValueError: always.
    """
    raise ValueError(
        "autoviz.get_df was removed; please re-insert the code for your chart to see updated code."
    )

"""What the modules of google.colab raise."""

__all__ = ["AuthorizationError", "Error", "RuntimeManagementError", "WidgetException"]


class Error(Exception):
    """Any error of Colab's own."""


class AuthorizationError(Error):
    """The user was not, or could not be, authorized."""


class RuntimeManagementError(Error):
    """The service that manages the runtime said no."""


class WidgetException(Exception):
    """A widget was used wrongly."""

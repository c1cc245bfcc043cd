"""Who the user is to Google."""

import os

from google.colab import _message, errors

__all__ = ["authenticate_service_account", "authenticate_user"]


def authenticate_user(clear_output=True, project_id=None):
    """Ask the page for the user's consent."""
    if project_id is not None:
        os.environ["GOOGLE_CLOUD_PROJECT"] = project_id
        os.environ["GOOGLE_CLOUD_QUOTA_PROJECT"] = project_id
    _message.blocking_request(
        "request_auth", request={"authType": "auth_user_ephemeral"}, timeout_sec=None
    )


def authenticate_service_account(clear_output=True):
    """Fail: there is no service account here, and no page to upload a key.

    Raises:
        AuthorizationError: always.
    """
    raise errors.AuthorizationError("Failed to fetch user credentials")

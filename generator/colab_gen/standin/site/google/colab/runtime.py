"""The runtime as a whole."""

import http.client
import os

from google.colab import errors, output

__all__ = ["unassign"]


def unassign():
    """Give the runtime back; the session ends.

    Raises:
        RuntimeManagementError: there is no such service, or it refuses.
    """
    address = os.environ.get("TBE_RUNTIME_ADDR")
    if not address:
        raise errors.RuntimeManagementError("Unable to find the runtime management service.")
    connection = http.client.HTTPConnection(address, timeout=30)
    try:
        connection.request("POST", "/unassign")
        status = connection.getresponse().status
    finally:
        connection.close()
    if status != http.HTTPStatus.OK:
        raise errors.RuntimeManagementError("Unable to request VM unassignment.")
    output.eval_js("google.colab.kernel.disconnect();", ignore_result=True)

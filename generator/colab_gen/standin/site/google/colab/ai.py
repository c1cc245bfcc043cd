"""Colab's language models, of which there are none here."""

__all__ = ["ModelProxyServiceError", "generate_text", "list_models"]

_NONE = "the stand-in has no language model: run this cell on Colab"


class ModelProxyServiceError(Exception):
    """The service of the models gave no proper answer."""


def generate_text(prompt, model_name="google/gemini-2.5-flash", stream=False):
    """Check the prompt as Colab does, and fail.

    Raises:
        ValueError: the prompt is empty or no text.
        ModelProxyServiceError: always else.
    """
    if not prompt:
        raise ValueError("Prompt cannot be empty.")
    if not isinstance(prompt, str):
        raise ValueError("Prompt must be a string.")
    raise ModelProxyServiceError(_NONE)


def list_models():
    """Fail.

    Raises:
        ModelProxyServiceError: always.
    """
    raise ModelProxyServiceError(_NONE)

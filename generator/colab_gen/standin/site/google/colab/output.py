"""The output of a cell: scripts in it, tags on it, where it goes."""

import contextlib
import json
import sys
import uuid

import IPython
from google.colab import _message
from IPython import display

__all__ = [
    "clear",
    "disable_custom_widget_manager",
    "enable_custom_widget_manager",
    "eval_js",
    "no_vertical_scroll",
    "redirect_to_element",
    "register_callback",
    "serve_kernel_port_as_iframe",
    "serve_kernel_port_as_window",
    "temporary",
    "to_default_area",
    "to_footer_area",
    "to_header_area",
    "unregister_callback",
    "use_tags",
]

_functions = {}
_tags = set()


def eval_js(script, ignore_result=False, timeout_sec=None):
    """Return what the script gives in the page, or None if it is ignored or the time is up."""
    running = IPython.get_ipython().kernel.shell.parent_header
    waits = not ignore_result and not timeout_sec
    number = _message.send(
        "cell_javascript_eval", {"script": script}, running, True, colab_gen_waits=waits
    )
    return None if ignore_result else _message.read_reply_from_input(number, timeout_sec)


def register_callback(function_name, callback):
    """Let scripts in the page call the function by that name."""
    _functions[function_name] = callback


def unregister_callback(function_name):
    """Let scripts no longer call the function of that name."""
    if function_name not in _functions:
        raise ValueError(f"Callback function not registered: {function_name}.")
    del _functions[function_name]


def _invoke_function(function_name, json_args, json_kwargs):
    # What the page has the kernel evaluate when a script calls a function.
    if function_name not in _functions:
        raise ValueError(f"Function not found: {function_name}")
    return _functions[function_name](*json.loads(json_args), **json.loads(json_kwargs))


@contextlib.contextmanager
def use_tags(tags, append=True):
    """Tag what is shown in this context; without `append`, with these tags only."""
    wanted = {tags} if isinstance(tags, str) else set(tags)
    added = wanted - _tags
    removed = set() if append else _tags - wanted
    try:
        _switch(added, removed)
        yield _tags
    finally:
        _switch(removed, added)


def clear(wait=False, output_tags=()):
    """Remove the outputs that bear all these tags; without tags, all of them.

    Args:
        wait: only once there is something new to show.
        output_tags: one tag or several.
    """
    if not isinstance(wait, bool):
        raise ValueError("wait must be a boolean value")
    _flush()
    shell = IPython.get_ipython()
    if not hasattr(shell, "kernel"):
        return
    content = {
        "wait": wait,
        "output_tags": [output_tags] if isinstance(output_tags, str) else list(output_tags),
    }
    publisher = shell.display_pub
    publisher.session.send(
        publisher.pub_socket,
        "clear_output",
        content,
        parent=publisher.parent_header,
        ident=publisher.topic,
    )


@contextlib.contextmanager
def temporary():
    """Remove what is shown in this context when it ends without an error."""
    tag = str(uuid.uuid4())
    with use_tags(tag):
        yield tag
    clear(output_tags=tag)


@contextlib.contextmanager
def redirect_to_element(selector):
    """Show what follows inside an element of the output."""
    eval_js("google.colab.output.getActiveOutputArea()", ignore_result=True)
    _send(f"google.colab.output.setActiveOutputArea({json.dumps(str(selector))})")
    try:
        yield
    finally:
        _send("google.colab.output.setActiveOutputArea(google.colab.output.getDefaultOutputArea())")


def to_header_area():
    """Show what follows above the output."""
    return redirect_to_element("#output-header")


def to_footer_area():
    """Show what follows below the output."""
    return redirect_to_element("#output-footer")


def to_default_area():
    """Show what follows where it usually goes."""
    return redirect_to_element("default")


def no_vertical_scroll():
    """Make the output as high as what it shows."""
    _send("google.colab.output.setIframeHeight(-1, true, {interactive: true, maxHeight: 99999})")


def enable_custom_widget_manager(version="5.0.0a"):
    """Allow widgets that come with code of their own."""
    if version != "5.0.0a":
        raise ValueError(f"Unknown widgets version: {version}")


def disable_custom_widget_manager():
    """Allow Jupyter's own widgets only."""


def serve_kernel_port_as_iframe(
    port, path="/", width="100%", height="400", cache_in_notebook=False
):
    """Show what is served at a port of the runtime in a frame of the output."""
    _send(f"google.colab.kernel.proxyPort({int(port)})")


def serve_kernel_port_as_window(port, path="/", anchor_text=None, skip_warning=False):
    """Show a link to what is served at a port of the runtime."""
    _send(f"google.colab.kernel.proxyPort({int(port)})")


def _send(script):
    display.display(display.Javascript(script))


def _switch(added, removed):
    _tags.update(added)
    _tags.difference_update(removed)
    _flush()
    area = {"nodisplay": True, "add_tags": sorted(added), "remove_tags": sorted(removed)}
    display.publish_display_data({}, metadata={"outputarea": area})


def _flush():
    sys.stdout.flush()
    sys.stderr.flush()

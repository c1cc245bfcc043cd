import pytest
from colab_gen.static import check


def notebook(*sources, **changes):
    cells = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "metadata": {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for number, source in enumerate(sources)
    ]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells, **changes}


@pytest.mark.parametrize(
    "source",
    [
        "",
        "print(1)",
        "!ls\nx = !ls\n%time 1\nls?",
        "await asyncio.sleep(0)",
        "%%bash\nls",
        "%%time",
        "%%javascript\nalert(1)",
        "%%latex\n{{{ not python",
        ["a = 1\n", "b = 2"],
        "'\\d'  # an odd escape",
    ],
)
def test_a_cell_that_runs(source):
    assert check(notebook(source)) == ()


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("a = 1\ndef (:", "cell 0 (c0): line 2: invalid syntax"),
        ("%%bash\n\n", "cell 0 (c0): nothing under %%bash"),
        ("%%javascript", "cell 0 (c0): nothing under %%javascript"),
        ("  %%html\n", "cell 0 (c0): nothing under %%html"),
        ("return 1", "cell 0 (c0): line 1: 'return' outside function"),
        ("a\0b", "cell 0 (c0): "),
    ],
)
def test_a_cell_that_cannot_run(source, problem):
    [found] = check(notebook(source))
    assert found.startswith(problem)


def test_every_bad_cell_is_named():
    problems = check(notebook("(", "1", ")"))
    assert [p.split(":")[0] for p in problems] == ["cell 0 (c0)", "cell 2 (c2)"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"nbformat": 3}, "the notebook is of format 3, not 4"),
        ({"nbformat": None}, "the notebook is of format None, not 4"),
        ({"cells": [{"cell_type": "code"}]}, "cells/0"),
        ({"cells": [{"cell_type": "nonsense", "source": ""}]}, "cells/0"),
        ({"cells": 3}, "cells"),
        ({"metadata": {"language_info": {"name": "R"}}}, "the notebook is in R"),
    ],
)
def test_what_is_no_notebook_for_us(changes, problem):
    problems = check(notebook("1", **changes))
    assert problems
    assert problems[0].startswith(problem)
    assert all("\n" not in p for p in problems)

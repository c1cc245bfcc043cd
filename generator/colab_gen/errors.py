"""What can go wrong on the user's side, each with the exit code the command gives it."""

from collections.abc import Iterable

__all__ = [
    "ColabGenError",
    "EnvironmentProblem",
    "NotOurs",
    "NotebookError",
    "RecipeError",
    "RunError",
    "SnippetError",
    "UsageProblem",
]


class ColabGenError(Exception):
    """A problem its user can mend; the text says what is wrong, then what there is."""

    exit_code = 1


class RecipeError(ColabGenError):
    """A recipe that cannot be followed. `problems` holds one line for each thing wrong with it."""

    exit_code = 2

    def __init__(self, problems: str | Iterable[str]) -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class SnippetError(ColabGenError):
    """A snippet file that breaks the format, or snippets that cannot stand together."""


class NotebookError(ColabGenError):
    """A notebook that cannot be read, or a file that cannot be written."""


class NotOurs(NotebookError):
    """A notebook in which nothing was made by colab-gen."""


class RunError(ColabGenError):
    """A notebook that could not be executed at all (a failing cell is no error but an outcome)."""


class EnvironmentProblem(ColabGenError):
    """Something this machine lacks."""

    exit_code = 3


class UsageProblem(ColabGenError):
    """Options that do not go together."""

    exit_code = 2

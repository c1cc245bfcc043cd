from pathlib import Path

import colab_gen.snippet
import pytest
import yaml
from colab_gen.catalog import load_catalog
from colab_gen.errors import SnippetError
from colab_gen.snippet import parse_snippet
from hypothesis import given
from hypothesis import strategies as st

WORDS = st.sampled_from(
    [
        "a",
        "Stage",
        "data",
        "title",
        "true",
        "True",
        "yes",
        "NO",
        "~",
        "null",
        "1",
        "-x",
        "it's:",
        ":",
        "#",
        "#x",
        "[a]",
        "a,",
        ",",
        "{b}",
        "'",
        '"',
        "&",
        "*",
        "!",
        "|",
        ">",
        "%",
        "@",
        "é",
        "=",
    ]
)
VALUES = st.lists(WORDS, max_size=4).map(" ".join)
NAMES = st.lists(st.sampled_from(["drive", "a_b", "on", "", "null", " "]), max_size=3)
FRONTS = st.lists(
    st.tuples(
        st.sampled_from(["title", "summary", "requires", "y", "always"]),
        VALUES | NAMES.map(lambda names: f"[{', '.join(names)}]") | st.just("true"),
    ),
    max_size=4,
)
FAULTY = Path(__file__).parent / "snippets"
FRONT = "---\ntitle: T\nsummary: S.\nsection: data\n---\n"


def test_a_file_becomes_cells():
    snippet = parse_snippet(
        "mine",
        "---\ntitle: T\nsummary: S.\nsection: data\nrequires: [drive]\n---\n"
        '\n## T\n\n```text\nkept\n```\n\n```python\na = 1  # @param {"type": "integer"}\n```\n'
        "\nMore.\n\n```bash\nls\n```\n```html\n<b>x</b>\n```\n~~~javascript\n1\n~~~\n",
    )
    assert [(c.kind, c.source) for c in snippet.cells] == [
        ("markdown", "## T\n\n```text\nkept\n```"),
        ("python", 'a = 1  # @param {"type": "integer"}'),
        ("markdown", "More."),
        ("magic", "%%bash\nls"),
        ("magic", "%%html\n<b>x</b>"),
        ("magic", "%%javascript\n1"),
    ]
    assert [p.name for p in snippet.parameters] == ["a"]
    assert (snippet.requires, snippet.after, snippet.always) == (("drive",), (), False)


def test_windows_line_ends_make_the_same_snippet():
    text = FRONT + "```python\na = 1\n```\n"
    assert parse_snippet("mine", text.replace("\n", "\r\n")) == parse_snippet("mine", text)


@pytest.mark.parametrize("file", sorted(FAULTY.glob("*.md")), ids=lambda file: file.stem)
def test_each_faulty_file_is_told_by_name_and_fault(file):
    expected, _, text = file.read_text(encoding="utf-8").partition("\n")
    with pytest.raises(SnippetError) as error:
        parse_snippet(file.stem, text)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(f"snippet {file.stem}: ")
    assert expected in str(error.value)


def test_there_are_faulty_files():
    assert len(list(FAULTY.glob("*.md"))) >= 12


@pytest.mark.parametrize("name", ["Upper", "two words", "1st", "a" * 41, "ä", "../x"])
def test_refuses_names_that_are_no_identifiers(name):
    with pytest.raises(SnippetError, match="its name must be"):
        parse_snippet(name, FRONT + "Text.")


def write(folder, name, front="", code="a = 1"):
    text = f"---\ntitle: T\nsummary: S.\nsection: data\n{front}---\n```python\n{code}\n```\n"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.md").write_text(text, encoding="utf-8")
    return folder


def test_a_directory_adds_to_the_catalog(tmp_path, catalog):
    mine = load_catalog([write(tmp_path, "mine", "requires: [drive]\n")])
    assert set(mine.features) == {*catalog.features, "mine"}


@pytest.mark.parametrize(
    ("name", "front", "code", "words"),
    [
        ("drive", "", "a = 1", "two snippets are named drive"),
        ("mine", "requires: [drvie]\n", "a = 1", "did you mean drive"),
        ("mine", "", 'mount_point = 1  # @param {"type": "integer"}', "belongs to drive"),
    ],
)
def test_snippets_that_cannot_stand_together(tmp_path, name, front, code, words):
    with pytest.raises(SnippetError, match=words):
        load_catalog([write(tmp_path, name, front, code)])


def test_a_missing_directory_is_told(tmp_path):
    with pytest.raises(SnippetError, match="no directory of snippets"):
        load_catalog([tmp_path / "none"])


@given(FRONTS)
def test_plain_front_matter_is_read_as_yaml_reads_it(lines):
    text = "".join(f"{key}: {value}\n" for key, value in lines)
    plain = colab_gen.snippet._plain(text)
    if plain is not None:
        assert plain == (yaml.safe_load(text) or {})


def test_the_shipped_front_matter_is_plain(catalog):
    for file in catalog.files.values():
        front = file.read_text(encoding="utf-8").split("---\n")[1]
        assert colab_gen.snippet._plain(front) == yaml.safe_load(front)

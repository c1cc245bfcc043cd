import tomllib

import pytest
from colab_gen.errors import RecipeError
from colab_gen.recipe import Recipe, dump_recipe, parse_recipe, read_recipe, slug
from hypothesis import given
from hypothesis import strategies as st

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)


def test_a_recipe_is_read_from_toml():
    recipe = parse_recipe(
        'title = "Photos"\nfeatures = ["drive", "staging"]\naccelerator = "T4"\nhigh_ram = true\n'
        'repository = "ada/photos"\nbranch = "dev"\nfile = "nb/photos.ipynb"\n'
        '[values]\narchive_name = "photos.zip"\n'
    )
    assert recipe == Recipe(
        title="Photos",
        features=("drive", "staging"),
        accelerator="T4",
        high_ram=True,
        repository="ada/photos",
        branch="dev",
        file="nb/photos.ipynb",
        values={"archive_name": "photos.zip"},
    )
    assert recipe.name == "photos.ipynb"
    assert recipe.link == (
        "https://colab.research.google.com/github/ada/photos/blob/dev/nb/photos.ipynb"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title = ", "the recipe is not TOML"),
        ("x = " + "9" * 5000, "the recipe is not TOML"),
        ("x = " + "[" * 5000, "the recipe is not TOML"),
        ('titel = "x"', "a recipe has no titel (did you mean title?)"),
        ('title = " "', "the title is empty"),
        ("title = 5", "title takes text, not 5"),
        ('features = "drive"', "features takes a list of names, not 'drive'"),
        ("values = 3", "values takes a table"),
        ('high_ram = "yes"', "high_ram takes true or false, not 'yes'"),
        ('accelerator = "T5"', "there is no accelerator 'T5' (did you mean T4?)"),
        ('repository = "https://github.com/a/b"', "repository takes owner/name"),
        ('branch = "a b"', "branch takes the name of a branch"),
        ('file = "/etc/x.ipynb"', "file takes a path in the repository"),
        ('file = "../x.ipynb"', "file takes a path in the repository"),
        ('file = "x.txt"', "file takes a path in the repository"),
    ],
)
def test_what_is_wrong_is_one_line_with_the_value(text, words):
    with pytest.raises(RecipeError) as error:
        parse_recipe(text)
    (problem,) = error.value.problems
    assert words in problem
    assert problem.isprintable()


def test_all_faults_are_told_at_once():
    with pytest.raises(RecipeError) as error:
        parse_recipe('title = 1\nfeatures = 2\ncolour = "red"\nbranch = ""')
    assert len(error.value.problems) == 4


@given(
    title=TEXT.filter(str.strip),
    values=st.dictionaries(
        st.from_regex(r"[a-z_]{1,8}", fullmatch=True),
        TEXT | st.integers(-(2**60), 2**60) | st.booleans() | st.floats(allow_nan=False),
    ),
)
def test_a_recipe_written_is_the_recipe_read(title, values):
    recipe = Recipe(title=title, features=("drive",), values=values)
    assert parse_recipe(dump_recipe(recipe)) == recipe
    assert read_recipe(recipe.as_dict()) == recipe
    assert tomllib.loads(dump_recipe(recipe))["title"] == title


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("My photos: 2026", "my-photos-2026"),
        ("Übung groß", "ubung-gross"),
        ("../../etc", "etc"),
        ("日本", "notebook"),
        ("x" * 200, "x" * 60),
        ('"; rm -rf /', "rm-rf"),
    ],
)
def test_a_title_makes_a_plain_file_name(title, name):
    assert slug(title) == name

import pytest
from colab_gen.catalog import Catalog
from colab_gen.errors import SnippetError
from colab_gen.plan import make_plan
from colab_gen.recipe import Recipe
from colab_gen.render import render
from colab_gen.snippet import parse_snippet

FRONT = "---\ntitle: T\nsummary: S.\nsection: data\n---\n"


def rendered(body, **recipe):
    snippet = parse_snippet("mine", FRONT + body)
    catalog = Catalog(snippets={"mine": snippet}, files={})
    plan = make_plan(catalog, Recipe(features=("mine",), **recipe))
    return [(cell.id, cell.source) for cell in render(plan)]


def test_prose_is_a_template_and_values_in_it_are_text():
    body = "# {{ title }}\n\n{% if 'mine' in features %}in{% endif %} {{ steps | length }}"
    assert rendered(body, title="a *b* <i>\nc") == [("mine-1", "# a \\*b\\* &lt;i&gt; c\n\nin 1")]


def test_a_loop_and_filters():
    body = (
        "{% for step in steps if step.title %}{{ loop.index }} {{ step.title | lower }}"
        "{% else %}none{% endfor %} {{ features | join(', ') | upper }}"
        "{{ 'x' if steps | length > 1 and not title is undefined else ['y', 'z'][1] }}"
    )
    assert rendered(body) == [("mine-1", "1 t MINEz")]


def test_code_has_statements_on_lines_of_their_own_only():
    body = (
        "```python\n#: if 'mine' in features\na = '{{ title }}'\n#: else\nb = 1\n#: endif\n"
        "c = {1: {2: 3}}  # {% x %} {# y #}\n```\n"
    )
    assert rendered(body) == [("mine-1", "a = '{{ title }}'\nc = {1: {2: 3}}  # {% x %} {# y #}")]


def test_a_cell_that_renders_to_nothing_is_left_out_and_keeps_its_number():
    body = "```python\n#: if 'other' in features\na = 1\n#: endif\n```\n\nText.\n"
    assert rendered(body) == [("mine-2", "Text.")]


@pytest.mark.parametrize(
    "prose",
    [
        "{{ titel }}",
        "{% if %}",
        "{{ ''.__class__.__mro__ }}",
        "{{ title.__class__ }}",
        "{{ self._TemplateReference__context }}",
        "{{ lipsum.__globals__ }}",
        "{{ cycler.__init__ }}",
        "{% include '/etc/passwd' %}",
        "{% import 'x' as x %}",
        "{% extends 'x' %}",
        "{% for i in range(10) %}{% endfor %}",
        "{{ 'x' * 1000000000 }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ 'x' | center(1000000000) }}",
        "{{ '{0.__class__}'.format(title) }}",
        "{{ steps[0].snippet.cells.__class__ }}",
        "{{ features.append('x') }}",
        "{{ title() }}",
        "{{ 'x' ~ 'y' }}",
        "{% set a = title %}",
        "{% set a %}x{% endset %}",
        "{% filter upper %}x{% endfilter %}",
        "{% macro m(n) %}{{ m(n) }}{{ m(n) }}{% endmacro %}",
        "{% for a in steps recursive %}{{ loop(steps) }}{% endfor %}",
        "{% for a in 'xx' %}{% endfor %}",
        "{% for a in steps %}{% for b in steps %}{% endfor %}{% endfor %}",
        "{% for a in steps %}{% if a %}{% for b in a %}{% endfor %}{% endif %}{% endfor %}",
        "{{ 'xxxxxxxxxx'" + "|join('xxxxxxxxxx')" * 9 + " }}",
    ],
)
def test_a_template_reaches_nothing_it_was_not_given(prose):
    with pytest.raises(SnippetError) as error:
        rendered(prose)
    assert str(error.value).startswith("snippet mine, cell 1: ")
    assert str(error.value).isprintable()


def test_a_template_cannot_grow_without_end():
    loop = "{% for s in steps %}" + "x" * 600_000 + "{% endfor %}"
    assert len(rendered(loop)[0][1]) == 600_000
    with pytest.raises(SnippetError, match="more than 1000000 characters"):
        rendered(loop * 2)

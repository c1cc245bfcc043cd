"""The eight features, executed in the stand-in: alone, in pairs, all together, twice."""

from itertools import combinations

import pytest
from colab_gen.checks import preparation
from colab_gen.notebook import build
from colab_gen.plan import make_plan
from colab_gen.recipe import Recipe
from colab_gen.render import render
from warmed import run

pytestmark = pytest.mark.runs

FEATURES = (
    "memory", "keepalive", "drive", "imports", "staging", "dump", "images", "download",
)  # fmt: skip


def make(catalog, features, twice=False, **values):
    plan = make_plan(catalog, Recipe(features=features, values=values))
    notebook = build(plan, render(plan))
    if twice:
        again = [dict(cell, id=cell["id"] + "-again") for cell in notebook["cells"]]
        notebook["cells"] += [c | {"metadata": c["metadata"] | {"id": c["id"]}} for c in again]
    return notebook


def execute(catalog, notebook, **options):
    report = run(notebook, prepare=preparation(catalog, notebook), **options)
    faults = [(o.id, o.message) for o in report.outcomes if o.status != "passed"]
    assert (report.problems, faults) == ((), [])
    assert report.passed
    return report


def printed(report, cell_id):
    (cell,) = [c for c in report.notebook["cells"] if c["id"] == cell_id]
    return "".join("".join(o.get("text", "")) for o in cell["outputs"])


@pytest.mark.parametrize(
    "features", [*((f,) for f in FEATURES), *combinations(FEATURES, 2)], ids="+".join
)
def test_each_feature_and_each_pair_runs(catalog, features):
    report = execute(catalog, make(catalog, features))
    assert len(report.outcomes) >= len(features)


def test_all_together_twice_over(catalog):
    report = execute(catalog, make(catalog, FEATURES, twice=True))
    assert [name for name in report.downloads if "sample" in name]
    assert any(path.startswith("dumps/") for path in report.drive)
    assert "already" in printed(report, "drive-2-again")
    assert "already" in printed(report, "staging-6-again")


@pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz", "tar.xz", "tar.zst"])
def test_staging_takes_every_kind_of_archive(catalog, ending):
    name = f"folder of mine/my data.{ending}"
    report = execute(catalog, make(catalog, ["staging"], archive_name=name))
    assert "Staged " in printed(report, "staging-6")


def test_a_missing_archive_is_one_sentence(catalog):
    notebook = make(catalog, ["staging"], archive_name="absent.zip")
    report = run(notebook)
    (failed,) = [o for o in report.outcomes if o.status == "failed"]
    assert "absent.zip" in failed.message
    assert not report.passed


def test_the_old_trick_ends_alone(catalog):
    notebook = make(catalog, ["memory"], fill_memory=True)
    report = run(notebook, memory=2 * 2**30)
    assert [o.status for o in report.outcomes] == ["passed", "failed"]


@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_all_run_on_colabs_versions(catalog, version, colab_python):
    report = execute(catalog, make(catalog, FEATURES, twice=True), python=colab_python)
    assert report.environment["ipython"] == "7.34.0"
    assert report.environment["python"].startswith(version)

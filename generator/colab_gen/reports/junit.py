"""Reports as JUnit XML, which CI systems show."""

from collections import Counter
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree as ET

from colab_gen.report import Report
from colab_gen.reports.material import Named, cell_name, count, traceback_of
from colab_gen.text import one_line

__all__ = ["junit"]


def junit(reports: Sequence[Named]) -> str:
    """Return JUnit XML: a testsuite for each notebook, a testcase for each code cell.

    What the static check found is a testcase with an error, since nothing was run then. Times are
    in seconds; those of a testsuite hold the start of the kernel too.
    """
    root = ET.Element("testsuites", name="colab-gen")
    root.extend(_suite(name, report) for name, report in reports)
    for total in ("tests", "failures", "errors", "skipped"):
        root.set(total, str(sum(int(suite.get(total, 0)) for suite in root)))
    root.set("time", f"{sum(report.seconds for _, report in reports):.3f}")
    ET.indent(root)
    # With encoding="unicode" ElementTree would declare the encoding of this machine's locale.
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _suite(name: str, report: Report) -> ET.Element:
    name = one_line(name, 300)
    suite = ET.Element(
        "testsuite",
        name=name,
        tests=str(len(report.outcomes) + len(report.problems)),
        failures=str(count(report, "failed")),
        errors=str(len(report.problems)),
        skipped=str(count(report, "not run")),
        time=f"{report.seconds:.3f}",
    )
    _add_properties(suite, report)
    seen: Counter[str] = Counter()
    for title, case in _cases(report):
        seen[title] += 1  # CI systems take two cases of one name for one case
        case.set("name", title if seen[title] == 1 else f"{title} ({seen[title]})")
        case.set("classname", name)
        suite.append(case)
    return suite


def _add_properties(suite: ET.Element, report: Report) -> None:
    pairs = [*report.environment.items(), *(("not stood in for", x) for x in report.limits)]
    if pairs:
        properties = ET.SubElement(suite, "properties")
        for key, value in pairs:
            ET.SubElement(properties, "property", name=one_line(key), value=one_line(value, 300))


def _cases(report: Report) -> Iterator[tuple[str, ET.Element]]:
    for problem in report.problems:
        line = one_line(problem, 500)
        case = ET.Element("testcase", time="0.000")
        ET.SubElement(case, "error", message=line, type="static check").text = line
        yield f"static check: {line.partition(': ')[0]}", case
    for outcome in report.outcomes:
        case = ET.Element("testcase", time=f"{outcome.seconds:.3f}")
        if outcome.status == "failed":
            message = one_line(outcome.message, 500)
            failure = ET.SubElement(case, "failure", message=message, type=message.split(":")[0])
            failure.text = traceback_of(report, outcome)
        elif outcome.status == "not run":
            ET.SubElement(case, "skipped", message="not run, as the run had ended before it")
        yield cell_name(outcome), case

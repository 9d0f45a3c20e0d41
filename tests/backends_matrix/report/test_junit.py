from xml.etree import ElementTree

import pytest
from junitparser import JUnitXml

from backends_matrix.report.junit import render


def cases(document, suite=None):
    """The test cases by (suite, class, name)."""
    root = ElementTree.fromstring(render(document).encode())
    return {
        (one.get("name"), case.get("classname"), case.get("name")): case
        for one in root.iter("testsuite")
        for case in one.iter("testcase")
        if suite in (None, one.get("name"))
    }


def outcome(case):
    found = [child for child in case if child.tag in ("failure", "error", "skipped")]
    return (found[0].tag, found[0].get("message")) if found else ("passed", None)


def counts(document):
    xml = JUnitXml.fromstring(render(document).encode())
    return {"tests": xml.tests, "failures": xml.failures, "errors": xml.errors}


def cell_case(document, variant="final", backend="torch"):
    name = f"{variant} on {backend} (numpy, cpu, keras)"
    return cases(document)["imdb", "imdb.cells", name]


def test_there_is_a_suite_for_each_experiment_and_one_for_the_verdict(document):
    suites = list(dict.fromkeys(suite for suite, *_ in cases(document)))
    assert suites == ["imdb", "boston", "regularization", "verdict"]


def test_every_cell_and_every_quantity_is_a_case(small_document):
    # 2 variants on 3 backends and 2 replicas each; 7 digests each; 4 metrics, and 3 after training.
    assert len(cases(small_document, "imdb")) == 2 * (3 + 2) + 2 * 7 + 2 * 4 + 3


def test_agreement_is_green(document):
    assert counts(document) == {"tests": len(cases(document)), "failures": 0, "errors": 0}


@pytest.mark.parametrize(
    ("kind", "tag"),
    [("document", "passed"), ("differing_document", "failure"), ("broken_document", "error")],
)
def test_the_verdict_is_a_case_of_its_own(kind, tag, request):
    (case,) = cases(request.getfixturevalue(kind), "verdict").values()
    assert outcome(case)[0] == tag


def test_an_error_without_any_cell_is_red(document):
    for part in ("cells", "comparisons", "claims", "examples"):
        document[part] = []
    document |= {"experiments": {}, "verdict": "error"}
    assert counts(document) == {"tests": 1, "failures": 0, "errors": 1}


@pytest.mark.parametrize(
    ("status", "tag"),
    [
        ("failed", "failure"),
        ("invalid", "failure"),
        ("crashed", "error"),
        ("timed out", "error"),
        ("unavailable", "error"),
        ("interrupted", "skipped"),
    ],
)
def test_a_cell_without_a_result_is_not_green(document, status, tag):
    for entry in document["cells"]:
        if (entry["variant"], entry["backend"], entry["replica"]) == ("final", "torch", 0):
            entry |= {"status": status, "reason": "why"}
    assert outcome(cell_case(document)) == (tag, f"{status}: why")


def test_a_cell_has_its_time(document):
    seconds = next(
        c["seconds"]
        for c in document["cells"]
        if c["variant"] == "final" and c["backend"] == "torch"
    )
    assert float(cell_case(document).get("time")) == seconds


def test_a_quantity_that_differs_fails_with_epoch_and_backend(differing_document):
    case = cases(differing_document)["imdb", "imdb.comparisons", "final: loss (level 2)"]
    tag, message = outcome(case)
    assert tag == "failure"
    assert message.startswith(
        "imdb/final: loss on torch (numpy) differs from jax at epoch 3: 2.1e-3"
    )
    assert case.find("failure").text.startswith("8 comparisons; 2 differ; worst 4.2e-3 > 1.9e-6")


def test_a_quantity_that_agrees_says_by_how_much(document):
    case = cases(document)["imdb", "imdb.comparisons", "final: loss (level 2)"]
    assert "8 comparisons; worst 8.4e-8 ≤ 1.9e-6 at epoch 4" in case.findtext("system-out")


def test_a_quantity_that_proves_nothing_is_skipped(document):
    for entry in document["comparisons"]:
        if entry["variant"] == "final" and entry["quantity"] == "loss":
            entry["verdict"] = "undecidable"
    case = cases(document)["imdb", "imdb.comparisons", "final: loss (level 2)"]
    assert outcome(case)[0] == "skipped"
    assert outcome(case)[1].startswith("undecidable: 8 comparisons; 8 undecidable from epoch 1")


def claims_of(document):
    return {name: case for (_, kind, name), case in cases(document).items() if "claims" in kind}


def test_on_a_sample_the_claims_are_no_cases(document):
    assert claims_of(document) == {}


def test_on_full_data_each_claim_is_a_case_that_changes_no_verdict(document):
    document["experiments"]["boston"]["data"]["kind"] = "full"
    fold, smoothed = sorted(claims_of(document).items())
    assert outcome(fold[1])[0] == "passed"
    assert "holds: no; published: 2.3654; 2.9214" in fold[1].findtext("system-out")
    assert outcome(smoothed[1])[0] == "skipped"
    assert counts(document)["failures"] == 0


def test_a_claim_that_is_required_fails(document):
    document["experiments"]["boston"]["data"]["kind"] = "full"
    for entry in document["claims"]:
        entry["required"] = True
    assert counts(document)["failures"] == 1


def test_the_xml_is_well_formed_whatever_the_document_says(small_document):
    nasty = "<script>&\x00\x1b[31m\ud800 ]]> \"'"
    for entry in small_document["cells"]:
        entry["reason"] = nasty
        entry["status"] = "failed"
    cases_ = cases(small_document)
    message = outcome(cell_case(small_document))[1]
    assert cases_
    assert message == "failed: <script>&\ufffd\ufffd[31m\ufffd ]]> \"'"

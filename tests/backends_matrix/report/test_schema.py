import copy
import re

import jsonschema
import pytest

from backends_matrix.report.schema import KNOWN_KEYWORDS, report_schema, violations

REFERENCE = jsonschema.Draft202012Validator(report_schema())


def parts_of(schema):
    """The schema and every schema inside it."""
    yield schema
    for key in ("properties", "$defs"):
        for inner in schema.get(key, {}).values():
            yield from parts_of(inner)
    for key in ("items", "additionalProperties"):
        if key in schema:
            yield from parts_of(schema[key])


def changed(document, path, value):
    """The document with one value replaced; ``...`` removes it."""
    document = copy.deepcopy(document)
    *way, last = path
    inner = document
    for step in way:
        inner = inner[step]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return document


def test_the_schema_is_valid_json_schema():
    jsonschema.Draft202012Validator.check_schema(report_schema())


def test_the_schema_uses_only_keywords_that_are_checked():
    used = {keyword for part in parts_of(report_schema()) for keyword in part}
    assert used <= KNOWN_KEYWORDS


def test_every_reference_in_the_schema_is_answered():
    wanted = {part["$ref"] for part in parts_of(report_schema()) if "$ref" in part}
    assert wanted == {f"#/$defs/{name}" for name in report_schema()["$defs"]}


@pytest.mark.parametrize("kind", ["document", "differing_document", "broken_document"])
def test_reports_of_every_kind_are_valid(kind, request):
    document = request.getfixturevalue(kind)
    assert list(violations(document)) == []
    REFERENCE.validate(document)


CHANGES = [
    (("verdict",), "fine"),
    (("verdict",), ...),
    (("verdict",), "ran"),
    (("schema",), True),
    (("schema",), 2),
    (("schema",), 1.0),
    (("cells",), {}),
    (("cells", 0), None),
    (("cells", 0, "status"), "oke"),
    (("cells", 0, "status"), "timed out"),
    (("cells", 0, "replica"), -1),
    (("cells", 0, "replica"), 0.5),
    (("cells", 0, "replica"), 2.0),
    (("cells", 0, "replica"), False),
    (("cells", 0, "seconds"), "3"),
    (("cells", 0, "seconds"), None),
    (("cells", 0, "seconds"), True),
    (("cells", 0, "history", "loss"), [0.5, None]),
    (("cells", 0, "history", "loss"), [0.5, "x"]),
    (("cells", 0, "history", "loss"), 0.5),
    (("cells", 0, "final"), {"test_loss": None}),
    (("cells", 0, "final"), []),
    (("cells", 0, "digests"), ...),
    (("cells", 0, "unheard of"), [1, {"a": None}]),
    (("comparisons", 0, "level"), 3),
    (("comparisons", 0, "level"), False),
    (("comparisons", 0, "epoch"), 0),
    (("comparisons", 0, "epoch"), 7),
    (("comparisons", 0, "verdict"), "agree"),
    (("comparisons", 0, "difference"), None),
    (("comparisons", 0, "why"), 5),
    (("claims", 0, "holds"), None),
    (("claims", 0, "holds"), 1),
    (("claims", 0, "required"), True),
    (("examples", 0, "text"), None),
    (("problems",), [{}]),
    (("experiments", "imdb", "data"), None),
    (("experiments", "imdb", "data"), 3),
    (("experiments", "imdb", "figures", 0, "curves"), []),
    (("experiments", "imdb", "figures", 0, "smoothing"), 1),
    (("experiments", "imdb", "figures", 0, "smoothing"), -0.1),
    (("experiments", "imdb", "figures", 0, "smoothing"), None),
    (("experiments", "imdb", "figures", 0, "curves", 0, "style"), "dashes"),
    (("environment", "backends", "jax"), "0.10.2"),
    (("environment", "cores"), ...),
    (("command",), "portable matrix"),
]


@pytest.mark.parametrize(
    ("path", "value"), CHANGES, ids=[f"{'.'.join(map(str, p))}={v!r}" for p, v in CHANGES]
)
def test_this_check_and_the_jsonschema_package_agree(document, path, value):
    document = changed(document, path, value)
    assert bool(list(violations(document))) is not REFERENCE.is_valid(document)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            ("cells", 3, "status"),
            "oke",
            r"cells\[3\]\.status should be 'ok' or .*; it is str 'oke'",
        ),
        (
            ("cells", 0, "seconds"),
            "3",
            r"cells\[0\]\.seconds should be number or null; it is str '3'",
        ),
        (("claims", 1, "holds"), ..., r"claims\[1\] lacks the key 'holds'"),
        (("verdict",), ..., "the document lacks the key 'verdict'"),
        (("comparisons", 2, "epoch"), 0, r"comparisons\[2\]\.epoch should be at least 1; it is 0"),
        (
            ("cells", 0, "history", "loss"),
            [0.5, float("nan")],
            r"cells\[0\]\.history\.loss\[1\] is nan, which JSON does not have; write null",
        ),
        (("cells", 0, "extra"), {1: 2}, r"cells\[0\]\.extra has a key that is not text: 1"),
        (("cells", 0, "extra"), {1, 2}, r"cells\[0\]\.extra should be a JSON value; it is set"),
    ],
)
def test_a_fault_names_its_place_and_what_was_expected(document, path, value, message):
    (fault,) = violations(changed(document, path, value))
    assert re.search(message, fault)

"""What SARIF 2.1.0 asks of the parts that are written, as a JSON schema.

Written after the specification (sections 3.13 to 3.57); properties that are not written are not allowed, so
that a misspelt one is found.
"""


def _object(required, **properties):
    return {
        "type": "object",
        "required": list(required),
        "properties": properties,
        "additionalProperties": False,
    }


TEXT = {"type": "string", "minLength": 1}
NUMBER = {"type": "integer", "minimum": 1}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
MESSAGE = _object(["text"], text=TEXT)
ARTIFACT = _object(
    ["uri"], uri={"type": "string", "format": "uri-reference", "pattern": r"^[^\\ ]+$"}
)
REGION = _object(
    ["startLine"], startLine=NUMBER, startColumn=NUMBER, endLine=NUMBER, endColumn=NUMBER
)
LOCATION = _object(
    ["physicalLocation"],
    physicalLocation=_object(["artifactLocation"], artifactLocation=ARTIFACT, region=REGION),
)
REPLACEMENT = _object(
    ["deletedRegion"],
    deletedRegion=REGION,
    insertedContent=_object(["text"], text={"type": "string"}),
)
CHANGE = _object(
    ["artifactLocation", "replacements"],
    artifactLocation=ARTIFACT,
    replacements={"type": "array", "minItems": 1, "items": REPLACEMENT},
)
FIX = _object(
    ["artifactChanges"],
    description=MESSAGE,
    artifactChanges={"type": "array", "minItems": 1, "items": CHANGE},
)
RULE = _object(
    ["id"],
    id=TEXT,
    name=TEXT,
    shortDescription=MESSAGE,
    fullDescription=MESSAGE,
    help=MESSAGE,
    defaultConfiguration=_object([], level=LEVEL),
    properties=_object([], tags={"type": "array", "items": TEXT, "uniqueItems": True}),
)
RESULT = _object(
    ["message"],
    ruleId=TEXT,
    ruleIndex={"type": "integer", "minimum": 0},
    level=LEVEL,
    message=MESSAGE,
    locations={"type": "array", "items": LOCATION},
    fixes={"type": "array", "items": FIX},
)
INVOCATION = _object(
    ["executionSuccessful"],
    executionSuccessful={"type": "boolean"},
    toolExecutionNotifications={
        "type": "array",
        "items": _object(
            ["message"],
            level=LEVEL,
            message=MESSAGE,
            locations={"type": "array", "items": LOCATION},
        ),
    },
)
RUN = _object(
    ["tool"],
    tool=_object(
        ["driver"],
        driver=_object(
            ["name"],
            name=TEXT,
            version=TEXT,
            rules={"type": "array", "items": RULE, "uniqueItems": True},
        ),
    ),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    results={"type": "array", "items": RESULT},
    invocations={"type": "array", "items": INVOCATION},
)
SCHEMA = _object(
    ["version", "runs"],
    **{"$schema": {"type": "string", "format": "uri"}},
    version={"const": "2.1.0"},
    runs={"type": "array", "items": RUN},
)

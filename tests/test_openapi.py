"""The OpenAPI document says what the service does."""

import re

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from consent.web.docs import error_codes

DESCRIBED = ("public", "api", "docs")


@pytest.fixture
def document(client):
    return client.get("/openapi.json").json


def test_the_document_is_valid_openapi(document):
    assert document["openapi"].startswith("3.1")
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_every_address_is_described(app, document):
    for rule in app.url_map.iter_rules():
        if rule.endpoint.partition(".")[0] in DESCRIBED:
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                assert method.lower() in document["paths"].get(path, {}), f"{method} {path}"


def test_every_operation_says_how_it_fails(document):
    for methods in document["paths"].values():
        for operation in methods.values():
            assert {"405", "500"} <= set(operation["responses"])


def test_every_admin_operation_names_its_role(document):
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert path.startswith("/api/") == ("security" in operation)


def test_recording_describes_every_refusal_of_the_contract(document):
    answers = document["paths"]["/sites/{site}/receipts"]["post"]["responses"]
    assert {"200", "201", "400", "403", "404", "409", "413", "415", "422", "429", "503"} <= set(answers)


def test_the_page_has_an_anchor_for_every_error_code(client):
    page = client.get("/docs").get_data(as_text=True)
    assert all(f'id="{error.code}"' in page for error in error_codes())


def test_the_page_needs_nothing_from_elsewhere(client):
    page = client.get("/docs").get_data(as_text=True)
    assert (
        "<script" not in page and "style=" not in page and "//" not in re.sub(r"<code>.*?</code>|<p>.*?</p>", "", page)
    )

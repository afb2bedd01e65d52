"""The OpenAPI document says what the service does."""

import re

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from consent.web.docs import error_codes
from tests.conftest import ORIGIN, body

DESCRIBED = ("public", "api", "stats", "docs", "metrics")


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
            assert (path.startswith("/api/") or path == "/metrics") == ("security" in operation)


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


OURS = {"Origin": ORIGIN}
ANSWERS = [
    ("get", "/sites/{site}/banner.js", {}, 200),
    ("get", "/sites/{site}/banner.js", {"query_string": {"lang": "tlh"}}, 400),
    ("post", "/sites/{site}/receipts", {"json": body(), "headers": OURS}, 201),
    ("post", "/sites/{site}/receipts", {"json": {}, "headers": OURS}, 422),
    ("post", "/sites/{site}/receipts", {"json": body()}, 403),
    ("post", "/sites/{site}/receipts", {"json": body(), "headers": {"Authorization": "Bearer x"}}, 401),
    ("post", "/sites/{site}/receipts", {"data": "{", "content_type": "text/plain", "headers": OURS}, 400),
    ("post", "/sites/{site}/receipts", {"data": "{", "content_type": "text/html", "headers": OURS}, 415),
    ("post", "/sites/{site}/receipts", {"data": "x" * 9000, "content_type": "text/plain", "headers": OURS}, 413),
    ("post", "/sites/{site}/displays", {"json": {}, "headers": {"Authorization": "Bearer x"}}, 401),
    ("get", "/sites/{site}/receipts/{id}", {}, 400),
    ("get", "/sites/{site}/subjects/{subject}/state", {}, 400),
    ("delete", "/sites/{site}/subjects/{subject}", {}, 400),
    ("get", "/sites/{site}/banner.{hash}.js", {}, 404),
    ("put", "/sites/{site}/receipts", {}, 405),
    ("get", "/api/sites", {}, 401),
]
ADMIN_ANSWERS = [
    ("get", "/api/sites/{site}", {}, 200),
    ("get", "/api/sites/{site}/stats", {}, 200),
    ("get", "/api/sites/{site}/stats", {"query_string": {"by": "x"}}, 400),
    ("get", "/api/sites/{site}/receipts", {"query_string": {"subject": "x"}}, 400),
    ("delete", "/api/sites/{site}/subjects/{subject}", {}, 400),
    ("delete", "/api/sites/{site}", {}, 400),
    ("post", "/api/sites", {"data": b"x" * 1_100_000, "content_type": "application/json"}, 413),
    ("post", "/api/sites/{site}/policies", {"data": b"x" * 1_100_000, "content_type": "application/toml"}, 413),
    ("patch", "/api/sites/{site}", {"data": b"x" * 1_100_000, "content_type": "application/json"}, 413),
    ("patch", "/api/sites/{site}", {"json": {"origins": []}}, 422),
]


def described(document, method: str, path: str) -> set[str]:
    """The statuses of an operation; of any of the address's for a method that it does not take."""
    methods = document["paths"][path]
    return set(methods.get(method, next(iter(methods.values())))["responses"])


def address(path: str) -> str:
    return re.sub(r"\{\w+\}", "x", path.replace("{site}", "shop"))


@pytest.mark.parametrize(("method", "path", "request_", "status"), ANSWERS)
def test_an_answer_is_among_the_described_ones(client, document, method, path, request_, status):
    answer = client.open(address(path), method=method.upper(), **request_)
    assert answer.status_code == status and str(status) in described(document, method, path)


@pytest.mark.parametrize(("method", "path", "request_", "status"), ADMIN_ANSWERS)
def test_an_answer_to_an_administrator_is_among_the_described_ones(
    client, document, token, method, path, request_, status
):
    answer = client.open(
        address(path), method=method.upper(), headers={"Authorization": f"Bearer {token()}"}, **request_
    )
    assert answer.status_code == status and str(status) in described(document, method, path)

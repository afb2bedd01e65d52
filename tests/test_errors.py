"""One shape for every refusal (RFC 9457), and logs that tell no secrets."""

import logging

import pytest

from consent.errors import ConsentError, TooManyRequests
from consent.logs import Plain
from consent.web.docs import error_codes
from consent.web.logs import Logger
from tests.conftest import ORIGIN, SUBJECT, body

SHAPE = {"type", "title", "status", "detail"}


def raised(error: type[ConsentError]) -> ConsentError:
    return error("Wait.", retry_after=3) if error is TooManyRequests else error("Do this.")


@pytest.mark.parametrize("error", error_codes(), ids=lambda error: error.__name__)
def test_every_error_is_a_problem_of_the_one_shape(app, client, error):
    @app.get("/raise")
    def fail():
        raise raised(error)

    answer = client.get("/raise")
    assert answer.status_code == error.status and answer.mimetype == "application/problem+json"
    assert set(answer.json) == SHAPE and answer.json["type"].endswith(f"/docs#{error.code}")


def test_every_code_is_used_once():
    codes = [error.code for error in error_codes()]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nope", 404),
        ("PUT", "/healthz", 405),
        ("GET", "/sites/shop/policies/x", 404),
        ("GET", "/sites/nope/banner.js", 404),
    ],
)
def test_what_the_framework_refuses_has_the_same_shape(client, method, path, status):
    answer = client.open(path, method=method)
    assert answer.status_code == status and set(answer.json) == SHAPE


def test_a_fault_of_ours_tells_the_caller_nothing_about_itself(app, client, caplog):
    @app.get("/fail")
    def fail():
        raise RuntimeError(f"secret of {SUBJECT}")

    with caplog.at_level(logging.ERROR):
        answer = client.get("/fail")
    assert answer.status_code == 500 and set(answer.json) == SHAPE
    assert "secret" not in answer.get_data(as_text=True) and "RuntimeError" not in answer.get_data(as_text=True)


@pytest.fixture
def logged():
    """What a real handler with our formatter writes."""
    import io

    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Plain("%(message)s"))
    loggers = [logging.getLogger(name) for name in ("consent", "gunicorn.error")]
    before = [(logger.handlers, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.handlers, logger.propagate = [handler], False
    yield stream
    for logger, (handlers, propagate) in zip(loggers, before, strict=True):
        logger.handlers, logger.propagate = handlers, propagate


def test_no_subject_token_or_receipt_stands_in_a_log_line(logged, client, token):
    text = token()
    receipt = client.post("/sites/shop/receipts", json=body(), headers={"Origin": ORIGIN}).json["receipt"]
    logging.getLogger("consent").error("subject %s token %s receipt %s", SUBJECT, text, receipt)
    assert logged.getvalue() == "subject … token … receipt …\n"


def test_no_subject_stands_in_a_trace(logged, app, client):
    @app.get("/fail/<subject>")
    def fail(subject):
        raise RuntimeError(f"about {subject}")

    client.get(f"/fail/{SUBJECT}")
    assert "RuntimeError: about …" in logged.getvalue() and SUBJECT not in logged.getvalue()


def test_no_address_of_a_caller_stands_in_a_log_line(logged):
    logging.getLogger("gunicorn.error").warning("Invalid request from ip=192.0.2.7: nonsense")
    assert "192.0.2.7" not in logged.getvalue()


def test_there_is_no_access_log(logged):
    from gunicorn.config import Config

    Logger(Config()).access(None, None, None, None)
    assert logged.getvalue() == ""

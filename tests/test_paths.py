"""Paths into plain data: reading never fails, putting makes what is missing, dropping leaves nothing empty behind."""

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent import paths

DOCUMENT = {"name": "Shop", "texts": {"de": {"title": "Hallo"}}, "services": [{"id": "a", "cookies": [{"name": "x"}]}]}


@pytest.mark.parametrize(
    "path, found",
    [
        ("name", "Shop"),
        ("texts.de.title", "Hallo"),
        ("services[0].cookies[0].name", "x"),
        ("services[1].id", None),
        ("services.id", None),
        ("name.deeper[0]", None),
        ("texts[0]", None),
    ],
)
def test_what_stands_at_a_path(path, found):
    assert paths.get(DOCUMENT, path) == found


def test_what_is_not_there_is_made():
    document: dict = {}
    paths.put(document, "services[0].cookies[0].name", "_id")
    paths.put(document, "texts.de-AT.title", "Servus")
    assert document == {"services": [{"cookies": [{"name": "_id"}]}], "texts": {"de-AT": {"title": "Servus"}}}


def test_a_list_grows_by_one_at_most():
    document = deepcopy(DOCUMENT)
    paths.put(document, "services[7].id", "far")
    paths.put(document, "services[1].id", "next")
    assert [one["id"] for one in document["services"]] == ["a", "next"]


def test_what_is_dropped_takes_empty_tables_with_it():
    document = deepcopy(DOCUMENT)
    paths.drop(document, "texts.de.title")
    paths.drop(document, "services[0].cookies[0]")
    paths.drop(document, "nowhere[3].at.all")
    assert document == {"name": "Shop", "services": [{"id": "a", "cookies": []}]}


@pytest.mark.parametrize(
    "position, by, left", [(0, 1, "bac"), (2, -1, "acb"), (0, -1, "abc"), (2, 1, "abc"), (9, 1, "abc")]
)
def test_items_move_as_far_as_there_is_room(position, by, left):
    items = list("abc")
    paths.move(items, position, by)
    assert "".join(items) == left


@given(st.text(alphabet="ab.[]01", max_size=12), st.recursive(st.none() | st.text(max_size=2), lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2)))  # fmt: skip
def test_no_path_breaks_anything(path, value):
    document = {"a": value, "b": [{"a": 1}]}
    paths.get(document, path)
    paths.drop(deepcopy(document), path)
    if paths.steps(path) and isinstance(paths.steps(path)[0], str):
        paths.put(document, path, "x")

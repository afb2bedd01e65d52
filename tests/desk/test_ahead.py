"""Pages are compiled before anybody waits for them."""

from jinja2 import BaseLoader, DictLoader, Environment

from consent.web.desk import ahead


def test_every_page_is_compiled_once_somebody_has_seen_the_first(app, client):
    client.get("/admin/sign-in")
    ahead.reading().join(30)
    pages = [name for name in app.jinja_env.list_templates(extensions=["html"]) if name.startswith("desk/")]
    assert len(pages) > 30
    for name in pages:
        app.jinja_env.get_template(name)
    assert len(ahead.COMPILED._codes) >= len(pages)


def test_a_page_that_changed_is_compiled_anew():
    def drawn(loader: BaseLoader) -> str:
        return Environment(loader=loader, bytecode_cache=kept, autoescape=True).get_template("page").render()

    kept = ahead.Compiled()
    assert [drawn(DictLoader({"page": text})) for text in ("old", "old", "new")] == ["old", "old", "new"]

"""The banner's designer, form by form: what is typed stands in the draft, and a preview keeps nothing."""

import io
import re

import pytest

from consent import policy
from consent.drafts import Drafts
from consent.web.desk.designer_form import SECTIONS

HOME = "/admin/sites/shop/banner"


def stamp(answer) -> str:
    return re.search(r'name="stamp" value="([^"]+)"', answer.text)[1]


def filled(answer) -> dict[str, list[str]]:
    """Every field of the page's form as a browser would send it."""
    form = re.search(r'<form id="designer".*?</form>', answer.text, re.S)[0]
    fields: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>|<textarea.*?</textarea>|<select.*?</select>", form, re.S):
        name = re.search(r' name="([^"]+)"', tag)
        if not name or ('type="checkbox"' in tag and " checked" not in tag) or 'type="file"' in tag:
            continue
        value = re.search(r' value="([^"]*)"', tag)
        text = value[1] if value else ""
        if tag.startswith("<textarea"):
            text = re.search(r">(.*)</textarea>", tag, re.S)[1]
        elif tag.startswith("<select"):
            chosen = re.search(r'<option value="([^"]*)" selected', tag) or re.search(r'<option value="([^"]*)"', tag)
            text = chosen[1] if chosen else ""
        fields.setdefault(name[1], []).append(unescape(text))
    return fields


def unescape(text: str) -> str:
    from html import unescape

    return unescape(text)


def save(browser, section: str, do: str = "save", query: str = "", **changes):
    """Load a part, change some fields, press a button."""
    address = f"{HOME}/{section}{query}"
    fields = filled(browser.get(address)) | {"do": [do]} | {path: [value] for path, value in changes.items()}
    return browser.post(address, **fields)


def document(ledger) -> dict:
    return Drafts(ledger).get("shop").document


@pytest.fixture
def with_services(ledger, draft):
    ledger.publish("shop", draft)


@pytest.mark.parametrize("section", SECTIONS)
def test_saving_a_part_as_it_is_changes_nothing(browser, ledger, with_services, section):
    before = document(ledger)
    editor = browser("editor")
    query = "?number=1" if section == "service" else ""
    assert save(editor, section, query=query).status_code == 200
    assert document(ledger) == before
    assert "As published, version 2" in editor.get(HOME).text


def test_a_draft_with_mistakes_is_kept_and_each_is_told_beside_its_field(browser, ledger):
    editor = browser("editor")
    answer = save(editor, "rules", valid_days="for ever", origins="shop.example")
    assert document(ledger)["valid_days"] == "for ever" and document(ledger)["origins"] == ["shop.example"]
    assert re.search(r'data-why="valid_days">must be a whole number from 1 to 730, not &#39;for ever&#39;', answer.text)
    assert re.search(r'data-why="origins">must be an origin', answer.text)
    assert 'value="for ever"' in answer.text and "Draft with mistakes: 2" in answer.text
    review = editor.get(HOME + "/review")
    assert "Not ready to publish" in review.text and HOME + "/rules" in review.text
    assert editor.post(HOME + "/publish", stamp=stamp(review), version="1", material="no").status_code == 422
    assert ledger.published("shop").version == 1
    assert editor.get("/admin/sites/shop/preview").status_code == 200, "the preview leaves out what is wrong"


def test_categories_are_added_renamed_moved_and_dropped(browser, ledger, with_services):
    editor = browser("editor")
    save(editor, "services", "add-category", category="persistent")
    assert [one["id"] for one in document(ledger)["categories"]] == [
        "session",
        "analytics",
        "social",
        "chat",
        "persistent",
    ]
    save(editor, "services", "up categories[4]")
    save(editor, "services", "save", **{"categories[1].id": "statistics"})
    held = document(ledger)
    assert [one["id"] for one in held["categories"]] == ["session", "statistics", "social", "persistent", "chat"]
    assert [one.get("category") for one in held["services"][:1]] == ["statistics"], "its services follow"
    save(editor, "services", "drop categories[4]")
    answer = save(editor, "services", "add-category", category="")
    assert 'data-why="categories[4].id">must be a category or service id' in answer.text
    answer = save(editor, "services", **{"categories[4].id": "maps"})
    assert 'data-why="categories[4].purpose">is missing' in answer.text


def test_services_come_from_the_catalogue_or_are_ones_own(browser, ledger):
    editor = browser("editor")
    save(editor, "services", "add-service", known="YouTube")
    assert document(ledger)["services"] == [{"id": "youtube"}]
    save(editor, "services", "save", known="Vimeo")
    assert document(ledger)["services"][1] == {"id": "vimeo"}, "as the Enter key does"
    save(editor, "services", "drop services[1]")
    page = editor.get(HOME + "/service?number=0&edit=en")
    assert "VISITOR_INFO1_LIVE" in page.text and "*.youtube-nocookie.com/*" in page.text
    save(editor, "service", "save", "?number=0&edit=en", **{"services[0].purpose.en": "Plays our films."})
    assert set(document(ledger)["services"][0]) == {"id", "purpose"}, "the rest still follows the catalogue"
    answer = save(editor, "services", "add-service", known="Our counter")
    assert answer.request.path == HOME + "/service" and "number=1" in answer.request.query_string.decode()
    answer = save(editor, "service", "add-cookie", "?number=1&edit=en", **{
        "services[1].provider.name": "Shop Ltd", "services[1].purpose.en": "Counts visits.",
        "services[1].category": "analytics",
    })  # fmt: skip
    assert (
        'data-why="services[1].cookies[0].lifetime">must be `session`, `persistent` or a length of time' in answer.text
    )
    save(editor, "service", "save", "?number=1&edit=en", **{
        "services[1].cookies[0].name": "_n", "services[1].cookies[0].lifetime": "30 days",
        "services[1].cookies[0].purpose.en": "Counts.",
    })  # fmt: skip
    assert policy.read(document(ledger)).services[1].cookies[0].lifetime == "30 days"
    assert "Our counter has no addresses" in editor.get(HOME + "/services").text
    save(editor, "services", "drop services[0]")
    assert [one["id"] for one in document(ledger)["services"]] == ["our-counter"]


def test_looks_are_chosen_and_unreadable_ones_are_refused_with_the_contrast(browser, ledger):
    editor = browser("editor")
    answer = save(editor, "looks", **{
        "appearance.layout": "bar", "appearance.radius": "4", "appearance.light.accent": "#ffee00",
    })  # fmt: skip
    assert document(ledger)["appearance"] == {"layout": "bar", "radius": 4, "light": {"accent": "#ffee00"}}
    assert re.search(r'data-why="appearance.light.accent">needs a contrast of 5:1 for buttons', answer.text)
    assert "#ffee00" in editor.get("/admin/sites/shop/preview").text, "it is to be seen all the same"
    save(editor, "looks", **{"appearance.light.accent": "", "appearance.layout": ""})
    assert document(ledger)["appearance"] == {"radius": 4}


def test_a_logo_is_taken_from_a_small_file_only(browser, ledger):
    editor = browser("editor")
    page = editor.get(HOME + "/looks")
    fields = filled(page) | {"do": ["save"]}
    editor.post(HOME + "/looks", **fields, logo_file=(io.BytesIO(b"<svg/>"), "l.svg", "image/svg+xml"))
    assert document(ledger)["appearance"]["logo"] == "data:image/svg+xml;base64,PHN2Zy8+"
    fields = filled(editor.get(HOME + "/looks")) | {"do": ["save"]}
    for file in ((io.BytesIO(b"x" * 9000), "l.png", "image/png"), (io.BytesIO(b"x"), "l.html", "text/html")):
        answer = editor.post(HOME + "/looks", **fields, logo_file=file)
        assert answer.status_code == 400 and "The logo was not taken" in answer.text


def test_rules_languages_and_signals(browser, ledger):
    editor = browser("editor")
    page = filled(editor.get(HOME + "/rules"))
    page |= {"do": ["save"], "language": ["en", "de"], "first": ["de"], "more_languages": ["de-AT"]}
    page |= {
        "place": ["us-ca", "default"],
        "regime": ["opt-out", "opt-in"],
        "mode.google": ["own"],
        "mode.gpc": ["nobody"],
    }
    page |= {f"signals.google.{id}": [""] for id in ("session", "persistent", "social")}
    page |= {"signals.google.analytics": ["", "analytics_storage"], "nothing_sensitive": ["1"]}
    answer = editor.post(HOME + "/rules", **page)
    held = document(ledger)
    assert held["languages"] == ["de", "en", "de-AT"]
    assert held["regimes"] == {"US-CA": "opt-out", "default": "opt-in"}
    assert held["signals"] == {"google": {"analytics": ["analytics_storage"]}, "gpc": []}
    assert held["records"] == {"sensitive": []}
    assert answer.status_code == 200
    save(editor, "rules", **{"mode.google": "usual", "mode.gpc": "usual"})
    assert "signals" not in document(ledger)


def test_words_of_a_language_go_with_it(browser, ledger, with_services):
    editor = browser("editor")
    page = filled(editor.get(HOME + "/rules")) | {"do": ["save"], "language": ["de"], "first": ["de"]}
    editor.post(HOME + "/rules", **page)
    held = document(ledger)
    assert held["languages"] == ["de"] and "'en'" not in str(held)
    assert held["categories"][3]["name"] == {"de": "Chat"}, "words that were the only ones stay"
    assert policy.read(held)


def test_hints(browser, ledger):
    editor = browser("editor")
    save(editor, "texts", "save", "?edit=en", **{"texts.en.reject": "No, thank you, I would rather refuse all of it"})
    page = editor.get(HOME).text
    assert "both answers should weigh the same" in page and "address of your privacy policy" in page
    save(editor, "texts", "save", "?edit=en", **{"texts.en.reject": "Accept all"})
    assert "have the same words in English (en)" in editor.get(HOME).text
    save(editor, "services", "add-category", category="", query="?edit=en")
    save(editor, "services", "save", "?edit=en", **{
        "categories[4].id": "chat", "categories[4].name.en": "Chat", "categories[4].purpose.en": "Talk to us.",
    })  # fmt: skip
    assert "The name of the category chat has no words in af, ar, bg, ca and 45 more" in editor.get(HOME).text


def test_findings_follow_what_is_typed_and_nothing_is_saved(browser, ledger):
    editor = browser("editor")
    fields = filled(editor.get(HOME + "/rules")) | {"valid_days": ["0"]}
    answer = editor.post("/admin/sites/shop/findings/rules", **fields)
    assert 'data-path="valid_days"' in answer.text and "Mistakes: 1." in answer.text
    assert not Drafts(ledger).get("shop").by


def test_the_preview_is_the_real_banner_in_a_page_without_an_origin(browser, ledger, with_services):
    editor = browser("editor")
    answer = editor.get("/admin/sites/shop/preview?lang=de&regime=opt-out&scheme=dark")
    said = answer.headers["Content-Security-Policy"]
    assert "sandbox allow-scripts" in said and "allow-same-origin" not in said and "unsafe" not in said
    assert "frame-ancestors 'self'" in said and answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "connect-src" not in said and "default-src 'none'" in said and "Set-Cookie" not in answer.headers
    assert (
        '"language":"de"' in answer.text and '"regime":"opt-out"' in answer.text and "color-scheme:dark" in answer.text
    )
    fields = filled(editor.get(HOME + "/texts?edit=de")) | {"texts.de.title": ["</script><script>alert(1)</script>"]}
    typed = editor.post("/admin/sites/shop/preview/texts?edit=de&lang=de", **fields).text
    assert "\\u003c/script>\\u003cscript>alert(1)" in typed and "</script><script>alert" not in typed
    assert not Drafts(ledger).get("shop").by


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "{{ 7 * 7 }}", '"><img src=x onerror=alert(1)>'])
def test_code_in_texts_is_shown_as_text(browser, text):
    editor = browser("editor")
    save(editor, "rules", name=text)
    answer = save(editor, "texts", "review", "?edit=en", **{"texts.en.title": text})
    for page in (answer.text, editor.get(HOME + "?edit=en").text, editor.get(HOME + "/rules").text):
        assert "<script>alert" not in page and "<img src=x" not in page
    assert unescape(answer.text).count(text) >= 2


def test_an_auditor_reads_every_language(browser, ledger, draft):
    ledger.publish("shop", draft)
    assert 'name="texts.de.title"' in browser("auditor").get(HOME + "?lang=de").text

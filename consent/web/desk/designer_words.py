"""The designer's words for what a policy's paths mean, and for changes."""

from typing import Any

import msgspec

from consent import i18n
from consent.policy_diff import Change
from consent.web.desk.words import say

TEXTS: dict[str, dict[str, str]] = {
    "First layer": {
        "title": "Heading",
        "body": "Words where consent is asked first",
        "body_opt_out": "Words where visitors may opt out",
        "body_notice": "Words where visitors are only told",
        "accept": "Button that accepts all",
        "reject": "Button that refuses all",
        "preferences": "Button that opens the preferences",
        "privacy_link": "Link to the privacy policy",
        "close": "Name of the X, which refuses (for screen readers)",
        "gpc": "Told where the browser sends Global Privacy Control",
        "gpc_opt_out": "The same where visitors may opt out",
        "changed": "Told when asked again after a change",
        "saved": "Said after a choice (for screen readers)",
    },
    "Preferences": {
        "preferences_title": "Heading of the preferences",
        "preferences_body": "First paragraph of the preferences",
        "always_on": "Beside a necessary category",
        "services": "Heading of the services",
        "provider": "Before the provider's name",
        "kept": "Before what is kept on the device",
        "until_closed": "Lifetime: until the browser is closed",
        "until_deleted": "Lifetime: until it is deleted",
        "save": "Button that saves the switches",
        "withdraw": "Button that withdraws consent",
        "dismiss": "Name of the X, which changes nothing (for screen readers)",
        "last_choice": "About the last choice",
        "download": "Link to the visitor's receipt",
    },
    "On the page": {
        "reopen": "Control that reopens the preferences (for screen readers)",
        "do_not_sell": "The same where visitors may opt out, in full",
        "placeholder": "Heading where an embed waits",
        "placeholder_why": "Why the embed waits",
        "load_once": "Button that loads an embed once",
        "always_allow": "Button that always allows an embed",
    },
}
"""Where each text of the banner stands, by place."""
KEYS = {key: label for group in TEXTS.values() for key, label in group.items()}
LABELS = {
    "name": "Name of the website",
    "origins": "Addresses of the website",
    "languages": "Languages",
    "valid_days": "Days that a choice holds",
    "refusal_days": "Days that a refusal holds",
    "retention_days": "Days that receipts are kept",
    "privacy_url": "Address of the privacy policy",
    "categories": "Categories",
    "services": "Services",
    "texts": "Texts",
    "regimes": "Rules",
    "controller": "Who answers for the website",
    "controller.name": "Name of the company or person",
    "controller.address": "Postal address",
    "controller.email": "E-mail address",
    "controller.phone": "Telephone",
    "controller.url": "Web address",
    "controller.dpo": "Data protection officer",
    "records.jurisdiction": "Whose law holds",
    "records.data": "What is processed",
    "records.sensitive": "Which of it is sensitive",
    "records.storage_locations": "Where it is kept",
    "appearance.layout": "Layout",
    "appearance.position": "Position",
    "appearance.preferences": "Preferences open as",
    "appearance.reopen": "Control that reopens the preferences",
    "appearance.theme": "Light or dark",
    "appearance.logo": "Logo",
    "appearance.font": "Fonts",
    "appearance.font_size": "Size of letters",
    "appearance.radius": "Roundness of corners",
    "appearance.spacing": "Spacing",
    "appearance.light": "Colours in the light",
    "appearance.dark": "Colours in the dark",
    "cookie.name": "Name of the banner's cookie",
    "cookie.domain": "Domain of the banner's cookie",
    "cookie.follow_links": "Links from one of your addresses to another take the choice along",
    "blocking.urls": "Hold back what pages add, by its address",
    "blocking.storage": "Drop what refused services would store",
    "blocking.reload": "Reload the page after a withdrawal",
    "signals.google": "Google Consent Mode",
    "signals.google_options.mode": "How Google's tags load",
    "signals.google_options.wait_for_update": "Milliseconds that Google's tags wait",
    "signals.google_options.ads_data_redaction": "Redact ad data while refused",
    "signals.google_options.url_passthrough": "Pass ad information through addresses while refused",
    "signals.google_options.regions": "Places where Google's default holds",
    "signals.uet": "Microsoft UET",
    "signals.clarity": "Microsoft Clarity",
    "signals.gpc": "Global Privacy Control switches off",
}
PARTS = {
    "paper": "Background",
    "ink": "Text",
    "accent": "Buttons and switches",
    "accent_ink": "Text on buttons",
    "line": "Lines",
    "tone": "Sections of the preferences",
    "necessary": "always on",
    "name": "name",
    "purpose": "purpose",
    "category": "category",
    "provider": "provider",
    "country": "country",
    "url": "address",
    "urls": "addresses",
    "calls": "calls",
    "cookies": "what it keeps",
    "lifetime": "lifetime",
    "party": "party",
    "kind": "kind of storage",
    "http_only": "out of reach for scripts",
}
VALUES = {"opt-in": "Ask first", "opt-out": "May opt out", "notice": "Only tell"}
LONGEST = 400


class Told(msgspec.Struct, frozen=True):
    """A change as a page says it; `before` or `after` is empty where something was added or removed."""

    what: str
    before: str
    after: str
    material: bool


def in_words(change: Change) -> Told:
    """What has changed, where, from what to what."""
    before, after = ("" if value is None else _value(value) for value in (change.before, change.after))
    return Told(place_in_words(change.path), before, after, change.material)


def place_in_words(path: str) -> str:
    """What a path of a policy is about."""
    first, *rest = path.split(".")
    if first == "texts" and rest:
        language = language_named(rest[0])
        key = say(KEYS.get(rest[1], rest[1])) if len(rest) > 1 else ""
        return say("“{words}” in {language}", words=key, language=language) if key else say("Texts in {language}", language=language)  # fmt: skip
    if first == "categories" and rest:
        return _thing(say("Category {id}", id=rest[0]), rest[1:])
    if first == "services" and rest:
        return _thing(say("Service {id}", id=rest[0]), rest[1:])
    if first == "regimes" and rest:
        return say("Rule for {place}", place=rest[0])
    for length in range(len(rest) + 1, 0, -1):
        name = ".".join([first, *rest][:length])
        if name in LABELS:
            return _thing(say(LABELS[name]), [first, *rest][length:])
    return path


def label(path: str) -> str:
    """The name of a field."""
    return say(LABELS[path])


def _language_name(tag: str) -> str:
    return next((i18n.locales()[parent].name for parent in i18n.parents(tag) if parent in i18n.locales()), tag)


def _thing(name: str, rest: list[str]) -> str:
    if not rest:
        return name
    known = [say(PARTS[part]) if part in PARTS else language_named(part) for part in rest]
    return f"{name}: {', '.join(known)}"


def language_named(tag: str) -> str:
    """A language by its own name and its tag."""
    return f"{_language_name(tag)} ({tag})" if tag in i18n.locales() else tag


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    if isinstance(value, dict):
        named = value.get("name") or value.get("id")
        return (
            _value(next(iter(named.values()), ""))
            if isinstance(named, dict)
            else str(named or ", ".join(map(str, value)))
        )
    if isinstance(value, list):
        text = ", ".join(_value(one) for one in value) or say("nothing")
    else:
        text = say(VALUES[value]) if value in VALUES else str(value)
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"

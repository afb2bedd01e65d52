"""What the core refuses, in the reader's language. Its rule: a sentence that is not known here is told in English."""

from consent.errors import ConsentError
from consent.web.desk.designer_mistakes import said
from consent.web.desk.words import reworded, say

REFUSALS = (
    "There is no site {id}.",
    "There is a site {id} already.",
    "There was a site {id}, whose log must not begin a second time: choose another id.",
    "Site {id} has no policy yet.",
    "Site {id} has no policy version that high.",
    "Site {id} has no policy version {version}.",
    "The name cannot be used.",
    "There is somebody called {name} already.",
    "There is nobody called {name}.",
    "Somebody has to stay owner of the whole installation: make somebody else one first.",
    "Name, password or code is not right.",
    "The password cannot be used.",
    "The session has ended: sign in again.",
    "Too many requests from this address; try again in {wait} s.",
    "There is no token {id} in use.",
    "The name of a token must have no control characters.",
    "The policy has mistakes.",
    "{what} has mistakes.",
    "{what} is nested too deeply.",
    "{what} is not valid {format}: {error}.",
    "The id in the address {wrong}.",
    "The draft was changed meanwhile.",
    "`since` must be a day before `until`.",
    "`{name}` must be a day such as 2026-11-23: counts are kept by the day (UTC).",
    "`by` must be some of {list}, separated by commas; {wrong} is none of them.",
    "{what} needs the package {package}: run {command}.",
    "The database cannot be used now: {reason}.",
    "Something is published all the time: try again.",
    "Nothing was exported, for it cannot be noted in the trail: {error}",
    "This is done, but it could not be noted in the trail: {error}",
    "The signature does not fit the statement: it was changed, or signed by somebody else.",
    "The statement is signed with key {key}, which is not in the key set.",
    "This is not a signed statement in compact form.",
    "The signature does not have 64 bytes.",
    "The checkpoint of {size} entries has a signature that does not fit: it is forged.",
    "The checkpoint of {size} entries is not signed with a key of the key set.",
)
"""What is raised where a page of the desk, or one of its forms, may meet it; the more special first."""

FAULTS = (
    "There is no data folder {folder}: run `consent init`, or set CONSENT_DATA.",
    "The data folder {folder} cannot be written: give it to the service's account.",
    "Less than 256 MB are free for {folder}: make room, or recording will stop.",
    "There is no database yet: run `consent init`.",
    "{file} can be read by others: run {command}.",
    "CONSENT_PUBLIC_URL is {url}: pages on https cannot load a script from http; put TLS in front.",
    "static/banner.js is empty: run `make banner`, or install the package again.",
    "There is no site yet: run `consent site create SITE --origin URL`.",
    "The tree of {log} is not what its newest checkpoint was signed over: restore a backup.",
    "The log {log} has entries that no checkpoint covers: is the service running? Its log says more.",
    "The log {log} is not the one whose checkpoint of {size} entries was left at {target}: it was rolled back or rewritten.",
    "CONSENT_OIDC_ISSUER is {issuer}, which cannot be used: {reason}.",
    "Site {id} had {count} entries in a day; at that rate the disk is full in {days} days.",
    "The key folder {folder} cannot be written: {reason}.",
    "There is no key folder {folder}: restore it from a backup, or run `consent init` if this is new.",
    "There is no key in {folder}; run `consent init`, or restore the keys.",
    "The key file {file} cannot be read ({reason}); restore it from a backup.",
    "The key file {file} is not one of ours; move it out of the key folder.",
    "The key file {file} holds another key than its name says; restore it from a backup.",
    "{file} cannot be used: {reason}.",
)
"""What the page on the installation's health may say is wrong."""


def refusal(error: object) -> str:
    """An error's sentence, or one that was said already, in the reader's language."""
    return reworded(str(error), REFUSALS + FAULTS, {"wrong": said, "what": say})


def whole(error: ConsentError) -> str:
    """The same with what is wrong, in one line."""
    return " ".join([refusal(error), *(said(message) for _, message in error.mistakes)])

// Takes a visitor's choice along by links from one of the site's origins to another, for policies that wish it. It stands
// before the banner's script and runs before it.
// Its rule: only what a page of the site itself hands over is taken, and never against a newer choice. Who handed over is
// told by the referrer, which no page can forge; a link that is copied, kept or sent by somebody else comes from elsewhere.
import { format, parse } from "./choices.js";
import { config, home } from "./config.js";
import { createStore } from "./store.js";

const MARK = /[#&]consent=([^&]*)$/; // in the fragment, which no server is sent
const theirs = RegExp(/** @type {string} */ (config.follow), "i");
const rules = { ...config, services: config.services || [] };
const store = createStore(rules, window);

/** Whether an address is of another origin of the site. @param {string} url */
const isSister = url => {
  try {
    const { origin } = new URL(url);
    return origin != location.origin && theirs.test(origin);
  } catch {
    return false; // no referrer, or a link to nowhere
  }
};

/** Puts the choice there is, or none, behind a link while it is followed. @param {Event} event */
function give(event) {
  const link = /** @type {any} */ (event.composedPath().find((/** @type {any} */ one) => one.localName == "a" && one.hasAttribute("href")));
  if (!link || !isSister(link.href)) return;
  const choice = store.read();
  const own = link.getAttribute("href");
  const plain = link.href.replace(MARK, "");
  link.href = choice ? plain + (plain.includes("#") ? "&" : "#") + "consent=" + format(rules, choice) : plain;
  setTimeout(() => link.setAttribute("href", own));
}

/** To the place in the page that the link named. */
const lead = () => location.replace(location.href);

/** Takes what was handed over, and out of the address in any case. @param {RegExpExecArray} found */
function take([mark, value]) {
  history.replaceState(history.state, "", location.href.slice(0, -mark.length));
  if (location.hash) document.readyState == "loading" ? addEventListener("DOMContentLoaded", lead) : lead();
  const choice = parse(value);
  const own = store.read();
  if (!choice || !isSister(document.referrer) || (own && own.decided_at >= choice.decided_at)) return;
  const kept = store.write(choice);
  store.keepReceipt(""); // of another choice
  fetch(`${home}/subjects/${choice.subject}/receipts`, { credentials: "omit" }).then(answer => answer.json()).then(({ items }) => {
    const newest = items.find((/** @type {any} */ one) => one.claims.consent.action != "load_once");
    if (newest && !store.receipt()) store.keepReceipt(newest.receipt);
  }).catch(() => {}); // the choice holds without it
  if (kept && /** @type {any} */ (window.consent)?.restrict) location.reload(); // the strict guard has read the cookie already
}

for (const name of ["click", "auxclick"]) addEventListener(name, give, true);
const found = MARK.exec(location.hash);
if (found) take(found);

// Takes a visitor's choice along by links from one of the site's origins to another, for policies that wish it. It stands
// before the banner's script and runs before it.
// Its rule: only what a page of the site itself hands over is taken, and never against a newer choice. Who handed over is
// told by the referrer, which no page can forge; a link that is copied, kept or sent by somebody else comes from elsewhere.
import { derive, format, parse } from "./choices.js";
import { config, home } from "./config.js";
import { createStore } from "./store.js";

const MARK = /[#&]consent=([^&]*)$/; // in the fragment, which no server is sent
const DIRECTIVE = ":~:"; // what follows is for the browser alone, and no script sees it
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

/** The link that something happened to. @param {Event} event @returns {any} */
const linkOf = event => event.composedPath().find((/** @type {any} */ one) => /^(a|area)$/.test(one.localName) && one.hasAttribute("href"));

/** Nobody else's mark stays in a link of this page: visitors may write some. @param {Event} event */
function clean(event) {
  const link = linkOf(event);
  const href = link?.getAttribute("href");
  if (href && MARK.test(href)) link.setAttribute("href", href.replace(MARK, ""));
}

/** Puts the choice there is behind a link while it is followed, after all who look at its address. @param {any} event */
function give(event) {
  const link = linkOf(event);
  const choice = store.read();
  if (event.defaultPrevented || event.button > 1 || !choice || !isSister(link?.href)) return;
  const own = link.getAttribute("href");
  if (MARK.test(own)) return; // two of us listen
  const [plain, ...directive] = link.href.split(DIRECTIVE);
  link.href = [plain + (plain.includes("#") ? "&" : "#") + "consent=" + format(rules, choice), ...directive].join(DIRECTIVE);
  setTimeout(() => link.setAttribute("href", own));
}

/** Takes a mark out of the address; its value. */
function marked() {
  const found = MARK.exec(location.hash);
  if (found) history.replaceState(history.state, "", location.href.slice(0, -found[0].length));
  return found?.[1];
}

/** To the place in the page that the link named, or where the page's own routes lead. */
function lead() {
  const { hash } = location;
  if (/^#[!/]/.test(hash)) dispatchEvent(new HashChangeEvent("hashchange"));
  else document.getElementById(decodeURIComponent(hash.slice(1)))?.scrollIntoView();
}

/** What was handed over holds here too, unless it lapsed or there is a newer choice. @param {string} value */
function take(value) {
  document.readyState == "loading" ? addEventListener("DOMContentLoaded", lead) : lead();
  const choice = parse(value);
  const own = store.read();
  if (!choice || !isSister(document.referrer) || (own && own.decided_at >= choice.decided_at)) return;
  if (/unknown|expired|outdated/.test(derive(rules, choice, false, Date.now() / 1e3).status)) return;
  const kept = store.write(choice);
  store.keepReceipt(""); // of another choice
  fetch(`${home}/subjects/${choice.subject}/receipts`, { credentials: "omit" }).then(answer => answer.json()).then(({ items }) => {
    const newest = items.find((/** @type {any} */ one) => one.claims.consent.action != "load_once");
    if (newest && !store.receipt()) store.keepReceipt(newest.receipt);
  }).catch(() => {}); // the choice holds without it
  if (kept && /** @type {any} */ (window.consent)?.restrict) location.reload(); // the strict guard has read the cookie already
}

try {
  for (const name of ["pointerdown", "contextmenu", "dragstart", "click", "auxclick"]) addEventListener(name, clean, true);
  for (const name of ["click", "auxclick"]) addEventListener(name, give);
  addEventListener("hashchange", marked);
  const value = marked();
  if (value) take(value);
} catch (error) {
  console.error(error); // the banner comes all the same
}

// Takes a visitor's choice along by links from one of the site's origins to another, for policies that wish it.
// Its rule: only what a page of the site itself hands over is taken, and never against a newer choice. Who handed over is
// told by the referrer, which no page can forge; a link that is copied, kept or sent by somebody else comes from elsewhere.
import { derive, format, parse } from "./choices.js";
import { config, home } from "./config.js";

/**
 * @typedef {import("./types").Choice} Choice
 * @typedef {import("./store.js").Store} Store
 */

const MARK = /[#&]consent=([^&]*)$/; // in the fragment, which no server is sent
const DIRECTIVE = ":~:"; // what follows is for the browser alone, and no script sees it

/** Whether an address is of another origin of the site. @param {string} url */
const isSister = url => {
  try {
    const { origin } = new URL(url);
    return origin != location.origin && RegExp(/** @type {string} */ (config.follow), "i").test(origin);
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

/** Puts a choice behind a link while it is followed, after all who look at its address. @param {any} event @param {Choice | null} choice */
function give(event, choice) {
  const link = linkOf(event);
  if (event.defaultPrevented || event.button > 1 || !choice || !isSister(link?.href)) return;
  const own = link.getAttribute("href");
  const [plain, ...directive] = link.href.split(DIRECTIVE);
  link.href = [plain + (plain.includes("#") ? "&" : "#") + "consent=" + format(config, choice), ...directive].join(DIRECTIVE);
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

/** What was handed over holds here too, unless it lapsed or there is a newer choice. @param {string} value @param {Store} store */
function take(value, store) {
  document.readyState == "loading" ? addEventListener("DOMContentLoaded", lead) : lead();
  const choice = parse(value);
  const own = store.read();
  if (!choice || !isSister(document.referrer) || (own && own.decided_at >= choice.decided_at)) return;
  if (/unknown|expired|outdated/.test(derive(config, choice, false, Date.now() / 1e3).status)) return;
  const kept = store.save(choice);
  store.keepReceipt(""); // of another choice
  fetch(`${home}/subjects/${choice.subject}/receipts`, { credentials: "omit" }).then(answer => answer.json()).then(({ items }) => {
    const newest = items.find((/** @type {any} */ one) => one.claims.consent.action != "load_once");
    if (newest && !store.receipt()) store.keepReceipt(newest.receipt);
  }).catch(() => {}); // the choice holds without it
  if (kept && /** @type {any} */ (window.consent)?.restrict) location.reload(); // the strict guard has read the cookie already
}

/** Begins to give and take, before the choice there is holds. @param {Store} store */
export function follow(store) {
  for (const name of ["pointerdown", "contextmenu", "dragstart", "click", "auxclick"]) addEventListener(name, clean, true);
  for (const name of ["click", "auxclick"]) addEventListener(name, event => give(event, store.read()));
  addEventListener("hashchange", marked);
  try {
    const value = marked();
    if (value) take(value, store);
  } catch (error) {
    console.error(error); // the banner comes all the same
  }
}

// Holds back by address what a page adds later, however it is created, and drops what refused services would store.
// Its rule: it makes waiting markup of what it catches, and leaves the rest to the blocker. What is caught outside
// the page (a counting pixel, a beacon) is dropped: it speaks of a time before consent.
import { INERT, LATE, SOURCES, awake, caught, passed, setAttribute, unload } from "./native.js";
import { patch } from "./patches.js";
import { createFinder, createKeepers } from "./patterns.js";

/** @typedef {import("./types").Service} Service */

const AT = "data-consent-at";
const END = "consent-end";

/** @param {Element} element @param {string} name */
const read = (element, name) => element.getAttribute(name) ?? element.getAttribute("xlink:" + name);

/** @param {any} element @param {string} name @param {any} value @param {Service} service */
function take(element, name, value, { id, category }) {
  const { dataset } = element;
  const script = element.localName == "script";
  if (script && element.type != INERT) dataset.type = element.type, element.type = INERT;
  setAttribute.call(element, "data-" + (script ? "src" : name), value);
  caught.add(element);
  dataset.service = id;
  dataset.consent = category;
}

/** Its page has thought better of it. @param {any} element @param {string} name */
function free(element, name) {
  const { dataset, localName } = element;
  const script = localName == "script";
  element.removeAttribute("data-" + (script ? "src" : name));
  if (LATE.some(one => element.hasAttribute("data-" + one))) return;
  caught.delete(element);
  if (script) element.type = dataset.type, delete dataset.type;
  delete dataset.consent;
  delete dataset.service;
}

/** Elements of parsed markup, those of its shadow roots too. @param {any} root @param {string} selector @returns {Element[]} */
const listed = (root, selector) => [...root.querySelectorAll(selector),
  ...[...root.querySelectorAll("template[shadowrootmode]")].flatMap(one => listed(one.content, selector))];

/** The attributes of a marked element, those it lost as empty ones. @param {Element} element */
function said(element) {
  for (const name of LATE) {
    if (element.hasAttribute("data-" + name) && !element.hasAttribute(name)) setAttribute.call(element, name, "");
  }
  const { outerHTML } = /** @type {Element} */ (element.cloneNode());
  return outerHTML.replace(/^<[^\s>]+|>(<\/[^<]*>)?$/g, "") + " ";
}

/**
 * @param {object} parts
 * @param {Service[]} parts.services
 * @param {{urls: boolean, storage: boolean}} parts.blocking
 * @param {(id: string) => boolean} parts.granted
 * @param {(html: string) => string} parts.vouch makes markup of ours trusted (Trusted Types)
 * @returns {(root: any) => void} marks what stands in a piece of the page
 */
export function createGate({ services, blocking, granted, vouch }) {
  const find = createFinder(services);
  const keepers = createKeepers(services);
  const setHTML = Object.getOwnPropertyDescriptor(Element.prototype, "innerHTML")?.set;
  /** @type {Map<string, string[]>} */
  const names = new Map();
  for (const name of LATE) for (const tag of SOURCES[name].split(" ")) names.set(tag, [...names.get(tag) || [], name]);
  const selector = LATE.map(name => `[*|${name}]`).join();
  const start = RegExp(`<(?:${[...names.keys()].join("|")})(?=[\\s/>])`, "gi");
  const suspect = RegExp(`${start.source}|<\\w*$`, "i");
  /** @type {Document} where nothing loads and nothing runs */
  let nowhere;

  /** @param {Service[]} found */
  const shut = found => !found.some(one => granted(one.id)) && found[0];

  /** The service for which an address has to wait. @param {any} address */
  function held(address) {
    try {
      return shut(find(new URL(address, document.baseURI)));
    } catch {
      return false; // no address at all
    }
  }

  /** The same for what an attribute says, which may be several addresses or a whole document. @param {string} name @param {any} value */
  function claim(name, value) {
    if (name == "srcdoc") return inside(parse(value + "", document.documentElement));
    if (!/set$/.test(name)) return held(value);
    return `${value}`.split(/\s+/).flatMap(one => [one, ...one.split(",")]).map(held).find(Boolean);
  }

  /** @param {Element} root @returns {Service | false | undefined} */
  const inside = root => listed(root, selector).flatMap(one => (names.get(one.localName) || []).map(name => claim(name, read(one, name) || ""))).find(Boolean);

  /** @param {any} element @param {string} name @param {any} value @returns {Service | false | undefined} */
  function claimed(element, name, value) {
    const answered = passed.has(element) || (awake.has(element) && element.getAttribute("data-" + name) == value);
    return !answered && claim(name, value);
  }

  /** Whether an element waits from now on instead of taking this address. @param {any} element @param {string} name @param {any} value */
  function hold(element, name, value) {
    const script = element.localName == "script";
    if (!names.get(element.localName)?.includes(name) || (script && element.type == INERT && !caught.has(element))) return false;
    const service = claimed(element, name, value);
    if (service) take(element, name, value, service);
    else if (caught.has(element)) free(element, name);
    return service && !script;
  }

  /** The same for what it has taken already. @param {any} element */
  function check(element) {
    const { localName, isConnected } = element;
    const own = names.get(localName);
    const script = localName == "script";
    if (!own || (script && element.type == INERT)) return false;
    let found = false;
    let any = false;
    for (const name of own) {
      const value = read(element, name);
      if (value == null) continue;
      any = true;
      const service = claimed(element, name, value);
      if (!service) continue;
      found = true;
      take(element, name, value, service);
      if (!script) element.removeAttribute(name), element.removeAttribute("xlink:" + name);
    }
    if (script && any && !found && isConnected) passed.add(element);
    if (!script && found && isConnected) unload(element);
    return found;
  }

  /** @param {any} root */
  function sweep(root) {
    if (names.has(root?.localName)) check(root);
    // Through a whole page one search by each tag is faster than one by every attribute.
    if (root == document) for (const tag of names.keys()) root.querySelectorAll(tag).forEach(check);
    else if (root?.firstElementChild) root.querySelectorAll(selector).forEach(check);
  }

  /** What a text says, where it does no harm. @param {string} text @param {Element} context */
  function parse(text, context) {
    nowhere ||= document.implementation.createHTMLDocument("");
    const box = nowhere.importNode(context, false);
    try {
      setHTML?.call(box, vouch(text.replace(/(<\/?)noscript/gi, "$1noembed"))); // both are text where scripts run
    } catch {
      box.append(document.createElement(END)); // Trusted Types without our policy: nothing can be read
    }
    return box;
  }

  /**
   * Markup as text, marked: where an attribute stands twice, the first counts, so that nothing but marks is added.
   * @param {string} text @param {Element} context @param {boolean} [streams]
   * @returns {string | undefined} nothing where a text of several parts ends within a tag
   */
  function rewrite(text, context, streams) {
    if (!suspect.test(text)) return text;
    let count = 0;
    const box = parse(text.replace(start, tag => `${tag} ${AT}=${count++} `) + `<${END}>`, context);
    if (streams && !box.querySelector(END)) return;
    /** @type {string[]} */
    const marks = [];
    for (const element of listed(box, `[${AT}]`)) {
      const at = /** @type {any} */ (element.getAttribute(AT));
      element.removeAttribute(AT);
      if (check(element)) marks[at] = " " + said(element);
    }
    count = 0;
    return marks.length ? text.replace(start, tag => tag + (marks[count++] || "")) : text;
  }

  const active = blocking.urls && services.some(one => one.urls);
  patch(window, {
    page: active && { hold, claim, sweep, rewrite, vouch },
    held: active && held,
    denied: blocking.storage && services.some(one => one.kept) && ((kind, name) => shut(keepers(kind, name))),
  });
  return active ? sweep : () => {};
}

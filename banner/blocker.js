// Brings marked markup to life when its consent is there, and puts embeds back to sleep when it is taken back.
// Its rule: nothing comes alive unless the state says so, every script at most once and in document order.

import { exempt, setAttribute } from "./native.js";

/**
 * What is known of a marked element: whether it is awake, what takes its placeholder away, what came of its template,
 * and in which round it was loaded once.
 * @typedef {{awake?: boolean, clear?: () => void, nodes?: ChildNode[], round?: number}} Known
 */

const MARKED = "[data-consent]";
const INERT = "text/plain";
const MANY = 50;
const ENDS = ["load", "error"];
const LATE = ["src", "srcset", "href", "data"]; // what waits as data-src and so on

const same = (/** @type {string} */ text) => text;
const plain = { createScript: same, createScriptURL: same, createHTML: same };

/** @type {import("./types").TrustedMakers | undefined} */
let makers;

/** Under Trusted Types, the policy `consent` vouches for what the site marked with its own hand. */
export const trusted = () => (makers = makers || window.trustedTypes?.createPolicy("consent", plain) || plain);

/** @param {Element} element */
function bringLate(element) {
  for (const name of LATE) {
    const value = element.getAttribute("data-" + name);
    if (value != null) setAttribute.call(element, name, trusted().createScriptURL(value));
  }
}

/** Media notice a new source only when told. @param {Element} element */
function reload(element) {
  const media = /** @type {any} */ (element.localName == "source" ? element.parentElement : element);
  media.load?.();
}

/** @param {Element} element */
function unload(element) {
  for (const name of LATE) if (element.hasAttribute("data-" + name)) element.removeAttribute(name);
  element.replaceWith(element); // leaving the page ends what ran inside; removing `src` alone does not
  reload(element);
}

/**
 * A script that runs once inserted, like the inert one it replaces.
 * @param {HTMLScriptElement} inert @param {string} nonce
 */
function revive(inert, nonce) {
  const script = document.createElement("script");
  for (const { name, value } of inert.attributes) {
    if (name != "type" && name != "nonce") setAttribute.call(script, name, trusted().createScriptURL(value));
  }
  bringLate(script);
  script.type = inert.dataset.type || "";
  script.nonce = nonce || inert.nonce;
  script.async = inert.hasAttribute("async"); // a created script is async by itself, and would lose its place
  if (!script.src) script.text = trusted().createScript(inert.text);
  return script;
}

/**
 * A template's content, its scripts marked like the template so that they take their turn with the others.
 * @param {HTMLTemplateElement} template @param {(script: HTMLScriptElement) => void} adopt
 */
function unfold({ content, dataset }, adopt) {
  const copy = /** @type {DocumentFragment} */ (content.cloneNode(true));
  for (const script of copy.querySelectorAll("script")) {
    if (script.matches(MARKED)) continue;
    Object.assign(script.dataset, { type: script.type }, dataset);
    script.type = INERT;
    script.text = trusted().createScript(script.text); // a copy has lost the trust its text came with
    adopt(script);
  }
  exempt(copy.querySelectorAll("*"));
  return [...copy.childNodes];
}

/**
 * Scripts in their order. Files of one row load together and keep their order by themselves; inline code waits for
 * the files before it.
 * @param {string} nonce @param {(element: HTMLElement) => boolean} allowed
 */
function createQueue(nonce, allowed) {
  /** @type {HTMLScriptElement[]} */
  const queue = [];
  const taken = new WeakSet();
  let loading = 0;

  function drain() {
    for (let inert; (inert = queue[0]);) {
      const script = revive(inert, nonce);
      const file = !!script.src || script.type == "module";
      if (loading && !file) return;
      queue.shift();
      if (inert.isConnected && allowed(inert)) run(inert, script, file);
      else taken.delete(inert); // taken back while it waited
    }
  }

  /** @param {Element} inert @param {HTMLScriptElement} script @param {boolean} file */
  function run(inert, script, file) {
    if (file && !script.async) {
      loading++;
      for (const name of ENDS) script.addEventListener(name, () => (loading--, drain()));
    }
    // Whoever made the script listens to the element that was made.
    for (const name of ENDS) script.addEventListener(name, () => inert.dispatchEvent(new Event(name)));
    inert.replaceWith(script);
  }

  /** @param {HTMLScriptElement} script */
  return script => {
    if (taken.has(script) || script.type != INERT || !allowed(script)) return;
    taken.add(script);
    queue.push(script);
    drain();
  };
}

/** @param {object} parts
 * @param {string} parts.nonce the nonce of our own tag
 * @param {(id: string) => boolean} parts.granted
 * @param {(id: string) => boolean} parts.refused
 * @param {(element: HTMLElement, once: () => void) => (() => void)} parts.hold puts a placeholder; returns what removes it
 * @param {(root: any) => void} parts.sweep marks what has to wait for its address
 * @param {() => void} parts.mend looks whether the page has thrown the banner out
 * @param {() => void} parts.open
 */
export function createBlocker({ nonce, granted, refused, hold, sweep, mend, open }) {
  const enqueue = createQueue(nonce, allowed);
  /** @type {WeakMap<Node, Known>} */
  const all = new WeakMap();
  /** @type {Set<HTMLElement>} */
  const waiting = new Set();
  let round = 1;

  /** @param {HTMLElement} element */
  function allowed(element) {
    const { consent = "", service } = element.dataset;
    return all.get(element)?.round == round || (consent[0] == "!" ? refused(consent.slice(1)) : granted(service || consent));
  }

  /** @param {HTMLElement} element */
  function settle(element) {
    if (element.localName == "script") return enqueue(/** @type {HTMLScriptElement} */ (element));
    const it = all.get(element) || {};
    const was = it.awake;
    const awake = allowed(element);
    if (awake == was) return;
    all.set(element, it);
    it.awake = awake;
    it.clear?.();
    waiting.delete(element);
    if (element.localName == "template") turn(/** @type {HTMLTemplateElement} */ (element), it);
    else if (awake) bringLate(element), reload(element);
    if (!awake) sleep(element, it, was);
  }

  /** @param {HTMLTemplateElement} template @param {Known} it */
  function turn(template, it) {
    if (!it.awake) return it.nodes?.forEach(node => node.remove());
    it.nodes = it.nodes || unfold(template, script => all.set(script, it)); // loaded once with it
    template.after(...it.nodes);
    it.nodes.forEach(scan);
  }

  /** @param {HTMLElement} element @param {Known} it @param {boolean} [was] */
  function sleep(element, it, was) {
    if (was) unload(element);
    if (/^!/.test(element.dataset.consent || "")) return;
    waiting.add(element);
    it.clear = hold(element, () => {
      it.round = round;
      settle(element);
      const first = /** @type {any} */ (it.nodes?.find(node => node instanceof HTMLElement) || element);
      if (it.nodes) first.tabIndex = -1;
      first.focus();
    });
  }

  /** One that fails keeps no other waiting. @param {Element} element */
  function attempt(element) {
    try {
      settle(/** @type {HTMLElement} */ (element));
    } catch (error) {
      console.error(error);
    }
  }

  /** @param {Node | Element | Document} root */
  function scan(root) {
    if (root instanceof Element && root.hasAttribute("data-consent")) attempt(root);
    if (/** @type {any} */ (root).firstElementChild) /** @type {Element} */ (root).querySelectorAll(MARKED).forEach(attempt);
  }

  /** What has left the page is forgotten, with its placeholder. */
  function forget() {
    for (const element of waiting) if (!element.isConnected) {
      all.get(element)?.clear?.();
      all.delete(element);
      waiting.delete(element);
    }
  }

  exempt(document.scripts); // those have run, or cannot be stopped any more
  sweep(document);
  scan(document);
  new MutationObserver(records => {
    // Looking through the page once is cheaper than at thousands of pieces one by one.
    const roots = records.length > MANY ? [document] : records.flatMap(({ addedNodes }) => [...addedNodes]);
    for (const root of roots) sweep(root), scan(root);
    forget();
    mend();
  }).observe(document, { childList: true, subtree: true });

  // Our tag may run before the page's style sheet: what was measured then is measured again.
  addEventListener("load", () => document.querySelectorAll(MARKED).forEach(element => {
    const it = all.get(element);
    if (it?.clear && !it.awake) it.awake = undefined, settle(/** @type {HTMLElement} */ (element));
  }));

  document.addEventListener("click", event => {
    if (!(/** @type {Element} */ (event.target)).closest("[data-consent-open]")) return;
    event.preventDefault();
    open();
  });

  /** What was loaded once lasts until the next choice. */
  return () => {
    round++;
    scan(document);
  };
}

/**
 * Another script in the place of our own tag, with all that was said to it.
 * @param {HTMLScriptElement} own @param {string} src @param {() => void} otherwise
 */
export function exchange(own, src, otherwise) {
  const other = revive(own, own.nonce);
  other.src = trusted().createScriptURL(src);
  other.onerror = otherwise;
  own.after(other);
}

// Brings marked markup to life when its consent is there, and puts embeds back to sleep when it is taken back.
// Its rule: nothing comes alive unless the state says so, every script at most once and in document order.

import { INERT, LATE, awake, by, caught, exempt, reload, replace, setAttribute, unload } from "./native.js";

/**
 * What is known of a marked element: whether it is awake, its placeholder, what came of its template, and in which
 * round it was loaded once.
 * @typedef {{awake?: boolean, box?: HTMLElement, nodes?: ChildNode[], round?: number}} Known
 *
 * An embed that is to have a placeholder, what loads it once, and what gives it the focus that the placeholder had.
 * @typedef {{embed: HTMLElement, it: Known, enter: () => void, lead: () => void}} Bed
 */

const MARKED = "[data-consent],.consent-placeholder[lang]:empty";
const WATCHED = { childList: true, subtree: true, attributeFilter: ["data-consent"] };
const MANY = 50;
const ENDS = ["load", "error"];

const same = (/** @type {string} */ text) => text;
/** @type {any} */
const plain = { createScript: same, createScriptURL: same, ...(__SERVICES__ && { createHTML: same }) };

/** @type {import("./types").TrustedMakers | undefined} */
let makers;

/** Under Trusted Types, the policy `consent` vouches for what the site marked with its own hand. */
export function trusted() {
  try {
    makers ||= window.trustedTypes?.createPolicy("consent", plain);
  } catch {
    // not one of the policies that the page lets be made
  }
  return (makers ||= plain);
}

/** @param {Element} element */
function bringLate(element) {
  for (const name of LATE) {
    const value = element.getAttribute("data-" + name);
    const vouch = __SERVICES__ && name == "srcdoc" ? "createHTML" : "createScriptURL";
    if (value != null) setAttribute.call(element, name, trusted()[vouch](value));
  }
  if (__SERVICES__) awake.add(element);
}

/**
 * A script that runs once inserted, like the inert one it replaces.
 * @param {HTMLScriptElement} inert @param {string} nonce
 */
function revive(inert, nonce) {
  const script = document.createElement("script");
  for (const { name, value } of inert.attributes) {
    if (!/^(type|nonce|on.+)$/.test(name)) setAttribute.call(script, name, trusted().createScriptURL(value));
  }
  bringLate(script);
  script.type = inert.dataset.type || "";
  script.nonce = nonce || inert.nonce;
  script.async = inert.hasAttribute("async"); // a created script is async by itself, and would lose its place
  if (!script.src) script.text = trusted().createScript(inert.text);
  if (__SERVICES__) exempt([script]);
  return script;
}

/**
 * A template's content, its scripts marked like the template so that they take their turn with the others.
 * @param {HTMLTemplateElement} template @param {(script: HTMLScriptElement) => void} adopt
 */
function unfold({ content, dataset }, adopt) {
  const copy = /** @type {DocumentFragment} */ (content.cloneNode(true));
  for (const script of copy.querySelectorAll("script")) {
    if (script.matches(MARKED) || /json|rules|map/.test(script.type)) continue; // data, which browsers read by themselves
    Object.assign(script.dataset, { type: script.type }, dataset);
    script.type = INERT;
    script.text = trusted().createScript(script.text); // a copy has lost the trust its text came with
    adopt(script);
  }
  if (__SERVICES__) exempt(copy.querySelectorAll("*"));
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
      if (loading && !script.src && script.type != "module") return;
      queue.shift();
      if (inert.isConnected && allowed(inert)) run(inert, script);
      else taken.delete(inert); // taken back while it waited
    }
  }

  /**
   * Runs a script in the place of the inert one while the page loads. Later the inert one stays, without its mark: whoever
   * made it, or has taken the page over, holds on to it.
   * @param {HTMLElement} inert @param {HTMLScriptElement} script
   */
  function run(inert, script) {
    const counts = +(script.src && !script.async);
    loading += counts;
    for (const name of ENDS) script.addEventListener(name, () => {
      inert.dispatchEvent(new Event(name));
      loading -= counts;
      drain();
    });
    let text = "";
    const page = /** @type {any} */ (document);
    const own = Object.hasOwn(page, "write"); // somebody does this already
    if (!own) page.write = page.writeln = (/** @type {string[]} */ ...texts) => void (text += texts.join(""));
    taken.add(script); // whoever marks it anew
    if ((__SERVICES__ && caught.has(inert)) || page.readyState == "complete") {
      inert.before(script);
      delete inert.dataset.consent;
    } else {
      inert.replaceWith(script);
    }
    if (!own) delete page.write, delete page.writeln;
    if (text) script.after(document.createRange().createContextualFragment(text)); // written now it would wipe the page
  }

  /** @param {HTMLScriptElement} script */
  return script => {
    if (taken.has(script) || script.type != INERT || !allowed(script)) return;
    taken.add(script);
    queue.push(script);
    drain();
  };
}

/** A page, or a part of it, and the open shadow roots in it. @param {ParentNode} root @returns {ParentNode[]} */
const everywhere = root => [root, ...[...root.querySelectorAll("*")].flatMap(one => (one.shadowRoot ? everywhere(one.shadowRoot) : []))];

/** @param {MutationRecord[]} records @returns {Node[]} */
const pieces = records => records.flatMap(one => (one.attributeName ? one.target : [...one.addedNodes]));

/** @param {Node[]} roots the page and the shadow roots there are @param {MutationCallback} heard */
function watchShadows([, ...roots], heard) {
  const observer = new MutationObserver(heard);
  for (const root of roots) observer.observe(root, WATCHED);
  replace(Element.prototype, "attachShadow", by((native, self, given) => {
    const root = native.apply(self, given);
    observer.observe(root, WATCHED);
    return root;
  }));
}

/** @param {object} parts
 * @param {string} parts.nonce the nonce of our own tag
 * @param {(id: string) => boolean} parts.granted
 * @param {(id: string) => boolean} parts.refused
 * @param {{hold: (beds: Bed[]) => void, clear: (element: HTMLElement, box?: HTMLElement) => void}} parts.places placeholders
 * @param {(root: any) => void} parts.sweep marks what has to wait for its address
 * @param {() => void} parts.mend looks whether the page has thrown the banner out
 * @param {() => void} parts.open
 */
export function createBlocker({ nonce, granted, refused, places, sweep, mend, open }) {
  const enqueue = createQueue(nonce, allowed);
  /** @type {WeakMap<Node, Known>} */
  const all = new WeakMap();
  /** @type {Set<HTMLElement>} */
  const waiting = new Set();
  /** @type {Bed[]} */
  const beds = [];
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
    const now = allowed(element);
    if (now == was && (!it.box || it.box.nextSibling == element)) return; // else it was moved without its placeholder
    all.set(element, it);
    it.awake = now;
    clear(element, it);
    if (element.localName == "template") turn(/** @type {HTMLTemplateElement} */ (element), it);
    else if (now) bringLate(element), reload(element);
    if (!now) sleep(element, it, was);
  }

  /** @param {HTMLElement} element @param {Known} it */
  function clear(element, it) {
    waiting.delete(element);
    places.clear(element, it.box);
    it.box = undefined;
  }

  /** @param {HTMLTemplateElement} template @param {Known} it */
  function turn(template, it) {
    if (!it.awake) return it.nodes?.forEach(node => node.remove());
    it.nodes ||= unfold(template, script => all.set(script, it)); // loaded once with it
    template.after(...it.nodes);
    it.nodes.forEach(scan);
  }

  /** @param {HTMLElement} element @param {Known} it @param {boolean} [was] */
  function sleep(element, it, was) {
    if (was) unload(element);
    if (element.dataset.consent?.[0] == "!") return;
    waiting.add(element);
    if (document.readyState != "complete") addEventListener("load", measure, { once: true });
    beds.push({ embed: element, it, enter() {
      it.round = round;
      settle(element);
    }, lead() {
      const first = /** @type {any} */ (it.nodes?.find(node => node instanceof HTMLElement) || element);
      if (first.tabIndex < 0) first.tabIndex = -1; // said, it can have the focus
      first.focus();
    } });
  }

  /** Our tag may run before the page's style sheet: what was measured then is measured again. */
  function measure() {
    for (const element of waiting) /** @type {Known} */ (all.get(element)).awake = undefined;
    look([...waiting]);
  }

  /** One that fails keeps no other waiting. @param {any} element */
  function attempt(element) {
    try {
      if (element.dataset.consent != null) settle(element);
      else if (!element.shadowRoot) element.remove(); // a placeholder that the page has copied with what is around it
    } catch (error) {
      console.error(error);
    }
  }

  /** @param {any} root */
  function scan(root) {
    if (root.matches?.(MARKED)) attempt(root);
    if (root.firstElementChild) root.querySelectorAll(MARKED).forEach(attempt);
  }

  /** Marks and settles what stands in some pieces of the page. @param {Iterable<Node>} roots */
  function look(roots) {
    for (const root of roots) {
      if (__SERVICES__) sweep(root);
      scan(root);
    }
    // What has left the page, or is marked no more, is forgotten with its placeholder.
    for (const element of waiting) if (!element.isConnected || element.dataset.consent == null) {
      clear(element, /** @type {Known} */ (all.get(element)));
      all.delete(element);
    }
    places.hold(beds.splice(0).filter(one => one.embed.isConnected));
  }

  /** Scripts that have an address have run, or cannot be stopped any more. */
  const settled = () => __SERVICES__ && exempt([...document.scripts].filter(one => one.src && one.type != INERT));

  const whole = () => (__SERVICES__ ? everywhere(document) : [document]);

  settled();
  const roots = whole();
  look(roots);
  new MutationObserver(records => {
    // Looking through the page once is cheaper than at thousands of pieces one by one.
    look(records.length > MANY ? [document] : pieces(records));
    mend();
  }).observe(document, WATCHED);
  if (__SERVICES__) watchShadows(roots, records => look(pieces(records)));

  document.addEventListener("click", event => {
    if (!event.composedPath().some(one => /** @type {any} */ (one).matches?.("[data-consent-open]"))) return;
    event.preventDefault();
    open();
  });

  /** What was loaded once lasts until the next choice. */
  return () => {
    round++;
    settled();
    look([...whole(), ...waiting]);
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

// Holds back by address what a page adds later, however it is created, and drops what refused services would store.
// Its rule: it makes waiting markup of what it catches, and leaves the rest to the blocker. What is caught outside
// the page (a counting pixel, a beacon) is dropped: it speaks of a time before consent.
import { passed, setAttribute } from "./native.js";
import { createFinder, createKeepers } from "./patterns.js";

/** @typedef {import("./types").Service} Service */

/** @type {Record<string, string[]>} */
const SOURCES = {
  script: ["src"], iframe: ["src"], img: ["src", "srcset"], video: ["src"], audio: ["src"], source: ["src", "srcset"],
  embed: ["src"], object: ["data"], link: ["href"],
};
const TAGS = Object.keys(SOURCES);
const NAMES = new Set(Object.values(SOURCES).flat());
const SELECTOR = TAGS.map(tag => SOURCES[tag].map(name => `${tag}[${name}]`)).join();
const TAG = /<([a-z][^\s/>]*)((?:[^<>"']|"[^"]*"|'[^']*')*)/gi;
const ATTRIBUTE = /([^\s"'<>/=]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s>]+))?/g;
const NOWHERE = "blob:consent"; // fails as an unreachable server does
const NOWHERE_SOCKET = "wss://localhost:1"; // a port that no browser connects to

/** @type {WeakSet<Node>} */
const caught = new WeakSet();

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

  /** Whether an element waits from now on instead of taking this address. @param {any} element @param {string} name @param {any} value */
  function mark(element, name, value) {
    const { dataset, localName } = element;
    if (passed.has(element) || (dataset.consent && !caught.has(element))) return false;
    const service = held(value);
    if (!service) {
      if (caught.delete(element)) delete dataset.consent, delete dataset.service;
      return false;
    }
    caught.add(element);
    if (localName == "script") {
      if (element.type != "text/plain") dataset.type = element.type;
      element.type = "text/plain";
    } else setAttribute.call(element, "data-" + name, value);
    dataset.service = service.id;
    dataset.consent = service.category;
    return localName != "script";
  }

  /** @param {any} element */
  function check(element) {
    for (const name of SOURCES[element.localName] || []) {
      const value = element.getAttribute(name);
      if (value == null) continue;
      if (mark(element, name, value)) element.removeAttribute(name);
    }
    if (element.localName == "script" && element.src && !caught.has(element)) passed.add(element);
  }

  /** @param {any} root */
  function sweep(root) {
    if (SOURCES[root?.localName]) check(root);
    if (root?.firstElementChild) root.querySelectorAll(SELECTOR).forEach(check);
  }

  /** Markup as text, marked. @param {any} html */
  function rewrite(html) {
    const text = String(html);
    const marked = text.replace(TAG, (whole, tag, inside) => {
      const names = SOURCES[tag.toLowerCase()];
      if (!names || /\sdata-consent=/.test(inside)) return whole;
      /** @type {any} */
      let service;
      const late = inside.replace(ATTRIBUTE, (/** @type {string} */ all, /** @type {string} */ name, value = "") => {
        const found = names.includes(name.toLowerCase()) && held(value.replace(/^["']|["']$/g, "").replace(/&amp;/g, "&"));
        service = service || found;
        return found ? "data-" + all : all;
      });
      if (!service) return whole;
      const marks = ` data-consent="${service.category}" data-service="${service.id}"`;
      const type = /\stype\s*=\s*["']?([^\s"'>]*)/.exec(inside);
      return names == SOURCES.script ? `<${tag} type="text/plain" data-type="${type ? type[1] : ""}"${marks}${inside}` : `<${tag}${marks}${late}`;
    });
    return marked == text ? html : vouch(marked);
  }

  if (services.some(one => one.urls)) {
    if (blocking.urls) patchPage({ mark, sweep, rewrite }), patchNetwork(held);
  }
  if (blocking.storage && services.some(one => one.kept)) patchStorage((kind, name) => shut(keepers(kind, name)));
  return services.some(one => one.urls) && blocking.urls ? sweep : () => {};
}

/**
 * Puts something in the place of a method; where it is not there, or the page has frozen it, nothing happens.
 * @param {any} holder @param {string} name @param {(native: any) => (this: any, ...given: any[]) => any} make
 */
function replace(holder, name, make) {
  try {
    if (holder[name]) holder[name] = make(holder[name]);
  } catch {
    // a frozen prototype: one way less
  }
}

/** @param {any} holder @param {string} name @param {(native: (value: any) => void) => (this: any, value: any) => void} make */
function replaceSetter(holder, name, make) {
  const own = Object.getOwnPropertyDescriptor(holder, name);
  if (own?.set && own.configurable) Object.defineProperty(holder, name, { ...own, set: make(own.set) });
}

/** @param {{mark: Function, sweep: (node: any) => void, rewrite: (html: any) => any}} parts */
function patchPage({ mark, sweep, rewrite }) {
  for (const tag of TAGS) for (const name of SOURCES[tag]) {
    let holder = /** @type {any} */ (Object.getPrototypeOf(document.createElement(tag)));
    while (!Object.hasOwn(holder, name)) holder = Object.getPrototypeOf(holder); // media share one
    replaceSetter(holder, name, native => function (value) {
      if (!mark(this, name, value)) native.call(this, value);
    });
  }
  replace(Element.prototype, "setAttribute", native => function (name, value) {
    if (!NAMES.has(name) || !SOURCES[this.localName]?.includes(name) || !mark(this, name, value)) native.call(this, name, value);
  });
  for (const name of ["appendChild", "insertBefore", "replaceChild"]) replace(Node.prototype, name, native => function (node, other) {
    sweep(node); // the busiest of all: no lists are made for it
    return native.call(this, node, other);
  });
  const METHODS = "append prepend before after replaceWith insertAdjacentElement";
  for (const holder of [Element, DocumentFragment, CharacterData, Document]) for (const name of METHODS.split(" ")) {
    if (Object.hasOwn(holder.prototype, name)) replace(holder.prototype, name, native => function (...nodes) {
      for (const node of nodes) if (node instanceof Node) sweep(node);
      return native.apply(this, nodes);
    });
  }
  for (const name of ["innerHTML", "outerHTML"]) replaceSetter(Element.prototype, name, native => function (value) {
    native.call(this, rewrite(value));
  });
  /** @type {(native: any) => (this: any, ...texts: any[]) => any} */
  const last = native => function (...texts) {
    return native.apply(this, [...texts.slice(0, -1), rewrite(texts.at(-1))]);
  };
  replace(Element.prototype, "insertAdjacentHTML", last);
  replace(Range.prototype, "createContextualFragment", last);
  for (const name of ["write", "writeln"]) replace(Document.prototype, name, native => function (...texts) {
    return native.call(this, texts.length > 1 ? rewrite(texts.join("")) : rewrite(texts[0]));
  });
}

/** @param {(address: any) => unknown} held */
function patchNetwork(held) {
  replace(window, "fetch", native => function (input, init) {
    return native.call(this, held(input?.url || input) ? NOWHERE : input, init);
  });
  replace(XMLHttpRequest.prototype, "open", native => function (method, url, ...rest) {
    return native.call(this, method, held(url) ? NOWHERE : url, ...rest);
  });
  replace(Navigator.prototype, "sendBeacon", native => function (url, data) {
    return !held(url) && native.call(this, url, data);
  });
  for (const [name, nowhere] of [["WebSocket", NOWHERE_SOCKET], ["EventSource", NOWHERE]]) replace(window, name, native => new Proxy(native, {
    construct: (target, [url, ...rest], made) => Reflect.construct(target, [held(url) ? nowhere : url, ...rest], made),
  }));
}

/** Reading and removing stay as they are. @param {(kind: string, name: string) => unknown} denied */
function patchStorage(denied) {
  replaceSetter(Document.prototype, "cookie", native => function (text) {
    const removes = /max-age=(0|-)|expires=[^;]*\b1970\b/i.test(text);
    if (removes || !denied("cookie", String(text).split(/[=;]/)[0].trim())) native.call(this, text);
  });
  replace(window.Storage.prototype, "setItem", native => function (name, value) {
    if (!denied(this == sessionStorage ? "session_storage" : "local_storage", name + "")) native.call(this, name, value);
  });
  replace(/** @type {any} */ (window).CookieStore?.prototype || {}, "set", native => async function (...given) {
    if (!denied("cookie", given[0].name || given[0])) await native.apply(this, given);
  });
}

// Where a page's own code meets the gate: every way to give an element an address, to insert it, to write markup, to
// reach the network and to store. Its rule: a table of names, walked; what is not caught does what it always did.
import { LATE, SOURCES, by, replace } from "./native.js";

/**
 * What the gate decides with.
 * @typedef {object} Gate
 * @property {false | Page} page
 * @property {false | ((address: any) => unknown)} held
 * @property {false | ((kind: string, name: string) => unknown)} denied
 *
 * @typedef {object} Page
 * @property {(element: any, name: string, value: any) => unknown} hold
 * @property {(name: string, value: any) => unknown} claim
 * @property {(root: any) => void} sweep
 * @property {(text: string, context: Element, streams?: boolean) => string | undefined} rewrite
 * @property {(html: string) => string} vouch
 */

const NOWHERE = "blob:consent"; // fails as an unreachable server does
const NOWHERE_SOCKET = "wss://localhost:1"; // a port that no browser connects to

/** The names of addresses. */
const NAME = /* @__PURE__ */ (() => RegExp(`^(xlink:)?(${LATE.join("|")})$`, "i"))();

/** Realms that are done, each by a class of its own. @type {WeakSet<object>} */
const done = new WeakSet();

/** An address or markup as the text it stays; Trusted Types stay what they are. @param {any} value */
const once = value => (value && typeof value == "object" && !/Trusted/.test(value[Symbol.toStringTag]) ? value + "" : value);

/** The local name of an attribute. @param {any} name */
const plain = name => `${name}`.toLowerCase().replace(/^.*:/, "");

/** Patches a page, and the frames in it that its scripts can reach. @param {any} view @param {Gate} gate */
export function patch(view, gate) {
  try {
    if (done.has(view.Node)) return;
    done.add(view.Node);
  } catch {
    return; // another origin
  }
  const { page, held, denied } = gate;
  if (page) {
    patchAddresses(view, page);
    patchInsertion(view, page);
    patchMarkup(view, page);
  }
  if (held) patchNetwork(view, held);
  if (denied) patchStorage(view, denied);
  walk(view, "HTMLIFrameElement", "contentWindow contentDocument", (native, self) => {
    const found = native.call(self);
    if (found) patch(found.defaultView || found, gate);
    return found;
  }, "get");
}

/**
 * Every name on every class of a realm.
 * @param {any} view @param {string} classes @param {string} names @param {import("./native.js").Act} act @param {"value" | "get" | "set"} [way]
 */
function walk(view, classes, names, act, way) {
  for (const one of classes.split(" ")) for (const name of names.split(" ")) replace(view[one]?.prototype, name, by(act), way);
}

/** The class of a tag, by its name: a film made only to ask it would cost as much as all the rest. @param {string} tag */
const classOf = tag => "HTML" + tag.replace("img", "image").replace(/^if|./, first => first.toUpperCase()) + "Element";

/** @param {any} view @param {Page} page */
function patchAddresses(view, { hold, claim }) {
  for (const name of LATE) for (const tag of SOURCES[name].split(" ")) {
    replace(view[classOf(tag)]?.prototype, name.replace("gesrc", "geSrc"), by((native, self, [value]) => {
      const text = once(value);
      if (!hold(self, name, text)) native.call(self, text);
    }), "set");
  }
  replace(view.Element.prototype, "setAttribute", /** @returns {(this: any, name: any, value?: any) => any} */ native => function (name, value) {
    if (arguments.length < 2) return native.call(this); // refuses
    if (!NAME.test(name)) return native.call(this, name, value); // the usual case: no lists are made for it
    const text = once(value);
    if (!hold(this, plain(name), text)) native.call(this, name, text);
  });
  walk(view, "Element", "setAttributeNS", (native, self, given) => {
    if (given.length > 2) given[2] = once(given[2]);
    if (!NAME.test(given[1]) || !hold(self, plain(given[1]), given[2])) native.apply(self, given);
  });
  walk(view, "Attr", "value nodeValue textContent", (native, self, [value]) => {
    const text = once(value);
    const { name, ownerElement } = self;
    if (!ownerElement || !NAME.test(name) || !hold(ownerElement, plain(name), text)) native.call(self, text);
  }, "set");
  // An attribute is judged once it is known whose it is.
  walk(view, "Element NamedNodeMap", "setAttributeNode setAttributeNodeNS setNamedItem setNamedItemNS", (native, self, [node]) => {
    const { name, value } = node;
    const late = NAME.test(name) && claim(plain(name), value);
    if (late) node.value = "";
    const before = native.call(self, node);
    if (late) node.value = value;
    return before;
  });
}

/** @param {any} view @param {Page} page */
function patchInsertion(view, { sweep }) {
  // The busiest of all: a list of what was given, or even its length, would cost them as much again.
  replace(view.Node.prototype, "appendChild", /** @returns {(this: any, node: any) => any} */ native => function (node) {
    sweep(node);
    return native.call(this, node);
  });
  for (const name of ["insertBefore", "replaceChild"]) replace(view.Node.prototype, name, /** @returns {(this: any, node: any, other?: any) => any} */ native => function (node, other) {
    sweep(node);
    return arguments.length > 1 ? native.call(this, node, other) : native.call(this, node);
  });
  /** @type {import("./native.js").Act} */
  const insert = (native, self, given) => {
    for (const one of given) if (one?.nodeType) sweep(one);
    return native.apply(self, given);
  };
  walk(view, "Element DocumentFragment CharacterData Document Range", "append prepend before after replaceWith replaceChildren " +
    "insertAdjacentElement insertNode surroundContents importNode adoptNode", insert);
  walk(view, "Document", "body", insert, "set");
}

/** @param {any} view @param {Page} page */
function patchMarkup(view, { rewrite, vouch }) {
  const { document } = view;
  /** What a page writes, marked. @type {import("./native.js").Act} */
  const write = (native, self, given, name) => {
    const adjacent = +/^ins/.test(name);
    if (given.length > adjacent) {
      const html = given[adjacent] = once(given[adjacent]);
      const node = self.nodeType == 1 ? self : self.startContainer || self.host;
      const outside = /^(outer|beforeb|aftere)/i.test(adjacent ? given[0] : name);
      const context = (outside || node.nodeType != 1 ? node.parentElement : node) || document.body || document.documentElement;
      if (html !== null && context.localName != "template" && /\/html$/.test(context.ownerDocument.defaultView?.document.contentType)) {
        const text = rewrite(`${html}`, context);
        if (text && text != html) given[adjacent] = typeof html == "object" ? vouch(text) : text;
      }
    }
    return native.apply(self, given);
  };
  walk(view, "Element ShadowRoot", "innerHTML outerHTML", write, "set");
  walk(view, "Element ShadowRoot Range", "insertAdjacentHTML createContextualFragment setHTMLUnsafe setHTML", write);

  /** What was written and ends within a tag. @type {WeakMap<Document, string>} */
  const tails = new WeakMap();
  walk(view, "Document", "write writeln", (native, self, given) => {
    const texts = given.map(once);
    const tail = tails.get(self) || "";
    const text = tail + texts.join("");
    const marked = rewrite(text, self.documentElement || document.documentElement, true);
    tails.set(self, marked == null ? text : "");
    if (marked == null) return;
    if (marked == text && !tail) native.apply(self, texts);
    else native.call(self, typeof texts[0] == "object" ? vouch(marked) : marked);
  });
}

/** @param {any} view @param {(address: any) => unknown} held */
function patchNetwork(view, held) {
  /** @param {any[]} given @param {number} [at] @param {string} [nowhere] */
  const stops = (given, at = 0, nowhere = NOWHERE) => {
    const stopped = given.length > at && held(given[at] = once(given[at]));
    if (stopped) given[at] = nowhere;
    return stopped;
  };
  /** @param {string} name @param {(native: any, given: any[], made: any) => object} construct */
  const make = (name, construct) => replace(view, name, native => new Proxy(native, { construct }));

  replace(view, "fetch", by((native, self, given) => {
    if (held(given[0]?.url)) given[0] = NOWHERE;
    if (!given[0]?.headers) stops(given);
    return native.apply(self, given);
  }));
  walk(view, "XMLHttpRequest", "open", (native, self, given) => {
    stops(given, 1);
    return native.apply(self, given);
  });
  walk(view, "Navigator", "sendBeacon", (native, self, given) => !stops(given) && native.apply(self, given));
  for (const name of ["WebSocket", "EventSource"]) make(name, (native, given, made) => {
    stops(given, 0, name[0] == "W" ? NOWHERE_SOCKET : NOWHERE);
    return Reflect.construct(native, given, made);
  });
  make("Audio", (native, [url], made) => {
    const audio = Reflect.construct(native, [], made);
    if (url !== undefined) audio.src = url;
    return audio;
  });
}

/** Whether a cookie's text takes it away. @param {string[]} attributes */
function removes(attributes) {
  const said = Object.fromEntries(attributes.map(one => one.toLowerCase().split("=").map(part => part.trim()))); // the last one counts
  return "max-age" in said ? /^(0+|-\d+)$/.test(said["max-age"]) : Date.parse(said.expires?.replace(/-/g, " ")) < Date.now();
}

/** Reading and removing stay as they are. @param {any} view @param {(kind: string, name: string) => unknown} denied */
function patchStorage(view, denied) {
  walk(view, "Document", "cookie", (native, self, [value]) => {
    const text = once(value);
    const [pair, ...attributes] = `${text}`.split(";");
    if (removes(attributes) || !denied("cookie", pair.split("=")[0].trim())) native.call(self, text);
  }, "set");
  walk(view, "Storage", "setItem", (native, self, given) => {
    given = given.map(once);
    if (given.length < 2 || !denied(kind(view, self), `${given[0]}`)) native.apply(self, given);
  });
  walk(view, "CookieStore", "set", async (native, self, [first, ...rest]) => {
    const own = Object(first) === first;
    const name = own ? first.name : first;
    if (!denied("cookie", `${name}`.trim())) await native.call(self, own ? Object.create(first, { name: { value: name } }) : first, ...rest);
  });
}

/** @param {any} view @param {Storage} storage */
function kind(view, storage) {
  try {
    if (storage == view.localStorage) return "local_storage";
  } catch {
    // shut
  }
  return "session_storage";
}

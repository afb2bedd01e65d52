// Where a page's own code meets the gate: every way to give an element an address, to insert it, to write markup, to
// reach the network and to store. Its rule: a table of names, walked; what is not caught does what it always did.
import { put, replace } from "./native.js";

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

/** What loads something, and by which attributes. @type {Map<string, string[]>} */
export const SOURCES = new Map();
for (const [name, tags] of Object.entries({
  src: "script iframe frame img video audio source track embed input",
  srcset: "img source", srcdoc: "iframe", data: "object", poster: "video",
  href: "link script image feImage", imagesrcset: "link", background: "body table",
})) for (const tag of tags.split(" ")) SOURCES.set(tag, [...SOURCES.get(tag) || [], name]);

const NAME = /^(?:src|srcset|srcdoc|data|poster|href|xlink:href|imagesrcset|background)$/i;
const INSERTING = "append prepend before after replaceWith replaceChildren insertAdjacentElement insertNode surroundContents importNode adoptNode";
const PARSING = "insertAdjacentHTML createContextualFragment setHTMLUnsafe setHTML";
const NOWHERE = "blob:consent"; // fails as an unreachable server does
const NOWHERE_SOCKET = "wss://localhost:1"; // a port that no browser connects to

/** Realms that are done, each by a class of its own. @type {WeakSet<object>} */
const done = new WeakSet();

/** An address or markup as the text it stays; Trusted Types stay what they are. @param {any} value */
const once = value => (Object(value) === value && !/Trusted/.test(value[Symbol.toStringTag]) ? value + "" : value);

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
  for (const name of ["contentWindow", "contentDocument"]) accessor(view.HTMLIFrameElement.prototype, name, "get", (native, self) => {
    const found = native.call(self);
    if (found) patch(found.defaultView || found, gate);
    return found;
  });
}

/**
 * Puts something in the place of a property's own way to be read or set, where it is not there, of what it inherits.
 * @param {any} holder @param {string} name @param {"get" | "set"} way
 * @param {(native: any, self: any, value: any) => any} act @param {any} [parent]
 */
function accessor(holder, name, way, act, parent) {
  const own = holder && Object.getOwnPropertyDescriptor(Object.hasOwn(holder, name) ? holder : parent || {}, name);
  const native = own?.[way];
  if (native && own.configurable) Object.defineProperty(holder, name, {
    ...own,
    [way](/** @type {any} */ value) {
      return act(native, this, value);
    },
  });
}

/** @param {any} view @param {Page} page */
function patchAddresses({ document, Attr, Element, NamedNodeMap, Node }, { hold, claim }) {
  for (const [tag, names] of SOURCES) for (const name of names) {
    const property = name.replace("gesrc", "geSrc");
    let holder = Object.getPrototypeOf(document.createElement(tag));
    while (holder && !Object.hasOwn(holder, property)) holder = Object.getPrototypeOf(holder); // media share one
    accessor(holder, property, "set", (native, self, value) => {
      const text = once(value);
      if (!hold(self, name, text)) native.call(self, text);
    });
  }
  put(Element.prototype, "setAttribute", native => function (name, value) {
    if (arguments.length < 2 || !NAME.test(name)) return native.apply(this, arguments); // the usual case: no lists are made for it
    const text = once(value);
    if (!hold(this, plain(name), text)) native.call(this, name, text);
  });
  replace(Element.prototype, "setAttributeNS", (native, self, given) => {
    if (given.length > 2) given[2] = once(given[2]);
    if (!NAME.test(given[1]) || !hold(self, plain(given[1]), given[2])) native.apply(self, given);
  });
  for (const name of ["value", "nodeValue", "textContent"]) accessor(Attr.prototype, name, "set", (native, self, value) => {
    const text = once(value);
    const { name, ownerElement } = self;
    if (!ownerElement || !NAME.test(name) || !hold(ownerElement, plain(name), text)) native.call(self, text);
  }, Node.prototype);
  // An attribute is judged once it is known whose it is.
  for (const holder of [Element, NamedNodeMap]) for (const name of ["setAttributeNode", "setAttributeNodeNS", "setNamedItem", "setNamedItemNS"]) {
    replace(holder.prototype, name, (native, self, [node]) => {
      const { name, value } = node;
      const late = NAME.test(name) && claim(plain(name), value);
      if (late) node.value = "";
      const before = native.call(self, node);
      if (late) node.value = value;
      return before;
    });
  }
}

/** @param {any} view @param {Page} page */
function patchInsertion(view, { sweep }) {
  for (const name of ["appendChild", "insertBefore", "replaceChild"]) put(view.Node.prototype, name, native => function (node) {
    sweep(node); // the busiest of all
    return native.apply(this, arguments);
  });
  for (const holder of ["Element", "DocumentFragment", "CharacterData", "Document", "Range"]) for (const name of INSERTING.split(" ")) {
    const { prototype } = view[holder];
    if (Object.hasOwn(prototype, name)) replace(prototype, name, (native, self, given) => {
      for (const one of given) if (one?.nodeType) sweep(one);
      return native.apply(self, given);
    });
  }
  accessor(view.Document.prototype, "body", "set", (native, self, value) => {
    sweep(value);
    native.call(self, value);
  });
}

/** @param {any} view @param {Page} page */
function patchMarkup({ document, Document, Element, Range, ShadowRoot }, { rewrite, vouch }) {
  /** What a page's markup becomes. @param {any} self @param {any} value @param {boolean} [outside] */
  function written(self, value, outside) {
    const html = once(value);
    const node = self.startContainer || self.host || self;
    const context = (outside || node.nodeType != 1 ? node.parentElement : node) || document.body;
    if (html == null || context.localName == "template" || !context.ownerDocument.defaultView) return html;
    const text = rewrite(`${html}`, context);
    return text == html ? html : typeof html == "object" ? vouch(text || "") : text;
  }

  for (const [holder, name] of [[Element, "innerHTML"], [Element, "outerHTML"], [ShadowRoot, "innerHTML"]]) {
    accessor(holder.prototype, name, "set", (native, self, value) => native.call(self, written(self, value, name == "outerHTML")));
  }
  for (const holder of [Element, ShadowRoot, Range]) for (const name of PARSING.split(" ")) {
    const at = +/^ins/.test(name);
    replace(holder.prototype, name, (native, self, given) => {
      if (given.length > at) given[at] = written(self, given[at], /^(beforeb|aftere)/i.test(given[at - 1]));
      return native.apply(self, given);
    });
  }
  /** What was written and ends within a tag. @type {WeakMap<Document, string>} */
  const tails = new WeakMap();
  for (const name of ["write", "writeln"]) replace(Document.prototype, name, (native, self, given) => {
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
  replace(view, "fetch", (native, self, given) => {
    const [input] = given;
    if (given.length && !input?.headers) given[0] = once(input);
    if (held(input?.url) || held(given[0])) given[0] = NOWHERE;
    return native.apply(self, given);
  });
  replace(view.XMLHttpRequest.prototype, "open", (native, self, given) => {
    if (given.length > 1 && held(given[1] = once(given[1]))) given[1] = NOWHERE;
    return native.apply(self, given);
  });
  replace(view.Navigator.prototype, "sendBeacon", (native, self, given) => {
    return !(given.length && held(given[0] = once(given[0]))) && native.apply(self, given);
  });
  for (const [name, nowhere] of [["WebSocket", NOWHERE_SOCKET], ["EventSource", NOWHERE]]) constructor(view, name, (native, given, made) => {
    if (given.length && held(given[0] = once(given[0]))) given[0] = nowhere;
    return Reflect.construct(native, given, made);
  });
  constructor(view, "Audio", (native, [url], made) => {
    const audio = Reflect.construct(native, [], made);
    if (url !== undefined) audio.src = url;
    return audio;
  });
}

/** @param {any} view @param {string} name @param {(native: any, given: any[], made: any) => object} construct */
const constructor = (view, name, construct) => put(view, name, native => new Proxy(native, { construct }));

/** Whether a cookie's text takes it away. @param {string[]} attributes */
function removes(attributes) {
  const said = Object.fromEntries(attributes.map(one => one.toLowerCase().split("=").map(part => part.trim()))); // the last one counts
  return "max-age" in said ? /^(0+|-\d+)$/.test(said["max-age"]) : Date.parse(said.expires?.replace(/-/g, " ")) < Date.now();
}

/** Reading and removing stay as they are. @param {any} view @param {(kind: string, name: string) => unknown} denied */
function patchStorage(view, denied) {
  accessor(view.Document.prototype, "cookie", "set", (native, self, value) => {
    const text = once(value);
    const [pair, ...attributes] = `${text}`.split(";");
    if (removes(attributes) || !denied("cookie", pair.split("=")[0].trim())) native.call(self, text);
  });
  replace(view.Storage.prototype, "setItem", (native, self, given) => {
    given = given.map(once);
    if (given.length < 2 || !denied(kind(view, self), `${given[0]}`)) native.apply(self, given);
  });
  replace(view.CookieStore?.prototype || {}, "set", async (native, self, [first, ...rest]) => {
    const value = Object(first) === first ? first.name : first;
    if (!denied("cookie", `${value}`.trim())) await native.call(self, value == first ? first : Object.create(first, { name: { value } }), ...rest);
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

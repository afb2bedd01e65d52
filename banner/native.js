// What the gate, its patches and the blocker share: the browser's own ways, whatever is patched later, and what is
// known of single elements.

/** @typedef {(native: any, self: any, given: any[], name: string) => unknown} Act */

export const { setAttribute } = Element.prototype;
export const INERT = "text/plain"; // the type of a script that never runs

/** By which attributes what loads something. @type {Record<string, string>} */
export const SOURCES = {
  src: "script iframe frame img video audio source track embed input",
  srcset: "img source",
  href: "link script image feImage",
  data: "object",
  srcdoc: "iframe",
  poster: "video",
  imagesrcset: "link",
  background: "body table",
};
export const LATE = __SERVICES__ ? Object.keys(SOURCES) : ["src", "srcset", "href", "data"]; // what waits as data-src and so on

/** What the gate leaves alone: scripts are marked before they run, never after. @type {WeakSet<Node>} */
export const passed = new WeakSet();

/** What the gate has marked, not the page. @type {WeakSet<Node>} */
export const caught = new WeakSet();

/** What came alive by its mark, with the address that waited. @type {WeakSet<Node>} */
export const awake = new WeakSet();

/** What stands in a template that came alive is answered for. @param {Iterable<Node>} nodes */
export const exempt = nodes => {
  for (const node of nodes) passed.add(node);
};

/** Media notice a new source only when told. @param {Element} element */
export function reload(element) {
  const media = /** @type {any} */ (element.localName == "source" ? element.parentElement : element);
  media?.load?.();
}

/** Ends what an element has loaded. @param {Element} element */
export function unload(element) {
  for (const name of LATE) if (element.hasAttribute("data-" + name)) element.removeAttribute(name);
  if (__SERVICES__) {
    awake.delete(element);
    if (element.hasAttribute("data-background")) return;
  }
  element.replaceWith(element); // leaving the page ends what ran inside; removing `src` alone does not
  reload(element);
}

/**
 * Puts something in the place of a native function, its own or its parent's; where it is not there, or the page has
 * frozen it, nothing happens.
 * @param {any} holder @param {string} name @param {(native: any, name: string) => any} make
 * @param {"value" | "get" | "set"} [way]
 */
export function replace(holder, name, make, way = "value") {
  const own = holder && (at(holder, name) || at(Object.getPrototypeOf(holder), name));
  const native = own?.[way];
  if (!native || !own.configurable) return;
  const made = make(native, name);
  Object.defineProperties(made, { name: { value: native.name }, length: { value: native.length } });
  Reflect.defineProperty(holder, name, { ...own, [way]: made });
}

/** @param {any} holder @param {string} name @returns {any} */
const at = (holder, name) => Object.getOwnPropertyDescriptor(holder, name);

/** @param {Act} act @returns {(native: any, name: string) => (this: any, ...given: any[]) => any} */
export const by = act => (native, name) => function (...given) {
  return act(native, this, given, name);
};

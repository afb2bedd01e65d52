// What the gate, its patches and the blocker share: the browser's own ways, whatever is patched later, and what is
// known of single elements.

/** @typedef {(native: any, self: any, given: any[]) => unknown} Act */

export const { setAttribute } = Element.prototype;
export const INERT = "text/plain"; // the type of a script that never runs
export const LATE = ["src", "srcset", "href", "data", "poster", "imagesrcset", "background", "srcdoc"]; // what waits as data-src and so on

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
  awake.delete(element);
  if (element.hasAttribute("data-background")) return;
  element.replaceWith(element); // leaving the page ends what ran inside; removing `src` alone does not
  reload(element);
}

/**
 * Puts something in the place of a method; where it is not there, or the page has frozen it, nothing happens.
 * @param {any} holder @param {string} name @param {Act} act
 */
export function replace(holder, name, act) {
  put(holder, name, native => function (...given) {
    return act(native, this, given);
  });
}

/** @param {any} holder @param {string} name @param {(native: any) => ((this: any, ...given: any[]) => any)} make */
export function put(holder, name, make) {
  try {
    const native = holder[name];
    if (!native) return;
    const made = make(native);
    for (const told of ["name", "length"]) Object.defineProperty(made, told, { value: native[told], configurable: true });
    holder[name] = made;
  } catch {
    // a frozen prototype: one way less
  }
}

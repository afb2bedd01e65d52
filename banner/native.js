// What the gate and the blocker share: the browser's own way to set an attribute, whatever is patched later, and which
// elements the gate leaves alone.

export const setAttribute = Element.prototype.setAttribute;

/** Scripts are marked before they run, never after. @type {WeakSet<Node>} */
export const passed = new WeakSet();

/** What stands in a template that came alive is answered for. @param {Iterable<Node>} nodes */
export const exempt = nodes => {
  for (const node of nodes) passed.add(node);
};

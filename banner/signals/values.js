// What grants mean in a signal's own words. A type needs all categories that map to it; one without any is denied.

/**
 * @param {string[][]} types each with the categories that it needs
 * @param {import("../types").Answers} grants
 * @returns {Record<string, string>} type -> granted or denied
 */
export const values = (types, grants) => Object.fromEntries(types.map(([type, ...needed]) =>
  [type, needed[0] && needed.every(id => grants[id]) ? "granted" : "denied"]));

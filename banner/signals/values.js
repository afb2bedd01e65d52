// What grants mean in a signal's own words. A type needs all categories that map to it; one without any is denied.

/**
 * @param {string[]} types
 * @param {Record<string, string[]>} map category -> types
 * @param {import("../types").Answers} grants
 * @returns {Record<string, string>} type -> granted or denied
 */
export const values = (types, map, grants) => Object.fromEntries(types.map(type => {
  const needed = Object.keys(map).filter(category => map[category].includes(type));
  return [type, needed.length && needed.every(id => grants[id]) ? "granted" : "denied"];
}));

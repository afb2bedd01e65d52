// Clears what refused services left on the device, and says what it could not clear.
// Its rule: only names that the policy gives to services that are all refused; whatever a granted one keeps, stays.
import { createKeepers } from "./patterns.js";

/** @typedef {import("./types").Service} Service */

const DECLARED = /** @type {const} */ (["granted", "refused"]);

/** Every domain that may have set a cookie we see: none named, this host, each parent. @param {string} host */
const domains = host => host.split(".").reduce((found, _, at, labels) => [...found, "; Domain=" + labels.slice(at).join(".")], [""]);

/** Every path that may hold one: the root and each folder, with and without the stroke. @param {string} path */
const paths = path => path.split("/").reduce((found, _, at, parts) => {
  const folder = parts.slice(0, at + 1).join("/");
  return [...found, folder || "/", folder + "/"];
}, [path]);

/** Each with the name, and the stroke that makes it one: a cookie without a name is shown by its value alone. @param {Window} page */
const cookies = ({ document }) => document.cookie.split("; ").filter(Boolean).map(text => text.replace(/=.*/s, "="));

/** @param {string} cookie */
const bare = cookie => cookie.replace("=", "");

/**
 * Tells providers through their own functions, as far as these are there.
 * @param {Service[]} services @param {number} refused 1 where they are refused, else 0
 */
export function tell(services, refused) {
  for (const { calls } of services) for (const [path, ...words] of calls?.[DECLARED[refused]] || []) {
    const names = path.split(".");
    const last = names.pop();
    try {
      const owner = names.reduce((/** @type {any} */ one, /** @type {string} */ name) => one?.[name], window);
      owner?.[last]?.(...words);
    } catch (error) {
      console.error(error);
    }
  }
}

/**
 * Clears what is there now; the names that are still there afterwards, and those no script can reach.
 * @param {Service[]} services
 * @param {(id: string) => boolean} granted
 * @param {Window} page
 * @returns {Promise<string[]>}
 */
export async function clean(services, granted, page) {
  const keepers = createKeepers(services);
  /** @type {string[]} */
  const left = [];
  const refused = services.filter(one => !granted(one.id));
  for (const kind of new Set(refused.flatMap(one => (one.kept || []).map(kept => kept.kind)))) {
    const stale = (/** @type {any} */ name) => {
      const owners = keepers(kind, name + "");
      return owners.length > 0 && !owners.some(one => granted(one.id));
    };
    try {
      await SHELVES[kind](page, stale);
    } catch {
      left.push(kind); // shut: nothing is known of what it holds
    }
    if (kind == "cookie") left.push(...cookies(page).map(bare).filter(stale));
  }
  return left;
}

/** @param {"localStorage" | "sessionStorage"} shelf @returns {Clear} */
const storage = shelf => (page, stale) => {
  for (const name of Object.keys(page[shelf]).filter(stale)) page[shelf].removeItem(name);
};

/**
 * How each kind is cleared of what is stale.
 * @typedef {(page: Window, stale: (name: any) => boolean) => unknown} Clear
 * @type {Record<string, Clear>}
 */
const SHELVES = {
  local_storage: /* @__PURE__ */ storage("localStorage"),
  session_storage: /* @__PURE__ */ storage("sessionStorage"),

  cookie(page, stale) {
    const { document, location } = page;
    for (const one of cookies(page)) if (stale(bare(one))) for (const domain of domains(location.hostname)) for (const path of paths(location.pathname)) {
      document.cookie = `${one}; Max-Age=0; Path=${path}${domain}`;
    }
  },

  async indexed_db({ indexedDB }, stale) {
    for (const { name } of await indexedDB.databases?.() || []) if (stale(name)) indexedDB.deleteDatabase(name || "");
  },

  async cache_storage(page, stale) {
    const { caches } = /** @type {any} */ (page); // in secure contexts only
    for (const name of await caches?.keys() || []) if (stale(name)) await caches.delete(name);
  },
};

/** What services keep where no script of this page can clear it. @param {Service[]} services */
export const beyond = services => services.flatMap(one => (one.kept || []).filter(kept => kept.far).map(kept => kept.name));

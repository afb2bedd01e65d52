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

/** @param {Window} page */
const cookieNames = ({ document }) => document.cookie.split("; ").map(text => text.split("=")[0]).filter(Boolean);

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
  const stale = (/** @type {string} */ kind) => (/** @type {any} */ name) => {
    const owners = keepers(kind, name + "");
    return owners.length > 0 && !owners.some(one => granted(one.id));
  };
  const { document, location } = page;
  const cookies = () => cookieNames(page).filter(stale("cookie"));
  for (const name of cookies()) for (const domain of domains(location.hostname)) for (const path of paths(location.pathname)) {
    document.cookie = `${name}=; Max-Age=0; Path=${path}${domain}`;
  }
  for (const [kind, shelf] of /** @type {const} */ ([["local_storage", "localStorage"], ["session_storage", "sessionStorage"]])) {
    for (const name of Object.keys(page[shelf]).filter(stale(kind))) page[shelf].removeItem(name);
  }
  for (const { name } of await page.indexedDB.databases?.() || []) if (stale("indexed_db")(name)) page.indexedDB.deleteDatabase(name || "");
  const caches = /** @type {any} */ (page).caches; // in secure contexts only
  for (const name of await caches?.keys() || []) if (stale("cache_storage")(name)) await caches.delete(name);
  return cookies();
}

/** What services keep where no script of this page can clear it. @param {Service[]} services */
export const beyond = services => services.flatMap(one => (one.kept || []).filter(kept => kept.far).map(kept => kept.name));

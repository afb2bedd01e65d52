// What the browser keeps: the cookie, the receipt, the outbox and a note that it is empty. Nothing is written before there
// is a choice, and no storage error ever leaves this file: what cannot be stored is remembered until the page goes.
import { format, holds, parse } from "./choices.js";

/**
 * @typedef {import("./types").Choice} Choice
 * @typedef {import("./types").Recording} Recording
 */

const LONGEST = 400 * 86400; // browsers cut Max-Age to 400 days (RFC 6265bis)

/** A random pseudonym of 128 bits, base64url. */
export function newSubject() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes)).slice(0, 22).replace(/\+/g, "-").replace(/\//g, "_");
}

/**
 * @param {import("./types").Config} config
 * @param {Window} page
 */
export function createStore(config, page) {
  const { cookie, site } = config;
  const shelf = openShelf(page);
  const receipt = "consent:receipt:" + site;
  const outbox = "consent:outbox:" + site;
  let idle = false; // nothing waits, as far as is known
  let unkept = ""; // a value that the browser would not take as a cookie

  /** @returns {Choice | null} The newest choice: two cookies of the name may reach us, from two domains. */
  function read() {
    const all = [...cookies(page), cookie.name + "=" + unkept];
    const choices = all.map(text => text.split(cookie.name + "=")).map(([before, value]) => parse(before ? "" : value));
    const newest = choices.reduce((newest, one) => (one && !(newest && newest.decided_at > one.decided_at) ? one : newest), null);
    idle = all.includes(note(newest?.decided_at));
    return newest;
  }

  /**
   * The cookie that says that nothing waits after the choice of that second, made here: to open localStorage only to find
   * nothing is dear, and every page would. @param {number | undefined} at
   */
  const note = at => `${cookie.name}_sent=${at}.${site}.${page.origin}`;

  /** Writes it for a day, so that whatever becomes of cookies and outbox heals; 0 takes it back. @param {number} at */
  function say(at) {
    idle = !!at;
    cookies(page, note(at) + "; Path=/; Max-Age=86400");
  }

  /** @param {Choice} choice @returns {boolean} whether the browser keeps it */
  function save(choice) {
    const value = format(config, choice);
    const left = choice.decided_at + holds(config, choice.ids) - Date.now() / 1e3;
    const kept = `${cookie.name}=${value}`;
    const text = kept + "; Path=/; SameSite=Lax; Max-Age=" + (Math.min(left, LONGEST) >>> 0) +
      (cookie.domain ? "; Domain=" + cookie.domain : "") + (page.location.protocol == "https:" ? "; Secure" : "");
    if (cookie.domain) cookies(page, cookie.name + "=; Path=/; Max-Age=0"); // one from before there was a domain
    unkept = cookies(page, text).includes(kept) ? "" : value;
    return !unkept;
  }

  /** @param {unknown} [changing] whether the list is written next: then it is looked at, whatever is said @returns {Recording[]} */
  function waiting(changing) {
    try {
      if (idle && !changing) return [];
      const list = JSON.parse(/** @type {any} */ (shelf.get(outbox))).filter((/** @type {Recording} */ one) => one.id);
      if (list[0]) return list;
    } catch {
      // none, or broken by somebody else
    }
    const choice = !changing && read();
    if (choice) say(choice.decided_at);
    return [];
  }

  // An old library may have given arrays a `toJSON` of its own.
  /** @param {Recording[]} list */
  const keepWaiting = list => shelf.set(outbox, `[${list.map(one => JSON.stringify(one))}]`);

  return {
    read,
    save,
    waiting,
    receipt: () => shelf.get(receipt) || null,
    keepReceipt: (/** @type {string} */ text) => shelf.set(receipt, text),
    /** @param {Recording} body */
    keep(body) {
      if (idle) say(0);
      keepWaiting([...waiting(1), body]);
    },
    /** @param {string} id */
    drop: id => keepWaiting(waiting(1).filter(one => one.id != id)),
  };
}

/** @typedef {ReturnType<typeof createStore>} Store */

/** All cookies, after setting one if there is one to set. @param {Window} page @param {string} [text] */
function cookies({ document }, text) {
  try {
    if (text) document.cookie = text;
    return document.cookie.split("; ");
  } catch {
    return []; // sandboxed frames throw
  }
}

/**
 * localStorage, or memory where it is blocked, full or missing.
 * @param {Window} page
 */
function openShelf(page) {
  /** @type {Record<string, string>} */
  const memory = {};
  return {
    /** @param {string} key @returns {string | null} */
    get(key) {
      try {
        return memory[key] || page.localStorage.getItem(key);
      } catch {
        return null;
      }
    },
    /** @param {string} key @param {string} value */
    set(key, value) {
      try {
        page.localStorage.setItem(key, value);
        delete memory[key];
      } catch {
        memory[key] = value;
      }
    },
  };
}

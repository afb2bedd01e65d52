// The rules: what a stored choice, the policy, the clock and Global Privacy Control mean.
// Pure: no page, no network, no storage, no clock of its own. The cases in tests/data/state.json bind this file
// and its Python twin alike. Whatever is doubtful grants nothing.

/**
 * @typedef {import("./types").Rules} Rules
 * @typedef {import("./types").Choice} Choice
 * @typedef {import("./types").Decision} Decision
 * @typedef {import("./types").Derived} Derived
 * @typedef {import("./types").Answers} Answers
 */

const DAY = 86400;
const ROOM = 499; // the longest cookie value; one of 500 bytes is as good as none
const DIGITS = "0123456789";
const SMALL = "abcdefghijklmnopqrstuvwxyz";
const NAME = SMALL + DIGITS + "_-";

/** @param {Rules} rules */
const asked = rules => rules.categories.filter(one => !one.necessary);

/**
 * One answer for each category or service, frozen.
 * @template {{id: string}} One
 * @param {One[]} list @param {(one: One) => boolean} answer
 * @returns {Answers}
 */
export const answers = (list, answer) => Object.freeze(Object.fromEntries(list.map(one => [one.id, answer(one)])));

/** @param {string} text @param {string} letters */
const madeOf = (text, letters) => text > "" && [...text].every(letter => letters.includes(letter));

/** @param {string} text @param {number} most */
const isCount = (text, most) => text.length <= most && madeOf(text, DIGITS);

/** 128 bits in base64url: the last letter has four of them to spare. @param {string} text */
const isSubject = text => text.length == 22 && madeOf(text.toLowerCase(), NAME) && "AQgw".includes(text[21]);

/** @param {string} text */
const isEntry = text => {
  const id = "+-".includes(text[0]) ? text.slice(1) : text;
  return madeOf(id, NAME) && SMALL.includes(id[0]);
};

/**
 * The choice in a cookie value; null for anything that is not exactly one. Every page begins with this, and the first
 * regular expression of a page costs more than the rest of it.
 * @param {string | null | undefined} text
 * @returns {Choice | null}
 */
export function parse(text) {
  if (!text || text.length > ROOM) return null;
  const [version, policy, decided_at, subject, list, more] = text.split(".");
  if (version != "1" || list == null || more != null) return null;
  const ids = list ? list.split("~") : [];
  const right = isCount(policy, 9) && policy[0] != "0" && isCount(decided_at, 11) && isSubject(subject) && ids.every(isEntry);
  return right ? { policy: +policy, decided_at: +decided_at, subject, ids } : null;
}

/**
 * The cookie value of a choice, always short enough to be read again: what does not fit is not granted. Services
 * granted alone go first, then the categories in which services are refused, then everything.
 * @param {Rules} rules
 * @param {Choice} choice
 */
export function format(rules, { policy, decided_at, subject, ids }) {
  const text = (/** @type {string[]} */ list) => `1.${policy}.${decided_at}.${subject}.` + list.join("~");
  if (!__SERVICES__) return text(ids); // no policy is published whose categories do not fit
  const whole = (/** @type {string} */ id) => !/[+-]/.test(id[0]) && !rules.services.some(one => one.category == id && ids.includes("-" + one.id));
  const lists = [ids, ids.filter(id => id[0] != "+"), ids.filter(whole), []];
  return /** @type {string} */ (lists.map(text).find(text => text.length <= ROOM));
}

/**
 * What the cookie keeps of a decision. A withdrawal names every category with `-`, which tells it from a refusal.
 * @param {Rules} rules
 * @param {Decision} decision
 * @param {string} action
 */
export const entries = (rules, { grants, services }, action) => [
  ...asked(rules).map(({ id }) => (grants[id] ? id : "-" + id)).filter(id => id[0] != "-" || action == "withdraw"),
  ...(__SERVICES__ ? Object.keys(services).map(id => (services[id] ? "+" : "-") + id) : []),
];

/**
 * The decision that keeps the present state but for the categories and services named. A category refused takes all
 * its services along; one newly granted brings them all; one that stays granted keeps the services refused in it.
 * @param {Rules} rules
 * @param {Decision} state
 * @param {Answers} changes
 * @returns {Decision}
 */
export function changed(rules, state, changes) {
  const grants = answers(asked(rules), ({ id }) => changes[id] ?? state.grants[id]);
  /** @type {Answers} */
  const services = {};
  if (__SERVICES__) for (const { id, category } of rules.services) {
    const stays = changes[category] == null || (changes[category] && state.grants[category]);
    const granted = changes[id] ?? (stays ? state.services[id] : grants[category]);
    if (category in grants && granted != grants[category]) services[id] = granted;
  }
  return { grants, services };
}

/** Seconds for which a choice holds, by what its cookie names. @param {Rules} rules @param {string[]} ids */
export const holds = (rules, ids) => DAY * ((ids.some(id => id[0] != "-") ? 0 : rules.refusal_days) || rules.valid_days);

/**
 * The state now. Without a live choice, opt-in grants nothing; elsewhere all is granted but what Global Privacy
 * Control opts out of and what a lapsed choice had refused.
 * @param {Rules} rules
 * @param {Choice | null} stored
 * @param {boolean} gpc
 * @param {number} now seconds since the epoch
 * @returns {Derived}
 */
export function derive(rules, stored, gpc, now) {
  // A clock may be a day wrong. A choice from further ahead is forged or broken.
  const choice = stored && stored.decided_at <= now + DAY ? stored : null;
  const { policy = null, subject = null, decided_at = null, ids = /** @type {string[]} */ ([]) } = choice || {};
  const valid_until = choice && choice.decided_at + holds(rules, ids);
  const lapse = !valid_until ? "unknown" : now >= valid_until ? "expired" :
    /** @type {number} */ (policy) < rules.material_since && "outdated";

  const named = (/** @type {string} */ id) => ids.includes(id);
  const grants = answers(rules.categories, ({ id, necessary }) =>
    necessary || (!(lapse && (rules.regime == "opt-in" || (gpc && rules.signals.gpc.includes(id)))) && (!choice || (named(id) && !named("-" + id)))));
  const services = __SERVICES__ ? answers(rules.services, ({ id, category }) =>
    !named("-" + id) && (grants[category] || (!lapse && named("+" + id)))) : answers([], Boolean);
  return { status: lapse || judge(rules, { grants, services }, ids), policy, subject, decided_at, valid_until, grants, services };
}

/**
 * The status of a live choice.
 * @param {Rules} rules
 * @param {Decision} state
 * @param {string[]} ids
 */
function judge(rules, { grants, services }, ids) {
  const categories = asked(rules);
  if (!Object.values({ ...services, ...grants }).includes(false)) return "given";
  const some = categories.some(({ id }) => grants[id]) ||
    (__SERVICES__ && rules.services.some(({ id, category }) => services[id] && !grants[category]));
  return some ? "partial" : categories.some(({ id }) => ids.includes("-" + id)) ? "withdrawn" : "refused";
}

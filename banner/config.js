// What the server hands over: the policy in one language, its words, its looks. The one reader of `__CONSENT__`.

export const config = __CONSENT__;
export const script = /** @type {HTMLScriptElement} */ (document.currentScript);
export const { src, nonce, dataset } = script;
/** Where the site is on our server, which is where our script came from. */
export const home = src.slice(0, src.lastIndexOf("/sites/")) + "/sites/" + config.site;
export const { categories, appearance = {}, regime, language, policy, signals } = config;
export const services = __SERVICES__ ? config.services : [];

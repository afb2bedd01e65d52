// Google Consent Mode v2, spoken. A type that no category maps to stays denied, because Google takes a type
// without a state for granted: all seven are always sent.

/** @typedef {import("../types").Answers} Answers */

const TYPES = ["ad_storage", "ad_user_data", "ad_personalization", "analytics_storage", "functionality_storage",
  "personalization_storage", "security_storage"];

// Google reads Arguments objects only: an array, which `...rest` would push, is ignored without a word.
/** @type {(...words: unknown[]) => void} */
const gtag = function () {
  (window.dataLayer = window.dataLayer || []).push(arguments);
};

/** @param {Record<string, string[]>} map category -> types @param {Answers} grants */
function values(map, grants) {
  return Object.fromEntries(TYPES.map(type => {
    const needed = Object.keys(map).filter(category => map[category].includes(type));
    return [type, needed.length && needed.every(id => grants[id]) ? "granted" : "denied"];
  }));
}

export default {
  name: "google",
  /** @param {any} map @param {Answers} grants */
  start: (map, grants) => gtag("consent", "default", { ...values(map, grants), wait_for_update: 500 }),
  /** @param {any} map @param {Answers} grants */
  update: (map, grants) => gtag("consent", "update", values(map, grants)),
};

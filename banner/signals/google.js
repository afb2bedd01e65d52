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

/** @type {import("./index").Signal} */
export const google = (command, grants, { google: map }) => {
  if (!map) return;
  const values = TYPES.map(type => {
    const needed = Object.keys(map).filter(category => map[category].includes(type));
    return [type, needed.length && needed.every(id => grants[id]) ? "granted" : "denied"];
  });
  gtag("consent", command, { ...Object.fromEntries(values), ...(command == "default" && { wait_for_update: 500 }) });
};

// Global Privacy Control, heard. It is an opt-out and never an opt-in, and may be undefined: only `true` counts.

/** @param {Navigator} navigator */
export const heard = navigator => navigator.globalPrivacyControl === true;

// The consent signals we speak: one line here and one file each. Every one is told first what holds without a choice
// (`default`), then the choice there is and each change after (`update`).
import { clarity } from "./clarity.js";
import { google } from "./google.js";
import { uet } from "./uet.js";

/** Policies that speak more than Google's get the whole script. @type {Record<string, Signal>} */
export const SIGNALS = __SERVICES__ ? { google, uet, clarity } : { google };

/**
 * @callback Signal
 * @param {"default" | "update"} command
 * @param {import("../types").Answers} grants
 * @param {any} maps `Config["signals"]`: what each signal is told is under its name
 * @returns {void}
 */

/** One that fails (a page may use `dataLayer` for something else) keeps nobody waiting. @type {Signal} */
export const speak = (command, grants, maps) => {
  for (const name in SIGNALS) if (/** @type {any} */ (maps)[name]) try {
    SIGNALS[name](command, grants, maps);
  } catch (error) {
    console.error(error);
  }
};
